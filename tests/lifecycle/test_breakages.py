# SPDX-License-Identifier: Apache-2.0
"""Ways to cut off guests of `vif attach` at their hypervisor's side: told by a check, and mended or honestly left."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from os_vif.host.process.deadline import Deadline
from os_vif.hypervisors.qemu.qmp import Monitor
from support.commanded import Host, address, boot, configure
from support.parts import require_tun
from support.pinging import comes_to_reach, reaches

SWITCHES = ("linux_bridge", "ovs")


@dataclass(frozen=True)
class Breakage:
    """``commands`` are run by a shell; {guest} and {host} are the namespaces, {tap} is the host's end of the veth.

    ``code``: of the degradation; "" where the check says "differs" and the repair mends it. ``cuts``: whether the guest
    is cut off.
    """

    commands: str
    text: str
    code: str = ""
    cuts: bool = True
    mends: str = ""


BREAKAGES = {
    "its device deleted": Breakage(
        "ip -n {guest} link delete eth0", "{tap}, which leads to the guest's interface, was deleted"
    ),
    "its device down": Breakage("ip -n {guest} link set eth0 down", "eth0 of the guest is down"),
    "its address gone": Breakage(
        "ip -n {guest} address flush dev eth0", "eth0 of the guest has not its address {address}"
    ),
    "its route gone": Breakage(
        "ip -n {guest} route delete default", "eth0 of the guest has not its route default", cuts=False
    ),
    "another MTU": Breakage(
        "ip -n {guest} link set eth0 mtu 1300", "eth0 of the guest has an MTU of 1300, not 1400", cuts=False
    ),
    "the host's end down": Breakage("ip -n {host} link set {tap} down", "not done: bring {tap} up"),
    "the host's end renamed": Breakage(
        "ip -n {host} link set {tap} down; ip -n {host} link set {tap} name other",
        "{tap} was renamed to other",
    ),
    "its device moved": Breakage(
        "ip -n {guest} link set eth0 netns {elsewhere}",
        "The guest's end of {tap} is not in /run/netns/{guest} any more.",
        "guest-device-moved",
        mends="ip -n {elsewhere} link set eth0 netns {guest}; ip -n {guest} link set eth0 up;"
        " ip -n {guest} address add {address} dev eth0; ip -n {guest} route add default via 10.0.0.254",
    ),
}


@pytest.fixture
def host(netns, tmp_path):
    require_tun()
    with Host("one", netns, tmp_path) as made:
        yield made


def check(host, attached):
    """Of one VIF: the exit code, and what is told."""
    code, results = host.ask("check")
    return code, next(one for one in results if one["vif_id"] == attached["port_id"])


def repair(host, attached):
    code, told = host.ask("repair")
    return code, next(one for one in told["vifs"] if one["vif_id"] == attached["port_id"])


@pytest.mark.parametrize("switched_by", SWITCHES)
@pytest.mark.parametrize("name", BREAKAGES)
def test_a_namespace_that_is_cut_off_is_not_ok(host, new_netns, switched_by, name):
    """The interface is looked at where the guest has it."""
    breakage = BREAKAGES[name]
    network = ("--cidr", "10.0.0.0/24", "--gateway", "10.0.0.254", "--mtu", "1400", "--switch", switched_by)
    host.vif("network", "create", "blue", *network)
    places = [new_netns(), new_netns()]
    first, second = (
        host.vif("attach", f"vm{number}", "--hypervisor", "netns", "--network", "blue", "--endpoint", place.name)
        for number, place in enumerate(places)
    )
    assert comes_to_reach(places[1], address(first))
    assert check(host, first)[0] == 0
    known = {
        "guest": places[0].name,
        "host": host.ns.name,
        "elsewhere": new_netns().name,
        "tap": first["device"],
        "address": first["ip_addresses"][0],
    }
    host.ns.run(["sh", "-ec", breakage.commands.format(**known)])
    assert reaches(places[1], address(first)) is not breakage.cuts
    code, told = check(host, first)
    text = breakage.text.format(**known)
    if breakage.code:
        assert (code, told["state"], told["differences"]) == (7, "degraded", [])
        assert [(one["code"], one["text"]) for one in told["degradations"]] == [(breakage.code, text)]
        assert repair(host, first)[0] == 7
        host.ns.run(["sh", "-ec", breakage.mends.format(**known)])
    else:
        assert (code, told["state"], told["differences"][0]) == (4, "differs", text)
        code, mended = repair(host, first)
        assert (code, mended["state"]) == (0, "ok")
        assert mended["steps"]
    assert comes_to_reach(places[1], address(first))
    assert comes_to_reach(places[0], address(second))
    assert check(host, first)[0] == 0


def test_a_device_of_somebody_in_the_place_of_the_hosts_end_is_told_and_left(host, new_netns):
    """Once it is out of the way, a repair makes the guest's interface again."""
    host.vif("network", "create", "blue", "--cidr", "10.0.0.0/24")
    places = [new_netns(), new_netns()]
    first, second = (
        host.vif("attach", f"vm{number}", "--hypervisor", "netns", "--network", "blue", "--endpoint", place.name)
        for number, place in enumerate(places)
    )
    tap = first["device"]
    host.ns.ip("link", "delete", tap)
    host.ns.ip("link", "add", tap, "type", "veth", "peer", "name", "other")
    code, told = check(host, first)
    (found,) = told["degradations"]
    assert found["code"] == "guest-device-foreign"
    assert found["text"] == f"there is a device {tap} already, and it does not lead to this guest's interface."
    assert found["hint"] == "Delete or rename it."
    assert code == 4  # it would be brought up, as a hypervisor's tap would
    code, left = repair(host, first)
    assert (code, left["state"], left["degradations"]) == (7, "degraded", [found])
    host.ns.ip("link", "delete", tap)
    code, mended = repair(host, first)
    assert (code, mended["state"]) == (0, "ok")
    assert comes_to_reach(places[0], address(second))


def qmp(guest, command, /, **arguments):
    with Monitor(str(guest.qmp), Deadline(30)) as monitor:
        return monitor.execute(command, **arguments)


@pytest.fixture
def virtual(host):
    """Two virtual machines that reach each other; the second got its interface while it ran."""
    host.vif("network", "create", "blue", "--cidr", "10.0.0.0/24", "--mtu", "1400")
    host.vif("network", "create", "green", "--cidr", "10.1.0.0/24", "--mtu", "1400")
    first, cold = host.attach("one"), host.attach("two", network="green")
    port = ["-device", "pcie-root-port,id=port1,chassis=1"]
    with boot(host, first) as one, boot(host, cold, port) as two:
        one.wait()
        two.wait()
        second = host.attach("two", "--hot", "--endpoint", two.qmp)
        configure(two, second)
        assert two.reaches(address(first))
        assert check(host, second)[0] == 0
        yield two, first, second


def test_a_card_that_was_unplugged_from_a_virtual_machine_comes_back(host, virtual):
    """By QEMU's monitor, behind os-vif's back; the guest let go of it."""
    guest, first, second = virtual
    card = f"nic-{second['port_id']}"
    qmp(guest, "device_del", id=card)
    guest.run("while [ -e /sys/class/net/eth1 ]; do sleep 0.1; done")
    code, told = check(host, second)
    text = f"QEMU has no card {card}: the guest's interface was unplugged there"
    assert (code, told["state"], told["differences"]) == (4, "differs", [text])
    code, mended = repair(host, second)
    assert (code, mended["state"], mended["steps"]) == (0, "ok", ["give guest two its interface blue again"])
    configure(guest, second)
    assert guest.reaches(address(first))


def test_a_tap_that_its_virtual_machine_lets_go_of_is_told_and_left(host, virtual):
    """The card is there, and leads nowhere: nobody can give it another backend while the guest has it."""
    guest, first, second = virtual
    qmp(guest, "netdev_del", id=f"net-{second['port_id']}")
    assert not guest.reaches(address(first), tries=2)
    code, told = check(host, second)
    text = f"Nobody has tap {second['device']} open, though guest two runs and has a card for it."
    assert (code, told["state"], told["differences"]) == (7, "degraded", [])
    assert [(one["code"], one["text"]) for one in told["degradations"]] == [("tap-not-open", text)]
    assert repair(host, second)[0] == 7


def test_a_tap_that_was_deleted_under_a_virtual_machine_is_not_said_to_be_mended(host, virtual):
    """Made anew it has the name, and the guest has the one that is no more."""
    _, _, second = virtual
    host.ns.ip("link", "delete", second["device"])
    code, told = check(host, second)
    assert (code, told["gone"]) == (4, True)
    assert host.ask("repair")[0] == 4
    code, result = host.ask("repair", "--anew")
    mended = next(one for one in result["vifs"] if one["vif_id"] == second["port_id"])
    assert (code, mended["state"]) == (7, "degraded")
    assert [one["code"] for one in mended["degradations"]] == ["tap-not-open"]
    # As the hint has it.
    host.vif("detach", "two", "--network", "blue")
