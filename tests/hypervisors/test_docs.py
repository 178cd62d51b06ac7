# SPDX-License-Identifier: Apache-2.0
"""docs/hypervisors.md tells the truth."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from os_vif.cli import parser
from os_vif.hypervisors.driver import Guest
from os_vif.loading import drivers
from support import vifs
from support.parts import require_tun

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "hypervisors.md").read_text()
DRIVERS = ("cloud_hypervisor", "firecracker", "netns", "qemu")


def test_every_example_is_a_command_line_that_the_parser_takes():
    """An option that was renamed, or a command that never was, fails here."""
    lines = re.findall(r"^    (?:\w+=\$\()?(?:sudo )?vif (.*?)(?:\s+[|#>].*)?$", TEXT, re.M)
    assert len(lines) >= 10
    for line in lines:
        assert parser.build().parse_args(shlex.split(line)).run


def test_every_option_is_told_with_its_default():
    """Of every driver."""
    for name in DRIVERS:
        for option in drivers.load(drivers.HYPERVISORS, name).CONFIG_OPTS:
            default = str(option.default).lower() if isinstance(option.default, bool) else option.default
            assert f"`{option.name}` | {default} |" in TEXT


def test_the_binding_types_are_those_of_the_table(options):
    """In the drivers' order: what is offered and what is withdrawn, but for what is never offered."""
    require_tun()
    options("os_vif_ovs", ovsdb_connection="unix:/nowhere/db.sock")
    row = next(line for line in TEXT.splitlines() if line.startswith("| binding types"))
    columns = [re.findall(r"`([a-z-]+)`", cell) for cell in row.split("|")[2:6]]
    for name, told in zip(("qemu", "cloud_hypervisor", "firecracker", "netns"), columns, strict=True):
        offer = drivers.load(drivers.HYPERVISORS, name).offer(Guest("guest", vifs.INSTANCE.uuid), "host-1")
        known = {one.name for one in [*offer.candidates, *offer.withdrawn] if getattr(one, "code", "") != "not-by-name"}
        assert known == set(told)


def test_the_driver_to_write_is_a_driver(options):
    """It makes an offer, and renders a tap."""
    require_tun()
    options("os_vif_ovs", ovsdb_connection="unix:/nowhere/db.sock")
    namespace = {}
    exec(TEXT.rpartition("```python\n")[2].partition("```")[0], namespace)
    config = drivers.load(drivers.HYPERVISORS, "netns").config
    driver = namespace["LanternDriver"]("lantern", config)
    guest = Guest("guest", vifs.INSTANCE.uuid)
    assert [one.name for one in driver.offer(guest, "host-1").candidates] == ["tap"]
    assert driver.render(vifs.generic(), guest).text == "--tap tap1"
