# SPDX-License-Identifier: Apache-2.0
"""Cloud Hypervisor: the JSON of an interface, and hot plug through its API."""

from __future__ import annotations

from os_vif.hypervisors.cloud_hypervisor.driver import CloudHypervisorDriver

__all__ = ["CloudHypervisorDriver"]
