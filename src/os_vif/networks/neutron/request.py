# SPDX-License-Identifier: Apache-2.0
"""A request, in the form in which Neutron gets it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from os_vif.negotiation import header, profile
from os_vif.negotiation.request import Request
from os_vif.networks.fingerprint import fingerprint
from os_vif.networks.neutron import record
from os_vif.networks.neutron.ports import Bound, Found


@dataclass(frozen=True)
class Asked:
    """``version``: to write the offer in; None is the newest."""

    request: Request
    version: str | None = None

    @property
    def host(self) -> str:
        """To bind to."""
        return str(self.request.offer.host)

    @property
    def headers(self) -> dict[str, str]:
        """For servers that look no further."""
        return {header.NAME: header.render(self.request.offer)}

    def profile(self, others: Mapping[str, Any], new: record.Record) -> dict[str, Any]:
        """The profile of the binding: what others have written, the record, and the offer. Raises TooLong."""
        return profile.with_offer(record.with_record(others, new), self.request.offer, version=self.version)

    def record(self, found: Found | None = None, beside: Bound | None = None) -> record.Record:
        """What to write into a new binding, of a new port unless one was found."""
        return record.Record(
            key=self.request.key,
            ours=found is None or found.ours,
            generation=_next_generation(found),
            request=fingerprint(self.request),
            lapses_at=round(time.time() + self.request.offer.lease, 1),
            beside=(beside.host, beside.generation) if beside else None,
        )

    def is_answered_by(self, found: Found, bound: Bound) -> bool:
        """Whether this binding of the port came of the same request, and may still be activated."""
        if bound.record is None or found.is_void(bound):
            return False
        return bound.record.request == fingerprint(self.request)


def _next_generation(found: Found | None) -> int:
    """A number that no binding of this port has had: by the clock, since earlier ones may be gone."""
    known = max((bound.generation for bound in found.bindings), default=0) if found else 0
    return max(time.time_ns() // 1_000_000, known + 1)
