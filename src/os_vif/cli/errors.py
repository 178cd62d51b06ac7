# SPDX-License-Identifier: Apache-2.0
"""Errors as users see them: what was wrong, where, and what to do; and the exit code that goes with each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from os_vif import exception
from os_vif.cli.exit_code import ExitCode

#: What an error may know beside its text. In JSON all of them are there, null where not known.
PLACES = ("step", "device", "vif_id", "file", "line", "column", "field")

_NOT_PERMITTED = ("not-permitted",)
_BAD_INPUT = (exception.ObjectError, exception.InvalidRequest)


class CommandError(Exception):
    """Something to be told to the user, with the exit code that it ends in."""

    def __init__(self, message: str, *, code: str, exit_code: ExitCode, hint: str = "", **places: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.exit_code = exit_code
        self.hint = hint
        self.retriable = False
        self.places = places
        self.others: tuple[CommandError, ...] = ()

    @property
    def where(self) -> str:
        """The place in the input, as compilers write it; "" when it is not about input."""
        known = [self.places[name] for name in ("file", "line", "column", "field") if self.places.get(name)]
        return ":".join(map(str, known)) if "file" in self.places else ""

    def to_primitive(self) -> dict[str, Any]:
        """The JSON form."""
        told: dict[str, Any] = {"code": self.code, "message": self.message, "hint": self.hint}
        told["retriable"] = self.retriable
        told |= {name: self.places.get(name) for name in PLACES}
        if self.others:
            told["errors"] = [other.to_primitive() for other in self.others]
        return told

    def lines(self) -> Iterator[str]:
        """The text for people: the error, what it consists of, then the hint."""
        yield f"{self.where}: {self.message}" if self.where else self.message
        for other in self.others:
            yield from (f"  {line}" for line in other.lines())
        if self.hint:
            yield f"  hint: {self.hint}"


class BadInput(CommandError):
    """A file that cannot be read, or that holds what cannot be used."""

    def __init__(self, message: str, *, code: str = "bad-input", hint: str = "", **places: Any) -> None:
        super().__init__(message, code=code, exit_code=ExitCode.BAD_INPUT, hint=hint, **places)


def of_library(error: exception.ExceptionBase, **places: Any) -> CommandError:
    """An error of the library, for users. PlugException and the like are told by what caused them."""
    cause = _cause(error)
    known = cause.to_dict() | {name: str(value) for name, value in places.items() if value}
    known["vif_id"] = known.get("vif_id") or _vif_id(error)
    told = CommandError(
        _message(error, cause, known["vif_id"]),
        code=cause.code,
        exit_code=_exit_code(cause),
        hint=cause.hint or error.hint,
        **{name: known[name] for name in PLACES if known.get(name)},
    )
    told.retriable = cause.retriable
    several = error.kwargs.get("errors", ()) or getattr(cause, "errors", ())
    if len(several) > 1:
        told.others = tuple(of_library(one) for one in several)
        told.message = f"{len(several)} things failed:"
    if isinstance(cause, exception.BindingRefused) and cause.refusals:
        told.others = tuple(_refusal(one) for one in cause.refusals)
        told.message = f"{cause.summary.rstrip('.')}:"
    return told


def _refusal(refusal: Any) -> CommandError:
    return CommandError(f"{refusal.candidate}: {refusal.reason}", code=refusal.code, exit_code=ExitCode.FAILED)


def _cause(error: exception.ExceptionBase) -> exception.ExceptionBase:
    inner = error.__cause__
    return inner if _wraps(error) and isinstance(inner, exception.ExceptionBase) else error


def _wraps(error: exception.ExceptionBase) -> bool:
    return isinstance(error, exception.PlugException | exception.UnplugException)


def _vif_id(error: exception.ExceptionBase) -> str:
    vif = error.kwargs.get("vif", "")
    return str(getattr(vif, "id", "") if hasattr(vif, "obj_to_primitive") else vif)


def _message(error: exception.ExceptionBase, cause: exception.ExceptionBase, vif_id: str) -> str:
    """The cause's own words, and which VIF it is about unless they say so."""
    text = str(cause)
    if cause is error and error.__cause__ and _wraps(error):
        text = f"{type(error.__cause__).__name__}: {error.__cause__}"  # a third party's plugin may raise anything
    if not vif_id or vif_id in text or isinstance(cause, exception.NotPermitted):
        return text
    return f"VIF {vif_id}: {text}"


def _exit_code(cause: exception.ExceptionBase) -> ExitCode:
    if cause.code in _NOT_PERMITTED or _refused_for_lack_of_rights(cause):
        return ExitCode.NOT_PERMITTED
    if isinstance(cause, exception.NotRecorded | exception.NotAttached):
        return ExitCode.NOT_RECORDED
    if isinstance(cause, exception.NothingLeft):
        return ExitCode.DIFFERS
    return ExitCode.BAD_INPUT if isinstance(cause, _BAD_INPUT) else ExitCode.FAILED


def _refused_for_lack_of_rights(cause: BaseException) -> bool:
    """Whether a PermissionError is at the bottom of it."""
    below: BaseException | None = cause.__cause__
    while below is not None:
        if isinstance(below, PermissionError):
            return True
        below = below.__cause__
    return False
