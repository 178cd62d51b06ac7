# SPDX-License-Identifier: Apache-2.0
"""Who does the privileged work: this process when it may, else a helper started by oslo.privsep.

The helper's context is named by its module, which is what rootwrap rules and deployed configuration refer to:
``vif_plug_linux_bridge.privsep``, ``vif_plug_ovs.privsep``, and ``os_vif.privsep`` for plugins without history.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from os_vif import exception
from os_vif.host.access import kernel_operations
from os_vif.host.contract.operations import Operation, OperationFailed
from os_vif.host.kernel import iptables, nftables
from os_vif.host.kernel.filter_path import FilterTable
from os_vif.host.kernel.iptables import ChainState
from os_vif.host.kernel.nftables import NativeFilter

DEFAULT_CONTEXT = "os_vif.privsep"

_CAP_NET_ADMIN = 12


def run(operations: Sequence[Operation], context: str) -> None:
    """Does the operations in order, in one go. Raises OperationFailed, NotPermitted."""
    primitives = [operation.to_primitive() for operation in operations]
    if may_change_network():
        done, errno, words = kernel_operations.run_own(primitives)
    else:
        done, errno, words = _helper(context).run(primitives)
    if done < len(operations):
        raise OperationFailed(done, errno, words)


def read_chain(family: str, chain: str, context: str) -> ChainState | None:
    """The state of a chain, which only a privileged process may read. Raises OSError, NotPermitted."""
    if may_change_network():
        return iptables.read_chain(family, chain)
    found = _helper(context).read_chain(family, chain)
    return None if found is None else ChainState(tuple(found[0]), found[1])


def read_filter_table(family: str, context: str) -> FilterTable | None:
    """A whole filter table; None where it cannot be read. The helper shows nobody the rules of others."""
    if not may_change_network():
        return None
    try:
        return iptables.read_table(family)
    except OSError:
        return None


def read_native_filters(family: str, context: str) -> Sequence[NativeFilter]:
    """Filters written in nftables itself; none where they cannot be read. The helper shows nobody others' rules."""
    if not may_change_network():
        return ()
    try:
        return nftables.read_filters(family)
    except (OSError, exception.MalformedData):
        return ()


def may_change_network() -> bool:
    """Whether this process is root, or holds CAP_NET_ADMIN."""
    return os.geteuid() == 0 or _holds_net_admin(os.geteuid())


@functools.cache
def _holds_net_admin(user: int) -> bool:
    return bool(_effective_capabilities() >> _CAP_NET_ADMIN & 1)


def _effective_capabilities() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:"))


def _helper(context: str) -> Any:
    try:
        helper = importlib.import_module(context)
    except ImportError as error:
        raise exception.NotPermitted(what="change this host's network", reason=_why_not(error)) from error
    _start(helper.vif_plug)
    return helper


def _start(context: Any) -> None:
    """Started here rather than by the first call, so that what the call raises is not taken for this."""
    if context.channel is not None:
        return
    try:
        context.start()
    except Exception as error:
        reason = (
            f"this process is neither root nor holds CAP_NET_ADMIN, and its privileged helper did not start: {error}"
        )
        raise exception.NotPermitted(what="change this host's network", reason=reason) from error


def _why_not(error: ImportError) -> str:
    return f"this process is neither root nor holds CAP_NET_ADMIN, and the privileged helper is missing ({error})."
