# SPDX-License-Identifier: Apache-2.0
"""What Neutron answers instead, as errors of ours."""

from __future__ import annotations

import json
from typing import Any

from os_vif import exception
from os_vif.negotiation.refusal import Refusal

WHERE = "[os_vif_network_neutron] cloud, or OS_CLOUD, says which cloud; `openstack network list` should work."
_ROLES = (
    "Binding ports needs the roles admin and service, by Neutron's default policies:"
    " openstack role add --user USER --project PROJECT service"
)
_BINDING_FAILED = "PortBindingError"


class Outdated(exception.NetworkConflict):
    """Somebody else has changed it since it was read."""


#: Characters of each part of a refusal.
_LONGEST_REFUSAL = 1000


def is_passing(response: Any) -> bool:
    """Whether the same request may succeed soon. That no driver binds a port is a 500, too, and final."""
    return response.status_code in (500, 502, 503, 504) and _type(response) != _BINDING_FAILED


def error(driver: str, response: Any, method: str, path: str) -> exception.ExceptionBase:
    """The error to raise for an answer that is one."""
    status, kind, message = response.status_code, _type(response), told(response)
    if kind == "OfferNotUnderstood":
        detail = _detail(response)
        return exception.OfferNotUnderstood(version=detail.get("version", "?"), known=detail.get("known", "?"))
    if kind in (_BINDING_FAILED, "BindingRefused"):
        refusals = _refusals(response)
        return exception.BindingRefused(None if refusals else message, refusals=refusals)
    if kind == "IpAddressGenerationFailure":
        return exception.NoAddressLeft(message, type=kind)
    if status == 404:
        return _not_found(method, path, message, kind)
    if status == 412:
        return Outdated(reason=message)
    if status == 409:
        return exception.NetworkConflict(reason=message, type=kind)
    if status in (401, 403) or status >= 500:
        return _unavailable(driver, status, message)
    return exception.NetworkError(f"Neutron refuses {method} {path}: {message}", type=kind)


def told(response: Any) -> str:
    """Neutron's own words."""
    inner = _error(response)
    return str(inner.get("message") or response.text.strip()[:300] or response.reason)


def _unavailable(driver: str, status: int, message: str) -> exception.NetworkUnavailable:
    made = exception.NetworkUnavailable(driver=driver, reason=f"Neutron answers {status}: {message}")
    made.hint = {401: WHERE, 403: _ROLES}.get(status, "Neutron's log has more.")
    return made


def _not_found(method: str, path: str, message: str, kind: str) -> exception.NetworkNotFound:
    """``/ports/ID/bindings/HOST`` is a binding of a port; of ``/ports`` only Neutron knows what it misses."""
    what, *below = path.strip("/").split("/")
    if not below:
        return exception.NetworkNotFound(f"Neutron answers {method} {path} with 404: {message}", name="", type=kind)
    of = f"binding to {below[2]} of port" if len(below) > 2 else what.removesuffix("s")
    return exception.NetworkNotFound(kind=of, name=below[0], type=kind)


def _type(response: Any) -> str:
    return str(_error(response).get("type", ""))


def _error(response: Any) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    inner = body.get("NeutronError") if isinstance(body, dict) else None
    return inner if isinstance(inner, dict) else {"message": inner} if inner else {}


def _detail(response: Any) -> dict[str, Any]:
    try:
        detail = json.loads(_error(response).get("detail") or "{}")
    except ValueError:
        return {}
    return detail if isinstance(detail, dict) else {}


def _refusals(response: Any) -> list[Refusal]:
    """Of a Neutron in which our filter is."""
    told = _detail(response).get("refusals")
    return [_refusal(one) for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def _refusal(one: dict[str, Any]) -> Refusal:
    return Refusal(**{name: str(one.get(name, ""))[:_LONGEST_REFUSAL] for name in ("candidate", "code", "reason")})
