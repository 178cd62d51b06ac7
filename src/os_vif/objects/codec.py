# SPDX-License-Identifier: Apache-2.0
"""Objects as JSON text.

    vif = codec.loads(text)
    text = codec.dumps(vif)                 # or dumps(vif, version="1.0") for an older peer

Errors of form name line and column; errors of content name the field, as in ``network.subnets.objects[0].cidr``.
"""

from __future__ import annotations

import json
from typing import Any

from os_vif import exception, foreign
from os_vif.objects import register_all
from os_vif.objects.base import VersionedObject
from os_vif.objects.wire.walk import dropped_fields

#: Characters of a text, and brackets inside each other: files of thousands of VIFs are read, and objects are nested.
_LONGEST, _DEEPEST = 1 << 30, 1000

__all__ = ["dropped_fields", "dumps", "loads", "parse"]


def loads(text: str | bytes, context: Any = None) -> Any:
    """The object that ``text`` is the JSON of; ``context`` becomes its ``obj_context``.

    Raises MalformedText (with ``line`` and ``column`` in its ``kwargs``) when it is not JSON, and whatever
    ``VersionedObject.obj_from_primitive`` raises when it is not an object's. ``dropped_fields(obj)`` lists the
    fields of a newer version that had to be left out.
    """
    register_all()
    return VersionedObject.obj_from_primitive(parse(text), context)


def dumps(obj: VersionedObject, version: str | None = None, *, indent: int | None = None) -> str:
    """The JSON of ``obj``, written as ``version`` of it if given.

    Raises UnsupportedObjectVersion for a version that ``obj`` does not have.
    """
    return json.dumps(obj.obj_to_primitive(target_version=version), indent=indent)


def parse(text: str | bytes) -> Any:
    """The JSON value of ``text``, for documents that hold more than one object. Raises MalformedText."""
    try:
        return foreign.parse_json(text, longest=_LONGEST, deepest=_DEEPEST)
    except json.JSONDecodeError as error:
        raise _malformed(error.msg, error.lineno, error.colno) from None
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} is not {error.encoding}"
        before = error.object[: error.start]
        line = before.count(b"\n") + 1
        raise _malformed(reason, line, error.start - (before.rfind(b"\n") + 1) + 1) from None
    except foreign.Unreadable as error:
        raise _malformed(str(error), *_position(text, error.token)) from None
    except ValueError as error:
        # Python refuses to read numbers of thousands of digits.
        raise _malformed(str(error), 1, 1) from None


def _position(text: str | bytes, token: str) -> tuple[int, int]:
    """Line and column of the last place that ``token`` is at; of the start, if it is written in some other way."""
    if not token:
        return 1, 1
    told = text.decode(errors="replace") if isinstance(text, bytes) else text
    before = told[: max(told.rfind(token), 0)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _malformed(reason: str, line: int, column: int) -> exception.MalformedText:
    return exception.MalformedText(field="text", reason=reason, line=line, column=column)
