# SPDX-License-Identifier: Apache-2.0
"""The offer in one key of a port's ``binding:profile``, beside the keys of others.

Neutron keeps the profile as it is, also when the port is bound again, as long as its JSON is not longer than
:data:`LIMIT` characters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from os_vif import exception
from os_vif.negotiation import offer_form
from os_vif.negotiation.json_reader import Picker
from os_vif.negotiation.offer import Offer

KEY = "os_vif_offer"

#: What Neutron takes of JSON, for a profile as for details: characters, as json.dumps() writes them.
LIMIT = 4095


def with_offer(
    profile: Mapping[str, Any] | None, offer: Offer, *, version: str | None = None, limit: int = LIMIT
) -> dict[str, Any]:
    """``profile`` with the offer in it in place of an earlier one; all other keys stay as they are.

    ``version``: the one that OfferNotUnderstood said is known, to ask once more. What is too long goes without the
    reasons of what was withdrawn, then without what was withdrawn, then without the versions of nested objects.
    Raises TooLong when that is not enough, OfferNotUnderstood when the offer cannot be written in that version.
    """
    others = without_offer(profile)
    for form in _ever_shorter(offer_form.write(offer, version)):
        whole = {**others, KEY: form}
        length = json_length(whole)
        if length <= limit:
            return whole
    raise exception.TooLong(field=KEY, length=length, limit=limit)


def _ever_shorter(form: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield form
    if withdrawn := form.get("withdrawn"):
        yield {**form, "withdrawn": [[name, code] for name, code, _ in withdrawn]}
    form = {key: value for key, value in form.items() if key != "withdrawn"}
    yield form
    yield {key: value for key, value in form.items() if key != "nested"}


def without_offer(profile: Mapping[str, Any] | None) -> dict[str, Any]:
    """``profile`` without the offer."""
    return {key: value for key, value in (profile or {}).items() if key != KEY}


def read_offer(profile: Mapping[str, Any] | None) -> Offer | None:
    """The offer in ``profile``; None when there is none, as from a caller that knows nothing of this.

    Raises MalformedOffer; OfferNotUnderstood for another major version.
    """
    if not profile:
        return None
    beside = Picker(profile, "profile").data
    return offer_form.read(beside[KEY], KEY) if KEY in beside else None


def json_length(data: Mapping[str, Any]) -> int:
    """In characters, as Neutron writes and counts them."""
    return len(json.dumps(data))
