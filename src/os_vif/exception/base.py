# SPDX-License-Identifier: Apache-2.0
"""The root of the tree of errors."""

from __future__ import annotations

from typing import Any, ClassVar


class _KeepMissing(dict[str, Any]):
    """Leaves a placeholder that has no value in place, so that reporting an error never raises another one."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


class ExceptionBase(Exception):
    """The root of the tree.

    ``code`` is stable and meant for programs; the text is meant for people and may be improved.
    ``retriable`` says whether the same call may succeed later without anybody changing anything.
    ``hint`` says what to do next; it may be empty.
    """

    msg_fmt: ClassVar[str] = "Something went wrong, and nothing more is known of it."
    code: ClassVar[str] = "error"
    retriable: ClassVar[bool] = False
    hint: str = ""

    def __init__(self, message: str | None = None, **kwargs: Any) -> None:
        self.kwargs = kwargs
        self.message = message if message is not None else self._fill(self.msg_fmt)
        super().__init__(self.message)

    def _fill(self, text: str) -> str:
        # Third-party subclasses write "%(name)s"; ours do too, so that both work alike.
        try:
            return text % self.kwargs
        except (KeyError, TypeError, ValueError):
            return _fill_what_is_known(text, self.kwargs)

    def format_message(self) -> str:
        """The message, as text."""
        return self.message

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.kwargs), self.__dict__

    def to_dict(self) -> dict[str, Any]:
        """For machines: code, message, hint and what is known of step, device and VIF (all text)."""
        known = {key: str(value) for key, value in self.kwargs.items() if key in ("step", "device", "vif_id", "field")}
        return {"code": self.code, "message": self.message, "hint": self.hint, "retriable": self.retriable, **known}


def _rebuild(cls: type[ExceptionBase], message: str, kwargs: dict[str, Any]) -> ExceptionBase:
    return cls(message, **kwargs)


def _fill_what_is_known(text: str, kwargs: dict[str, Any]) -> str:
    known = _KeepMissing({key: str(value) for key, value in kwargs.items()})
    filled = text
    for key, value in known.items():
        filled = filled.replace(f"%({key})s", value)
    return filled
