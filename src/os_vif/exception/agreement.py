# SPDX-License-Identifier: Apache-2.0
"""Errors of agreeing on a binding, of the two sides that agree, and of the lifecycle that brings them together.

``refusals`` are os_vif.negotiation.answer.Refusal objects, one for each candidate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from os_vif.exception.base import ExceptionBase


class NegotiationError(ExceptionBase):
    """The two sides could not agree, or what one told the other cannot be read."""

    code = "negotiation"


class MalformedOffer(NegotiationError, ValueError):
    """A header, a profile key or a details key does not have the form that it must have."""

    code = "malformed-offer"
    msg_fmt = "%(field)s: %(reason)s"


class OfferNotUnderstood(NegotiationError):
    """The offer is of a newer major version than the network side reads; ``known`` is the newest that it does."""

    code = "offer-version"
    msg_fmt = "Offers of version %(version)s cannot be read here; the newest version known is %(known)s."
    hint = "Offer again in the version that is known."


class BindingRefused(NegotiationError):
    """The network side can provide none of the candidates; nothing is bound.

    ``summary``: what the text says before it goes through the refusals.
    """

    code = "refused"
    hint = "`vif explain` shows what either side can do."

    def __init__(self, message: str | None = None, *, refusals: Sequence[Any] = (), **kwargs: Any) -> None:
        self.refusals: tuple[Any, ...] = tuple(refusals)
        self.summary = message if message is not None else _summary(self.refusals)
        super().__init__(message if message is not None else _listed(self.summary, self.refusals), **kwargs)

    def add(self, refusals: Sequence[Any]) -> None:
        """Refusals that whoever raised it did not know of; the text goes through them too."""
        self.refusals += tuple(refusals)
        self.message = _listed(self.message, refusals)

    def to_dict(self) -> dict[str, Any]:
        """As of every error, and the refusals."""
        told = [{"candidate": r.candidate, "code": r.code, "reason": r.reason} for r in self.refusals]
        return {**super().to_dict(), "refusals": told}


def _summary(refusals: Sequence[Any]) -> str:
    return "No offered binding can be provided." if refusals else "No binding was offered, so none can be chosen."


#: Of what a text goes through: it comes to a log and to whoever asked, and the other side has written most of it.
_MOST_REFUSALS, _LONGEST_REASON = 32, 400


def _listed(text: str, refusals: Sequence[Any]) -> str:
    told = (f"{_shown(refusal.candidate)}: {_shown(refusal.reason)}" for refusal in refusals[:_MOST_REFUSALS])
    more = len(refusals) - _MOST_REFUSALS
    return " ".join([text, *told, *([f"And {more} more."] if more > 0 else [])])


def _shown(text: object) -> str:
    """A line of what somebody else has written, without what would break out of it."""
    line = "".join(character if character.isprintable() else "?" for character in str(text)[:_LONGEST_REASON])
    return line if len(str(text)) <= _LONGEST_REASON else f"{line}…"


class AnswerNotOffered(NegotiationError):
    """The network side answered with a binding that was not offered; it is not used."""

    code = "not-offered"
    msg_fmt = "The network side answered with %(answered)s, which was not offered; offered: %(offered)s."


class TooLong(NegotiationError):
    """An offer or an answer does not fit where it is to travel, however much is left out; nothing is cut."""

    code = "too-long"
    msg_fmt = "%(field)s: with it there would be %(length)s characters of JSON, and Neutron takes %(limit)s."
    hint = "Offer fewer binding types, or take something else out of the same attribute of the port."


class DriverUnavailable(ExceptionBase):
    """There is no driver of that name, or it cannot be loaded. ``kind``: network or hypervisor."""

    code = "no-driver"
    msg_fmt = "There is no %(kind)s driver %(name)s: %(reason)s"


class NetworkError(ExceptionBase):
    """Something went wrong on the network side. ``network`` and ``port_id`` are in ``kwargs`` where known."""

    code = "network"


class NetworkNotFound(NetworkError):
    """There is no such network, subnet or port."""

    code = "network-not-found"
    msg_fmt = "There is no %(kind)s %(name)s."


class NetworkConflict(NetworkError):
    """What was asked for is taken, still in use, or contradicts what is there."""

    code = "network-conflict"
    msg_fmt = "%(reason)s"


class NoAddressLeft(NetworkError):
    """The subnet has no free address."""

    code = "no-address"
    msg_fmt = "Subnet %(cidr)s of network %(network)s has no free address."


class BindingChanged(NetworkError):
    """The binding is of another generation than the caller knows: somebody else has changed it."""

    code = "binding-changed"
    msg_fmt = (
        "The binding of port %(port_id)s on %(host)s is of generation %(found)s, not %(expected)s:"
        " it was changed meanwhile."
    )
    hint = "Look at it again (`vif network ports`) before deciding."


class NetworkUnavailable(NetworkError):
    """The network side does not answer, or does not let us in."""

    code = "network-unavailable"
    retriable = True
    msg_fmt = "%(driver)s: %(reason)s"


class HypervisorError(ExceptionBase):
    """Something went wrong on the hypervisor side."""

    code = "hypervisor"


class GuestNotFound(HypervisorError):
    """The hypervisor knows no such guest, or it does not run."""

    code = "guest-not-found"
    msg_fmt = "%(hypervisor)s has no guest %(guest)s: %(reason)s"


class HypervisorUnavailable(HypervisorError):
    """The hypervisor does not answer, does not let us in, or what it is spoken to with is not installed."""

    code = "hypervisor-unavailable"
    retriable = True
    msg_fmt = "%(hypervisor)s: %(reason)s"


class CannotRender(HypervisorError):
    """The hypervisor has no form for such a VIF."""

    code = "cannot-render"
    msg_fmt = "%(hypervisor)s cannot be given VIF %(vif_id)s (%(vif_class)s): %(reason)s"


class HotPlugFailed(HypervisorError):
    """The hypervisor did not take the interface, or did not give it up; ``reason`` holds its own words."""

    code = "hot-plug"
    msg_fmt = "%(hypervisor)s did not %(action)s interface %(vif_id)s of %(guest)s: %(reason)s"


class LifecycleError(ExceptionBase):
    """Attaching, detaching or migrating failed. ``step`` is in ``kwargs``; what was done before it was undone."""

    code = "lifecycle"
    msg_fmt = "Could not %(step)s: %(reason)s"


class NotAttached(LifecycleError):
    """No such attachment is recorded on this host."""

    code = "not-attached"
    msg_fmt = "%(instance)s has no interface on %(network)s here."
    hint = "`vif attachments` lists those there are."


class AttachedOtherwise(LifecycleError):
    """The guest has that interface already, and it is not the one that is asked for now; nothing was changed."""

    code = "attached-otherwise"
    msg_fmt = "%(instance)s has the interface %(interface)s already; asked for now: %(changes)s."


class WrongPhase(LifecycleError):
    """The migration is not in a phase in which that can be done."""

    code = "wrong-phase"
    msg_fmt = "The migration of %(instance)s is %(phase)s; %(action)s is not possible then."
