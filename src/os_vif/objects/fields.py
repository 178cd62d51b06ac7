# SPDX-License-Identifier: Apache-2.0
"""The kinds of field, and the constants of those with a closed list of values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import netaddr

from os_vif import exception
from os_vif.objects import _wire
from os_vif.objects._coerced_list import CoercedList
from os_vif.objects._field import Field, UnspecifiedDefault, optional

if TYPE_CHECKING:
    from os_vif.objects._decode import Reading
    from os_vif.objects.base import VersionedObject

__all__ = [
    "BooleanField",
    "EnumField",
    "Field",
    "IPAddressField",
    "IPNetworkField",
    "IntegerField",
    "ListField",
    "ListOfIPAddressField",
    "ListOfObjectsField",
    "MACAddressField",
    "ObjectField",
    "PCIAddressField",
    "StringField",
    "UUIDField",
    "UnspecifiedDefault",
    "VIFDirectMode",
    "VIFDirectModeField",
    "VIFHostDeviceDevType",
    "VIFHostDeviceDevTypeField",
    "VIFVHostUserMode",
    "VIFVHostUserModeField",
    "optional",
]

T = TypeVar("T")
O_co = TypeVar("O_co", bound="VersionedObject")

# A netaddr object is made in one microsecond from another one and in several from text, and networks repeat
# their addresses; they are mutable, so the ones kept here are only ever copied.
_KNOWN_ADDRESSES: dict[str, netaddr.IPAddress] = {}
_KNOWN_NETWORKS: dict[str, netaddr.IPNetwork] = {}
_KNOWN_AT_MOST = 4096


class StringField(Field[str]):
    """Text. Numbers are taken as their text, bytes and containers are not."""

    TYPE = "String"
    PLAIN = True

    def accept(self, value: Any, attr: str) -> str:
        if isinstance(value, (str, int, float)):
            return str(value)
        raise ValueError(f"text is needed, not a {type(value).__name__}")

    def read(self, value: Any, reading: Reading) -> str:
        return text(value)

    def stringify_value(self, value: Any) -> str:
        return f"'{value}'"


class UUIDField(StringField):
    """A UUID, as text. Any text is taken here: peers do send others. ``validate.problems`` tells."""

    TYPE = "UUID"

    def accept(self, value: Any, attr: str) -> str:
        return str(value)

    def stringify_value(self, value: Any) -> str:
        return str(value)


class BooleanField(Field[bool]):
    """True or false: Python's truth of whatever is assigned, so the text "no" is true. The wire has to be exact."""

    TYPE = "Boolean"
    PLAIN = True

    def accept(self, value: Any, attr: str) -> bool:
        return bool(value)

    def read(self, value: Any, reading: Reading) -> bool:
        if value is True or value is False:
            return bool(value)
        raise _wire.wrong_type(value, "true or false")


class IntegerField(Field[int]):
    """A whole number; what ``int()`` takes is taken."""

    TYPE = "Integer"
    PLAIN = True

    def accept(self, value: Any, attr: str) -> int:
        return int(value)

    def read(self, value: Any, reading: Reading) -> int:
        if type(value) is int:
            return value
        raise _wire.wrong_type(value, "a whole number")


class MACAddressField(StringField):
    """A MAC address; kept in lower case with colons."""

    TYPE = "MACAddress"
    _FORM: ClassVar[re.Pattern[str]] = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")

    def accept(self, value: Any, attr: str) -> str:
        if isinstance(value, str):
            lowered = value.lower().replace("-", ":")
            if self._FORM.fullmatch(lowered):
                return lowered
        raise ValueError(f"{_wire.show(value)} is not a MAC address, such as fa:16:3e:00:00:01")

    def read(self, value: Any, reading: Reading) -> str:
        return _form(self, text(value))

    def stringify_value(self, value: Any) -> str:
        return str(value)


class PCIAddressField(MACAddressField):
    """A PCI address: domain, bus, slot and function, as in 0000:3b:00.1; kept in lower case."""

    TYPE = "PCIAddress"
    _FORM = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]")

    def accept(self, value: Any, attr: str) -> str:
        if isinstance(value, str):
            lowered = value.lower()
            if self._FORM.fullmatch(lowered):
                return lowered
        raise ValueError(f"{_wire.show(value)} is not a PCI address, such as 0000:3b:00.1")


class IPAddressField(Field[netaddr.IPAddress]):
    """An IPv4 or IPv6 address; kept as a ``netaddr.IPAddress``."""

    TYPE = "IPAddress"

    def accept(self, value: Any, attr: str) -> netaddr.IPAddress:
        known = _KNOWN_ADDRESSES.get(value) if type(value) is str else value
        if known is None:
            known = _remember(_KNOWN_ADDRESSES, value, self._parse(value))
        return self._parse(known)

    def _parse(self, value: Any) -> netaddr.IPAddress:
        try:
            return netaddr.IPAddress(value)
        except netaddr.AddrFormatError as error:
            raise ValueError(f"{_wire.show(value)} is not an IP address") from error

    def write(self, value: netaddr.IPAddress) -> str:
        return str(value)

    def read(self, value: Any, reading: Reading) -> netaddr.IPAddress:
        return _form(self, text(value))


class IPNetworkField(Field[netaddr.IPNetwork]):
    """An IPv4 or IPv6 network with its prefix length; kept as a ``netaddr.IPNetwork``."""

    TYPE = "IPNetwork"

    def accept(self, value: Any, attr: str) -> netaddr.IPNetwork:
        known = _KNOWN_NETWORKS.get(value) if type(value) is str else value
        if known is None:
            known = _remember(_KNOWN_NETWORKS, value, self._parse(value))
        return self._parse(known)

    def _parse(self, value: Any) -> netaddr.IPNetwork:
        if not isinstance(value, (str, netaddr.IPNetwork, netaddr.IPAddress)):
            raise TypeError(f"a network is needed, not a {type(value).__name__}")
        try:
            return netaddr.IPNetwork(value)
        except netaddr.AddrFormatError as error:
            raise ValueError(f"{_wire.show(value)} is not an IP network, such as 10.0.0.0/24") from error

    def write(self, value: netaddr.IPNetwork) -> str:
        return str(value)

    def read(self, value: Any, reading: Reading) -> netaddr.IPNetwork:
        return _form(self, text(value))


class EnumField(StringField):
    """One of a closed list of words."""

    VALUES: ClassVar[tuple[str, ...]] = ()

    @property
    def valid_values(self) -> tuple[str, ...]:
        """The words."""
        return self.VALUES

    def accept(self, value: Any, attr: str) -> str:
        if isinstance(value, str) and value in self.VALUES:
            return str(value)
        raise ValueError(f"{_wire.show(value)} is not one of {', '.join(self.VALUES)}")

    def read(self, value: Any, reading: Reading) -> str:
        return _form(self, text(value))

    def _repr_extra(self) -> str:
        return f",valid_values={self.VALUES}"


class ListField(Field[list[T]]):
    """A list whose elements are the values of another field."""

    TYPE = "List"

    def __init__(self, element: Field[T], **options: Any) -> None:
        super().__init__(**options)
        self.element = element

    def accept(self, value: Any, attr: str) -> list[T]:
        if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
            raise ValueError(f"a list is needed, not a {type(value).__name__}")
        values = [self.element.coerce(None, f"{attr}[{index}]", item) for index, item in enumerate(value)]
        return CoercedList.trusted(self, values)

    def coerce_element(self, value: Any, index: int) -> T:
        """``value`` as element ``index``. Raises as ``coerce`` does."""
        return self.element.coerce(None, f"{self.name}[{index}]", value)

    def write(self, value: list[T]) -> list[Any]:
        write = self.element.write
        return [write(item) for item in value]

    def read(self, value: Any, reading: Reading) -> list[T]:
        if type(value) is not list and not isinstance(value, (list, tuple)):
            raise _wire.wrong_type(value, "a list")
        return CoercedList.trusted(self, self._read_elements(value, reading))

    def _read_elements(self, items: list[Any] | tuple[Any, ...], reading: Reading) -> Iterable[T]:
        read = self.element.read
        for index, item in enumerate(items):
            try:
                yield read(item, reading)
            except _wire.Refusal as refusal:
                refusal.path.append(f"[{index}]")
                raise

    def stringify_value(self, value: Any) -> str:
        return "[" + ",".join(self.element.stringify(item) for item in value) + "]"


class ListOfIPAddressField(ListField[netaddr.IPAddress]):
    """A list of IP addresses."""

    def __init__(self, **options: Any) -> None:
        super().__init__(IPAddressField(), **options)


class ObjectField(Field[O_co]):
    """Another object: of the class ``objtype`` (or named so), and with ``subclasses`` of a subclass of it."""

    TYPE = "Object"

    def __init__(self, objtype: type[O_co] | str, *, subclasses: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.objname = objtype if isinstance(objtype, str) else objtype.obj_name()
        self.subclasses = subclasses

    def admits(self, cls: type) -> bool:
        """Whether objects of ``cls`` may be here. Classes are the same when their names are."""
        candidates = cls.__mro__ if self.subclasses else (cls,)
        return any(hasattr(c, "obj_name") and c.obj_name() == self.objname for c in candidates)

    def accept(self, value: Any, attr: str) -> O_co:
        if not hasattr(type(value), "obj_name") or not self.admits(type(value)):
            raise ValueError(f"{self._wanted()} is needed, not a {type(value).__name__}")
        accepted: O_co = value
        return accepted

    def _wanted(self) -> str:
        return f"an object of type {self.objname}" + (" or a subtype" if self.subclasses else "")

    def write(self, value: O_co) -> Any:
        return value.obj_to_primitive()

    def read(self, value: Any, reading: Reading) -> O_co:
        found: O_co = reading.read_object(value, self)
        return found

    def refuse(self, name: str) -> _wire.Refusal:
        """What to raise when the wire has an object of another type here."""
        return _wire.Refusal(exception.InvalidValue, f"{self._wanted()} is needed, not a {name}", value=name)

    def stringify_value(self, value: Any) -> str:
        keys = [key for key in ("uuid", "id") if key in value.fields]
        if not keys:
            return str(value.obj_name())
        told = next((getattr(value, key) for key in keys if value.obj_attr_is_set(key)), "UNKNOWN")
        return f"{value.obj_name()}({told})"

    def describe(self) -> str:
        return f"{super().describe()}<{self.objname}>"


class ListOfObjectsField(ListField[O_co]):
    """A list of other objects."""

    def __init__(self, objtype: type[O_co] | str, *, subclasses: bool = False, **options: Any) -> None:
        super().__init__(ObjectField(objtype, subclasses=subclasses), **options)


class VIFDirectMode:
    """How a VIFDirect is connected: macvtap in VEPA or bridge mode, or the device passed through."""

    VEPA = "vepa"
    PASSTHROUGH = "passthrough"
    BRIDGE = "bridge"
    ALL = (VEPA, PASSTHROUGH, BRIDGE)


class VIFVHostUserMode:
    """Which end of the vhost-user socket the hypervisor is."""

    CLIENT = "client"
    SERVER = "server"
    ALL = (CLIENT, SERVER)


class VIFHostDeviceDevType:
    """What kind of PCI device a VIFHostDevice is."""

    ETHERNET = "ethernet"
    GENERIC = "generic"
    ALL = (ETHERNET, GENERIC)


class VIFDirectModeField(EnumField):
    """One of :class:`VIFDirectMode`."""

    TYPE = "VIFDirectMode"
    VALUES = VIFDirectMode.ALL


class VIFVHostUserModeField(EnumField):
    """One of :class:`VIFVHostUserMode`."""

    TYPE = "VIFVHostUserMode"
    VALUES = VIFVHostUserMode.ALL


class VIFHostDeviceDevTypeField(EnumField):
    """One of :class:`VIFHostDeviceDevType`."""

    TYPE = "VIFHostDeviceDevType"
    VALUES = VIFHostDeviceDevType.ALL


def text(value: Any) -> str:
    """A string from the wire. Raises Refusal when it is something else, or absurdly long."""
    if type(value) is str and len(value) <= _wire.MAX_STRING:
        return value
    if not isinstance(value, str):
        raise _wire.wrong_type(value, "a string")
    if len(value) <= _wire.MAX_STRING:
        return str(value)
    raise _wire.Refusal(
        exception.MalformedPrimitive,
        f"a string of {len(value)} characters; the longest that is read is {_wire.MAX_STRING}",
    )


def _form(field: Field[T], value: str) -> T:
    """``value`` as ``field`` accepts it, from the wire."""
    try:
        return field.accept(value, field.name)
    except (TypeError, ValueError) as error:
        raise _wire.Refusal(exception.InvalidValue, str(error), value=_wire.show(value)) from error


def _remember(known: dict[str, T], key: str, value: T) -> T:
    if len(known) >= _KNOWN_AT_MOST:
        known.clear()
    known[key] = value
    return value
