# SPDX-License-Identifier: Apache-2.0
"""The realms of a host, each made when it is first needed: who never meets Open vSwitch does not load its client."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping

from os_vif.host.access import HostAccess
from os_vif.host.realm import Realm

#: Name of a realm → its module and class.
_OWN = {
    "link": ("links", "LinkRealm"),
    "layer3": ("layer3", "Layer3Realm"),
    "firewall": ("firewall", "FirewallRealm"),
    "ovs": ("ovs", "OvsRealm"),
}


class Realms(Mapping[str, Realm]):
    """All realms by name; ``extra`` ones take the place of ours of the same name."""

    def __init__(self, host: HostAccess, extra: Mapping[str, Realm], home: str = "") -> None:
        """``home`` is the journal (homes.py), for marks on what other journals may tell of as well."""
        self._host = host
        self._home = home
        self._made = dict(extra)

    def __getitem__(self, name: str) -> Realm:
        # Two threads may both make one; setdefault lets them use the same.
        return self._made[name] if name in self._made else self._made.setdefault(name, self._make(name))

    def __iter__(self) -> Iterator[str]:
        return iter({**_OWN, **self._made})

    def __len__(self) -> int:
        return len({**_OWN, **self._made})

    def _make(self, name: str) -> Realm:
        module, kind = _OWN[name]
        make = getattr(importlib.import_module(f"os_vif.host.{module}"), kind)
        realm: Realm = make(self._host, self._home)
        return realm
