# SPDX-License-Identifier: Apache-2.0
"""Where the entry point and clients of earlier releases look for the plugin that does nothing."""

from os_vif.plugins.noop import NoOpPlugin

__all__ = ["NoOpPlugin"]
