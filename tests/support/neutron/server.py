# SPDX-License-Identifier: Apache-2.0
"""Starting and stopping a Neutron of one's own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from support.neutron import configuration
from support.neutron.agents import Agent
from support.neutron.client import Client
from support.parts import missing

_REPOSITORY = Path(__file__).resolve().parents[3]
_VENV = _REPOSITORY / ".venv-neutron"

MECHANISM_DRIVERS = ("openvswitch", "macvtap", "sriovnicswitch")


def python() -> Path:
    """The interpreter that has Neutron, and this checkout as its os-vif. Ends the test where there is none."""
    if not (_VENV / ".ready").exists():
        missing("Neutron is not installed in .venv-neutron: make .venv-neutron")
    return _VENV / "bin/python"


class NeutronServer:
    """A Neutron on loopback of the calling thread's network namespace, with a database of its own.

    ``url``: without /v2.0. ``client``: for tests. Use it as a context manager, or call close().
    """

    def __init__(
        self,
        directory: Path,
        *,
        mechanism_drivers: Sequence[str] = MECHANISM_DRIVERS,
        agents: Sequence[Agent] = (),
        negotiation: bool = False,
        options: configuration.Options | None = None,
        path: Sequence[Path] = (),
    ) -> None:
        """Starts it, in an empty directory. ``negotiation``: with our mechanism driver, first, and our filter.

        ``options``: by section, over those of support.neutron.configuration. ``path``: for drivers of a test's own.
        """
        self._python = python()
        self._directory = directory
        configuration.write(directory, _VENV, mechanism_drivers, options or {}, negotiation=negotiation)
        self._process = self._start(path)
        try:
            self.url = f"http://127.0.0.1:{int(self._next_line())}"
            for agent in agents:
                self.report(agent)
        except BaseException:
            self.close()
            raise
        self.client = Client(self.url)

    def report(self, agent: Agent) -> None:
        """An agent says that it is alive, and what it has; see support.neutron.agents."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(agent) + "\n")
        self._process.stdin.flush()
        answer = self._next_line()
        assert "failed" not in answer, answer

    def log(self) -> str:
        """What Neutron has logged, and printed before it could log."""
        files = [self._directory / "stderr", self._directory / "neutron.log"]
        return "".join(file.read_text() for file in files if file.exists())

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _start(self, path: Sequence[Path]) -> subprocess.Popen[str]:
        with (self._directory / "stderr").open("w") as stderr:
            return subprocess.Popen(
                [self._python, Path(__file__).with_name("serve.py"), self._directory],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=_environment(self._directory, path),
            )

    def _next_line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"Neutron has ended. Its last words:\n{self.log()[-3000:]}"
        return line


def _environment(directory: Path, path: Sequence[Path]) -> Mapping[str, str]:
    """TMPDIR, because Neutron leaves files there that are named by a process id."""
    own = {"TMPDIR": f"{directory}/tmp", "PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONWARNINGS": "ignore"}
    return os.environ | own
