# SPDX-License-Identifier: Apache-2.0
"""Every error this library raises.

    ExceptionBase                           code
    ├── LibraryNotInitialized               not-initialized
    ├── NoMatchingPlugin                    no-plugin
    ├── NoMatchingPortProfileClass          no-port-profile
    ├── NoSupportedPortProfileVersion       port-profile-version
    ├── NoMatchingVIFClass                  no-vif-class
    ├── NoSupportedVIFVersion               vif-version
    ├── PlugException                       plug
    ├── UnplugException                     unplug
    ├── NetworkMissingPhysicalNetwork       no-physical-network
    ├── NetworkInterfaceNotFound            interface-not-found
    ├── NetworkInterfaceTypeNotDefined      interface-type
    ├── ExternalImport                      external-import
    ├── NotImplementedForOS                 wrong-os
    ├── ObjectError                         object
    │   ├── InvalidValue                    invalid-value           (also a ValueError)
    │   │   └── InvalidType                 invalid-type            (also a TypeError)
    │   ├── UnsetField                      unset-field             (also NotImplementedError, AttributeError)
    │   ├── UnknownField                    unknown-field           (also a KeyError, AttributeError)
    │   ├── MalformedPrimitive              malformed               (also a ValueError)
    │   │   ├── MissingKey                  missing-key             (also a KeyError)
    │   │   ├── WrongWireType               wrong-wire-type         (also a TypeError)
    │   │   └── MalformedText               malformed-text
    │   ├── UnknownObject                   unknown-object
    │   └── UnsupportedObjectVersion        object-version
    └── HostError                           host
        ├── InvalidRequest                  invalid-request
        ├── DeviceMissing                   device-missing
        ├── ForeignDevice                   foreign-device
        ├── StepFailed                      step-failed
        ├── VerifyFailed                    verify-failed
        ├── UndoFailed                      undo-failed
        ├── UnplugIncomplete                unplug-incomplete
        ├── DeadlineExceeded                deadline
        ├── NotPermitted                    not-permitted
        ├── NotRecorded                     not-recorded
        └── JournalError                    journal

The names down to NotImplementedForOS, and the attributes ``msg_fmt``, ``kwargs``, ``message`` and
``format_message()``, are what Nova, Neutron and Kuryr rely on; Nova catches ExceptionBase and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar


class _KeepMissing(dict[str, Any]):
    """Leaves a placeholder that has no value in place, so that reporting an error never raises another one."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


class ExceptionBase(Exception):
    """The root of the tree.

    ``code`` is stable and meant for programs; the text is meant for people and may be improved.
    ``retriable`` says whether the same call may succeed later without anybody changing anything.
    ``hint`` says what to do next; it may be empty.
    """

    msg_fmt: ClassVar[str] = "Something went wrong, and nothing more is known of it."
    code: ClassVar[str] = "error"
    retriable: ClassVar[bool] = False
    hint: str = ""

    def __init__(self, message: str | None = None, **kwargs: Any) -> None:
        self.kwargs = kwargs
        self.message = message if message is not None else self._fill(self.msg_fmt)
        super().__init__(self.message)

    def _fill(self, text: str) -> str:
        # Third-party subclasses write "%(name)s"; ours do too, so that both work alike.
        try:
            return text % self.kwargs
        except (KeyError, TypeError, ValueError):
            return _fill_what_is_known(text, self.kwargs)

    def format_message(self) -> str:
        """The message, as text."""
        return self.message

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.kwargs), self.__dict__

    def to_dict(self) -> dict[str, Any]:
        """For machines: code, message, hint and what is known of step, device and VIF (all text)."""
        known = {key: str(value) for key, value in self.kwargs.items() if key in ("step", "device", "vif_id", "field")}
        return {"code": self.code, "message": self.message, "hint": self.hint, "retriable": self.retriable, **known}


def _rebuild(cls: type[ExceptionBase], message: str, kwargs: dict[str, Any]) -> ExceptionBase:
    return cls(message, **kwargs)


def _fill_what_is_known(text: str, kwargs: dict[str, Any]) -> str:
    known = _KeepMissing({key: str(value) for key, value in kwargs.items()})
    filled = text
    for key, value in known.items():
        filled = filled.replace(f"%({key})s", value)
    return filled


class LibraryNotInitialized(ExceptionBase):
    """The library was used before it was initialized."""

    code = "not-initialized"
    msg_fmt = "os_vif is not initialized."
    hint = "Call os_vif.initialize() once, before plugging."


class NoMatchingPlugin(ExceptionBase):
    """The VIF asks for a plugin that is not installed or could not be loaded."""

    code = "no-plugin"
    msg_fmt = "There is no VIF plug-in named %(plugin_name)s."
    hint = "`vif host-info` lists the plugins that are installed; one that failed to load says why in the log."


class NoMatchingPortProfileClass(ExceptionBase):
    """Nothing on this host takes port profiles of that class."""

    code = "no-port-profile"
    msg_fmt = "No port profile class %(name)s is supported."


class NoSupportedPortProfileVersion(ExceptionBase):
    """The class of the port profile is known, none of its versions fits."""

    code = "port-profile-version"
    msg_fmt = (
        "No version of port profile %(name)s fits:"
        " we have %(got_versions)s, wanted is %(min_version)s to %(max_version)s."
    )


class NoMatchingVIFClass(ExceptionBase):
    """Nothing on this host takes VIFs of that class."""

    code = "no-vif-class"
    msg_fmt = "No VIF class %(name)s is supported."


class NoSupportedVIFVersion(ExceptionBase):
    """The class of the VIF is known, none of its versions fits."""

    code = "vif-version"
    msg_fmt = "No version of VIF %(name)s fits: we have %(got_versions)s, wanted is %(min_version)s to %(max_version)s."


class PlugException(ExceptionBase):
    """Plugging failed; whatever the plugin raised is told in ``err`` and chained as the cause."""

    code = "plug"
    msg_fmt = "VIF %(vif)s could not be plugged: %(err)s"


class UnplugException(ExceptionBase):
    """Unplugging failed; every step was tried, and ``err`` tells of all that failed."""

    code = "unplug"
    msg_fmt = "VIF %(vif)s could not be unplugged: %(err)s"


class NetworkMissingPhysicalNetwork(ExceptionBase):
    """A physical network is needed and the network names none."""

    code = "no-physical-network"
    msg_fmt = "Network %(network_uuid)s names no physical network, and one is needed."


class NetworkInterfaceNotFound(ExceptionBase):
    """An interface that must exist does not."""

    code = "interface-not-found"
    msg_fmt = "There is no network interface named %(interface)s."


class NetworkInterfaceTypeNotDefined(ExceptionBase):
    """A device of unknown kind was asked for."""

    code = "interface-type"
    msg_fmt = "%(type)s is not a type of network interface."


class ExternalImport(ExceptionBase):
    """An internal module was imported from outside of this library."""

    code = "external-import"
    msg_fmt = "This module of os_vif is internal and must not be imported from elsewhere."


class NotImplementedForOS(ExceptionBase):
    """This operating system cannot do it."""

    code = "wrong-os"
    msg_fmt = "%(function)s is not implemented for %(os)s."


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


class UnknownObject(ObjectError):
    """The wire names an object that we do not know."""

    code = "unknown-object"
    msg_fmt = "There is no object named %(name)s in namespace %(namespace)s."


class UnsupportedObjectVersion(ObjectError):
    """The wire names a version of an object that we cannot read, or that we are asked to write and cannot."""

    code = "object-version"
    msg_fmt = "Version %(version)s of %(name)s is not supported; the newest known is %(known)s."


class HostError(ExceptionBase):
    """Something went wrong on the host.

    ``step``, ``device`` and ``vif_id`` are in ``kwargs`` where they are known; ``reason`` holds the words of
    the kernel, of Open vSwitch or of the tool that refused.
    """

    code = "host"


class InvalidRequest(HostError):
    """The VIF asks for something that cannot be done; the host was not touched."""

    code = "invalid-request"
    msg_fmt = "%(field)s: %(reason)s"


class DeviceMissing(HostError):
    """A device that must be there, and that is not ours to make, is not there."""

    code = "device-missing"
    msg_fmt = "Device %(device)s does not exist, and VIF %(vif_id)s needs it."
    hint = "Create it, or correct the name in the configuration or in the network."


class ForeignDevice(HostError):
    """A device that we did not make is in the way."""

    code = "foreign-device"
    msg_fmt = "Device %(device)s is in the way of VIF %(vif_id)s: %(reason)s"
    hint = "os-vif does not touch what it did not make. Remove or rename the device, or use another name."


class StepFailed(HostError):
    """A step of a plan failed; what had been done before it was undone."""

    code = "step-failed"
    retriable = True
    msg_fmt = "Could not %(step)s (device %(device)s, VIF %(vif_id)s): %(reason)s"


class VerifyFailed(HostError):
    """Every step succeeded, and reading back shows something else than was asked for."""

    code = "verify-failed"
    msg_fmt = "VIF %(vif_id)s: after applying, the host still differs: %(reason)s"


class UndoFailed(HostError):
    """A step failed, and undoing the steps before it failed too."""

    code = "undo-failed"
    msg_fmt = "%(error)s Undoing failed as well: %(reason)s"
    hint = "`vif gc` removes what is left; `vif check` shows it."


class UnplugIncomplete(HostError):
    """Some steps of an unplug failed; all were tried. ``errors`` holds one error per failed step."""

    code = "unplug-incomplete"
    retriable = True
    hint = "Unplug again once the causes are gone; what was removed stays removed."

    def __init__(self, errors: Sequence[HostError] | str = (), **kwargs: Any) -> None:
        self.errors = () if isinstance(errors, str) else tuple(errors)
        text = errors if isinstance(errors, str) else " ".join(str(error) for error in errors)
        super().__init__(text, **kwargs)


class DeadlineExceeded(HostError):
    """Something took longer than the caller allows."""

    code = "deadline"
    retriable = True
    msg_fmt = "Gave up after %(seconds)s seconds while waiting for %(what)s."


class NotPermitted(HostError):
    """The caller may not change this host's network, and no privileged helper could be reached."""

    code = "not-permitted"
    msg_fmt = "Not permitted to %(what)s: %(reason)s"
    hint = "Run as root or with CAP_NET_ADMIN, or install os-vif[privsep] and configure its helper_command."


class NotRecorded(HostError):
    """Something was asked of a VIF by its id, and no VIF of that id is recorded here."""

    code = "not-recorded"
    msg_fmt = "No VIF %(vif_id)s is recorded in this network namespace."
    hint = "`vif list` shows what is; a VIF can be unplugged without a record too, from its serialized form."


class JournalError(HostError):
    """The journal cannot be used."""

    code = "journal"
    msg_fmt = "The journal %(path)s cannot be used: %(reason)s"
