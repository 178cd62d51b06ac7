# SPDX-License-Identifier: Apache-2.0
"""A service that is not root: it plugs through the helper of oslo.privsep."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from support.netns import Namespace
from support.parts import missing, require
from support.privileges import Sudo

_CLIENT = Path(__file__).with_name("unprivileged_client.py")
_HOSTILE_CLIENT = Path(__file__).with_name("hostile_client.py")
NOBODY = 65534
#: The effective capabilities of a helper, as /proc tells them.
ONLY_NET_ADMIN = f"{1 << 12:016x}"


class Service:
    """A service that runs as nobody; ``package`` holds the privileged context: "vif_plug_ovs".

    ``state`` is its state directory (pytest's own are closed to others). Each call is a process of its own.
    """

    def __init__(self, namespace: Namespace, package: str) -> None:
        require(module="oslo_privsep", package="oslo.privsep")
        require_second_user()
        self._namespace = namespace
        self._package = package
        self._sudo = Sudo(namespace)
        #: What the helper is started with: "--config-file ...".
        self.helper_arguments = ""
        self.state = Path(tempfile.mkdtemp(prefix="os-vif-state-"))
        os.chown(self.state, NOBODY, NOBODY)

    def __call__(
        self,
        actions: str,
        vif: Any,
        how: str = "helper-command",
        command: str = "",
        options: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Does actions ("plug,unplug") with options of the plugin; what came of each, and what the helper was called.

        ``how`` is the way in which the helper is configured, "helper-command" or "root-helper"; ``command`` is what
        gives it its rights.
        """
        texts = json.dumps(options or {}), json.dumps(vif.obj_to_primitive())
        started = command or self._sudo.command
        arguments = (NOBODY, self._package, how, started, self.helper_arguments, actions, *texts)
        result: dict[str, Any] = self._namespace.python(_CLIENT, *arguments, env=self._environment())
        return {**result, "calls": self._sudo.calls}

    def abuse(self, calls: dict[str, Any]) -> dict[str, Any]:
        """Was taken over: asks its helper for what it likes. ``calls`` are lists of operations, by what they are for;
        what the helper says to each."""
        arguments = (NOBODY, self._package, self._sudo.command, self.helper_arguments)
        answers: dict[str, Any] = self._namespace.python(
            _HOSTILE_CLIENT, *arguments, input=json.dumps(calls), env=self._environment()
        )
        return answers

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "OS_VIF_STATE_DIR": str(self.state), "TMPDIR": str(self.state)}

    def close(self) -> None:
        """Removes its files."""
        self._sudo.close()
        shutil.rmtree(self.state)


def require_second_user() -> None:
    """Skips the test where files cannot be given to nobody."""
    if not _can_become(NOBODY):
        missing("there is no second user here (a user namespace with one user); run the tests as root")


def _can_become(uid: int) -> bool:
    words = Path("/proc/self/uid_map").read_text().split()
    if len(words) != 3:
        return False
    inside, _, count = map(int, words)
    return inside <= uid < inside + count
