# SPDX-License-Identifier: Apache-2.0
"""Reading a JSON object of a peer in a negotiation: every error names the place, and is MalformedOffer."""

from __future__ import annotations

from typing import Any

from os_vif import exception
from os_vif.foreign import LONGEST_WORD, MOST_ITEMS, Reader, shown

__all__ = ["LONGEST_WORD", "MOST_ITEMS", "Picker"]


class Picker(Reader):
    """As Reader. Every method raises MalformedOffer."""

    def triples(self, key: str, meaning: str) -> list[tuple[str, str, str]]:
        """A list of lists of up to three strings, which are ``meaning``; those that are left out are empty."""
        return [self._triple(item, key, meaning) for item in self.list_of(key, list)]

    def _triple(self, item: list[Any], key: str, meaning: str) -> tuple[str, str, str]:
        texts = [text for text in item if isinstance(text, str)]
        if not texts or len(texts) < len(item):
            raise self.malformed(f"each element is a list of {meaning}, not {shown(item)}", key)
        first, second, third = [*texts, "", ""][:3]
        return first, second, third

    def error(self, field: str, reason: str) -> exception.MalformedOffer:
        return exception.MalformedOffer(field=field, reason=reason)
