# SPDX-License-Identifier: Apache-2.0
"""The object model: what the network side and the hypervisor side tell each other of a VIF.

``register_all()`` loads every module, after which ``objects.vif.VIFBridge`` and the like are there. Each module can
also be imported by itself. Nothing here does any I/O, and nothing imports oslo.versionedobjects.
"""

from __future__ import annotations

import importlib

_MODULES = ("base", "fields", "fixed_ip", "host_info", "instance_info", "network", "route", "subnet", "vif")


def register_all() -> None:
    """Load all modules of the model; from then on every object can be read from the wire."""
    for name in _MODULES:
        importlib.import_module(f"{__name__}.{name}")
