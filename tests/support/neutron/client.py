# SPDX-License-Identifier: Apache-2.0
"""A client of Neutron's API for tests: it shows the answer as it is, whatever the status."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Whoever may bind ports, by Neutron's default policies.
SERVICE = {"X-Roles": "admin,service"}


@dataclass(frozen=True)
class Reply:
    """``body`` is parsed; None where there is none."""

    status: int
    body: Any

    def ok(self) -> Any:
        """The body of an answer that must be a good one; of one that wraps a single thing, the thing."""
        assert self.status < 300, self
        wrapped = isinstance(self.body, dict) and len(self.body) == 1
        return next(iter(self.body.values())) if wrapped else self.body

    def error(self) -> tuple[int, str, str]:
        """Status, type and message of an answer that must be an error."""
        assert self.status >= 400, self
        told = self.body["NeutronError"]
        return self.status, told["type"], told["message"]


class Client:
    """``client.get("/ports")``; paths are below /v2.0. ``who``: headers that say who asks."""

    def __init__(self, url: str, who: Mapping[str, str] = SERVICE) -> None:
        self._url = url
        self._who = who
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(self, path: str) -> Reply:
        """GET."""
        return self.call("GET", path)

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
        """POST."""
        return self.call("POST", path, body, headers)

    def put(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """PUT."""
        return self.call("PUT", path, body, headers)

    def delete(self, path: str) -> Reply:
        """DELETE."""
        return self.call("DELETE", path)

    def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """One request, with further headers if need be."""
        data = None if body is None else json.dumps(body).encode()
        everything = {"Content-Type": "application/json", **self._who, **(headers or {})}
        request = urllib.request.Request(f"{self._url}/v2.0{path}", data, everything, method=method)
        try:
            with self._opener.open(request, timeout=120) as response:
                return _reply(response.status, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return _reply(error.code, error.read())

    # --- what nearly every test needs -----------------------------------------------------------------------

    def create_network(self, cidr: str = "10.77.0.0/24", **attributes: Any) -> str:
        """A network with a subnet; its id. Attributes of Neutron's with _ for the colon: provider_network_type."""
        wanted = {key.replace("provider_", "provider:"): value for key, value in attributes.items()}
        network = self.post("/networks", {"network": {"name": "n", **wanted}}).ok()["id"]
        subnet = {"network_id": network, "ip_version": 4, "cidr": cidr, "enable_dhcp": False}
        self.post("/subnets", {"subnet": subnet}).ok()
        return str(network)

    def create_port(self, network: str, **attributes: Any) -> dict[str, Any]:
        """A port that is not bound, unless attributes say so: **{"binding:host_id": "cmp1"}."""
        port = {"network_id": network, "device_owner": "compute:nova", **attributes}
        return dict(self.post("/ports", {"port": port}).ok())


def _reply(status: int, data: bytes) -> Reply:
    try:
        return Reply(status, json.loads(data) if data else None)
    except ValueError:
        return Reply(status, data.decode(errors="replace"))
