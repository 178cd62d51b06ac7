# SPDX-License-Identifier: Apache-2.0
"""Types of options that become names of interfaces and words of iptables: both take patterns, and no option is one."""

from __future__ import annotations

import re
from typing import Any

from oslo_config import types

from os_vif.objects import validate

_TARGET = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,27}")

ALL = "all"


class Interface(types.String):
    """The name of a network interface; "" for none. ``words``: others that stand for something of their own."""

    def __init__(self, *words: str) -> None:
        super().__init__()
        self._words = ("", *words)

    def __call__(self, value: object) -> str:
        name = str(super().__call__(value))
        wrong = None if name in self._words else validate.interface_name(name)
        if wrong:
            raise ValueError(" ".join((f"{wrong[0]}.", wrong[1])))
        return name


class Interfaces(Interface):
    """The type of the items of an option that may be given several times."""

    def __call__(self, value: object) -> Any:
        # oslo.config asks for the items one by one, and for the default as a whole.
        if isinstance(value, list):
            return [super(Interfaces, self).__call__(one) for one in value]
        return super().__call__(value)


class Target(types.String):
    """A target of iptables, such as DROP, or a chain."""

    def __call__(self, value: object) -> str:
        name = str(super().__call__(value))
        if not _TARGET.fullmatch(name):
            raise ValueError(f"{name!r:.60} is not a target of iptables, such as DROP or REJECT.")
        return name
