# SPDX-License-Identifier: Apache-2.0
"""Pings that go on while a test does something, and which of them were not answered."""

from __future__ import annotations

import re
import tempfile
import time
from itertools import pairwise
from typing import Self

from support.netns import Namespace
from support.parts import require

_ANSWERED = re.compile(r"icmp_seq=(\d+) ttl=")
_PAUSE = "0.05"
_PATIENCE = 240

_TRIES = 60


def reaches(guest: Namespace, address: str, *options: str) -> bool:
    """Whether one of two packets to an address is answered."""
    require("ping", "iputils-ping")
    ping = ["ping", "-n", "-c", "2", "-i", "0.1", "-W", "2", *options, address]
    return guest.run(ping, check=False).returncode == 0


def comes_to_reach(guest: Namespace, address: str) -> bool:
    """Whether one of many packets is answered: the first after a change may be lost."""
    return any(reaches(guest, address) for _ in range(_TRIES))


class Pinging:
    """From a namespace to an address, twenty a second."""

    def __init__(self, namespace: Namespace, address: str) -> None:
        """Starts it, and returns when some were answered."""
        require("ping", "iputils-ping")
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = namespace.popen(["ping", "-n", "-i", _PAUSE, address], stdout=self._output)
        self.hear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._output.close()

    def answered(self) -> set[int]:
        """The numbers of those that were answered; they begin with 1."""
        self._output.seek(0)
        return {int(number) for number in _ANSWERED.findall(self._output.read())}

    def gaps(self) -> list[range]:
        """The numbers of those that were not, though later ones were: a range for each time that answers stayed out."""
        answered = sorted(self.answered() | {0})
        return [range(one + 1, next_one) for one, next_one in pairwise(answered) if next_one > one + 1]

    def hear(self, count: int = 10) -> None:
        """Returns when so many more were answered. A test fails that waits for that in vain."""
        end, before = time.monotonic() + _PATIENCE, len(self.answered())
        while len(self.answered()) < before + count:
            assert time.monotonic() < end, f"no more answers; there were {before}"
            time.sleep(0.02)
