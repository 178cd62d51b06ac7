# SPDX-License-Identifier: Apache-2.0
"""Doing the operations of a third party's backend: in this process, by functions of the backend's own."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Mapping, Sequence

from os_vif import exception
from os_vif.host.access import privileged
from os_vif.host.contract.operations import Operation, OperationFailed

_HINT = "Run it as root or with CAP_NET_ADMIN. A package that is to work without has to bring a helper of its own."


def perform(operations: Sequence[Operation], functions: Mapping[str, Callable[..., object]]) -> None:
    """Does operations in order, each by the function of its name, with its arguments by their names.

    Raises NotPermitted, before anything is done, where this process may not change the network: os-vif's privileged
    helper does nothing for third parties. Raises OperationFailed where a function raises OSError, or takes no such
    arguments, and for an operation that there is no function for.
    """
    if operations and not privileged.may_change_network():
        raise _not_permitted(operations[0])
    for done, operation in enumerate(operations):
        try:
            functions[operation.name](**operation.arguments)
        except OperationFailed as failure:  # of the host, whom the function has asked in turn
            raise OperationFailed(done, failure.errno, failure.words) from failure
        except OSError as error:
            raise OperationFailed(done, error.errno or 0, error.strerror or str(error)) from error
        except (ArithmeticError, LookupError, TypeError, ValueError, struct.error) as error:
            words = f"operation {operation.name!r:.80} was refused: {error}"
            raise OperationFailed(done, errno.EINVAL, words) from error


def _not_permitted(operation: Operation) -> exception.NotPermitted:
    reason = (
        "this process is neither root nor holds CAP_NET_ADMIN, and os-vif's privileged helper does nothing for"
        " backends of others."
    )
    error = exception.NotPermitted(what=f"do {operation.name}", reason=reason)
    error.hint = _HINT
    return error
