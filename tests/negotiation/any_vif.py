# SPDX-License-Identifier: Apache-2.0
"""VIFs of every class, in every version, with anything in their fields."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from objects.strategies import specs, subclasses_of
from os_vif import objects
from os_vif.negotiation.short_form import shorten
from os_vif.objects.vif import VIFBase
from os_vif.objects.wire.registry import CLASSES

objects.register_all()


def made(spec: dict[str, Any]) -> Any:
    """The object that a specification of tests/objects describes."""
    return CLASSES[spec["class"]](**{name: _value(told) for name, told in spec["set"].items()})


def _value(told: Any) -> Any:
    if isinstance(told, dict):
        return made(told["$new"])
    return [_value(item) for item in told] if isinstance(told, list) else told


def in_version(vif: Any, version: str) -> VIFBase:
    """``vif`` as a peer reads it that was sent this version."""
    read: VIFBase = VIFBase.obj_from_primitive(vif.obj_to_primitive(target_version=version))
    return read


any_class = st.sampled_from(subclasses_of("VIFBase"))
any_vif = any_class.flatmap(specs).map(made)
any_old_vif = any_vif.flatmap(lambda vif: st.sampled_from(vif.obj_versions()).map(lambda v: in_version(vif, v)))


def content(obj: Any) -> Any:
    """All that an object says: names, versions, fields; not what changed, which nobody is told of."""
    return shorten(obj.obj_to_primitive())
