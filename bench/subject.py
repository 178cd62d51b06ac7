# SPDX-License-Identifier: Apache-2.0
"""What is measured, written against the interface that this os-vif and upstream's share.

Runs in the environment of either one: `python subject.py TASK [ARGUMENTS]`, prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import tempfile
import time
import uuid
import warnings
from concurrent.futures import ThreadPoolExecutor

PORT = "6d3ef0a5-6b9c-4c2d-9d1f-9f7c1f0c9c11"


def start() -> dict[str, float]:
    """Import and initialize; the caller takes the time, this tells of the memory (MiB)."""
    import os_vif

    os_vif.initialize()
    return {"rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def codec() -> dict[str, float]:
    """Milliseconds to build, encode and decode a VIF with its network."""
    import os_vif
    from os_vif import objects

    os_vif.initialize()
    vif = bridge_vif("br-bench", PORT)
    primitive = vif.obj_to_primitive()
    decode = objects.base.VersionedObject.obj_from_primitive
    return {
        "build": median_of(2000, lambda: bridge_vif("br-bench", PORT)),
        "encode": median_of(2000, vif.obj_to_primitive),
        "decode": median_of(2000, lambda: decode(primitive)),
    }


def linux_bridge(filtering: str) -> dict[str, float]:
    """Milliseconds to plug, re-plug and unplug a VIF on a Linux bridge of its own, in this network namespace."""
    import os_vif

    work_in_this_process()
    os_vif.initialize()
    vifs = [bridge_vif(f"brb{n}", str(uuid.uuid4()), filtering=filtering == "filtering") for n in range(21)]
    # Upstream's unplug does nothing; ours is kept from what is compared, because the kernel goes on deleting after it.
    times = {
        "plug": [once(lambda vif=vif: os_vif.plug(vif, instance())) for vif in vifs],
        "replug": [once(lambda vif=vif: os_vif.plug(vif, instance())) for vif in vifs * 5],
        "unplug": [once(lambda vif=vif: os_vif.unplug(vif, instance())) for vif in vifs],
    }
    # The first plug also loads what is loaded when it is needed.
    return {name: statistics.median(found[1:]) for name, found in times.items()} | {"first plug": times["plug"][0]}


def ovs(kind: str) -> dict[str, float]:
    """Milliseconds to plug, re-plug and unplug a VIF on the Open vSwitch that the variable OVSDB tells of."""
    import os_vif

    connect_to_switch()
    times: dict[str, list[float]] = {"plug": [], "replug": [], "unplug": []}
    for _ in range(16):
        vif = ovs_vif(kind)
        times["plug"].append(once(lambda vif=vif: os_vif.plug(vif, instance())))
        times["replug"] += [once(lambda vif=vif: os_vif.plug(vif, instance())) for _ in range(3)]
        times["unplug"].append(once(lambda vif=vif: os_vif.unplug(vif, instance())))
    return {name: statistics.median(found[1:]) for name, found in times.items()} | {"first plug": times["plug"][0]}


def ovs_many(count: str) -> dict[str, float]:
    """Milliseconds for many VIFs: all at once where that can be done, else one after the other."""
    import os_vif

    connect_to_switch()
    os_vif.plug(ovs_vif("port"), instance())
    pairs = [(ovs_vif("port"), instance()) for _ in range(int(count))]
    return {"plug": once(lambda: each_or_all("plug", pairs)), "unplug": once(lambda: each_or_all("unplug", pairs))}


def ovs_threads(count: str, threads: str) -> dict[str, float]:
    """Milliseconds for many VIFs from several threads."""
    import os_vif

    connect_to_switch()
    os_vif.plug(ovs_vif("port"), instance())
    vifs = [ovs_vif("port") for _ in range(int(count))]
    with ThreadPoolExecutor(int(threads)) as pool:
        plug = once(lambda: list(pool.map(lambda vif: os_vif.plug(vif, instance()), vifs)))
        unplug = once(lambda: list(pool.map(lambda vif: os_vif.unplug(vif, instance()), vifs)))
    return {"plug": plug, "unplug": unplug}


def each_or_all(action: str, pairs) -> None:  # type: ignore[no-untyped-def]
    """Plugs or unplugs many VIFs in the best way that this os-vif has."""
    import os_vif

    if hasattr(os_vif, f"{action}_many"):
        getattr(os_vif, f"{action}_many")(pairs)
        return
    for vif, owner in pairs:
        getattr(os_vif, action)(vif, owner)


def connect_to_switch() -> None:
    """Initializes with the database of OVSDB; upstream reads the option when it is initialized."""
    from oslo_config import cfg

    import os_vif

    work_in_this_process()
    os_vif.initialize()
    cfg.CONF.set_override("ovsdb_connection", os.environ["OVSDB"], group="os_vif_ovs")
    os_vif.initialize(reset=True)


def work_in_this_process() -> None:
    """Upstream: no privileged helpers (this process is root), and a place for its locks."""
    from oslo_config import cfg

    cfg.CONF([], project="os-vif-bench")
    try:
        from oslo_concurrency import lockutils

        lockutils.set_defaults(tempfile.mkdtemp())
    except ImportError:
        return
    for package in ("vif_plug_linux_bridge", "vif_plug_ovs"):
        try:
            privsep = __import__(f"{package}.privsep").privsep
        except ImportError:
            continue
        privsep.vif_plug.set_client_mode(False)


def ovs_vif(kind: str):  # type: ignore[no-untyped-def]
    """A VIF as Nova makes it for Open vSwitch: "hybrid", "tap" (port and tap made here), "port" (no device yet)."""
    from os_vif import objects

    port = str(uuid.uuid4())
    profile = objects.vif.VIFPortProfileOpenVSwitch(
        interface_id=port, datapath_type="netdev", create_port=True, create_tap=kind == "tap"
    )
    common = {"id": port, "address": "52:54:00:12:34:56", "plugin": "ovs", "network": network("br-int")}
    common |= {"has_traffic_filtering": True, "vif_name": "tap" + port[:11], "port_profile": profile}
    if kind == "hybrid":
        return objects.vif.VIFBridge(bridge_name="qbr" + port[:11], **common)
    return objects.vif.VIFOpenVSwitch(bridge_name="br-int", **common)


def bridge_vif(bridge: str, port: str, *, filtering: bool = False):  # type: ignore[no-untyped-def]
    """A VIF as Nova makes it for a Linux bridge."""
    from os_vif import objects

    return objects.vif.VIFBridge(
        id=port,
        address="52:54:00:12:34:56",
        plugin="linux_bridge",
        vif_name="tap" + port[:11],
        bridge_name=bridge,
        network=network(bridge),
        has_traffic_filtering=not filtering,
        port_profile=objects.vif.VIFPortProfileBase(),
    )


def network(bridge: str):  # type: ignore[no-untyped-def]
    """A network with one subnet."""
    from os_vif import objects

    subnet = objects.subnet.Subnet(
        cidr="10.9.0.0/24",
        gateway="10.9.0.1",
        dns=["10.9.0.2"],
        ips=objects.fixed_ip.FixedIPList(objects=[objects.fixed_ip.FixedIP(address="10.9.0.7", floating_ips=[])]),
        routes=objects.route.RouteList(objects=[]),
    )
    return objects.network.Network(
        id="437c6db5-4e6f-4b43-b64b-ed6a11ee5ba7",
        label="blue",
        bridge=bridge,
        bridge_interface=None,
        mtu=1500,
        multi_host=False,
        should_provide_bridge=True,
        subnets=objects.subnet.SubnetList(objects=[subnet]),
    )


def instance():  # type: ignore[no-untyped-def]
    """The instance that the VIFs belong to."""
    from os_vif import objects

    return objects.instance_info.InstanceInfo(
        uuid="5ea5ee67-2f0f-4d2c-9c55-6bd1b8d8c4ce", name="bench", project_id="demo"
    )


def once(call) -> float:  # type: ignore[no-untyped-def]
    """Milliseconds that one call takes."""
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1e3


def median_of(count: int, call) -> float:  # type: ignore[no-untyped-def]
    """The median of many calls, in milliseconds."""
    return statistics.median(once(call) for _ in range(count))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    tasks = (start, codec, linux_bridge, ovs, ovs_many, ovs_threads)
    task = next(task for task in tasks if task.__name__ == sys.argv[1])
    print(json.dumps(task(*sys.argv[2:])))
