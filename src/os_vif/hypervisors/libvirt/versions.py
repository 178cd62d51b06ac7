# SPDX-License-Identifier: Apache-2.0
"""What libvirt can be told, and since which version.

The versions are those of libvirt's own manual (formatdomain, "Domain XML format") and of its release notes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Version = tuple[int, int, int]

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True)
class Feature:
    """Something that libvirt takes since a version; ``meaning`` is the subject of a sentence."""

    since: Version
    meaning: str


FILTER = Feature((0, 8, 0), "a filter (<filterref>)")
IEEE_SWITCH = Feature((0, 8, 2), "an 802.1Qbg or 802.1Qbh switch (<virtualport>)")
BACKEND_NAME = Feature((0, 8, 8), "the choice between vhost and QEMU (<driver name>)")
MACVTAP_PASSTHROUGH = Feature((0, 9, 2), "macvtap in mode passthrough")
BANDWIDTH = Feature((0, 9, 4), "limits of bandwidth (<bandwidth>)")
OVS_PORT = Feature((0, 9, 11), "adding ports to Open vSwitch (<virtualport type='openvswitch'>)")
HOSTDEV_INTERFACE = Feature((0, 9, 11), "a virtual function with a MAC address (<interface type='hostdev'>)")
VLAN = Feature((0, 10, 0), "the VLAN of a virtual function (<vlan>)")
QUEUES = Feature((1, 0, 6), "more than one pair of queues (<driver queues>)")
VHOST_USER = Feature((1, 2, 7), "vhost-user")
VHOST_USER_QUEUES = Feature((1, 2, 17), "more than one pair of queues for vhost-user")
#: Release notes of 1.3.3: "autocreate tap device for ethernet network type". QEMU opened these itself until then, and
#: ran a script of the machine's on it.
MAKES_TAP = Feature((1, 3, 3), "making the tap of an <interface type='ethernet'>")
VLAN_OF_MACVTAP = Feature((1, 3, 5), "the VLAN of a virtual function under macvtap")
RX_QUEUE_SIZE = Feature((2, 3, 0), "the size of receive queues (rx_queue_size)")
#: Release notes of 2.4.0: "Support interface type of vhost-user hotplug".
VHOST_USER_HOT_PLUG = Feature((2, 4, 0), "vhost-user interfaces of running guests")
MTU = Feature((3, 1, 0), "the MTU (<mtu>)")
TX_QUEUE_SIZE = Feature((3, 7, 0), "the size of transmit queues (tx_queue_size)")
EXISTING_DEVICE = Feature((5, 7, 0), "leaving a device that exists as it is (<target managed='no'>)")
PACKED = Feature((6, 3, 0), "packed rings (packed)")
VDPA = Feature((6, 9, 0), "vDPA devices")

#: A version that has all of the above, and more.
NEWEST: Version = (999, 0, 0)


@dataclass(frozen=True)
class Capabilities:
    """What one libvirt can be told."""

    version: Version = NEWEST

    def has(self, feature: Feature) -> bool:
        """Whether it can be told this."""
        return self.version >= feature.since

    def lack(self, feature: Feature) -> str:
        """The sentence that says that it cannot."""
        return f"{feature.meaning} needs libvirt {text(feature.since)}, and this is {text(self.version)}."

    def __str__(self) -> str:
        return f"libvirt {text(self.version)}"


def parse(version: str) -> Version:
    """The version that is written so: "9.0.0" or "9.0". Raises ValueError."""
    match = _VERSION.fullmatch(version.strip())
    if match is None:
        raise ValueError(f"{version!r:.40} is not a version such as 9.0.0")
    major, minor, release = match.groups(default="0")
    return int(major), int(minor), int(release)


def from_number(number: int) -> Version:
    """The version that libvirt calls so: its functions tell 9.0.1 as 9000001."""
    return number // 1_000_000, number // 1_000 % 1_000, number % 1_000


def text(version: Version) -> str:
    """The version as people write it."""
    return ".".join(map(str, version))
