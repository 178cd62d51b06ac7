# SPDX-License-Identifier: Apache-2.0
"""What docs/security.md promises of the privileged helper: whoever has taken over a service can plug, and no more.

The abuses go over the wire of oslo.privsep to the real helper, from a process of an ordinary user.
"""

from __future__ import annotations

import errno

import pytest

from support import differences, vifs
from support.unprivileged import Service

GROUP = 0x6F7669
PRIVSEP = "vif_plug_linux_bridge.privsep"
ETH0, ETH0_IPV6 = "0a010102", "20010db8000000000000000000000002"
ADDRESS = {"header": [2, 24, 0, 0], "attributes": [[2, ETH0], [1, ETH0]], "shown": "10.1.1.2/24"}
DEFAULT = {
    "header": [2, 0, 0, 0, 254, 3, 0, 1, 0],
    "attributes": [[15, "fe000000"], [5, "0a010101"]],
    "shown": "default",
    "gateway": True,
}


def one(name, /, **arguments):
    return [[name, arguments]]


def address(text="08080808", **changes):
    return {"header": [2, 32, 0, 0], "attributes": [[2, text], [1, text]], "shown": "?", **changes}


def route(destination="00000000", length=1, gateway="0a0101fe"):
    attributes = [[1, destination], [5, gateway]]
    return {"header": [2, length, 0, 0, 254, 3, 0, 1, 4], "attributes": attributes, "shown": "x", "gateway": True}


def sysctl(name, key, value, **more):
    family, _, key = key.partition("/")
    return one("sysctl.set", name=name, family=family, key=key, value=value, **more)


def rules(*lines, chain="os-vif-docker0", **more):
    return one("firewall.set", **{"family": "ipv4", "chain": chain, "rules": list(lines), **more})


#: eth0 is the host's, with addresses and default routes; eth1 has none. docker0 and br-lan are somebody else's, dveth0
#: and lveth0 their ports; vpn0 is somebody's tap. br0 is ours, and has the address of its uplink, eth2.
ABUSES = {
    # devices of others
    "delete eth0": one("link.delete", name="eth0"),
    "delete a bridge of others": one("link.delete", name="docker0"),
    "delete a tap of others": one("link.delete", name="vpn0"),
    "delete what only says that it is ours": one("link.delete", name="notes0"),
    "delete two at once": one("link.delete", name="vpn0") + one("link.delete", name="notes0"),
    "give eth0 another name": one("link.rename", name="eth0", to="eth7", index=2),
    "rename a bridge of others": one("link.rename", name="docker0", to="docker7", index=2),
    "rename what only says that it is ours": one("link.rename", name="notes0", to="notes7", index=2),
    "mark eth0": one("link.set", name="eth0", alias="os-vif"),
    "mark eth0 with a journal": one("link.set", name="eth0", alias="os-vif /var/lib/os-vif/journal.db@fd00.2"),
    "mark a tap of others": one("link.set", name="vpn0", alias="os-vif"),
    "put eth0 into our group": one("link.set", name="eth0", group=GROUP),
    "take eth0 down": one("link.set", name="eth0", up=False),
    "take a bridge of others down": one("link.set", name="docker0", up=False),
    "take a port of others down": one("link.set", name="dveth0", up=False),
    "take a tap of others down": one("link.set", name="vpn0", up=False),
    "take lo down": one("link.set", name="lo", up=False),
    "change the MAC address of eth0": one("link.set", name="eth0", mac="02:00:00:00:00:99"),
    "make eth0 promiscuous": one("link.set", name="eth0", promiscuous=True),
    "change the MTU of eth0": one("link.set", name="eth0", mtu=68),
    "change the MTU of a tap of others": one("link.set", name="vpn0", mtu=68),
    "change the MTU of a port of others": one("link.set", name="lveth0", mtu=68),
    "put eth0 into our bridge without its addresses": one("link.set", name="eth0", master="br0"),
    "put eth1 into a bridge of others": one("link.set", name="eth1", master="docker0"),
    "put a port of others into our bridge": one("link.set", name="dveth0", master="br0"),
    "put a tap of others into our bridge": one("link.set", name="vpn0", master="br0"),
    "take a port of others out of its bridge": one("link.set", name="lveth0", master=""),
    "make eth1 a port of what is no bridge": one("link.set", name="eth1", master="vpn0"),
    "switch a bridge of others to STP": one("link.set", name="docker0", kind="bridge", options={"stp": 1}),
    "rename eth0": one("link.set", name="eth0", new_name="gone0"),
    "move eth1 into another namespace": one("link.set", name="eth1", namespace=1),
    # the host, by way of what is ours
    "delete the bridge that has the host's address": one("link.delete", name="br0"),
    "rename the bridge that has the host's address": one("link.rename", name="br0", to="br7", index=2),
    "take that bridge down": one("link.set", name="br0", up=False),
    "take the uplink out of it": one("link.set", name="eth2", master=""),
    "take the uplink down": one("link.set", name="eth2", up=False),
    "take the address from it": one("address.delete", name="br0", address=address("0a020202", header=[2, 24, 0, 0])),
    "take IPv6 from it": sysctl("br0", "ipv6/disable_ipv6", "1"),
    "give a device of ours somebody's mark": one("link.set", name="br0", alias="docker"),
    "give it control characters for a mark": one("link.set", name="br0", alias="os-vif:\x1b[2J"),
    # settings
    "forward everything": sysctl("all", "ipv4/forwarding", "1"),
    "forward everything to come": sysctl("default", "ipv4/forwarding", "1"),
    "have no IPv6 anywhere": sysctl("all", "ipv6/disable_ipv6", "1"),
    "forward from eth0": sysctl("eth0", "ipv4/forwarding", "1"),
    "forward from our bridge": sysctl("br0", "ipv4/forwarding", "1"),
    "forward from it as a bridge of others does": sysctl("br0", "ipv4/forwarding", "1", like="docker0"),
    "answer for others": sysctl("br0", "ipv4/proxy_arp", "1", like="eth0"),
    "have no IPv6 on eth0": sysctl("eth0", "ipv6/disable_ipv6", "1"),
    "have no IPv6 on eth1": sysctl("eth1", "ipv6/disable_ipv6", "1"),
    "another setting": sysctl("br0", "ipv4/bootp_relay", "1"),
    "a setting by a path": sysctl("br0", "ipv4/../../ip_forward", "1"),
    "a device by a path": sysctl("../all", "ipv4/forwarding", "1"),
    "a family by a path": one("sysctl.set", name="br0", family="ipv4/..", key="forwarding", value="1"),
    # addresses and routes
    "any address on lo": one("address.add", name="lo", address=address()),
    "any address on our bridge": one("address.add", name="br0", address=address()),
    "any address on eth0": one("address.add", name="eth0", address=address()),
    "the address of a bridge of others on ours": one(
        "address.add", name="br0", address=address("ac110001", header=[2, 16, 0, 0])
    ),
    "the address of eth0 on eth1": one("address.add", name="eth1", address=ADDRESS),
    "the address of eth0 on a bridge of others": one("address.add", name="docker0", address=ADDRESS),
    "take the address of eth0": one("address.delete", name="eth0", address=ADDRESS),
    "take the IPv6 address of eth0": one(
        "address.delete", name="eth0", address={"header": [10, 64, 0, 0], "attributes": [[1, ETH0_IPV6]], "shown": ""}
    ),
    "take the address of lo": one("address.delete", name="lo", address=address("7f000001", header=[2, 8, 0, 0])),
    "half of the internet": one("route.add", name="eth0", route=route()),
    "half of the internet, by our bridge": one("route.add", name="br0", route=route()),
    "the default route, by our bridge": one("route.add", name="br0", route=DEFAULT),
    "take the default route": one("route.delete", name="eth0", route=DEFAULT),
    # the firewall
    "accept everything": rules("-j ACCEPT", chain="os-vif-br0"),
    "accept everything of eth0": rules("-i eth0 -j ACCEPT", chain="os-vif-br0"),
    "accept by a pattern": rules("-i br0 -o eth+ -j ACCEPT", chain="os-vif-br0"),
    "a chain for no bridge": rules("-i eth0 -j ACCEPT", chain="os-vif-eth0"),
    "a chain for a pattern": rules("-i br+ -j ACCEPT", chain="os-vif-br+"),
    "let into a bridge of others": rules("-i docker0 -j ACCEPT"),
    "cut a bridge of others off": rules("-i docker0 -j DROP"),
    "another target": rules("-i br0 -j MASQUERADE", chain="os-vif-br0"),
    "another chain": rules("-i br0 -j DOCKER", chain="os-vif-br0"),
    "more options": rules("-i br0 -m state --state NEW -j ACCEPT", chain="os-vif-br0"),
    "another table": rules("-i br0 -j ACCEPT\nCOMMIT\n*nat", chain="os-vif-br0"),
    "a chain of the host": rules("-i br0 -j ACCEPT", chain="FORWARD"),
    "delete a chain of the host": one("firewall.delete", family="ipv4", chain="INPUT"),
    "another family": rules("-i br0 -j ACCEPT", chain="os-vif-br0", family="arp"),
    "a pattern that takes for ever": rules("-i br0 -j ACCEPT", chain="os-vif-br0", below="(a|a)*$x"),
    "read others' rules": {"function": f"{PRIVSEP}.read_chain", "arguments": ["ipv4", "FORWARD"]},
    # devices that plugging does not make
    **{f"a {kind} device": one("link.add", name="k0", kind=kind) for kind in ("dummy", "vxlan", "vrf", "ifb", "tun")},
    "a VLAN on a tap of others": one("link.add", name="k0", kind="vlan", parent="vpn0", options={"vlan_id": 7}),
    "all that arrives at eth0": one("link.add", name="k0", kind="macvtap", parent="eth0", options={"mode": "passthru"}),
    "a pattern for a name": one("link.add", name="k%d", kind="bridge"),
    "an option for a name": one("link.add", name="-j", kind="bridge"),
    "an invisible name": one("tap.add", name="k\u200b0"),
    "a device in a namespace of others": one("link.add", name="k0", kind="bridge", namespace=1),
    "a peer in a namespace of others": one("link.add", name="k0", kind="veth", peer="k1", peer_namespace=1),
    "owned by nobody there is": one("tap.add", name="k0", owner=-1),
    # what is no operation
    "another operation": one("link.rename", name="eth0"),
    "no name of one": [[["link.set"], {"name": "eth0"}]],
    "no arguments": [["link.set", None]],
    "arguments without names": [["link.set", ["eth0"]]],
    "text for an operation": ["link.set"] * 2,
    "a number for one": [5],
    "a number for all": 5,
    "nothing": None,
    "a function of the unchecked kind": {
        "function": "os_vif.host.access.kernel_operations.run_own",
        "arguments": [one("link.delete", name="eth0")],
    },
    "a function of Python": {"function": "os.system", "arguments": ["ip link delete eth0"]},
}


@pytest.fixture
def host(netns):
    """A host with devices of others, all of which are up; no addresses of links come by themselves."""
    netns.run(["sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/addr_gen_mode"])
    for name in ("eth0", "eth1", "eth2", "dveth0", "lveth0"):
        netns.ip("link", "add", name, "type", "veth", "peer", "name", f"{name}-far")
        netns.ip("link", "set", f"{name}-far", "up")
    for name in ("docker0", "br-lan"):
        netns.ip("link", "add", name, "type", "bridge")
    netns.ip("tuntap", "add", "vpn0", "mode", "tap")
    netns.ip("link", "add", "notes0", "type", "bridge")
    netns.ip("link", "set", "notes0", "alias", "os-vif notes")
    netns.ip("link", "set", "dveth0", "master", "docker0")
    netns.ip("link", "set", "lveth0", "master", "br-lan")
    for name in ("lo", "eth0", "eth1", "eth2", "docker0", "br-lan", "dveth0", "lveth0", "vpn0", "notes0"):
        netns.ip("link", "set", name, "up")
    addresses = {"eth0": ["10.1.1.2/24", "2001:db8::2/64"], "eth2": ["10.2.2.2/24", "2001:db8:2::2/64"]}
    for name, texts in {**addresses, "docker0": ["172.17.0.1/16"], "vpn0": ["10.9.9.1/24"]}.items():
        for text in texts:
            netns.ip("address", "add", text, "dev", name, *(["nodad"] if ":" in text else []))
    netns.ip("route", "add", "default", "via", "10.1.1.1")
    netns.ip("-6", "route", "add", "default", "via", "2001:db8::1")
    netns.run(["sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/docker0/forwarding"])
    comment = "a" * 26
    netns.run(["iptables", "-A", "FORWARD", "-m", "comment", "--comment", comment, "-j", "ACCEPT"])
    return netns


@pytest.fixture
def client(host):
    """A service with a privileged helper."""
    service = Service(host, "vif_plug_linux_bridge")
    yield service
    service.close()


def test_whoever_has_taken_over_a_service_can_plug_and_no_more(host, client):
    """Each abuse is refused, as the kernel refuses, and the host is as it was."""
    plugged = client("plug", vifs.bridge("br0", bridge_interface="eth2"))
    assert "error" not in plugged["results"][0]
    before = host.snapshot()
    answers = client.abuse(ABUSES)
    assert len(answers) == len(ABUSES) > 90
    accepted = {why: answer for why, answer in answers.items() if not is_refused(answer)}
    assert accepted == {}
    assert differences(before, host.snapshot()) == []
    assert "error" not in client("unplug", vifs.bridge("br0", bridge_interface="eth2"))["results"][0]
    assert host.link("br0") is None
    assert {"10.2.2.2/24", "2001:db8:2::2/64"} <= {a.split()[0] for a in addresses_of(host, "eth2")}


def is_refused(answer):
    if answer[0] == "raised":
        return answer[1] in ("builtins.NameError", "os_vif.host.kernel.netlink.KernelError")
    done, number, words = answer
    return done == 0 and number in (errno.EPERM, errno.EINVAL, errno.ENODEV) and words


def addresses_of(host, name):
    return [f"{one['local']}/{one['prefixlen']}" for one in host.ip_json("address", "show", name)[0]["addr_info"]]


def test_abuses_in_steps(host, client):
    """A step that plugging takes as well is done; that after it, which would make an abuse of it, is not."""
    before = host.snapshot()
    copied = one("link.add", name="k0", kind="bridge") + one("address.add", name="k0", address=ADDRESS)
    answers = client.abuse(
        {
            "the host's address on a bridge of ours only": [
                *copied,
                *one("address.delete", name="eth0", address=ADDRESS),
            ],
            "its default route there": one("route.add", name="k0", route=DEFAULT),
            "its interface, without the other address": one("link.set", name="eth0", master="k0"),
            "away": one("address.delete", name="k0", address=ADDRESS) + one("link.delete", name="k0"),
            "up and down again": one("link.set", name="eth1", up=True) + one("link.set", name="eth0", up=False),
        }
    )
    assert [answer[:2] for answer in answers.values()] == [
        [2, errno.EPERM],
        [0, errno.EPERM],
        [0, errno.EPERM],
        [2, 0],
        [1, errno.EPERM],
    ]
    assert "address 2001:db8::2/64 of the host is on eth0, and not on k0" in answers[list(answers)[2]][2]
    assert differences(before, host.snapshot()) == []


def test_the_error_that_a_service_gets(host, client):
    """Of what the helper refuses a plug fails as of what the kernel refuses."""
    before = host.snapshot()
    vif = vifs.bridge("docker0", bridge_interface="eth1")
    [result] = client("plug", vif)["results"]
    assert result["cause"] == "StepFailed"
    assert "not for the privileged helper to do: docker0 was not made by os-vif, and has addresses" in result["error"]
    assert differences(before, host.snapshot()) == []


def test_patterns_are_those_of_the_operator(host, client, tmp_path):
    """iptables_top_regex counts where the helper's own configuration has it; it is not taken from the caller."""
    pattern = "--comment aaa"
    vif = vifs.bridge("br0")
    [result] = client("plug", vif, options={"iptables_top_regex": pattern})["results"]
    assert "start it with the file that sets iptables_top_regex (--config-file)" in result["error"]
    configuration = client.state / "os-vif.conf"
    configuration.write_text(f"[os_vif_linux_bridge]\niptables_top_regex = {pattern}\n")
    client.helper_arguments = f"--config-file {configuration}"
    [result] = client("plug", vif, options={"iptables_top_regex": pattern})["results"]
    assert "error" not in result
    forward = [line for line in host.run(["iptables-save"]).stdout.splitlines() if line.startswith("-A FORWARD")]
    assert [line.split()[-1] for line in forward] == ["ACCEPT", "os-vif-br0"]


def test_a_host_keeps_its_interface_when_it_is_plugged_and_unplugged(host, client):
    """The move of both families, there and back, is what plugging takes."""
    before = host.snapshot()
    vif = vifs.bridge("br0", bridge_interface="eth0")
    [result] = client("plug", vif)["results"]
    assert "error" not in result
    assert {"10.1.1.2/24", "2001:db8::2/64"} <= set(addresses_of(host, "br0"))
    assert set(addresses_of(host, "eth0")) == set()
    default = [route["dev"] for route in host.ip_json("route", "show", "default")]
    assert default == ["br0"]
    assert "error" not in client("unplug", vif)["results"][0]
    assert differences(before, host.snapshot()) == []


def test_a_bridge_of_neutrons_agent(host, client):
    """It is somebody else's, has the host's address, and gets its rules; nothing else of it is changed."""
    name = "brq6d3e0001-4c"
    host.ip("link", "add", name, "up", "type", "bridge")
    host.ip("address", "add", "10.7.7.7/24", "dev", name)
    before = host.snapshot()
    vif = vifs.bridge(name)
    assert "error" not in client("plug", vif)["results"][0]
    assert f"-A os-vif-{name} -i {name} -j ACCEPT" in host.run(["iptables-save"]).stdout
    assert "error" not in client("unplug", vif)["results"][0]
    assert differences(before, host.snapshot()) == []


def test_an_interface_of_ours_in_a_bridge_of_others(host, client):
    """The interface that was put there may leave it again; that of others may not, whoever asks."""
    before = host.snapshot()
    answers = client.abuse(
        {
            "in and out": one("link.set", name="eth1", master="br-lan") + one("link.set", name="eth1", master=""),
            "theirs": one("link.set", name="lveth0", master=""),
        }
    )
    assert [answer[:2] for answer in answers.values()] == [[2, 0], [0, errno.EPERM]]
    assert differences(before, host.snapshot()) == []
