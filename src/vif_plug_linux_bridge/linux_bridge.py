# SPDX-License-Identifier: Apache-2.0
"""Where the entry point and clients of earlier releases look for the Linux bridge plugin."""

from os_vif.plugins.linux_bridge import LinuxBridgePlugin

__all__ = ["LinuxBridgePlugin"]
