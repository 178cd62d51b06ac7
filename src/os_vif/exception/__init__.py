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
    ├── MalformedData                       malformed-data          (also a ValueError)
    ├── HostError                           host
    │   ├── InvalidRequest                  invalid-request
    │   ├── DeviceMissing                   device-missing
    │   ├── ForeignDevice                   foreign-device
    │   │   └── UplinkUnsuitable            uplink
    │   ├── StepFailed                      step-failed
    │   ├── GatewayLost                     gateway-lost
    │   ├── VerifyFailed                    verify-failed
    │   ├── UndoFailed                      undo-failed
    │   ├── UnplugIncomplete                unplug-incomplete
    │   ├── UplinkNotReady                  uplink-not-ready
    │   ├── DeadlineExceeded                deadline
    │   ├── NotPermitted                    not-permitted
    │   ├── BackendUnavailable              backend-unavailable
    │   ├── BackendFailed                   backend-failed
    │   ├── NotRecorded                     not-recorded
    │   └── JournalError                    journal
    │       ├── JournalBusy                 journal-busy
    │       ├── RecordDamaged               record-damaged
    │       └── UntrustedFile               untrusted-file
    ├── NegotiationError                    negotiation
    │   ├── MalformedOffer                  malformed-offer         (also a ValueError)
    │   ├── OfferNotUnderstood              offer-version
    │   ├── BindingRefused                  refused
    │   ├── AnswerNotOffered                not-offered
    │   └── TooLong                         too-long
    ├── DriverUnavailable                   no-driver
    ├── NetworkError                        network
    │   ├── NetworkNotFound                 network-not-found
    │   ├── NetworkConflict                 network-conflict
    │   ├── NoAddressLeft                   no-address
    │   ├── BindingChanged                  binding-changed
    │   └── NetworkUnavailable              network-unavailable
    ├── HypervisorError                     hypervisor
    │   ├── GuestNotFound                   guest-not-found
    │   ├── CannotRender                    cannot-render
    │   ├── HotPlugFailed                   hot-plug
    │   └── HypervisorUnavailable           hypervisor-unavailable
    └── LifecycleError                      lifecycle
        ├── AttachedOtherwise               attached-otherwise
        ├── NotAttached                     not-attached
        └── WrongPhase                      wrong-phase

The names down to NotImplementedForOS, and the attributes ``msg_fmt``, ``kwargs``, ``message`` and
``format_message()``, are what Nova, Neutron and Kuryr rely on; Nova catches ExceptionBase and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from os_vif.exception.base import (
    ExceptionBase,
)
from os_vif.exception.contract import (
    ExternalImport,
    LibraryNotInitialized,
    NetworkInterfaceNotFound,
    NetworkInterfaceTypeNotDefined,
    NetworkMissingPhysicalNetwork,
    NoMatchingPlugin,
    NoMatchingPortProfileClass,
    NoMatchingVIFClass,
    NoSupportedPortProfileVersion,
    NoSupportedVIFVersion,
    NotImplementedForOS,
    PlugException,
    UnplugException,
)
from os_vif.exception.host import (
    BackendFailed,
    BackendUnavailable,
    DeadlineExceeded,
    DeviceMissing,
    ForeignDevice,
    GatewayLost,
    HostError,
    InvalidRequest,
    JournalBusy,
    JournalError,
    NothingLeft,
    NotPermitted,
    NotRecorded,
    RecordDamaged,
    StepFailed,
    UndoFailed,
    UnplugIncomplete,
    UntrustedFile,
    UplinkNotReady,
    UplinkUnsuitable,
    VerifyFailed,
)
from os_vif.exception.model import (
    InvalidType,
    InvalidValue,
    MalformedData,
    MalformedPrimitive,
    MalformedText,
    MissingKey,
    ObjectError,
    UnknownField,
    UnknownObject,
    UnsetField,
    UnsupportedObjectVersion,
    WrongWireType,
)

if TYPE_CHECKING:
    from os_vif.exception.agreement import (
        AnswerNotOffered,
        AttachedOtherwise,
        BindingChanged,
        BindingRefused,
        CannotRender,
        DriverUnavailable,
        GuestNotFound,
        HotPlugFailed,
        HypervisorError,
        HypervisorUnavailable,
        LifecycleError,
        MalformedOffer,
        NegotiationError,
        NetworkConflict,
        NetworkError,
        NetworkNotFound,
        NetworkUnavailable,
        NoAddressLeft,
        NotAttached,
        OfferNotUnderstood,
        TooLong,
        WrongPhase,
    )

__all__ = [
    "AnswerNotOffered",
    "AttachedOtherwise",
    "BackendFailed",
    "BackendUnavailable",
    "BindingChanged",
    "BindingRefused",
    "CannotRender",
    "DeadlineExceeded",
    "DeviceMissing",
    "DriverUnavailable",
    "ExceptionBase",
    "ExternalImport",
    "ForeignDevice",
    "GatewayLost",
    "GuestNotFound",
    "HostError",
    "HotPlugFailed",
    "HypervisorError",
    "HypervisorUnavailable",
    "InvalidRequest",
    "InvalidType",
    "InvalidValue",
    "JournalBusy",
    "JournalError",
    "LibraryNotInitialized",
    "LifecycleError",
    "MalformedData",
    "MalformedOffer",
    "MalformedPrimitive",
    "MalformedText",
    "MissingKey",
    "NegotiationError",
    "NetworkConflict",
    "NetworkError",
    "NetworkInterfaceNotFound",
    "NetworkInterfaceTypeNotDefined",
    "NetworkMissingPhysicalNetwork",
    "NetworkNotFound",
    "NetworkUnavailable",
    "NoAddressLeft",
    "NoMatchingPlugin",
    "NoMatchingPortProfileClass",
    "NoMatchingVIFClass",
    "NoSupportedPortProfileVersion",
    "NoSupportedVIFVersion",
    "NotAttached",
    "NotImplementedForOS",
    "NotPermitted",
    "NotRecorded",
    "NothingLeft",
    "ObjectError",
    "OfferNotUnderstood",
    "PlugException",
    "RecordDamaged",
    "StepFailed",
    "TooLong",
    "UndoFailed",
    "UnknownField",
    "UnknownObject",
    "UnplugException",
    "UnplugIncomplete",
    "UnsetField",
    "UnsupportedObjectVersion",
    "UntrustedFile",
    "UplinkNotReady",
    "UplinkUnsuitable",
    "VerifyFailed",
    "WrongPhase",
    "WrongWireType",
]


def __getattr__(name: str) -> Any:
    """Those of agreeing are loaded when one is named: whoever only plugs needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from os_vif.exception import agreement

    return getattr(agreement, name)
