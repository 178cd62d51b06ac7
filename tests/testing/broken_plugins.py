# SPDX-License-Identifier: Apache-2.0
"""Plugins with a fault each, for the conformance kit to find. Not collected; test_conformance_finds_faults runs it."""

from __future__ import annotations

import subprocess
import threading

from os_vif.objects.host_info import HostPluginInfo, HostVIFInfo
from os_vif.plugin import PluginBase
from os_vif.testing.conformance import PluginConformance
from support import vifs

_KEPT = []


def ip(*arguments: str, check: bool = True) -> bool:
    return subprocess.run(["ip", *arguments], check=check, capture_output=True).returncode == 0


class Sound(PluginBase):
    """One bridge per VIF; nothing wrong with it."""

    newest = "1.0"

    def describe(self):
        vif = HostVIFInfo(vif_object_name="VIFGeneric", min_version=self.newest, max_version=self.newest)
        return HostPluginInfo(plugin_name="broken", vif_info=[vif])

    def plug(self, vif, instance_info):
        name = vif.vif_name
        if not ip("link", "show", name, check=False):
            ip("link", "add", name, "type", "bridge")
        ip("link", "set", name, "up")

    def unplug(self, vif, instance_info):
        if ip("link", "show", vif.vif_name, check=False):
            ip("link", "delete", vif.vif_name)


class NotRepeatable(Sound):
    def plug(self, vif, instance_info):
        ip("link", "add", vif.vif_name, "type", "bridge")
        ip("link", "set", vif.vif_name, "up")


class ComplainsWhenGone(Sound):
    def unplug(self, vif, instance_info):
        ip("link", "delete", vif.vif_name)


class ForgetsHalf(Sound):
    """Looks whether the last thing it makes is there, and takes that for all."""

    def plug(self, vif, instance_info):
        name = vif.vif_name
        if ip("link", "show", name, check=False):
            return
        ip("link", "add", name, "type", "bridge")
        ip("link", "set", name, "up")


class LeaksFiles(Sound):
    def plug(self, vif, instance_info):
        _KEPT.append(open("/dev/null"))  # noqa: SIM115, PTH123
        super().plug(vif, instance_info)


class LeaksThreads(Sound):
    def plug(self, vif, instance_info):
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        super().plug(vif, instance_info)


class LeaksDevices(Sound):
    def unplug(self, vif, instance_info):
        if ip("link", "show", vif.vif_name, check=False):
            ip("link", "set", vif.vif_name, "down")


class Clumsy(Sound):
    """Changes what belongs to another VIF."""

    def unplug(self, vif, instance_info):
        super().unplug(vif, instance_info)
        ip("link", "set", "br2", "down", check=False)


class SaysTooMuch(Sound):
    newest = "9.9"


class Kit(PluginConformance):
    __test__ = False
    plugin_class: type[PluginBase] = Sound
    most_crashes = 8

    def make_plugin(self):
        return self.plugin_class(None)

    def make_vif(self, number):
        vif = vifs.generic(f"br{number}", number=number)
        vif.plugin = "broken"
        return vif, vifs.INSTANCE


def _kit_for(plugin: type[PluginBase]) -> type[Kit]:
    return type(f"Test{plugin.__name__}", (Kit,), {"plugin_class": plugin, "__module__": __name__, "__test__": True})


for _plugin in (Sound, *Sound.__subclasses__()):
    globals()[f"Test{_plugin.__name__}"] = _kit_for(_plugin)
