# SPDX-License-Identifier: Apache-2.0
"""Bad input: what is wrong, where in the file, what to do; and nothing is touched."""

from __future__ import annotations

import json

import pytest

from support.vif_command import ID_A, A

HINT = '  hint: A VIF as OpenStack serializes it is needed, or {"vif": ..., "instance": ...}, or a list of such.'
DATA = "versioned_object.data"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1:1: this is not JSON: the file is empty."),
        ("[1,\n", ":2:1: this is not JSON: Expecting value."),
        ('{"a": 1,\n "a": 2}', ":2:2: this is not JSON: 'a' is there twice in one object."),
        ("[" * 100_000, ":1:1: this is not JSON: brackets are inside each other too deeply."),
        ("[]", ": the list is empty."),
        ('{"a": 1}', ": this is not a serialized object."),
        ('{"vif": 1}', ":vif: this is not a serialized object."),
        ("[true]", ":[0]: this is not a serialized object."),
    ],
)
def test_what_is_no_document(vif, write, text, message):
    """Line and column where it is not JSON, else the path; and what a document looks like."""
    path = write(text)
    refused = vif("plug", path)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert refused.stderr.splitlines() == [f"error: {path}{message}", HINT]


def test_text_that_is_not_utf_8(vif, tmp_path):
    """The byte at fault is named by its position."""
    path = tmp_path / "given.json"
    path.write_bytes(b'{"vif":\n "\xff"}')
    refused = vif("plug", path)
    assert refused.returncode == 3
    assert refused.stderr.startswith(f"error: {path}:2:3: this is not JSON: byte 10 is not utf-8.\n")


@pytest.mark.parametrize(("name", "message"), [("none.json", "no such file or directory."), (".", "is a directory.")])
def test_what_is_no_file(vif, tmp_path, name, message):
    """The system's own words, and the name."""
    refused = vif("plug", tmp_path / name)
    assert refused.returncode == 3
    assert refused.stderr.splitlines() == [
        f"error: {tmp_path / name}: {message}",
        "  hint: FILE is a path, or - for stdin.",
    ]


def test_a_field_is_named_by_its_path(vif, write, document):
    """The dotted path goes from the top of the file to the field."""
    document["vif"][DATA]["network"][DATA]["subnets"][DATA]["objects"][0][DATA]["cidr"] = "nowhere"
    path = write([document])
    refused = vif("plug", path)
    assert refused.returncode == 3
    assert refused.stderr.startswith(f"error: {path}:[0].vif.network.subnets.objects[0].cidr: 'nowhere' is not ")


def test_unknown_class(vif, write, document):
    """An object that we do not know is refused by its name."""
    document["vif"]["versioned_object.name"] = "VIFPigeon"
    path = write(document)
    refused = vif("plug", path)
    assert refused.returncode == 3
    assert refused.stderr == f"error: {path}:vif: There is no object named VIFPigeon in namespace os_vif.\n"


def test_something_else_than_a_vif(vif, write, document):
    """An instance in the place of a VIF."""
    path = write({"vif": document["instance"]})
    refused = vif("plug", path)
    assert refused.returncode == 3
    assert refused.stderr.splitlines() == [f"error: {path}:vif: this is an InstanceInfo, and a VIF is needed.", HINT]


def test_a_misspelt_key(vif, write, document):
    """A key that would be silently left out is refused instead."""
    document["instnace"] = document.pop("instance")
    path = write(document)
    refused = vif("plug", path)
    assert refused.returncode == 3
    assert refused.stderr == f"error: {path}:instnace: only vif and instance are known here.\n"


def test_the_same_vif_twice(vif, write, document):
    """Both places are named."""
    path = write(document["vif"])
    refused = vif("plug", A, path)
    assert refused.returncode == 3
    assert refused.stderr == f"error: {path}: VIF {ID_A} is also in {A}:vif; each can be given once.\n"


def test_stdin_twice(vif):
    """The second - would find nothing."""
    refused = vif("plug", "-", "-", input=A.read_text())
    assert (refused.returncode, refused.stderr) == (3, "error: stdin: it can be read once only.\n")


def test_values_that_no_host_can_use_are_told_all_at_once(netns, vif_inside, write, document):
    """Every field with its hint; the host is as it was."""
    document["vif"][DATA]["vif_name"] = "a/b"
    document["vif"][DATA]["network"][DATA]["mtu"] = 9
    path = write(document)
    before = netns.snapshot()
    refused = vif_inside("plug", path)
    assert refused.returncode == 3
    assert refused.stderr.splitlines() == [
        "error: 2 fields cannot be used:",
        f"  {path}:vif.vif_name: 'a/b' has a slash in it.",
        "    hint: Use at most 15 letters, digits, '-', '_' and '.'.",
        f"  {path}:vif.network.mtu: 9 bytes cannot be an MTU.",
        "    hint: Use 68 to 65535, or null to leave it alone.",
    ]
    assert netns.snapshot() == before


@pytest.mark.parametrize("name", ["plug", "plan", "check", "repair"])
def test_what_the_plugin_refuses_is_found_in_the_file_too(netns, vif_inside, write, document, name):
    """A field that the plugin misses is named by its place in the file, not only by the plugin's words."""
    document["vif"][DATA]["network"][DATA]["should_provide_vlan"] = True
    path = write(document)
    before = netns.snapshot()
    refused = vif_inside(name, path)
    assert refused.returncode == 3
    assert refused.stderr == (f"error: {path}:vif.network.vlan: must be set, because the network asks for a VLAN.\n")
    assert netns.snapshot() == before


def test_errors_for_programs(vif, write):
    """--output json: the error is a JSON document on stdout, every key there, and stderr is empty."""
    path = write("[1,\n")
    refused = vif("--output=json", "plug", path)
    assert (refused.returncode, refused.stderr) == (3, "")
    assert json.loads(refused.stdout) == {
        "error": {
            "code": "malformed-text",
            "message": "this is not JSON: Expecting value.",
            "hint": HINT.removeprefix("  hint: "),
            "retriable": False,
            "step": None,
            "device": None,
            "vif_id": None,
            "file": str(path),
            "line": 2,
            "column": 1,
            "field": None,
        }
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[os_vif_linux_bridge]\nnetwork_device_mtu = many\n",
            (
                "error: [os_vif_linux_bridge] network_device_mtu: Value for option network_device_mtu in {path}"
                " is not valid: invalid literal for int() with base 10: 'many'\n"
            ),
        ),
        (
            "nonsense\n",
            (
                "error: Failed to parse {path}: at {path}:1, No ':' or '=' found in assignment: 'nonsense'\n"
                "  hint: See `oslo-config-generator --namespace os_vif` for what a configuration file looks like.\n"
            ),
        ),
    ],
)
def test_a_configuration_that_is_wrong(netns, vif_inside, write, text, message):
    """It is told before anything is done, with the option or the line."""
    path = write(text, "vif.conf")
    refused = vif_inside("plug", A, "--config-file", path)
    assert (refused.returncode, refused.stderr) == (3, message.format(path=path))
    assert netns.link_names() == set()


def test_a_configuration_that_is_not_there(vif, tmp_path):
    """Its name is told."""
    refused = vif("plug", A, "--config-file", tmp_path / "none.conf")
    assert refused.returncode == 3
    assert refused.stderr == f"error: {tmp_path}/none.conf: there is no such file, or it cannot be read.\n"


def test_a_state_directory_that_cannot_be(vif):
    """Its name, the reason, what to do; not a journal somewhere else."""
    refused = vif("list", "--state-dir", "/proc/nothing/here")
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        "error: The state directory /proc/nothing/here cannot be used: No such file or directory.",
        "  hint: Name a directory that this user can write, or leave --state-dir out for the usual one.",
    ]
