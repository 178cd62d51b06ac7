# SPDX-License-Identifier: Apache-2.0
"""Wires a VIF with a pair of veth devices: one end for the guest, the other a port of a bridge.

The rules of the house for those who do their work themselves: whatever is there may be half of what a killed process
has made, so look and complete, never assume; and take away what is there, without complaining about what is not.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

from oslo_config import cfg

from os_vif import exception, objects
from os_vif.plugin import PluginBase


class PairPlugin(PluginBase):
    """Takes VIFBridge: ``vif_name`` is the guest's end, ``bridge_name`` the bridge, which must be there."""

    CONFIG_OPTS = (cfg.IntOpt("mtu", default=1500, help="The MTU of both ends, where the network states none."),)

    def describe(self) -> objects.host_info.HostPluginInfo:
        """VIFBridge. Port profiles are not mentioned, as in many plugins that are older than they."""
        vif = objects.host_info.HostVIFInfo(vif_object_name="VIFBridge", min_version="1.0", max_version="1.0")
        return objects.host_info.HostPluginInfo(plugin_name="pair", vif_info=[vif])

    def plug(self, vif: Any, instance_info: Any) -> None:
        """Makes the pair if it is not there, and then whatever of its settings is missing."""
        ours, guests = _names(vif)
        if _link(ours) is None:
            _ip("link", "add", ours, "type", "veth", "peer", "name", guests)
        for end in (ours, guests):
            self._configure(end, vif)
        link = _link(ours)
        assert link is not None
        if link.get("master") != vif.bridge_name:
            _ip("link", "set", ours, "master", vif.bridge_name)

    def unplug(self, vif: Any, instance_info: Any) -> None:
        """Deletes the pair, if it is there."""
        ours, _ = _names(vif)
        if _link(ours) is not None:
            _ip("link", "delete", ours)

    def _configure(self, end: str, vif: Any) -> None:
        link = _link(end)
        if link is None:
            raise exception.InvalidRequest(field="vif_name", reason=f"{end} is not the end of a pair")
        if link["mtu"] != self._mtu(vif):
            _ip("link", "set", end, "mtu", str(self._mtu(vif)))
        if "UP" not in link["flags"]:
            _ip("link", "set", end, "up")

    def _mtu(self, vif: Any) -> int:
        network = getattr(vif, "network", None)
        return int(getattr(network, "mtu", None) or self.config.mtu)


def _names(vif: Any) -> tuple[str, str]:
    """Our end and the guest's. A device name has at most 15 characters."""
    return f"pr{vif.id}"[:14], vif.vif_name


def _link(name: str) -> dict[str, Any] | None:
    shown = subprocess.run(["ip", "-json", "link", "show", name], capture_output=True, text=True, check=False)
    return json.loads(shown.stdout)[0] if shown.returncode == 0 else None


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
