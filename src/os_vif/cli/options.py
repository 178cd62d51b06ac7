# SPDX-License-Identifier: Apache-2.0
"""The options that every command takes, before or after its name."""

from __future__ import annotations

import argparse
from typing import Any

DEFAULTS: dict[str, Any] = {
    "output": "table",
    "state_dir": None,
    "config_file": (),
    "verbose": 0,
    "quiet": False,
    "no_color": False,
}


def common() -> argparse.ArgumentParser:
    """A parser to inherit from. It sets nothing that was not said, so that both places can be used."""
    parser = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = parser.add_argument_group("options of all commands")
    group.add_argument("-h", "--help", action="help", help="show this help and exit")
    group.add_argument("-o", "--output", choices=("table", "json"), help="for people (default), or for programs")
    group.add_argument("--state-dir", metavar="DIR", help="where the journal and the locks are kept")
    group.add_argument(
        "--config-file",
        metavar="FILE",
        action="append",
        help="options, in oslo.config's form, instead of /etc/os-vif/os-vif.conf and os-vif.conf.d; can be repeated",
    )
    group.add_argument("-v", "--verbose", action="count", help="tell more; -vv tells everything")
    group.add_argument("-q", "--quiet", action="store_true", help="errors and JSON only")
    group.add_argument("--no-color", action="store_true", help="no colours; NO_COLOR=1 does the same")
    return parser


def fill_in(arguments: argparse.Namespace) -> None:
    """Sets what was not said."""
    for name, value in DEFAULTS.items():
        if not hasattr(arguments, name):
            setattr(arguments, name, value)
