# SPDX-License-Identifier: Apache-2.0
"""Addresses of the host that move to a bridge, as plugins state them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from os_vif.host.state.resource import Resource, resource_type


@resource_type
@dataclass(frozen=True, kw_only=True)
class AddressesMoved(Resource):
    """The addresses and routes of ``source`` live on ``target`` instead, as long as the resource lives.

    Stated after the bridge and before what makes the device a port of it: they are to arrive before that.
    """

    backend: ClassVar[str] = "addresses"

    source: str
    target: str

    @property
    def key(self) -> str:
        return f"layer3/{self.source}"

    @property
    def label(self) -> str:
        return f"addresses of {self.source}"
