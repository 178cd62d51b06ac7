# SPDX-License-Identifier: Apache-2.0
"""What else than the journal says that a VIF or a device is needed on this host: attachments, networks."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from os_vif import exception

if TYPE_CHECKING:
    from os_vif.host.engine.orphans import Claims

#: Modules with a function claims(); loaded by name, since they are above this one.
_WHO_MAY_CLAIM = ("os_vif.lifecycle.claims", "os_vif.networks.local.claims")


def all_claims() -> Claims:
    """What is claimed by anybody. One that cannot be asked is told of in ``problem``."""
    from os_vif.host.engine.orphans import Claims

    vifs: dict[str, str] = {}
    devices: dict[str, str] = {}
    problems = []
    for name in _WHO_MAY_CLAIM:
        try:
            more = importlib.import_module(name).claims()
        except exception.ExceptionBase as error:
            problems.append(str(error))
            continue
        vifs |= more.vifs
        devices |= more.devices
    return Claims(vifs, devices, " ".join(problems))
