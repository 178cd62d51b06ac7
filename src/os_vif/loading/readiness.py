# SPDX-License-Identifier: Apache-2.0
"""What the plugins need of this host and do not bring themselves: Open vSwitch, and the kernel's taps. Only looks."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from os_vif import exception

if TYPE_CHECKING:
    from collections.abc import Iterable

    from os_vif.host.ovsdb.endpoint import Credentials, Endpoint

TUN = "/dev/net/tun"

_OVS = "ovs"
#: Seconds for one question to the database of Open vSwitch; where nobody listens it does not take any.
_SECONDS = 2.0
_VHOST_USER_TYPES = frozenset(("dpdkvhostuser", "dpdkvhostuserclient"))


class Lack:
    """What is missing, for programs."""

    NO_PLUGIN = "no-plugin"
    NO_TUN = "no-tun"
    NO_SWITCH = "ovs-unreachable"
    NO_DPDK = "no-dpdk"
    NO_SHARED_MEMORY = "no-shared-memory"


@dataclass(frozen=True)
class Lacking:
    """``code``: one of Lack. ``reason``: a sentence."""

    code: str
    reason: str


class Readiness:
    """One look at this host; what is asked for more than once is looked up once. Needs os_vif.initialize()."""

    def lacking(self, plugin: str, vif_class: str) -> Lacking | None:
        """What keeps a plugin from plugging VIFs of a class here; None when nothing is known of."""
        if plugin == "tap":
            return self.lacking_taps()
        if plugin == _OVS:
            return self._switch_lacking(vif_class)
        return None

    def lacking_taps(self) -> Lacking | None:
        """What keeps anybody from opening taps here; who may is for whoever opens them, and that is not us."""
        if Path(TUN).exists():
            return None
        return Lacking(Lack.NO_TUN, f"{TUN} does not exist (`modprobe tun`), and taps are opened through it.")

    def _switch_lacking(self, vif_class: str) -> Lacking | None:
        types = self._interface_types
        if isinstance(types, Lacking):
            return types
        if vif_class == "VIFVHostUser" and not types & _VHOST_USER_TYPES:
            reason = "Open vSwitch offers no vhost-user ports here: it runs without DPDK."
            return Lacking(Lack.NO_DPDK, reason)
        return None

    @functools.cached_property
    def _interface_types(self) -> frozenset[str] | Lacking:
        """The types of interfaces that Open vSwitch knows."""
        from os_vif.loading import plugins

        config = plugins.plugin(_OVS).config
        try:
            return frozenset(_ask_for_interface_types(config))
        except AttributeError:
            return frozenset(_VHOST_USER_TYPES)  # a plugin of that name that is not ours, and knows best
        except (OSError, exception.HostError) as error:
            return Lacking(Lack.NO_SWITCH, f"Open vSwitch cannot be asked: {_sentence(error)}")


def _ask_for_interface_types(config: Any) -> Iterable[str]:
    from os_vif.host.ovsdb.client import Connection, ConnectionLost, ServerError
    from os_vif.host.ovsdb.endpoint import Credentials, parse

    credentials = Credentials(config.ssl_key_file, config.ssl_cert_file, config.ssl_ca_cert_file)
    connection = Connection(_first_that_answers(parse(config.ovsdb_connection), credentials))
    try:
        return _interface_types(connection)
    except (ConnectionLost, ServerError) as error:
        raise OSError(f"{config.ovsdb_connection}: {error}") from error
    finally:
        connection.close()


def _interface_types(connection: Any) -> Iterable[str]:
    from os_vif.host.ovsdb.rows import from_set, select
    from os_vif.host.process.deadline import Deadline

    question = select("Open_vSwitch", [], ["iface_types"])
    answer = connection.call("transact", ["Open_vSwitch", question], Deadline(_SECONDS))
    return [name for row in answer[0].get("rows", ()) for name in from_set(row["iface_types"])]


def _first_that_answers(endpoints: Iterable[Endpoint], credentials: Credentials) -> Any:
    complaints = []
    for endpoint in endpoints:
        try:
            return endpoint.open(_SECONDS, credentials)
        except OSError as error:
            complaints.append(f"{endpoint}: {error.strerror or error}")
    raise OSError("; ".join(complaints))


def _sentence(error: Exception) -> str:
    return f"{str(error).rstrip('.')}."
