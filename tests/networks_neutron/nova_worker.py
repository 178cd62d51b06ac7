# SPDX-License-Identifier: Apache-2.0
"""Nova as an oracle: what it makes of a Neutron port. Run by the Python of .venv-compat-upstream.

A line of JSON for every line of JSON: ``{"port", "network", "subnets", "preserve"}`` in; the wire form of the VIF,
None where Nova plugs by itself, or the name of the error out. Nova asks a client of Neutron that knows just these.
"""

from __future__ import annotations

import json
import sys
from typing import Any
from unittest import mock

import nova.conf
from nova import context, objects
from nova.network import neutron, os_vif_util

from os_vif import objects as vif_objects


class Client:
    """The world's edge: a Neutron with one port."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told

    def list_subnets(self, **filters: Any) -> dict[str, Any]:
        return {"subnets": [subnet for subnet in self.told["subnets"] if subnet["id"] in filters["id"]]}

    def list_ports(self, **filters: Any) -> dict[str, Any]:
        return {"ports": []}

    def list_floatingips(self, **filters: Any) -> dict[str, Any]:
        return {"floatingips": []}

    def list_extensions(self) -> dict[str, Any]:
        return {"extensions": []}

    def show_network(self, network: str, fields: Any = None) -> dict[str, Any]:
        return {"network": {"provider:physical_network": None, "provider:network_type": "vxlan"}}


def translate(told: dict[str, Any]) -> Any:
    """What Nova does between the port and the call of os-vif."""
    client, port = Client(told), told["port"]
    with mock.patch.object(neutron, "get_client", lambda *_, **__: client):
        vif = neutron.API()._build_vif_model(
            context.RequestContext(), client, port, [told["network"]], [port["id"]] if told["preserve"] else []
        )
    made = os_vif_util.nova_to_osvif_vif(vif)
    return made and made.obj_to_primitive()


def main() -> None:
    """Until stdin ends."""
    nova.conf.CONF([], project="nova", default_config_files=[])
    objects.register_all()
    vif_objects.register_all()
    for line in sys.stdin:
        try:
            answer = {"vif": translate(json.loads(line))}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
