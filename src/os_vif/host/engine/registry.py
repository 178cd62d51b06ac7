# SPDX-License-Identifier: Apache-2.0
"""The backends of a host, each made when it is first needed: who never meets Open vSwitch does not load its client.

Those of third parties are entry points, see os_vif.host.state.third_party.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping

from os_vif.host.access.host import HostAccess
from os_vif.host.contract.backend import KnownBackend
from os_vif.host.engine.guarded import Guarded
from os_vif.host.state import third_party

#: Name of a backend → its module and class.
_OWN = {
    "link": ("links", "LinkBackend"),
    "addresses": ("addresses", "AddressBackend"),
    "firewall": ("firewall", "FirewallBackend"),
    "ovs": ("ovs", "OvsBackend"),
}


class Backends(Mapping[str, KnownBackend]):
    """All backends by name; ``extra`` ones take the place of ours of the same name."""

    def __init__(self, host: HostAccess, extra: Mapping[str, KnownBackend], home: str = "") -> None:
        """``home`` is the journal (identity.py), for marks on what other journals may tell of as well."""
        self._host = host
        self._home = home
        self._made = dict(extra)

    def __getitem__(self, name: str) -> KnownBackend:
        # Two threads may both make one; setdefault lets them use the same.
        return self._made[name] if name in self._made else self._made.setdefault(name, self._make(name))

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*_OWN, *self._made, *third_party.names()]))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _make(self, name: str) -> KnownBackend:
        """Raises BackendUnavailable."""
        if name not in _OWN:
            return Guarded.made(name, self._host, self._home)
        module, kind = _OWN[name]
        make = getattr(importlib.import_module(f"os_vif.host.backends.{module}"), kind)
        backend: KnownBackend = make(self._host, self._home)
        return backend
