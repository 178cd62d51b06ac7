# SPDX-License-Identifier: Apache-2.0
"""The paste filter: brings the header of a request to the mechanism driver, and its reasons to the client.

It belongs after the filter that makes Neutron's context: ``keystonecontext``, or ``fake_project_id``. A malformed
header is answered with 400. Where Neutron answers 500 because a binding was refused, the client gets 409 with the
reasons: Neutron itself has no other place for them when a further binding of a port fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import webob  # Neutron brings it

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.negotiation import header
from os_vif.neutron_ml2.offers import Exchange, exchange_of

LOG = logger(__name__)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_CONTEXT = "neutron.context"
_BINDINGS = "/bindings"
_BINDING_FAILED = "PortBindingError"


def factory(global_config: Mapping[str, str], **local_config: str) -> Callable[[Application], Application]:
    """For ``paste.filter_factory``; there is nothing to configure."""
    return OfferFilter


class OfferFilter:
    """The filter before ``application``."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI."""
        answered: Iterable[bytes] = self._answer(webob.Request(environ))(environ, start_response)
        return answered

    def _answer(self, request: Any) -> Any:
        accept = request.headers.get(header.NAME, "")
        context = request.environ.get(_CONTEXT)
        if context is None:
            if accept:
                LOG.error("The filter for %s is not behind the one that makes Neutron's context.", header.NAME)
            return self._application
        try:
            # What nobody heeds from this caller need not be read.
            if accept and _may_bind(context):
                header.parse(accept)
        except exception.MalformedOffer as error:
            return _error(400, error)
        exchange = exchange_of(context)
        exchange.accept = accept if _may_bind(context) else ""
        if _BINDINGS not in request.path_info:
            return self._application  # whatever it answers, there is a place for reasons in it
        return _with_reasons(request.get_response(self._application), exchange)


def _may_bind(context: Any) -> bool:
    """As Neutron's default policies have it for the attributes of bindings."""
    return bool(context.is_admin or context.is_service_role)


def _with_reasons(response: Any, exchange: Exchange) -> Any:
    if exchange.refused and response.status_int == 500 and _type_of(response) == _BINDING_FAILED:
        return _error(409, exchange.refused.why)
    return response


def _type_of(response: Any) -> str:
    try:
        return str(response.json["NeutronError"]["type"])
    except (ValueError, KeyError, TypeError):
        return ""


def _error(status: int, error: exception.NegotiationError) -> Any:
    """In Neutron's form; ``detail`` is the JSON of all that is known of it."""
    detail = {**{name: str(value) for name, value in error.kwargs.items()}, **error.to_dict()}
    told = {"type": type(error).__name__, "message": error.message, "detail": json.dumps(detail)}
    return webob.Response(json_body={"NeutronError": told}, status=status, content_type="application/json")
