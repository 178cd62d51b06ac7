# SPDX-License-Identifier: Apache-2.0
"""The answer in one key of a binding's ``vif_details``, beside the keys that readers of today know.

The key holds one of three: an answer with a VIF; refusals, where nothing could be bound; or, where the offer could not
be read, the newest version of offers that can. Neutron keeps 4095 characters of JSON.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from os_vif import exception
from os_vif.negotiation.answer import Answer
from os_vif.negotiation.json_reader import Picker
from os_vif.negotiation.profile import LIMIT, json_length
from os_vif.negotiation.refusal import Refusal
from os_vif.negotiation.short_form import lengthen, shorten
from os_vif.objects.vif import VIFBase
from os_vif.objects.wire.versions import parse
from os_vif.objects.wire.walk import walk

KEY = "os_vif"

_NO_REASONS = "No offered binding can be provided, and there was no room for the reasons; Neutron's log has them."

#: How much a packed VIF may unpack to, in bytes: nobody's VIF is that long.
_UNPACKED_LIMIT = 1 << 20


def with_answer(details: Mapping[str, Any] | None, answer: Answer, *, limit: int = LIMIT) -> dict[str, Any]:
    """``details`` with the answer in it; all other keys stay as they are.

    What is too long goes without the sentences of refusals, then with the VIF packed, then without refusals. The VIF
    is always whole. Raises TooLong when that is not enough.
    """
    return _fitting(details, _ever_shorter(answer), limit)


def with_refusals(
    details: Mapping[str, Any] | None, refusals: Sequence[Refusal], *, limit: int = LIMIT
) -> dict[str, Any]:
    """``details`` of a binding that failed, with the reasons.

    What is too long goes without their sentences, then without any: that it is refused must be told in any case.
    Raises TooLong when that is not enough.
    """
    told: dict[str, Any] = {"v": Answer.VERSION}
    forms = [{**told, "refusals": _told(refusals)}, {**told, "refusals": _without_sentences(refusals)}, told]
    return _fitting(details, forms, limit)


def with_not_understood(details: Mapping[str, Any] | None, error: exception.OfferNotUnderstood) -> dict[str, Any]:
    """``details`` of a binding that failed because the offer is of another major version."""
    form = {"v": Answer.VERSION, "offer_version": error.kwargs["version"], "known": error.kwargs["known"]}
    return {**without_answer(details), KEY: form}


def without_answer(details: Mapping[str, Any] | None) -> dict[str, Any]:
    """``details`` without the answer."""
    return {key: value for key, value in (details or {}).items() if key != KEY}


def _fitting(details: Mapping[str, Any] | None, forms: Iterable[dict[str, Any]], limit: int) -> dict[str, Any]:
    others = without_answer(details)
    length = 0
    for form in forms:
        whole = {**others, KEY: form}
        length = json_length(whole)
        if length <= limit:
            return whole
    raise exception.TooLong(field=KEY, length=length, limit=limit)


def _ever_shorter(answer: Answer) -> Iterator[dict[str, Any]]:
    form = {
        "v": Answer.VERSION,
        "choice": answer.choice,
        "generation": answer.generation,
        "readiness": answer.readiness,
    }
    vif = _written(answer.vif)
    told = {"refusals": _told(answer.refusals)} if answer.refusals else {}
    yield {**form, "vif": vif, **told}
    told = {"refusals": _without_sentences(answer.refusals)} if answer.refusals else {}
    yield {**form, "vif": vif, **told}
    packed = _pack(vif)
    yield {**form, "packed": packed, **told}
    yield {**form, "packed": packed}


def _written(vif: VIFBase) -> Any:
    # Reading an old Network gives it fields of the newest; they are not written in that version.
    versions = {item.obj_name(): item.VERSION for _, item in walk(vif)}
    return shorten(vif.obj_to_primitive(target_version=vif.VERSION, version_manifest=versions))


def _told(refusals: Sequence[Refusal]) -> list[list[str]]:
    return [[refusal.candidate, refusal.code, refusal.reason] for refusal in refusals]


def _without_sentences(refusals: Sequence[Refusal]) -> list[list[str]]:
    return [[refusal.candidate, refusal.code] for refusal in refusals]


def read_answer(details: Mapping[str, Any] | None) -> Answer | None:
    """The answer in ``details``; None when there is none, as from a server that knows nothing of this.

    Raises BindingRefused or OfferNotUnderstood when that is the answer, MalformedOffer, which names the place, when it
    cannot be read. What it returns is to be checked with check_answered().
    """
    if not details:
        return None
    beside = Picker(details, "vif_details").data
    if KEY not in beside:
        return None
    told = Picker(beside[KEY], KEY)
    _check_version(told)
    if "known" in told.data:
        raise exception.OfferNotUnderstood(version=told.pick("offer_version", str, "?"), known=told.pick("known", str))
    refusals = [
        Refusal(candidate=candidate, code=code, reason=reason)
        for candidate, code, reason in told.triples("refusals", "candidate, code and reason")
    ]
    if "vif" not in told.data and "packed" not in told.data:
        raise exception.BindingRefused(None if "refusals" in told.data else _NO_REASONS, refusals=refusals)
    vif = _read_vif(told)
    return Answer(
        choice=told.pick("choice", str),
        vif=vif,
        vif_version=vif.VERSION,
        generation=told.pick("generation", int, 1),
        readiness=told.pick("readiness", str, "plug"),
        refusals=refusals,
    )


def _check_version(told: Picker) -> None:
    major, _ = told.read("v", told.pick("v", str), parse)
    if major != parse(Answer.VERSION)[0]:
        raise told.malformed(f"answers of version {told.data['v']} cannot be read here", "v")


def _read_vif(told: Picker) -> VIFBase:
    key = "packed" if "packed" in told.data else "vif"
    short = told.read(key, told.pick(key, str), _unpack) if key == "packed" else told.pick(key, dict)
    where = f"{told.where}.{key}"
    try:
        vif = VIFBase.obj_from_primitive(lengthen(short, where))
    except exception.ObjectError as error:
        raise exception.MalformedOffer(field=where, reason=error.message) from error
    if not isinstance(vif, VIFBase):
        raise told.malformed(f"a VIF is needed, not a {vif.obj_name()}", key)
    return vif


def _pack(short: Any) -> str:
    return base64.b64encode(zlib.compress(json.dumps(short, separators=(",", ":")).encode(), 9)).decode()


def _unpack(text: str) -> Any:
    try:
        unpacking = zlib.decompressobj()
        unpacked = unpacking.decompress(base64.b64decode(text, validate=True), _UNPACKED_LIMIT)
        if not unpacking.eof:
            raise ValueError("it is cut short, or longer than any VIF")
        return json.loads(unpacked)
    except (binascii.Error, zlib.error, RecursionError) as error:
        raise ValueError(f"it cannot be unpacked: {error}") from error
