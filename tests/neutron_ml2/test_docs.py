# SPDX-License-Identifier: Apache-2.0
"""docs/neutron-server.md tells the truth."""

from __future__ import annotations

import configparser
import importlib.metadata
import json
import re
from pathlib import Path

from os_vif.networks.neutron import vifs
from os_vif.networks.neutron.binding import Wired

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "neutron-server.md").read_text()


def ini(section):
    """The example that has the section."""
    [block] = [block for block in re.findall(r"```ini\n(.*?)```", TEXT, re.DOTALL) if f"[{section}]" in block]
    return parsed(block)


def parsed(text):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return parser


def entry_points():
    return {(e.group, e.name): e.value for e in importlib.metadata.distribution("os-vif").entry_points}


def test_the_driver_is_called_as_it_is_installed():
    first = ini("ml2")["ml2"]["mechanism_drivers"].split(",")[0]
    assert ("neutron.ml2.mechanism_drivers", first) in entry_points()


def test_the_pipeline_is_neutrons_own_with_the_filter_in_it(neutron_python):
    shipped = parsed((neutron_python.parents[1] / "etc/neutron/api-paste.ini").read_text())
    ours = ini("composite:neutronapi_v2_0")
    without = {key: value.replace("os_vif_offers ", "") for key, value in ours["composite:neutronapi_v2_0"].items()}
    assert without == dict(shipped["composite:neutronapi_v2_0"])
    factory = ours["filter:os_vif_offers"]["paste.filter_factory"]
    assert factory == entry_points()["paste.filter_factory", "os_vif_offers"]


def test_the_answer_that_shows_that_it_works_is_what_comes(client, network):
    [example] = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    wanted = {"port": {"network_id": network, "binding:host_id": "ovs1"}}
    port = client.post("/ports", wanted, {"OpenStack-VIF-Accept": "macvtap"}).ok()
    got = {key: port[key] for key in ("binding:vif_type", "binding:vif_details")}
    assert got == json.loads(example.replace("compute1", "ovs1"))


def test_the_types_in_the_table_can_be_plugged():
    told = {name for row in re.findall(r"^\| (`.*?`) \|", TEXT, re.MULTILINE) for name in re.findall("`(.*?)`", row)}
    told -= {"vif_type"}
    assert told
    assert [name for name in told if "no plugin" in why_not(name)] == []


def why_not(vif_type):
    try:
        vifs.make(Wired(port={"id": "p", "mac_address": "fa:16:3e:00:00:01", "network_id": "n"}, vif_type=vif_type))
    except vifs.Untranslatable as error:
        return str(error)
    return ""
