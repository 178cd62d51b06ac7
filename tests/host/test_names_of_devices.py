# SPDX-License-Identifier: Apache-2.0
"""Names that are patterns or formats to somebody reach no kernel, whoever asks; what has one can still be removed."""

from __future__ import annotations

import errno

import pytest

from os_vif.host.access import kernel_operations


@pytest.mark.parametrize("name", ["tap%d", "br+", "é", "a\u200bb", "a;b", "all", "default", ".", "a/b", "", "a" * 16])
@pytest.mark.parametrize("operation", ["link.add", "tap.add"])
def test_no_device_gets_such_a_name(netns, operation, name):
    """The kernel would make tap0 of tap%d."""
    arguments = {"name": name} | ({"kind": "bridge"} if operation == "link.add" else {})
    done, number, words = netns.inside(lambda: kernel_operations.run_own([(operation, arguments)]))
    assert (done, number) == (0, errno.EINVAL)
    assert repr(name) in words
    assert netns.link_names() == set()


def test_one_that_has_such_a_name_can_be_deleted(netns):
    """It may have been made before names were looked at."""
    netns.ip("link", "add", "name", "br+", "type", "bridge")
    netns.ip("link", "set", "br+", "group", str(kernel_operations.DEVICE_GROUP), "alias", "os-vif")
    assert netns.inside(lambda: kernel_operations.run_own([("link.delete", {"name": "br+"})])) == (1, 0, "")
    assert netns.link_names() == set()


@pytest.mark.parametrize("name", ["all", "default"])
def test_settings_of_all_devices_are_not_set(netns, name):
    """They are the host's."""
    arguments = {"name": name, "family": "ipv4", "key": "arp_ignore", "value": "1"}
    assert netns.inside(lambda: kernel_operations.run_own([("sysctl.set", arguments)]))[:2] == (0, errno.EINVAL)
