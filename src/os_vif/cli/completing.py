# SPDX-License-Identifier: Apache-2.0
"""What shells ask us while somebody types: argcomplete answers, we add the ids of recorded VIFs."""

from __future__ import annotations

import argparse
from typing import Any


def answer(parser: argparse.ArgumentParser) -> None:
    """Answers the shell and ends the process."""
    try:
        import argcomplete
    except ImportError:
        raise SystemExit(1) from None  # the shell then offers file names
    argcomplete.autocomplete(parser, always_complete_options="long")


def recorded_ids(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """The ids that begin with ``prefix``. Never an error: somebody is in the middle of a line."""
    from os_vif.cli import recorded, session

    session.use_state_directory(getattr(parsed_args, "state_dir", None))
    return [record.vif_id for record in recorded.here() if record.vif_id.startswith(prefix)]
