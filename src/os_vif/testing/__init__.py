# SPDX-License-Identifier: Apache-2.0
"""For the tests of those who use os-vif, and of those who write plugins for it.

- ``fake_host()`` and ``FakeHost``: a host in memory, so that tests need no privileges.
- ``own_namespace()``: a network namespace for a while, for tests on the kernel.
- ``os_vif.testing.conformance``: the tests that every plugin should pass; run them on yours.
- ``os_vif.testing.faults``: make any step of any plan fail, or end the process there.
"""

from os_vif.testing.fake.event import Event
from os_vif.testing.fake.host import FakeHost
from os_vif.testing.fake.link import FakeLink
from os_vif.testing.namespaces import own_namespace
from os_vif.testing.using import engine_on, fake_host

__all__ = ["Event", "FakeHost", "FakeLink", "engine_on", "fake_host", "own_namespace"]
