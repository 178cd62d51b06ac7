# SPDX-License-Identifier: Apache-2.0
"""What Nova reads from a port's legacy keys: ports and networks on stdin, one per line, VIFs on stdout.

Run by an interpreter that has Nova.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def main() -> None:
    from nova.network import os_vif_util

    import os_vif

    os_vif.objects.register_all()
    for line in sys.stdin:
        vif = os_vif_util.nova_to_osvif_vif(_nova_vif(**json.loads(line)))
        print(json.dumps(vif.obj_to_primitive()))


def _nova_vif(port: dict[str, Any], network: dict[str, Any]) -> Any:
    """As Nova makes it from what Neutron shows (nova/network/neutron.py), for types with Open vSwitch."""
    from nova.network import model

    details = port["binding:vif_details"]
    nets = model.Network(
        id=network["id"], bridge=details["bridge_name"], label=network["name"], subnets=[], mtu=network["mtu"]
    )
    return model.VIF(
        id=port["id"],
        address=port["mac_address"],
        network=nets,
        type=port["binding:vif_type"],
        details=details,
        devname=f"tap{port['id']}"[: model.NIC_NAME_LEN],
        ovs_interfaceid=port["id"],
        profile=port["binding:profile"],
        vnic_type=port["binding:vnic_type"],
        delegate_create=True,
    )


if __name__ == "__main__":
    main()
