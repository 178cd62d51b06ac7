# SPDX-License-Identifier: Apache-2.0
"""What configuration, rootwrap rules and other projects refer to by name is where it has always been."""

from __future__ import annotations

import os_vif
from os_vif.loading import plugins
from os_vif.plugins.linux_bridge import LinuxBridgePlugin
from os_vif.plugins.noop import NoOpPlugin


def test_the_classes_are_found_under_their_old_modules():
    """vif_plug_linux_bridge and vif_plug_noop hold the very same classes."""
    import vif_plug_linux_bridge.constants
    import vif_plug_linux_bridge.linux_bridge
    import vif_plug_noop.noop

    assert vif_plug_linux_bridge.linux_bridge.LinuxBridgePlugin is LinuxBridgePlugin
    assert vif_plug_noop.noop.NoOpPlugin is NoOpPlugin
    assert vif_plug_linux_bridge.constants.PLUGIN_NAME == "linux_bridge"


def test_the_plugins_are_loaded_under_their_old_names():
    """`plugin` of a VIF names an entry point."""
    os_vif.initialize()
    assert {"linux_bridge", "noop", "tap", "macvtap"} <= plugins.plugins().keys()


def test_the_privileged_context_is_where_rootwrap_rules_expect_it():
    """The path of the context, the section of its options and its prefix are named in deployed files."""
    import vif_plug_linux_bridge.privsep as module

    context = module.vif_plug
    assert context.prefix == "vif_plug_linux_bridge"
    assert context.cfg_section == "vif_plug_linux_bridge_privileged"
    assert context.pypath == "vif_plug_linux_bridge.privsep.vif_plug"
    assert module.__name__ == LinuxBridgePlugin.PRIVILEGED_CONTEXT
