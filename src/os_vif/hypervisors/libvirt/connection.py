# SPDX-License-Identifier: Apache-2.0
"""Speaking to libvirt, through its own Python module, which is imported when it is first needed."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from os_vif import exception
from os_vif.hypervisors.libvirt.reading import HYPERVISOR

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


@contextlib.contextmanager
def opened(uri: str) -> Iterator[Any]:
    """A connection that may change guests. Raises HypervisorUnavailable."""
    yield from _opened(module().open, uri)


@contextlib.contextmanager
def opened_for_reading(uri: str) -> Iterator[Any]:
    """A connection that may only look, which libvirt gives to every user.

    Raises HypervisorUnavailable, also where libvirt does not let us look.
    """
    try:
        yield from _opened(module().openReadOnly, uri)
    except module().libvirtError as error:
        raise _unavailable(uri, error) from error


def _opened(way: Any, uri: str) -> Iterator[Any]:
    try:
        connection = way(uri)
    except module().libvirtError as error:
        raise _unavailable(uri, error) from error
    try:
        yield connection
    finally:
        connection.close()


def _unavailable(uri: str, error: Any) -> exception.HypervisorUnavailable:
    return exception.HypervisorUnavailable(hypervisor=HYPERVISOR, reason=f"{uri}: {words(error)}")


@functools.cache
def module() -> Any:
    """The module ``libvirt``. Raises HypervisorUnavailable."""
    try:
        import libvirt
    except ImportError as error:
        unavailable = exception.HypervisorUnavailable(hypervisor=HYPERVISOR, reason=f"{error}.")
        unavailable.hint = "pip install libvirt-python, which needs Debian's libvirt-dev, or the like, to build."
        raise unavailable from error
    # It would write every error to stderr, also those that are dealt with.
    libvirt.registerErrorHandler(lambda *_: None, None)
    return libvirt


def parsed(text: str) -> Element:
    """What libvirt describes in XML. Raises HypervisorUnavailable for anything else."""
    from xml.etree import ElementTree

    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, TypeError) as error:
        reason = f"it describes a guest in what is no XML ({error})."
        raise exception.HypervisorUnavailable(hypervisor=HYPERVISOR, reason=reason) from error


def words(error: Any) -> str:
    """What libvirt says, as a sentence."""
    return f"{str(error).strip().rstrip('.')}."
