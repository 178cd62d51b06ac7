# SPDX-License-Identifier: Apache-2.0
"""Mechanism drivers of others, as a Neutron may have them. Only the server imports this, see test_other_drivers.py."""

from __future__ import annotations

from neutron_lib.plugins.ml2 import api
from oslo_log import log

LOG = log.getLogger(__name__)


class TopOfRack(api.MechanismDriver):
    """Binds the upper part of a hierarchy, the network's own segment, and leaves a VLAN of the rack to others."""

    connectivity = "l2"

    def initialize(self):
        pass

    def bind_port(self, context):
        [segment] = context.segments_to_bind
        LOG.info("top_of_rack is asked about %s, level %s", context.current["id"], len(context.binding_levels or []))
        if segment["network_type"] == "vxlan":
            rack = {"network_type": "vlan", "physical_network": "physnet1"}
            context.continue_binding(segment["id"], [context.allocate_dynamic_segment(rack)])


class Troubled(api.MechanismDriver):
    """Raises an error whenever it is asked."""

    connectivity = "l2"

    def initialize(self):
        pass

    def bind_port(self, context):
        raise RuntimeError("the controller is on fire")


class Routed(api.MechanismDriver):
    """Gives guests a tap that it routes, as Calico does; only ports with an address. On routed-N it talks a lot."""

    connectivity = "l3"

    def initialize(self):
        pass

    def bind_port(self, context):
        kind, _, length = context.host.partition("-")
        if kind == "routed":
            details = {"port_filter": True, "note": "x" * int(length or 0)}
            context.set_binding(context.segments_to_bind[0]["id"], "tap", details, "ACTIVE")


class Vendor(api.MechanismDriver):
    """Binds as a type that this project has no plugin for, on every host."""

    connectivity = "l2"

    def initialize(self):
        pass

    def bind_port(self, context):
        context.set_binding(context.segments_to_bind[0]["id"], "vendor_magic", {"spell": "x"})
