# SPDX-License-Identifier: Apache-2.0
"""Runs small programs on the object model of whichever os_vif can be imported, and tells what could be seen.

The tests import it and run a program on ours; the oracle is this file as a process of another interpreter, which has
upstream's os_vif, reading programs and writing outcomes as lines of JSON. What must be alike is what both tell.

A program is a list of steps ``[operation, argument, ...]``. Values are JSON, or ``{"$new": {"class": ..., "set":
{field: value}}}`` for an object, ``{"$var": name}`` for one made before, ``{"$py": expression}`` for a Python value.
"""

from __future__ import annotations

import copy
import json
import pickle
import sys
import warnings
from typing import Any

BUILTIN = (
    "ValueError",
    "TypeError",
    "NotImplementedError",
    "AttributeError",
    "KeyError",
    "IndexError",
    "OverflowError",
)
# Exceptions that have no builtin base, by what they mean; upstream's names and ours.
MEANING = {
    "UnsupportedObjectError": "unknown object",
    "UnknownObject": "unknown object",
    "IncompatibleObjectVersion": "version",
    "InvalidTargetVersion": "version",
    "UnsupportedObjectVersion": "version",
    "ObjectActionError": "object",
    "ObjectError": "object",
}


class Machine:
    """The variables of one program."""

    def __init__(self) -> None:
        from os_vif import objects

        objects.register_all()
        self.objects = objects
        self.variables: dict[str, Any] = {}

    def class_named(self, name: str) -> Any:
        return self.objects.base.VersionedObject.obj_class_from_name(name, "1.0")

    def value(self, told: Any) -> Any:
        """What ``told`` stands for."""
        if isinstance(told, list):
            return [self.value(item) for item in told]
        if not isinstance(told, dict):
            return told
        if "$new" in told:
            return self.make(told["$new"])
        if "$var" in told:
            return self.variables[told["$var"]]
        if "$py" in told:
            import netaddr

            return eval(told["$py"], {"netaddr": netaddr, "float": float, "object": object})
        return {key: self.value(item) for key, item in told.items()}

    def make(self, spec: dict[str, Any]) -> Any:
        return self.class_named(spec["class"])(**{name: self.value(value) for name, value in spec["set"].items()})

    def run(self, step: list[Any]) -> Any:
        """The outcome of a step: what it returned, or how it failed."""
        operation, *arguments = step
        try:
            return {"returned": tell(getattr(self, "do_" + operation)(*arguments))}
        except Exception as error:
            return {"raised": meanings(error)}

    def do_new(self, name: str, spec: dict[str, Any]) -> None:
        self.variables[name] = self.make(spec)

    def do_set(self, name: str, field: str, value: Any) -> Any:
        setattr(self.variables[name], field, self.value(value))
        return getattr(self.variables[name], field)

    def do_get(self, name: str, field: str) -> Any:
        return getattr(self.variables[name], field)

    def do_del(self, name: str, field: str) -> None:
        delattr(self.variables[name], field)

    def do_append(self, name: str, field: str, value: Any) -> Any:
        getattr(self.variables[name], field).append(self.value(value))
        return getattr(self.variables[name], field)

    def do_put(self, name: str, field: str, index: int, value: Any) -> Any:
        getattr(self.variables[name], field)[index] = self.value(value)
        return getattr(self.variables[name], field)

    def do_has(self, name: str, field: str) -> Any:
        return [field in self.variables[name], field in self.variables[name].fields]

    def do_is_set(self, name: str, field: str) -> Any:
        return self.variables[name].obj_attr_is_set(field)

    def do_changed(self, name: str) -> Any:
        return sorted(self.variables[name].obj_what_changed())

    def do_get_changes(self, name: str) -> Any:
        return sorted(self.variables[name].obj_get_changes())

    def do_reset(self, name: str, fields: list[str] | None, recursive: bool) -> None:
        self.variables[name].obj_reset_changes(fields, recursive)

    def do_defaults(self, name: str, fields: list[str]) -> None:
        self.variables[name].obj_set_defaults(*fields)

    def do_repr(self, name: str) -> Any:
        return repr(self.variables[name])

    def do_obj_fields(self, name: str) -> Any:
        return sorted(self.variables[name].obj_fields)

    def do_compare(self, name: str, other: str) -> Any:
        one, two = self.variables[name], self.variables[other]
        return {
            "equal": one == two,
            "unequal": one != two,
            "alike": tell(one.obj_to_primitive()) == tell(two.obj_to_primitive()),
        }

    def do_clone(self, name: str, source: str) -> None:
        self.variables[name] = self.variables[source].obj_clone()

    def do_deepcopy(self, name: str, source: str) -> None:
        self.variables[name] = copy.deepcopy(self.variables[source])

    def do_pickle(self, name: str, source: str) -> None:
        self.variables[name] = pickle.loads(pickle.dumps(self.variables[source]))

    def do_encode(self, name: str, version: str | None = None, manifest: dict[str, str] | None = None) -> Any:
        return self.variables[name].obj_to_primitive(version, manifest)

    def do_decode(self, name: str, primitive: Any) -> Any:
        self.variables[name] = self.objects.base.VersionedObject.obj_from_primitive(primitive)
        return self.variables[name].VERSION

    def do_coerce(self, class_name: str, field: str, value: Any) -> Any:
        return self.class_named(class_name).fields[field].coerce(None, field, self.value(value))

    def do_call(self, name: str, method: str, *arguments: Any) -> Any:
        return getattr(self.variables[name], method)(*arguments)

    def do_fields(self, class_name: str) -> Any:
        fields = self.class_named(class_name).fields
        return {name: [repr(f), f.nullable, f.read_only, f.describe()] for name, f in sorted(fields.items())}


def tell(value: Any) -> Any:
    """``value`` as JSON that is the same for equal values. Sets and the lists of changes have no order."""
    if isinstance(value, dict):
        return {str(key): sorted(item) if str(key).endswith(".changes") else tell(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [tell(item) for item in value]
    if isinstance(value, float):
        return repr(value)  # not a number is not equal to itself
    if isinstance(value, (str, int)) or value is None:
        return value
    if hasattr(value, "obj_to_primitive"):
        return {"object": repr(value), "changed": sorted(value.obj_what_changed())}
    return f"{type(value).__name__}({value})"


def meanings(error: Exception) -> list[str]:
    """The builtin types that ``error`` is an instance of, or what it means if it is of none."""
    names = [cls.__name__ for cls in type(error).__mro__]
    return [name for name in names if name in BUILTIN] or [MEANING.get(names[0], names[0])]


def run(program: list[list[Any]]) -> list[Any]:
    """The outcome of every step of ``program``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        machine = Machine()
        return [machine.run(step) for step in program]


def serve() -> None:
    """Answer one line of JSON for every line of JSON."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(run(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
