# SPDX-License-Identifier: Apache-2.0
"""A way for an unprivileged process to start the privileged helper, as sudo is on a real host.

The helper command is a shell script that any user may run. It passes its arguments on to this process, which is root,
and which runs them inside the namespace: nothing of sudo's is needed but that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from support.netns import Namespace

_SCRIPT = """#!/bin/sh
echo "$@" >{directory}/ask
read code <{directory}/answer
exit "$code"
"""


class Sudo:
    """``command`` runs a program of the tests' own environment with root's rights, whoever calls it."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._directory = Path(tempfile.mkdtemp(prefix="os-vif-sudo-"))
        self.calls: list[list[str]] = []
        self.command = self._directory / "sudo"
        self._prepare()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Ends the service and removes its files."""
        (self._directory / "ask").write_text("\n")
        shutil.rmtree(self._directory)

    def _prepare(self) -> None:
        self._directory.chmod(0o755)
        self.command.write_text(_SCRIPT.format(directory=self._directory))
        self.command.chmod(0o755)
        for name in ("ask", "answer"):
            os.mkfifo(self._directory / name)
            (self._directory / name).chmod(0o666)

    def _serve(self) -> None:
        while (words := (self._directory / "ask").read_text().split()) != []:
            self.calls.append(words)
            program = Path(sys.executable).parent / words[0]
            done = subprocess.run(
                ["ip", "netns", "exec", self._namespace.name, program, *words[1:]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
            (self._directory / "answer").write_text(f"{done.returncode}\n")
