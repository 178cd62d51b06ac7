# SPDX-License-Identifier: Apache-2.0
"""vhost-user: guests of a real libvirt on Open vSwitch with DPDK, at both kinds of socket, and one that comes later."""

from __future__ import annotations

import pytest

from os_vif.hypervisors.driver import Guest
from os_vif.plugins.ovs import OvsPlugin
from support import ovs_vifs, plugging
from support.libvirt import Libvirtd


@pytest.fixture
def switch(dpdk_switch):
    """The one with DPDK."""
    return dpdk_switch


@pytest.fixture
def libvirtd(switch):
    """A libvirt in the same namespace."""
    made = Libvirtd(switch.ns)
    yield made
    made.close()


@pytest.fixture
def host(switch, tmp_path):
    """Plugs into the switch."""
    plugin = plugging.configured(OvsPlugin, ovsdb_connection=switch.remote, ovs_vsctl_timeout=20)
    made = plugging.PlugHost(switch.ns, tmp_path, plugin)
    yield made
    made.engine.backends["ovs"].close()


def test_guests_at_both_kinds_of_socket_reach_each_other(switch, libvirtd, host, new_driver):
    """The second card of one is plugged in while it runs, and taken out again."""
    driver = new_driver(uri=libvirtd.uri)
    vifs = [ovs_vifs.vhost_user(mode, number=number) for number, mode in enumerate(("server", "client", "server"), 1)]
    for vif in vifs:
        vif.path = f"{switch.directory}/{vif.path.rpartition('/')[2]}"
    host.plug(*vifs)
    xml = [driver.render(vif, Guest(name="any", uuid=vif.id)).text for vif in vifs]
    first = libvirtd.guest("one", xml[0], address="10.0.0.1/24", shared_memory=True)
    with first as one, libvirtd.guest("two", xml[1], address="10.0.0.2/24", shared_memory=True) as two:
        one.wait()
        two.wait()
        assert one.reaches("10.0.0.2")
        assert two.reaches("10.0.0.1")
        known = Guest(name=one.name, uuid=one.uuid)
        driver.attach(vifs[2], known)
        driver.attach(vifs[2], known)
        one.configure(str(vifs[2].address), "10.0.1.1/24")
        two.run("ip address add 10.0.1.2/24 dev eth0")
        assert one.reaches("10.0.1.2")
        driver.detach(vifs[2], known)
        driver.detach(vifs[2], known)
        assert one.cards() == {str(vifs[0].address)}
        assert one.reaches("10.0.0.2")
