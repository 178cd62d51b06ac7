# SPDX-License-Identifier: Apache-2.0
"""In containers, and for services that systemd protects, /proc/sys cannot be written."""

from __future__ import annotations

import os

from support.vif_command import BRIDGE, A, command

#: What it takes for a new device to have every setting right from the beginning.
DEFAULTS = {"ipv4/conf/default/arp_ignore": 1, "ipv4/conf/default/arp_announce": 2, "ipv6/conf/default/disable_ipv6": 1}
READ_ONLY = 'mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys && exec "$@"'


def with_read_only_settings(netns, *arguments):
    return netns.run(["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", *arguments], check=False, env=dict(os.environ))


def test_what_is_right_already_is_not_written(netns):
    """Then it is no obstacle."""
    for key, value in DEFAULTS.items():
        netns.run(["sh", "-c", f"echo {value} >/proc/sys/net/{key}"])
    plugged = with_read_only_settings(netns, command(), "plug", A)
    assert (plugged.returncode, plugged.stderr) == (0, "")
    assert with_read_only_settings(netns, command(), "check").returncode == 0


def test_what_is_not_right_is_told(netns):
    """And undone."""
    before = netns.snapshot()
    refused = with_read_only_settings(netns, command(), "plug", A)
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        f"error: Could not set sysctl ipv6/disable_ipv6 of {BRIDGE} to 1 (device {BRIDGE}, "
    )
    assert refused.stderr.splitlines()[0].endswith(": Read-only file system")
    assert netns.snapshot() == before
