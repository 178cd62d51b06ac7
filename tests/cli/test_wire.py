# SPDX-License-Identifier: Apache-2.0
"""convert, validate and host-info: objects, without touching the host."""

from __future__ import annotations

import json

from support.vif_command import A, B

DATA, VERSION = "versioned_object.data", "versioned_object.version"


def network_of(document):
    return document["vif"][DATA]["network"]


def test_convert_writes_an_older_version(vif):
    """Network 1.0 has no MTU; everything else of the document stays."""
    converted = vif("convert", A, "--to", "Network=1.0")
    assert converted.returncode == 0, converted.stderr
    before, after = json.loads(A.read_text()), json.loads(converted.stdout)
    assert network_of(after)[VERSION] == "1.0"
    assert network_of(before)[DATA].keys() - network_of(after)[DATA].keys() == {"mtu"}
    assert after["instance"] == before["instance"]


def test_convert_keeps_the_form_of_the_document(vif, write, document):
    """A list stays a list, a bare object a bare object."""
    assert json.loads(vif("convert", write([document]), "--to", "Network=1.1").stdout) == [document]
    network = network_of(document)
    converted = json.loads(vif("convert", write(network), "--to", "1.0").stdout)
    assert converted[VERSION] == "1.0"
    assert "mtu" not in converted[DATA]


def test_convert_refuses_versions_that_nobody_has(vif):
    """The newest known is told; a misspelt class is not silently left alone."""
    refused = vif("convert", A, "--to", "Network=7.0")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "error: --to Network=7.0: Version 7.0 of Network is not supported; the newest known is 1.1.\n"
    )
    refused = vif("convert", A, "--to", "Netwrok=1.0")
    assert refused.stderr == "error: --to Netwrok=1.0: There is no object named Netwrok in namespace os_vif.\n"
    refused = vif("convert", A, "--to", "9.0")
    assert refused.returncode == 3
    assert refused.stderr == (f"error: {A}:vif: Version 9.0 of VIFBridge is not supported; the newest known is 1.0.\n")


def test_validate_is_content(vif):
    """A line for each object."""
    checked = vif("validate", A, B)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.splitlines() == [
        f"valid      {A}:vif: VIFBridge 1.0",
        f"valid      {A}:instance: InstanceInfo 1.0",
        f"valid      {B}:vif: VIFBridge 1.0",
        f"valid      {B}:instance: InstanceInfo 1.0",
    ]


def test_validate_tells_all_that_is_wrong(vif, write, document):
    """Every problem of every object, where plug would stop at the file."""
    document["vif"][DATA]["vif_name"] = "a/b"
    document["vif"][DATA]["address"] = "01:00:00:00:00:00"
    path = write([document, {"vif": {}}])
    checked = vif("validate", path)
    assert checked.returncode == 3
    assert checked.stdout.splitlines() == [
        f"not valid  {path}:[0].vif",
        "           [0].vif.vif_name: 'a/b' has a slash in it",
        "             hint: Use at most 15 letters, digits, '-', '_' and '.'.",
        "           [0].vif.address: 01:00:00:00:00:00 is a multicast address, which no device can have",
        "             hint: The first octet has to be even, as in fa:16:3e:00:00:01.",
        f"valid      {path}:[0].instance: InstanceInfo 1.0",
        f"not valid  {path}:[1]",
        "           [1].vif: this is not a serialized object.",
        (
            '             hint: A VIF as OpenStack serializes it is needed, or {"vif": ..., "instance": ...},'
            " or a list of such."
        ),
    ]


def test_validate_tells_of_fields_from_the_future(vif, write, document):
    """They are left out when read, which is worth knowing and not wrong."""
    network = network_of(document)
    network[VERSION] = "1.9"
    network[DATA]["colour"] = "blue"
    (told, _) = json.loads(vif("-q", "validate", write(document), "-o", "json").stdout)
    assert (told["valid"], told["unknown_fields"]) == (True, ["vif.network.colour"])


def test_host_info_lists_plugins(vif):
    """What each plugin takes; --only leaves the others out."""
    lines = [line.split() for line in vif("host-info").stdout.splitlines()]
    assert lines[0] == ["PLUGIN", "VIF", "VERSIONS", "PORT", "PROFILES"]
    assert ["linux_bridge", "VIFBridge", "1.0", "to", "1.0", "-"] in lines
    only = json.loads(vif("host-info", "--only", "VIFBridge", "-o", "json").stdout)
    assert only["versioned_object.name"] == "HostInfo"
    plugins = {plugin[DATA]["plugin_name"]: plugin[DATA]["vif_info"] for plugin in only[DATA]["plugin_info"]}
    assert {vif[DATA]["vif_object_name"] for info in plugins.values() for vif in info} == {"VIFBridge"}
    assert "linux_bridge" in plugins
    assert "macvtap" not in plugins
