# SPDX-License-Identifier: Apache-2.0
"""Which class the wire means by a name."""

from __future__ import annotations

from typing import Any, TypeVar

from os_vif.objects.wire import oslo

C = TypeVar("C", bound="type[Any]")

CLASSES: dict[str, type[Any]] = {}

#: Objects that are no part of the model that clients know: nobody else's registry is told of them.
_APART: dict[str, type[Any]] = {}


def register(cls: C) -> C:
    """A class decorator: from now on objects of this class can be read from the wire, by their name."""
    CLASSES[cls.obj_name()] = cls
    oslo.announce(cls)
    return cls


def register_apart(cls: C) -> C:
    """A class decorator like register(), for objects beside the model; oslo.versionedobjects never hears of them."""
    _APART[cls.obj_name()] = cls
    return cls


def find(name: str, namespace: str, version: str) -> type | None:
    """The class that the wire means, or None.

    Ours first. Then, where oslo.versionedobjects is loaded, what others have registered there in our namespace, be
    it under names of their own, as Kuryr's nested VIFs, or as another version of one of ours. A class found there
    need not be derived from ours.
    """
    ours = CLASSES.get(name) or _APART.get(name)
    if ours is not None and namespace != ours.OBJ_PROJECT_NAMESPACE:
        ours = None
    if ours is not None and (version == ours.VERSION or version in ours.obj_versions()):
        return ours
    return oslo.find_foreign(name, namespace, version) or ours
