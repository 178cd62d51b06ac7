# SPDX-License-Identifier: Apache-2.0
"""Network namespaces as guests: for containers, for tests, and to see a network work without a virtual machine."""

from __future__ import annotations

from os_vif.hypervisors.netns.driver import NetnsDriver

__all__ = ["NetnsDriver"]
