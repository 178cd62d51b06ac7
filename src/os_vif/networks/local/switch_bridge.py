# SPDX-License-Identifier: Apache-2.0
"""The Open vSwitch bridge that a network has had for itself: it goes with the network.

The plugin leaves bridges of Open vSwitch alone once they are made, because others may hang their own things on an
integration bridge. That of a network is nobody else's: it goes if we made it, and nothing is on it any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import os_vif
from os_vif import exception
from os_vif.exception.log import logger
from os_vif.host.contract.backend import Purpose
from os_vif.host.contract.plan import Holding
from os_vif.host.engine.planner import Leaving
from os_vif.host.process import patience
from os_vif.host.state.ovs import OvsBridge, OvsDatabase
from os_vif.loading import plugins
from os_vif.networks.local.model import Network
from os_vif.plugging import current

LOG = logger(__name__)

_CONTEXT = "vif_plug_ovs.privsep"


def remove(network: Network) -> None:
    """Removes it on this host. Where that cannot be done, it stays, and a warning says so."""
    os_vif.initialize()
    for place in _places():
        try:
            with patience.looking():
                _remove_at(place, network.bridge)
        except exception.HostError as error:
            if place.expected:
                LOG.warning("The Open vSwitch bridge %s of network %s is left: %s", network.bridge, network.name, error)


def _remove_at(place: OvsDatabase, name: str) -> None:
    engine = current.engine()
    purpose = Purpose("", _CONTEXT)
    bridge = OvsBridge(
        name=name, database=place.database, seconds=place.seconds, credentials=place.credentials, shared=True
    )
    with engine.holding_keys(engine.scope(), [bridge.key]):
        outcome = engine.backends["ovs"].converge(bridge, engine.backends["ovs"].read([bridge], purpose), purpose)
        if outcome.steps or not outcome.holding.made:
            return  # there is none, or somebody else made it
        work = engine.planner.unplug([Leaving(purpose, (Holding(bridge, made=True),))])
        errors = engine.executor.do_all(work.tasks)
    if errors:
        raise exception.UnplugIncomplete(errors)


def _places() -> Iterator[OvsDatabase]:
    whereabouts: Callable[[], Iterable[object]] = getattr(plugins.plugins().get("ovs"), "whereabouts", tuple)
    return (place for place in whereabouts() if isinstance(place, OvsDatabase))
