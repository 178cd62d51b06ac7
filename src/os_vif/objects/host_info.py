# SPDX-License-Identifier: Apache-2.0
"""What a host can plug: its plugins, the VIFs each supports, and in which versions."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from os_vif import exception
from os_vif.objects.base import (
    ComparableVersionedObject,
    VersionedObject,
    VersionedObjectPrintableMixin,
    register,
)
from os_vif.objects.fields import ListOfObjectsField, StringField
from os_vif.objects.wire.registry import CLASSES


class _HostObject(VersionedObject, ComparableVersionedObject, VersionedObjectPrintableMixin):
    """What the objects of this module have in common."""


@register
class HostPortProfileInfo(_HostObject):
    """A class of port profiles that a plugin supports, from ``min_version`` to ``max_version``."""

    profile_object_name = StringField()
    min_version = StringField()
    max_version = StringField()

    def get_common_version(self) -> str:
        """The newest version that both the host and this library can do.

        Raises NoMatchingPortProfileClass or NoSupportedPortProfileVersion.
        """
        return _common_version(
            self.profile_object_name,
            self.min_version,
            self.max_version,
            exception.NoMatchingPortProfileClass,
            exception.NoSupportedPortProfileVersion,
        )


@register
class HostVIFInfo(_HostObject):
    """A class of VIFs that a plugin supports, from ``min_version`` to ``max_version``, and with which port profiles."""

    # 1.1: supported_port_profiles
    VERSION = "1.1"
    obj_field_versions = {"supported_port_profiles": "1.1"}

    vif_object_name = StringField()
    min_version = StringField()
    max_version = StringField()
    supported_port_profiles = ListOfObjectsField(HostPortProfileInfo)

    def get_common_version(self) -> str:
        """The newest version that both the host and this library can do.

        Raises NoMatchingVIFClass or NoSupportedVIFVersion.
        """
        return _common_version(
            self.vif_object_name,
            self.min_version,
            self.max_version,
            exception.NoMatchingVIFClass,
            exception.NoSupportedVIFVersion,
        )


@register
class HostPluginInfo(_HostObject):
    """A plugin and the VIFs it supports."""

    plugin_name = StringField()
    vif_info = ListOfObjectsField(HostVIFInfo)

    def has_vif(self, name: str) -> bool:
        """Whether the plugin supports VIFs of the class ``name``."""
        return any(vif.vif_object_name == name for vif in self.vif_info)

    def get_vif(self, name: str) -> HostVIFInfo:
        """What the plugin says of the class ``name``. Raises NoMatchingVIFClass."""
        for vif in self.vif_info:
            if vif.vif_object_name == name:
                return vif
        raise exception.NoMatchingVIFClass(name=name)

    def filter_vif_types(self, permitted_vif_type_names: Collection[str]) -> None:
        """Keep only the VIFs whose class is among ``permitted_vif_type_names``."""
        self.vif_info = [vif for vif in self.vif_info if vif.vif_object_name in permitted_vif_type_names]


@register
class HostInfo(_HostObject):
    """All plugins of a host."""

    plugin_info = ListOfObjectsField(HostPluginInfo)

    def has_plugin(self, name: str) -> bool:
        """Whether there is a plugin called ``name``."""
        return any(plugin.plugin_name == name for plugin in self.plugin_info)

    def get_plugin(self, name: str) -> HostPluginInfo:
        """The plugin called ``name``. Raises NoMatchingPlugin."""
        for plugin in self.plugin_info:
            if plugin.plugin_name == name:
                return plugin
        raise exception.NoMatchingPlugin(plugin_name=name)

    def filter_vif_types(self, permitted_vif_type_names: Collection[str]) -> None:
        """Keep only VIFs whose class is among ``permitted_vif_type_names``, and plugins that have such VIFs."""
        for plugin in self.plugin_info:
            plugin.filter_vif_types(permitted_vif_type_names)
        self.plugin_info = [plugin for plugin in self.plugin_info if plugin.vif_info]


def _common_version(
    name: str,
    min_version: str,
    max_version: str,
    no_class: type[exception.ExceptionBase],
    no_version: type[exception.ExceptionBase],
) -> str:
    if name not in CLASSES:
        raise no_class(name=name)
    ours = CLASSES[name].obj_versions()
    lowest, highest = _number(min_version, "min_version"), _number(max_version, "max_version")
    common = [version for version in ours if lowest <= _number(version, "version") <= highest]
    if not common:
        got = ", ".join(ours)
        raise no_version(name=name, got_versions=got, min_version=min_version, max_version=max_version)
    newest: str = common[-1]
    return newest


def _number(version: str, field: str) -> Any:
    try:
        return tuple(int(part) for part in version.split("."))
    except ValueError as error:
        raise exception.InvalidValue(field=field, reason=f"{version!r:.40} is not a version") from error
