# SPDX-License-Identifier: Apache-2.0
"""The console of a small virtual machine (see small_init.sh): it takes commands, one after the other, and answers."""

from __future__ import annotations

import re
import select
import socket
import time

_ENDED = re.compile(r"\nGUEST ended (\d+)\n")


class Console:
    """``console`` is all that was written there so far."""

    def __init__(self, connected: socket.socket) -> None:
        self.console = ""
        self._read = 0
        self._socket = connected

    def run(self, command: str, *, check: bool = True, seconds: float = 240) -> str:
        """Runs a line of shell, and returns what it writes; with another exit code than 0 the test fails."""
        self._socket.sendall(f"{command}\n".encode())
        code, output = self._answer(seconds)
        assert code == 0 or not check, f"exit code {code} of: {command}\n{output}"
        return output

    def reaches(self, address: str, *, tries: int = 60) -> bool:
        """Whether one of some packets to an address is answered: a switch that has just got a port may lose a few."""
        pings = f"for try in $(seq {tries}); do ping -c 1 -W 1 {address} && break; done"
        return "1 packets received" in self.run(pings, check=False)

    def _answer(self, seconds: float) -> tuple[int, str]:
        """The exit code and the output of what was asked last."""
        end = time.monotonic() + seconds
        while not (ended := _ENDED.search(self.console, self._read)):
            self._hear(end)
        output, self._read = self.console[self._read : ended.start()], ended.end()
        return int(ended[1]), output

    def _hear(self, end: float) -> None:
        ready, _, _ = select.select([self._socket], [], [], max(0.0, end - time.monotonic()))
        heard = self._socket.recv(1 << 16) if ready else b""
        assert heard, f"the guest {'has ended' if ready else 'does not answer'}:\n{self.console}{self._complaints()}"
        self.console += heard.decode(errors="replace").replace("\r", "")

    def _complaints(self) -> str:
        """What else there is to know when it does not answer."""
        return ""
