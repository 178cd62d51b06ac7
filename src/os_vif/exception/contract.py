# SPDX-License-Identifier: Apache-2.0
"""The errors that clients of os-vif have always known, by these names."""

from __future__ import annotations

from os_vif.exception.base import ExceptionBase


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
