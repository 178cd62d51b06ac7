# SPDX-License-Identifier: Apache-2.0
"""Living with oslo.versionedobjects in one process, without ever importing it.

Two things are done once it is loaded, whoever loads it and whenever:

* its base classes become bases of ours. Its code tells objects and fields by ``isinstance``, and with that it takes
  ours: in its fields, its registration decorator and its change tracking. Ours come first in the method
  resolution order, so nothing of ours behaves differently.
* the classes of this package are put into its registry, where it looks names up.

It may come before us (then importing us does both) or after us (then an import hook does), and a process that never
loads it pays nothing for it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_BASE = "oslo_versionedobjects.base"
_OURS = "os_vif.objects."

_announced: list[Any] = []
_roots: list[tuple[Any, str, str]] = []


def give_root(cls: Any, module: str, name: str) -> None:
    """Have ``cls`` derive from class ``name`` of oslo's ``module`` as soon as that is loaded."""
    _roots.append((cls, module, name))
    if _loaded() is not None:
        _adopt_root(cls, module, name)


def announce(cls: Any) -> None:
    """Put ``cls`` into oslo's registry as soon as there is one, if it is one of the classes of this package."""
    if not cls.__module__.startswith(_OURS):
        # Theirs to register: whoever runs oslo's version test counts the classes in that registry.
        return
    _announced.append(cls)
    if _loaded() is not None:
        _enter(cls)


def find_foreign(name: str, namespace: str, version: str) -> type | None:
    """The class registered in oslo's registry under ``name`` and in ``namespace``, preferably of ``version``."""
    oslo = _loaded()
    if oslo is None or name not in (classes := oslo.VersionedObjectRegistry.obj_classes()):
        return None
    inside: list[type] = [cls for cls in classes[name] if cls.OBJ_PROJECT_NAMESPACE == namespace]
    exact = [cls for cls in inside if getattr(cls, "VERSION", None) == version]
    return next(iter(exact + inside), None)


def _loaded() -> Any:
    """oslo's base module, or None. A module that is still being imported is not loaded yet."""
    module = sys.modules.get(_BASE)
    return module if hasattr(module, "VersionedObjectRegistry") else None


def _adopt() -> None:
    for root in _roots:
        _adopt_root(*root)
    for cls in _announced:
        _enter(cls)


def _adopt_root(cls: Any, module: str, name: str) -> None:
    theirs = getattr(sys.modules[module], name)
    if not issubclass(cls, theirs):
        cls.__bases__ = (theirs, *cls.__bases__[1:])


def _enter(cls: Any) -> None:
    """Put ``cls`` where oslo's decorator would: newest version first, instead of another one of its version.

    The decorator itself would replace our descriptors by properties of its own, four times as slow.
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
            spec = None if finder is self else finder.find_spec(name, path, target)
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
