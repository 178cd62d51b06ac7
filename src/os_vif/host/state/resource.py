# SPDX-License-Identifier: Apache-2.0
"""What a resource is: one thing that a plugin states of a host, and how the journal keeps it."""

from __future__ import annotations

import dataclasses
import enum
import functools
import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

from os_vif import exception
from os_vif.foreign import shown
from os_vif.host.state import third_party

R = TypeVar("R", bound="Resource")


class IfForeign(enum.StrEnum):
    """What to do when a resource is found that os-vif did not make."""

    REFUSE = "refuse"  #: it is in the way: an error, before anything is touched
    SHARE = "share"  #: use it; change only what is needed for traffic to flow, and never remove it
    ADOPT = "adopt"  #: treat it as our own from now on (plugged by an earlier os-vif, say)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One thing on the host. ``shared`` resources serve many VIFs and go when the last of these has gone.

    A resource of a third party is a frozen dataclass of JSON-able values, too; its ``backend`` is the name of an entry
    point of the group ``os_vif.backends``.
    """

    backend: ClassVar[str]
    shared: bool = False

    @property
    def key(self) -> str:
        """Identifies the resource on the host, for the journal."""
        raise NotImplementedError

    @property
    def lock(self) -> str:
        """The lock to hold while the resource is looked at and changed; "" where none is needed."""
        return self.key

    @property
    def label(self) -> str:
        """What to call the resource in messages."""
        raise NotImplementedError

    @property
    def device_name(self) -> str:
        """The network device that it is, and that leaves its bridge when it goes; "" where it is none."""
        return ""

    def resolved(self, devices: Devices) -> Resource:
        """The resource, with what only the host knows filled in: names of devices that a plugin knows by address.

        Raises LookupError, which says what was not found.
        """
        return self

    def silenced(self) -> Resource:
        """The resource, so that nothing passes by it to or from the guest: a guest's own device is down."""
        return self


@dataclass(frozen=True, kw_only=True)
class Unavailable(Resource):
    """What a record tells of a resource whose backend cannot be used here: kept word for word, until it can.

    ``data`` is what to_primitive() wrote, ``error`` why it cannot be made more of.
    """

    data: Mapping[str, Any]
    error: exception.BackendUnavailable = dataclasses.field(compare=False)

    @property
    def kind(self) -> str:
        """The name of its type in records: that of the backend, and that of the class."""
        return str(self.data["resource"])

    @property
    def backend(self) -> str:  # type: ignore[override]
        """The name of the backend that knows it."""
        return self.kind.partition(":")[0]

    @property
    def key(self) -> str:
        return str(self.data["key"])

    @property
    def label(self) -> str:
        return str(self.data["label"])


class Devices(Protocol):
    """What a host knows of its devices. Each but the first raises LookupError when there is no such device."""

    def netdev_of_pci(self, address: str) -> str | None:
        """The name of the network device at a PCI address, or None."""

    def representor_of(self, vf: str) -> str:
        """The name of the device in the host that stands for a virtual function, given by its PCI address."""

    def physical_function_of(self, vf: str) -> tuple[str, int]:
        """The PCI address of the physical function of a virtual function, and the latter's number."""


@dataclass(frozen=True)
class HostState:
    """What one VIF needs of the host: resources, in the order in which they are made."""

    resources: tuple[Resource, ...] = ()

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources)

    def __len__(self) -> int:
        return len(self.resources)

    def silent(self) -> HostState:
        """The same with the guest's own devices down, so that nothing passes."""
        return HostState(tuple(resource.silenced() for resource in self.resources))


_TYPES: dict[str, type[Resource]] = {}

#: Properties of a third party's resource that are written down beside its attributes.
_OF_STRANGERS = ("key", "label")

#: Where the rest of the vocabulary is, imported when a record names it: most processes never meet Open vSwitch.
_OURS = "os_vif.host.state."
_VOCABULARY = tuple(f"{_OURS}{part}" for part in ("links", "addresses", "firewall", "ovs", "vf"))


def resource_type(cls: type[R]) -> type[R]:
    """Makes a type of resource known to the journal: a class decorator, also for third parties.

    Raises BackendUnavailable for a name that another type has, and for a backend of ours that cannot know the type.
    """
    name = _name_of(cls)
    if cls.backend in third_party.OWN and not cls.__module__.startswith(_OURS):
        _check_stranger(cls, name)
    _TYPES[name] = cls
    return cls


def _check_stranger(cls: type[Resource], name: str) -> None:
    """Whether a third party's type may join those of a backend of ours: it is one of these, with more to it."""
    _load_vocabulary()
    if not any(base.__module__.startswith(_OURS) and base is not Resource for base in cls.__mro__):
        reason = f"{_place_of(cls)} says it is of it, and it is os-vif's own, which knows nothing of that type."
        raise third_party.fault(cls.backend, reason)
    known = _TYPES.get(name, cls)
    if _place_of(known) != _place_of(cls):
        raise third_party.fault(cls.backend, f"{_place_of(cls)} has the same name as {_place_of(known)}.")


def check_known(resource: Resource) -> None:
    """Raises BackendUnavailable for a resource of a type that no record could give back."""
    cls = type(resource)
    if _TYPES.get(_name_of(cls)) is not cls:
        reason = f"its type {_place_of(cls)} is not known to the journal; @resource_type makes it so."
        raise third_party.fault(cls.backend, reason)


def _place_of(cls: type[Resource]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _name_of(cls: type[Resource]) -> str:
    """Those of third parties bear the name of their backend, which tells where to look for them."""
    return cls.__name__ if cls.backend in third_party.OWN else f"{cls.backend}:{cls.__name__}"


def to_primitive(resource: Resource) -> dict[str, Any]:
    """The JSON form of a resource: its type's name, and every attribute that is not at its default.

    Of a third party's also its key and label, which nobody else can tell once the package is gone.
    """
    if isinstance(resource, Unavailable):
        return dict(resource.data)
    data: dict[str, Any] = {"resource": _name_of(type(resource))}
    if resource.backend not in third_party.OWN:
        data |= {name: getattr(resource, name) for name in _OF_STRANGERS}
    for field in dataclasses.fields(resource):
        value = getattr(resource, field.name)
        if value != _default_of(field):
            data[field.name] = dict(value) if isinstance(value, Mapping) else value
    return data


def from_primitive(data: Mapping[str, Any]) -> Resource:
    """The resource that to_primitive() wrote; an Unavailable where its backend cannot be used here.

    Raises HostError for one that is not known.
    """
    if not isinstance(data, Mapping):
        raise exception.HostError(f"The journal tells of a resource that is none: {shown(data)}.")
    values = {name: _thaw(value) for name, value in data.items() if name not in ("resource", *_OF_STRANGERS)}
    try:
        named = _type_named(data["resource"])
        _check_types(named, values)
        return named(**values)
    except exception.BackendUnavailable as error:
        return _unavailable(data, error)
    except (KeyError, TypeError, AttributeError) as error:
        name = data.get("resource", "without a type")
        raise exception.HostError(
            f"The journal tells of a resource {name} that this process does not know ({error}); it takes the plugin,"
            " and the version of os-vif, that it was plugged with."
        ) from error


def is_of_stranger(text: object) -> bool:
    """Whether what to_primitive() wrote, as JSON, is of a third party. Told by its beginning: many may be asked."""
    return isinstance(text, str) and ":" in text.partition('"resource": "')[2].partition('"')[0]


def _unavailable(data: Mapping[str, Any], error: exception.BackendUnavailable) -> Unavailable:
    if not all(isinstance(data.get(name), str) for name in _OF_STRANGERS):
        raise error
    return Unavailable(shared=data.get("shared") is True, data=dict(data), error=error)


def _type_named(name: str) -> type[Resource]:
    backend, _, rest = name.partition(":")
    if rest and name not in _TYPES:
        third_party.load(backend)
    elif name not in _TYPES:
        _load_vocabulary()
    return _TYPES[name]


def _load_vocabulary() -> None:
    for module in _VOCABULARY:
        importlib.import_module(module)


#: Who can say what is not of a type that is annotated so. Of other types, those of third parties say more.
_NOT_OF_TYPE: dict[str, Callable[[Any], bool]] = {
    "str": lambda value: not isinstance(value, str),
    "bool": lambda value: not isinstance(value, bool),
    "int": lambda value: type(value) is not int,
    "float": lambda value: type(value) not in (int, float),
    "IfForeign": lambda value: value not in set(IfForeign),
    "tuple[str, ...]": lambda value: not isinstance(value, tuple) or any(type(one) is not str for one in value),
    "Mapping[str, str]": lambda value: (
        not isinstance(value, Mapping) or any(type(one) is not str for pair in value.items() for one in pair)
    ),
    "Mapping[str, Any]": lambda value: not isinstance(value, Mapping),
}


def _check_types(cls: Any, values: Mapping[str, Any]) -> None:
    """What was read from a file may be anything. Raises TypeError."""
    wrong_for = _checks_of(cls)
    for name, value in values.items():
        if name in wrong_for and wrong_for[name](value):
            raise TypeError(f"{name} is {value!r}")


@functools.cache
def _checks_of(cls: Any) -> dict[str, Callable[[Any], bool]]:
    checks = {}
    for field in dataclasses.fields(cls):
        wanted, _, alternative = str(field.type).partition(" | ")
        wrong = _NOT_OF_TYPE.get(wanted)
        if wrong is not None and alternative in ("", "None"):
            checks[field.name] = _unless_none(wrong) if alternative else wrong
    return checks


def _unless_none(wrong: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is not None and wrong(value)


def _default_of(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _thaw(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
