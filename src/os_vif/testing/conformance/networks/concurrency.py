# SPDX-License-Identifier: Apache-2.0
"""Many guests start at once, asked for by several threads and processes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from os_vif import exception
from os_vif.testing.conformance.networks.kit import NetworkKit
from os_vif.testing.conformance.processes import in_threads, start, wait

_THREADS, _PROCESSES, _EACH = 8, 3, 4


class Concurrency(NetworkKit):
    """Nothing is given out twice."""

    def test_threads_with_keys_of_their_own(self) -> None:
        """Each has a port, a MAC and addresses that no other has; and all of them can go at once."""
        port_ids: list[str] = []
        assert in_threads(_THREADS, lambda _: port_ids.append(self.bind().vif.id)) == []
        self._expect_distinct(port_ids, _THREADS)
        assert in_threads(_THREADS, lambda number: self.driver.unbind(port_ids[number], self.hosts[0])) == []
        for port_id in port_ids:
            with pytest.raises(exception.NetworkNotFound):
                self.driver.show(port_id)

    def test_threads_with_the_same_key(self) -> None:
        """One port, one answer."""
        request = self.request()
        answers: list[dict[str, Any]] = []
        assert in_threads(_THREADS, lambda _: answers.append(self.bind(request).obj_to_primitive())) == []
        assert [answer for answer in answers if answer != answers[0]] == []

    def test_processes_with_keys_of_their_own(self) -> None:
        """The same as with threads."""
        with tempfile.TemporaryDirectory() as directory:
            papers = [Path(directory, str(number)) for number in range(_PROCESSES)]
            children = [start(lambda paper=paper: self._a_process(paper)) for paper in papers]  # type: ignore[misc]
            assert [wait(child) for child in children] == [0] * _PROCESSES
            port_ids = [port_id for paper in papers for port_id in json.loads(paper.read_text())]
        for port_id in port_ids:
            self.remember(port_id, self.hosts[0])
        self._expect_distinct(port_ids, _PROCESSES * _EACH)

    def _a_process(self, paper: Path) -> None:
        driver = self.make_driver()
        paper.write_text(json.dumps([driver.bind(self.request()).vif.id for _ in range(_EACH)]))

    def _expect_distinct(self, port_ids: Iterable[str], count: int) -> None:
        ports = [self.driver.show(port_id) for port_id in port_ids]
        assert len({port.port_id for port in ports}) == count
        assert len({port.mac_address for port in ports}) == count
        addresses = [address for port in ports for address in port.ip_addresses]
        assert len(addresses) >= count
        assert len(set(addresses)) == len(addresses)
