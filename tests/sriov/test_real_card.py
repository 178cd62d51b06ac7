# SPDX-License-Identifier: Apache-2.0
"""Look-ups for virtual functions on a card that is there: Intel's 82576, emulated, with the kernel's own drivers.

It knows no switchdev mode.
"""

from __future__ import annotations

import pytest

from os_vif import exception
from os_vif.host.kernel import sysfs
from os_vif.objects.network import Network
from os_vif.objects.vif import VIFHostDevice, VIFPortProfileOVSRepresentor
from os_vif.plugins.macvtap import MacvtapPlugin
from os_vif.plugins.ovs import OvsPlugin
from support import differences, plugging, snapshot, vifs
from support.sriov import Here, RealCard


@pytest.fixture
def card(inside):
    """The card, with two virtual functions."""
    card = RealCard() if inside else None
    if card:
        card.make(2)
    yield card
    if card:
        card.make(0)


def test_functions_are_found(card):
    """Each knows its physical function, its number there, and its network device: the kernel's netlink says so too."""
    for number, address in enumerate(card.functions):
        assert sysfs.physical_function_of(address) == (card.physical, number)
        [link] = card.links_at(address)
        assert sysfs.netdev_of_pci(address) == link["ifname"]
    assert sysfs.netdev_of_pci(card.physical) == card.links_at(card.physical)[0]["ifname"]


def test_functions_that_are_gone_are_said(card):
    """The administrator has taken them away. The card itself is none either."""
    [address, *_] = card.functions
    card.make(0)
    for none in (address, card.physical):
        with pytest.raises(LookupError, match=f"there is no virtual function at PCI address {none}"):
            sysfs.representor_of(none)
    assert sysfs.netdev_of_pci(address) is None


def test_a_card_in_legacy_mode_is_refused(card, tmp_path):
    """The kernel refuses to read the attributes of a switch that it does not have; Open vSwitch is not even asked."""
    with pytest.warns(PendingDeprecationWarning):
        profile = VIFPortProfileOVSRepresentor(interface_id=vifs.identity(1))
    vif = VIFHostDevice(
        id=vifs.identity(1),
        plugin="ovs",
        dev_type="ethernet",
        dev_address=card.functions[1],
        network=Network(bridge="br-int"),
        port_profile=profile,
    )
    host = plugging.PlugHost(Here(), tmp_path, plugging.configured(OvsPlugin, ovsdb_connection="unix:/nowhere"))
    with pytest.raises(exception.DeviceMissing) as caught:
        host.plug(vif)
    assert str(caught.value) == (
        f"VIF {vif.id}: the card of virtual function {card.functions[1]} is not in switchdev mode: {card.physical} has"
        " no phys_switch_id."
    )


def test_a_macvtap_on_a_function(card, tmp_path):
    """The function is named by its address. It is brought up, and the kernel gives it the guest's MAC address.

    Both is put back. Plugging again does nothing.
    """
    host = plugging.PlugHost(Here(), tmp_path, plugging.configured(MacvtapPlugin))
    vif = vifs.direct(mode="passthrough", dev_address=card.functions[1])
    before = card.links_at(card.functions[1])
    host.plug(vif)
    [link] = card.links_at(card.functions[1])
    assert (link["address"], "UP" in link["flags"]) == (str(vif.address), True)
    assert card.above(link["ifname"]) == ["mvt1"]
    assert host.plan(vif) == []
    host.unplug(vif)
    after = card.links_at(card.functions[1])
    assert differences(snapshot.links(before), snapshot.links(after)) == []
    assert card.above(link["ifname"]) == []
