# SPDX-License-Identifier: Apache-2.0
"""Constants that clients of earlier releases may import."""

from os_vif.plugins import linux_bridge

PLUGIN_NAME = linux_bridge.NAME
