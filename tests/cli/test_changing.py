# SPDX-License-Identifier: Apache-2.0
"""plug, unplug, repair, plan and check, on the real kernel."""

from __future__ import annotations

import json

from support.vif_command import BRIDGE, CHAIN, ID_A, ID_B, TAP, A, B

PLAN = f"""\
  1. create bridge {BRIDGE}
  2. mark {BRIDGE} as os-vif
  3. set sysctl ipv6/disable_ipv6 of {BRIDGE} to 1
  4. set sysctl ipv4/arp_ignore of {BRIDGE} to 1
  5. set sysctl ipv4/arp_announce of {BRIDGE} to 2
  6. bring {BRIDGE} up
  7. write 2 forwarding rules into ipv4 chain {CHAIN}
  8. write 2 forwarding rules into ipv6 chain {CHAIN}
  9. set mtu of {BRIDGE} to 1450
"""


def test_plan_shows_what_is_shared_once_and_changes_nothing(netns, vif_inside):
    """`plan` of two VIFs on one bridge has its steps once; the host is as it was."""
    before = netns.snapshot()
    planned = vif_inside("plan", A, B)
    assert (planned.returncode, planned.stdout, planned.stderr) == (0, PLAN, "")
    assert netns.snapshot() == before


def test_plug_wires_and_tells(netns, vif_inside):
    """`plug` makes the bridge and says which VIFs are plugged."""
    plugged = vif_inside("plug", A, B)
    assert plugged.returncode == 0, plugged.stderr
    heading, first, second, summary = plugged.stdout.splitlines()
    assert heading.split() == ["DEVICE", "PLUGIN", "RESULT", "VIF"]
    assert first.split() == ["tap4c9f2e6a-1d", "linux_bridge", "plugged", ID_A]
    assert second.split() == ["tapb7d08a15-93", "linux_bridge", "plugged", ID_B]
    assert summary.startswith("2 VIFs plugged in ")
    assert netns.link_names() == {BRIDGE}
    assert netns.link(BRIDGE)["mtu"] == 1450


def test_plan_after_plug_is_empty(netns, vif_inside):
    """What is plugged needs nothing."""
    vif_inside("plug", A)
    assert vif_inside("plan", A).stdout == "Nothing to do: the host is as it should be.\n"


def test_stdin_is_a_file(netns, vif_inside):
    """`-` reads from stdin; a list of bare VIFs is as good as a pair with an instance."""
    bare = [json.loads(path.read_text())["vif"] for path in (A, B)]
    plugged = vif_inside("plug", "-", "-o", "json", input=json.dumps(bare))
    told = json.loads(plugged.stdout)
    assert (plugged.returncode, told["action"]) == (0, "plugged")
    assert [one["vif_id"] for one in told["vifs"]] == [ID_A, ID_B]
    assert told["milliseconds"] > 0


def test_unplug_leaves_the_host_as_it_was(netns, vif_inside):
    """After `unplug` nothing is left of `plug`, on the host and in the journal."""
    before = netns.snapshot()
    vif_inside("plug", A, B)
    assert netns.snapshot() != before
    planned = vif_inside("plan", "--unplug", A, B)
    steps = (f"delete ipv6 chain {CHAIN}", f"delete ipv4 chain {CHAIN}", f"delete bridge {BRIDGE}")
    assert planned.stdout == "".join(f"  {number}. {step}\n" for number, step in enumerate(steps, 1))
    unplugged = vif_inside("unplug", A, B)
    assert unplugged.returncode == 0, unplugged.stderr
    assert unplugged.stdout.splitlines()[-1].startswith("2 VIFs unplugged in ")
    assert netns.snapshot() == before
    assert json.loads(vif_inside("list", "-o", "json").stdout) == []


def test_unplug_by_id_needs_no_file(netns, vif_inside):
    """--id goes by the journal, and takes the beginning of an id."""
    vif_inside("plug", A, B)
    unplugged = vif_inside("unplug", "--id", ID_A[:8], "--id", ID_B)
    assert unplugged.returncode == 0, unplugged.stderr
    assert netns.link_names() == set()


def test_unplug_by_id_touches_nothing_when_one_is_unknown(netns, vif_inside):
    """A typing error in one id does not leave half of it done."""
    vif_inside("plug", A)
    before = netns.snapshot()
    unplugged = vif_inside("unplug", "--id", ID_A, "--id", "00000000")
    assert unplugged.returncode == 6
    assert unplugged.stderr.startswith("error: No VIF 00000000 is recorded here (")
    assert netns.snapshot() == before


def test_unplug_by_id_does_without_the_configuration_of_the_plug(netns, vif_inside, tmp_path):
    """The record tells what to take away, whatever is configured by then."""
    config = tmp_path / "vif.conf"
    config.write_text("[os_vif_linux_bridge]\nuse_ipv6 = true\n")
    before = netns.snapshot()
    vif_inside("plug", A, "--config-file", config)
    assert f"-N {CHAIN}" in netns.run(["ip6tables", "-S"]).stdout
    assert vif_inside("unplug", "--id", ID_A).returncode == 0
    assert netns.snapshot() == before


def test_check_sees_and_repair_mends_what_somebody_broke(netns, vif_inside):
    """check tells of the differences (exit code 4); repair does these steps and no others; check is content again."""
    vif_inside("plug", A, B)
    assert vif_inside("check").stdout == f"ok       {ID_A}\nok       {ID_B}\n"
    netns.ip("link", "set", BRIDGE, "down")
    checked = vif_inside("check", A)
    assert checked.returncode == 4
    assert checked.stdout.splitlines() == [
        f"differs  {ID_A}",
        f"         not done: bring {BRIDGE} up",
        "`vif repair` puts that right.",
    ]
    repaired = vif_inside("repair", "-o", "json")
    told = json.loads(repaired.stdout)
    assert repaired.returncode == 0
    assert [one["steps"] for one in told["vifs"]] == [[f"bring {BRIDGE} up"], []]
    assert vif_inside("check").returncode == 0
    assert "UP" in netns.link(BRIDGE)["flags"]


def test_repair_tells_people_what_it_did(netns, vif_inside):
    """The steps, below the VIF they were done for."""
    vif_inside("plug", A)
    netns.ip("link", "set", BRIDGE, "down")
    first, step, summary = vif_inside("repair").stdout.splitlines()
    assert (first, step) == (f"repaired  {ID_A}", f"          bring {BRIDGE} up")
    assert summary.startswith("1 of 1 VIF repaired in ")


def test_check_tells_programs_too(netns, vif_inside):
    """JSON with the differences, for each VIF."""
    vif_inside("plug", A)
    netns.ip("link", "set", BRIDGE, "down")
    checked = vif_inside("check", "-o", "json")
    assert (checked.returncode, json.loads(checked.stdout)) == (
        4,
        [
            {
                "vif_id": ID_A,
                "ok": False,
                "state": "differs",
                "differences": [f"not done: bring {BRIDGE} up"],
                "degradations": [],
                "gone": False,
                "repairable": True,
                "note": "",
                "error": None,
            }
        ],
    )


def test_a_guest_that_others_cut_off_is_degraded_for_check_and_for_repair(netns, vif_inside):
    """Neither says ok; both name what does it, and what to do."""
    vif_inside("plug", A)
    netns.ip("link", "add", TAP, "type", "veth", "peer", "name", "inside")
    netns.ip("link", "set", TAP, "master", BRIDGE, "mtu", "1450", "up")
    netns.ip("link", "set", "inside", "mtu", "1450", "up")
    assert vif_inside("check").stdout == f"ok       {ID_A}\n"
    netns.run(["bridge", "link", "set", "dev", TAP, "isolated", "on"])
    text = f"Port {TAP} of bridge {BRIDGE} is isolated: it reaches no other port that is."
    hint = f"`bridge link set dev {TAP} isolated off`, unless it is meant."
    checked, repaired = vif_inside("check"), vif_inside("repair")
    assert (checked.returncode, repaired.returncode) == (7, 7)
    assert checked.stdout.splitlines() == [f"degraded {ID_A}", f"         {text}", f"           hint: {hint}"]
    assert repaired.stdout.splitlines()[:3] == [f"degraded  {ID_A}", f"          {text}", f"            hint: {hint}"]
    assert repaired.stdout.splitlines()[3].startswith("0 of 1 VIF repaired in ")
    (told,) = json.loads(vif_inside("check", "-o", "json").stdout)
    assert (told["ok"], told["state"], told["differences"]) == (False, "degraded", [])
    assert told["degradations"] == [{"code": "port-isolated", "object": TAP, "text": text, "hint": hint}]
    (told,) = json.loads(vif_inside("repair", "-o", "json").stdout)["vifs"]
    assert (told["ok"], told["state"], told["steps"]) == (False, "degraded", [])


def test_a_difference_weighs_more_than_a_degradation(netns, vif_inside):
    """Exit code 4 for the one that can be repaired; then 7 for the one that is left."""
    vif_inside("plug", A)
    netns.ip("link", "add", TAP, "mtu", "1450", "type", "veth", "peer", "name", "inside", "mtu", "1450")
    netns.ip("link", "set", TAP, "master", BRIDGE)
    netns.run(["bridge", "link", "set", "dev", TAP, "isolated", "on"])
    assert vif_inside("check").returncode == 4
    repaired = vif_inside("repair")
    assert repaired.returncode == 7
    assert repaired.stdout.splitlines()[:2] == [f"degraded  {ID_A}", f"          done: bring {TAP} up"]


def test_a_device_in_the_way_is_told_with_its_name(netns, vif_inside, document, write):
    """A foreign device where a bridge has to be: exit code 1, its name, what to do; it stays as it is."""
    netns.ip("link", "add", BRIDGE, "type", "veth", "peer", "name", "other")
    before = netns.snapshot()
    plugged = vif_inside("plug", write(document), "-o", "json")
    error = json.loads(plugged.stdout)["error"]
    assert plugged.returncode == 1
    assert (error["code"], error["device"], error["vif_id"]) == ("foreign-device", BRIDGE, ID_A)
    assert error["message"].startswith(f"Device {BRIDGE} is in the way of VIF {ID_A}: ")
    assert error["hint"].startswith("os-vif does not touch what it did not make.")
    assert netns.snapshot() == before


def test_quiet_says_nothing(netns, vif_inside):
    """-q leaves errors and JSON only."""
    plugged = vif_inside("-q", "plug", A)
    assert (plugged.returncode, plugged.stdout, plugged.stderr) == (0, "", "")


def test_state_dir_chooses_the_journal(netns, vif_inside, tmp_path):
    """What is recorded in one state directory is not in another."""
    vif_inside("plug", A, "--state-dir", tmp_path / "one")
    assert vif_inside("list", "--state-dir", tmp_path / "two").stdout == (
        f"Nothing is recorded in {tmp_path}/two/journal.db.\n"
    )
    assert ID_A in vif_inside("--state-dir", tmp_path / "one", "list").stdout
