# SPDX-License-Identifier: Apache-2.0
"""Neutron's API, as plain data: requests with deadlines and repetitions, and errors that are ours."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.foreign import parse_json, shown
from os_vif.networks.neutron import errors, shapes

LOG = logger(__name__)

Json = dict[str, Any]

#: Without Keystone everybody is who he says he is; bindings are for these, by Neutron's default policies.
_ROLES = {"X-Roles": "admin,service"}

_FIRST_PAUSE = 0.2
_LINKS = "_links"
#: A server that gives one port a page gives a thousand ports; one that gives the same page for ever is not followed.
_MOST_PAGES = 1000

#: Of an address, such as an endpoint behind a proxy that asks for a password: no error may tell it.
_CREDENTIALS = re.compile(r"//[^/@\s]+@")


class Neutron:
    """A connection, made with the first request. May be used by several threads.

    Requests raise NetworkUnavailable, NetworkNotFound, NetworkConflict, errors.Outdated, NoAddressLeft, BindingRefused,
    NetworkError; where Neutron told a type, it is in the error's ``kwargs["type"]``.
    """

    def __init__(self, name: str, config: Any) -> None:
        self.name = name
        self._config = config
        self._lock = threading.Lock()
        self._adapter: Any = None

    @property
    def timeout(self) -> float:
        """How long to wait, in seconds."""
        return float(self._config.timeout)

    def get(self, path: str) -> Json:
        """The one thing at ``path``, below /v2.0, without what it is wrapped in."""
        found = _unwrapped(self._call("GET", path))
        if not isinstance(found, dict):
            raise self._of_another_shape(f"GET {path}", f"an object is needed, not {shown(found)}")
        return found

    def get_all(self, path: str, **filters: Any) -> list[Json]:
        """The things that are listed at ``path``. A filter may be a list: any of these."""
        found: list[Json] = []
        body = self._call("GET", path, params=filters)
        for _ in range(_MOST_PAGES):
            listed = _unwrapped(body)
            if not isinstance(listed, list):
                raise self._of_another_shape(f"GET {path}", f"a list is needed, not {shown(listed)}")
            found += listed
            query = _next_page(body)
            if not query:
                break
            # The path is ours: an address that the answer gives may be another server's, and our token went along.
            body = self._call("GET", f"{path}?{query}")
        return found

    def post(self, path: str, body: Json, headers: Mapping[str, str] | None = None) -> Json:
        """Makes something."""
        return dict(_unwrapped(self._call("POST", path, json=body, headers=headers)))

    def put(
        self,
        path: str,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        revision: int | None = None,
    ) -> Json:
        """Changes something; with ``revision`` only if it still is of that revision (errors.Outdated)."""
        wanted = {} if revision is None else {"If-Match": f"revision_number={revision}"}
        return dict(_unwrapped(self._call("PUT", path, json=body, headers={**(headers or {}), **wanted})))

    def delete(self, path: str) -> None:
        """Removes something; nothing happens if it is not there."""
        try:
            self._call("DELETE", path)
        except exception.NetworkNotFound:
            LOG.debug("%s is gone already.", path)

    def _call(self, method: str, path: str, **request: Any) -> Any:
        """Repeats what failed inside the server, until the time is over: databases are locked now and then."""
        end, pause = time.monotonic() + self.timeout, _FIRST_PAUSE
        while True:
            response = self._send(method, path, request)
            if not errors.is_passing(response) or time.monotonic() + pause > end:
                break
            LOG.warning("Neutron failed (%s %s: %s); trying again.", method, path, errors.told(response))
            time.sleep(pause)
            pause *= 2
        if response.status_code >= 400:
            raise errors.error(self.name, response, method, path)
        return self._read(response, f"{method} {path}")

    def _read(self, response: Any, asked: str) -> Json:
        try:
            body = parse_json(response.content) if response.content else {}
        except ValueError as error:
            raise self._unavailable(error) from error
        if wrong := shapes.problem(body):
            raise self._of_another_shape(asked, wrong)
        return dict(body)

    def _send(self, method: str, path: str, request: Json) -> Any:
        connected = self._connected()  # first, since it tells what to install
        from keystoneauth1.exceptions import ClientException

        try:
            return connected.request(path, method, raise_exc=False, timeout=self.timeout, **request)
        except ClientException as error:
            raise self._unavailable(error) from error

    def _connected(self) -> Any:
        with self._lock:
            if self._adapter is None:
                self._adapter = self._connect()
            return self._adapter

    def _connect(self) -> Any:
        """The session is openstacksdk's: it knows clouds.yaml, the environment, catalogues and versions."""
        try:
            import openstack
            from keystoneauth1.exceptions import ClientException
            from openstack.exceptions import SDKException
        except ImportError as error:
            raise self._unavailable(error, "Install it: pip install openstacksdk") from error
        try:
            connection = openstack.connect(**self._where())
            if self._config.endpoint:
                connection.session.additional_headers.update(_ROLES)
            return connection.network
        except (ClientException, SDKException) as error:
            raise self._unavailable(error, errors.WHERE) from error

    def _where(self) -> Json:
        if self._config.endpoint:
            auth = {"endpoint": self._config.endpoint}
            return {"auth_type": "none", "auth": auth, "load_envvars": False, "api_timeout": self.timeout}
        given = {"api_timeout": self.timeout, "cloud": self._config.cloud, "region_name": self._config.region_name}
        return {key: value for key, value in given.items() if value}

    def _of_another_shape(self, asked: str, wrong: str) -> exception.NetworkUnavailable:
        return self._unavailable(ValueError(f"the answer to {asked} is not as Neutron gives it: {wrong}"))

    def _unavailable(self, error: Exception, hint: str = errors.WHERE) -> exception.NetworkUnavailable:
        made = exception.NetworkUnavailable(driver=self.name, reason=_CREDENTIALS.sub("//", f"{error}"))
        made.hint = hint
        return made


def _unwrapped(body: Any) -> Any:
    """``{"port": {...}}`` holds the port; an activated binding comes bare."""
    things = [value for key, value in body.items() if not key.endswith(_LINKS)]
    return things[0] if len(things) == 1 and isinstance(things[0], (dict, list)) else body


def _next_page(body: Json) -> str:
    """The query by which a long list goes on, of a server that gives no long lists."""
    links = [link for key, value in body.items() if key.endswith(_LINKS) and isinstance(value, list) for link in value]
    hrefs = (link.get("href") for link in links if isinstance(link, dict) and link.get("rel") == "next")
    return urlsplit(str(next(hrefs, ""))).query
