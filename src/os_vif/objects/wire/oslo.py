# SPDX-License-Identifier: Apache-2.0
"""Living with oslo.versionedobjects in one process, without ever importing it.

Three things are done once it is loaded, whoever loads it and whenever:

* its VersionedObject becomes a base of ours. Its code tells objects by ``isinstance``, for one when it looks for
  changes inside an object, and so takes ours for what they are. Ours comes first in the method resolution order,
  and defines all that it uses, so nothing of ours behaves differently.
* the classes of this package are put into its registry, where it looks names up.
* classes that others derive from ours get their inherited fields in a wrapping that is a Field of its own, because
  its decorator accepts no others.

It may come before us (then importing us does it) or after us (then an import hook does), and a process that never
loads it pays nothing for it.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from os_vif.objects.fields.field import UnspecifiedDefault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_BASE = "oslo_versionedobjects.base"
_OURS = "os_vif.objects."

_announced: list[Any] = []
_roots: list[Any] = []


def give_root(cls: Any) -> None:
    """Have ``cls`` derive from oslo's VersionedObject as soon as there is one."""
    _roots.append(cls)
    if _loaded() is not None:
        _adopt_root(cls)


def announce(cls: Any) -> None:
    """Put ``cls`` into oslo's registry as soon as there is one, if it is one of the classes of this package."""
    if not cls.__module__.startswith(_OURS):
        # Theirs to register: whoever runs oslo's version test counts the classes in that registry.
        return
    _announced.append(cls)
    if _loaded() is not None:
        _enter(cls)


def dress(cls: Any) -> None:
    """Wrap those of ``cls.fields`` that are ours, where oslo is loaded and ``cls`` is somebody else's class."""
    if _loaded() is None or cls.__module__.startswith(_OURS):
        return
    wrapper = _wrapper()
    cls.fields = {
        name: field if isinstance(field, wrapper.__mro__[1]) else wrapper(field) for name, field in cls.fields.items()
    }


@cache
def _wrapper() -> Any:
    """The class of a Field of oslo's that does as one of ours."""
    fields = sys.modules["oslo_versionedobjects.fields"]

    class Wrapped(fields.Field):  # type: ignore[name-defined,misc]
        def __init__(self, wrapped: Any) -> None:
            has_default = wrapped.default is not UnspecifiedDefault
            default = wrapped.default if has_default else fields.UnspecifiedDefault
            super().__init__(wrapped, nullable=wrapped.nullable, default=default, read_only=wrapped.read_only)
            self.wrapped = wrapped

        def coerce(self, obj: Any, attr: str, value: Any) -> Any:
            return self.wrapped.coerce(obj, attr, value)

        def describe(self) -> str:
            return str(self.wrapped.describe())

        def __repr__(self) -> str:
            return repr(self.wrapped)

    return Wrapped


def find_foreign(name: str, namespace: str, version: str) -> type | None:
    """The class registered in oslo's registry under ``name`` and in ``namespace``, preferably of ``version``."""
    oslo = _loaded()
    if oslo is None or name not in (classes := oslo.VersionedObjectRegistry.obj_classes()):
        return None
    inside: list[type] = [cls for cls in classes[name] if namespace == cls.OBJ_PROJECT_NAMESPACE]
    exact = [cls for cls in inside if getattr(cls, "VERSION", None) == version]
    return next(iter(exact + inside), None)


def _loaded() -> Any:
    """oslo's base module, or None. A module that is still being imported is not loaded yet."""
    module = sys.modules.get(_BASE)
    return module if hasattr(module, "VersionedObjectRegistry") else None


def _adopt() -> None:
    for root in _roots:
        _adopt_root(root)
    for cls in _announced:
        _enter(cls)


def _adopt_root(cls: Any) -> None:
    theirs = _loaded().VersionedObject
    if not issubclass(cls, theirs):
        # Python refuses if theirs should ever become a class of another make. Then they do not see changes inside
        # our objects, and all else works: nothing to fail their import for.
        with suppress(TypeError):
            cls.__bases__ = (theirs,)


def _enter(cls: Any) -> None:
    """Put ``cls`` where oslo's decorator would: newest version first, instead of another one of its version.

    The decorator itself would replace our descriptors by properties of its own, which take twice the time.
    """
    known = _loaded().VersionedObjectRegistry.obj_classes()[cls.obj_name()]
    known[:] = [other for other in known if other.VERSION != cls.VERSION]
    known.append(cls)
    known.sort(key=lambda other: [int(part) for part in other.VERSION.split(".")], reverse=True)


class _WhenLoaded:
    """Finds nothing itself: lets the other finders find oslo's base module, and adopts right after it has run."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != _BASE:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = None if find is None or finder is self else find(name, path, target)
            if spec is not None:
                return _with_adoption(spec)
        return None


def _with_adoption(spec: ModuleSpec) -> ModuleSpec:
    loader: Any = spec.loader
    execute = loader.exec_module

    def execute_and_adopt(module: ModuleType) -> None:
        execute(module)
        _adopt()

    loader.exec_module = execute_and_adopt
    return spec


if _loaded() is None:
    sys.meta_path.insert(0, _WhenLoaded())
