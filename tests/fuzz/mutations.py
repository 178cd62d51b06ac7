# SPDX-License-Identifier: Apache-2.0
"""Makes data that somebody might send who is broken, newer than we are, or hostile."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Sequence
from typing import Any

_NUMBERS = (0, -1, 1, 2**31, 2**32, 2**63, 10**30, -(10**30), 0.5, 1e308, True, False)
_TEXTS = (
    "", " ", "\n", "\0", "x" * 5000, "é" * 300, "\ud800", "\u202e", "1.0", "2.0", "1.99", "-1.0", "1.0.0", "1e5",
    "0x10", "../../etc", "%s%n{0}", "\x1b[2J", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "10.0.0.0/33", "::1%eth0",
    "9" * 400, "all", "lo", "-x", "VIFBridge", "Network", "os_vif", "null", "uuid", "map", "set", "=", "/", ",", ";",
    "256.1.1.1", "br%d", "br+", '"',
)  # fmt: skip


def nested(depth: int, kind: str) -> Any:
    """Lists or objects inside each other."""
    made: Any = None
    for _ in range(depth):
        made = [made] if kind == "list" else {"a": made}
    return made


class Mutator:
    """Changes values at random; one seed always makes the same."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def one_of(self, choices: Sequence[Any]) -> Any:
        """Any of them."""
        return self._chance.choice(choices)

    def value(self, seeds: list[Any]) -> Any:
        """One of the seeds, changed in a few places."""
        changed = copy.deepcopy(self._chance.choice(seeds))
        for _ in range(self._chance.choice((1, 1, 1, 2, 3, 6))):
            changed = self._change(changed, seeds)
        return changed

    def text(self, seeds: list[str]) -> str:
        """The same for texts, which are cut, doubled, and have characters exchanged."""
        changed = self._chance.choice(seeds)
        for _ in range(self._chance.choice((1, 1, 2, 4))):
            changed = self._change_text(changed)
        return changed

    def json(self, seeds: list[Any]) -> str:
        """A JSON text of a changed value, or one that is none any more."""
        text = json.dumps(self.value(seeds))
        return self._change_text(text) if self._chance.random() < 0.3 else text

    def _change(self, value: Any, seeds: list[Any]) -> Any:
        places = list(_places(value))
        place = self._chance.choice(places)
        if not place:
            return self._anything() if self._chance.random() < 0.1 else value
        holder = value
        for step in place[:-1]:
            holder = holder[step]
        self._change_in(holder, place[-1], seeds)
        return value

    def _change_in(self, holder: Any, key: Any, seeds: list[Any]) -> None:
        what = self._chance.randrange(6)
        if what == 0:
            del holder[key]
        elif what == 1 and isinstance(holder, dict):
            holder[self._chance.choice(_TEXTS)] = holder.pop(key)
        elif what == 2 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif what == 3:
            other = self._chance.choice(seeds)
            holder[key] = copy.deepcopy(_at(other, self._chance.choice(list(_places(other)))))
        else:
            holder[key] = self._anything()

    def _anything(self) -> Any:
        choice = self._chance.randrange(9)
        if choice < 3:
            return self._chance.choice(_TEXTS)
        if choice < 5:
            return self._chance.choice(_NUMBERS)
        if choice == 5:
            return nested(self._chance.choice((2, 40, 150)), self._chance.choice(("list", "object")))
        return self._chance.choice((None, [], {}, [None], {"": None}, [[]], ["set", []], ["map", [["a"]]], ["x"] * 300))

    def _change_text(self, text: str) -> str:
        at = self._chance.randrange(len(text) + 1)
        choice = self._chance.randrange(5)
        if choice == 0:
            return text[:at]
        if choice == 1:
            return text[:at] + self._chance.choice(_TEXTS) + text[at:]
        if choice == 2:
            return text[:at] + text[at + self._chance.randrange(9) :]
        if choice == 3:
            return text[:at] + text[max(0, at - 20) :]
        return text[:at] + self._chance.choice('\0\t\n",:=[]{}é\u202e') + text[at + 1 :]


def _places(value: Any, place: tuple[Any, ...] = ()) -> Any:
    yield place
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from _places(inner, (*place, key))


def _at(value: Any, place: tuple[Any, ...]) -> Any:
    for step in place:
        value = value[step]
    return value
