# SPDX-License-Identifier: Apache-2.0
"""Whether nothing is left of a VIF that is recorded as plugged: then somebody has unplugged it behind our back.

An earlier os-vif, after a rollback, say. What is missing in part was broken, and is mended; what is gone as a whole was
taken away, and to make it again takes somebody's word: the guest may run elsewhere by now.
"""

from __future__ import annotations

from os_vif import exception
from os_vif.host.contract.backend import Purpose
from os_vif.host.contract.plan import Holding
from os_vif.host.engine.engine import Engine
from os_vif.host.engine.request import Request
from os_vif.host.journal.journal import PLUGGED
from os_vif.host.state import Link

#: What is told of it.
TEXT = "everything is gone: unplugged by another program, or the host was restarted"


def is_gone(engine: Engine, request: Request, guest: Request) -> bool:
    """Of what was made for the VIF alone, and what others make for it (``guest``). Raises HostError.

    Of what several VIFs share it cannot be told for whom it was taken away.
    """
    scope = engine.scope()
    record = engine.journal.record(scope, request.vif_id)
    if record is None or record.status != PLUGGED:
        return False
    if any(isinstance(one, Link) and engine.host.has_link(one.name) for one in guest.desired):
        return False
    held = engine.journal.holdings(scope, request.vif_id)
    own = [holding for holding in held if holding.made and not holding.resource.shared]
    return bool(own) and not any(_is_there(engine, holding, request) for holding in own)


def _is_there(engine: Engine, holding: Holding, request: Request) -> bool:
    try:
        backend = engine.backends[holding.resource.backend]
    except exception.BackendUnavailable:
        return True  # nobody can look
    look = getattr(backend, "is_there", None)
    if look is None:
        return True  # whoever brings a backend of his own may know more
    purpose = Purpose(request.vif_id, request.context)
    return bool(look(holding, backend.read([holding.resource], purpose), purpose))
