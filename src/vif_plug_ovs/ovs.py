# SPDX-License-Identifier: Apache-2.0
"""Where the entry point and clients of earlier releases look for the Open vSwitch plugin."""

from __future__ import annotations

from os_vif.plugins import names, ovs


class OvsPlugin(ovs.OvsPlugin):
    """The plugin, with what Kuryr calls on it."""

    NIC_NAME_LEN = names.DEVICE_NAME_LENGTH

    @staticmethod
    def gen_port_name(prefix: str, vif_id: str) -> str:
        """The name of a device: the prefix and the beginning of the id, as long as a device's name may be."""
        return (prefix + vif_id)[: names.DEVICE_NAME_LENGTH]
