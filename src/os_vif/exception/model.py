# SPDX-License-Identifier: Apache-2.0
"""Errors of the object model and its wire format."""

from __future__ import annotations

from os_vif.exception.base import ExceptionBase


class ObjectError(ExceptionBase):
    """Something is wrong with an object of the model, or with its wire form."""

    code = "object"


class InvalidValue(ObjectError, ValueError):
    """A field cannot take the value. ``field`` names it, dotted when nested."""

    code = "invalid-value"
    msg_fmt = "%(field)s: %(reason)s"


class InvalidType(InvalidValue, TypeError):
    """A field cannot take values of that type."""

    code = "invalid-type"


class UnsetField(ObjectError, NotImplementedError, AttributeError):
    """A field was read that has not been set.

    NotImplementedError is what callers catch; AttributeError makes ``hasattr`` and ``getattr`` with a default work.
    """

    code = "unset-field"
    msg_fmt = "%(field)s of %(name)s is not set, and nothing can load it."


class UnknownField(ObjectError, KeyError, AttributeError):
    """The object has no field of that name, or none that could be used as asked."""

    code = "unknown-field"
    msg_fmt = "%(name)s has no field named %(field)s."


class MalformedPrimitive(ObjectError, ValueError):
    """What was to be decoded is not the wire form of an object. ``field`` names the place, dotted when nested."""

    code = "malformed"
    msg_fmt = "%(field)s: %(reason)s"


class MissingKey(MalformedPrimitive, KeyError):
    """The wire form lacks a key that it must have."""

    code = "missing-key"


class WrongWireType(MalformedPrimitive, TypeError):
    """The wire form has a value of the wrong type."""

    code = "wrong-wire-type"


class MalformedText(MalformedPrimitive):
    """The text is not JSON. ``line`` and ``column`` count from 1."""

    code = "malformed-text"
    msg_fmt = "line %(line)s, column %(column)s: %(reason)s"


class MalformedData(ExceptionBase, ValueError):
    """What somebody else wrote (a server, a switch, a hypervisor, the kernel) has not the shape that it must have.

    ``field``: whose it is, and where in it the trouble is, dotted.
    """

    code = "malformed-data"
    msg_fmt = "%(field)s: %(reason)s."
    hint = "Look whether it is of a version that os-vif knows, and whether something else answers in its place."


class UnknownObject(ObjectError):
    """The wire names an object that we do not know."""

    code = "unknown-object"
    msg_fmt = "There is no object named %(name)s in namespace %(namespace)s."


class UnsupportedObjectVersion(ObjectError):
    """The wire names a version of an object that we cannot read, or that we are asked to write and cannot."""

    code = "object-version"
    msg_fmt = "Version %(version)s of %(name)s is not supported; the newest known is %(known)s."
