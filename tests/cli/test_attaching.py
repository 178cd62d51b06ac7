# SPDX-License-Identifier: Apache-2.0
"""network, explain, attach, migrate and detach, as an operator runs them; guests are network namespaces."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

NETNS = ("--hypervisor", "netns", "--host", "one")


@pytest.fixture
def blue(vif_inside):
    """The network "blue"."""
    assert vif_inside("network", "create", "blue", "--cidr", "192.0.2.0/24").returncode == 0


@pytest.fixture
def guest(new_netns):
    """A namespace that is the guest."""
    return new_netns()


def test_from_the_network_to_the_guest_and_back(netns, vif_inside, blue, new_netns):
    """What is told is what is there, and at the end nothing is."""
    before = netns.snapshot()
    one, two = new_netns(), new_netns()
    told = [
        json.loads(
            vif_inside("attach", name, "--network", "blue", *NETNS, "--endpoint", place.name, "-o", "json").stdout
        )
        for name, place in (("vm1", one), ("vm2", two))
    ]
    assert [entry["binding"] for entry in told] == ["bridge", "bridge"]
    assert [entry["phase"] for entry in told] == ["active", "active"]
    link = one.link("eth0")
    assert link["address"] == told[0]["mac_address"]
    one.run(["ping", "-c1", "-W5", told[1]["ip_addresses"][0].partition("/")[0]])
    listed = json.loads(vif_inside("attachments", "-o", "json").stdout)
    assert [(entry["instance"], entry["port_id"]) for entry in listed] == [
        (entry["instance"], entry["port_id"]) for entry in told
    ]
    assert vif_inside("detach", "vm1").stdout == "vm1: blue is detached.\n"
    assert vif_inside("detach", "vm2", "--network", "blue").returncode == 0
    record = Path(os.environ["OS_VIF_STATE_DIR"]) / "attachments.db"
    assert vif_inside("attachments").stdout == f"No guest is recorded to have an interface ({record}).\n"
    assert json.loads(vif_inside("network", "ports", "-o", "json").stdout) == []
    assert netns.snapshot() == before


def test_explain_tells_of_every_candidate_and_changes_nothing(netns, vif_inside, blue):
    before = netns.snapshot()
    told = json.loads(vif_inside("explain", "vm1", "--network", "blue", *NETNS, "-o", "json").stdout)
    assert told["choice"] == "bridge"
    assert {one["candidate"]: one["verdict"] for one in told["candidates"]} == {
        "ovs": "withdrawn",
        "ovs-hybrid": "withdrawn",
        "bridge": "chosen",
    }
    assert json.loads(vif_inside("network", "ports", "-o", "json").stdout) == []
    assert netns.snapshot() == before


def test_explain_for_people_is_a_table(vif_inside, blue):
    lines = vif_inside("explain", "vm1", "--network", "blue", *NETNS).stdout.splitlines()
    assert lines[0].split() == ["CANDIDATE", "VERDICT", "CODE", "REASON"]
    assert any(line.split()[:2] == ["bridge", "chosen"] for line in lines)


def test_nothing_acceptable_is_told_of_a_line_each(vif_inside, guest):
    vif_inside("network", "create", "green", "--cidr", "192.0.2.0/24", "--switch", "ovs")
    refused = vif_inside("attach", "vm1", "--network", "green", *NETNS, "--endpoint", guest.name)
    assert refused.returncode == 1
    first, *others = refused.stderr.splitlines()
    assert first == "error: No offered binding can be provided:"
    assert sorted(line.split(":")[0].strip() for line in others) == ["bridge", "hint", "ovs", "ovs-hybrid"]


def test_a_migration_is_prepared_and_given_up(netns, vif_inside, blue, guest, new_netns, tmp_path):
    """The destination has a state directory of its own, and sees the same networks."""
    configuration = tmp_path / "os-vif.conf"
    shared = tmp_path / "state" / "networks.db"
    configuration.write_text(f"[os_vif_network_local]\ndatabase = {shared}\n")
    vif_inside("attach", "vm1", "--network", "blue", *NETNS, "--endpoint", guest.name)
    there = {"env": os.environ | {"OS_VIF_STATE_DIR": str(tmp_path / "two")}}
    option = ("--config-file", configuration)
    destination = ("--hypervisor", "netns", "--host", "two", "--endpoint", new_netns().name)
    prepared = vif_inside(
        "migrate", "prepare", "vm1", "--network", "blue", *destination, *option, "-o", "json", **there
    )
    assert json.loads(prepared.stdout)["phase"] == "prepared"
    (port,) = json.loads(vif_inside("network", "ports", "-o", "json").stdout)
    assert {one["host"]: one["status"] for one in port["bindings"]} == {"one": "ACTIVE", "two": "INACTIVE"}
    detached = vif_inside("detach", "vm1", *option, **there)
    assert detached.returncode == 1
    assert detached.stderr.splitlines()[0] == (
        "error: The migration of vm1 is prepared; detaching it is not possible then."
    )
    aborted = vif_inside("migrate", "abort", "vm1", *option, **there)
    assert aborted.stdout == "vm1: the migration of blue to here is given up.\n"
    (port,) = json.loads(vif_inside("network", "ports", "-o", "json").stdout)
    assert {one["host"]: one["status"] for one in port["bindings"]} == {"one": "ACTIVE"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("attach", "vm1", "--network", "blue"), 2, "No hypervisor is named."),
        (("attach", "vm1", "--hypervisor", "netns"), 2, "Either --network or --port is needed."),
        (
            ("attach", "vm1", "--network", "blue", "--hypervisor", "xen"),
            1,
            "There is no hypervisor driver xen: installed are: ",
        ),
        (("attach", "vm1", "--network", "blue", "--hypervisor", "netns"), 1, "There is no network blue."),
        (("attach", "vm1", "--network", "b", "--uuid", "7", *NETNS), 2, "--uuid: 7 is not a UUID."),
        (("attach", "vm1", "--network", "b", "--option", "x", *NETNS), 2, "--option: x is not NAME=VALUE."),
        (("detach", "vm1"), 6, "vm1 has no such interface on this host ("),
        (("migrate", "activate", "vm1"), 6, "vm1 has no such interface on this host ("),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_done(netns, vif_inside, arguments, code, message):
    before = netns.snapshot()
    refused = vif_inside(*arguments)
    assert (refused.returncode, refused.stdout) == (code, "")
    assert refused.stderr.startswith(f"error: {message}")
    assert netns.snapshot() == before


def test_of_several_interfaces_one_has_to_be_named(vif_inside, blue, guest):
    for name in ("first", "second"):
        vif_inside("attach", "vm1", "--network", "blue", "--as", name, *NETNS, "--endpoint", guest.name)
    refused = vif_inside("detach", "vm1")
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[0] == "error: vm1 has several interfaces: first, second."
    assert vif_inside("detach", "vm1", "--as", "second").returncode == 0
    assert guest.link_names() == {"eth0"}
