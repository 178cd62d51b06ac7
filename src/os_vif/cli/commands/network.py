# SPDX-License-Identifier: Apache-2.0
"""network: the networks of the driver `local`; those of other drivers are made with tools of their own."""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from os_vif.cli.errors import CommandError
from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output
from os_vif.cli.registry import Subparsers

if TYPE_CHECKING:
    from os_vif.networks.driver import Port
    from os_vif.networks.local.admin import Manager
    from os_vif.networks.local.model import Network, Subnet

_DRIVER = "local"

#: How the fields of a wanted network are said on the command line, where that is another word.
_OPTIONS = {"name": "NAME", "cidrs": "--cidr", "gateways": "--gateway", "pools": "--pool"}


def register(commands: Subparsers) -> None:
    """Adds the commands."""
    network = commands.add_group(
        "network",
        help="make, show and delete networks of the network driver local",
        description="Networks of other drivers are made with tools of their own.",
    )
    _register_create(network)
    network.add("list", _list, help="show the networks")
    show = network.add("show", _show, help="show all that is known of a network")
    _add_name(show)
    delete = network.add("delete", _delete, help="delete a network that has no ports, and its DHCP server")
    _add_name(delete)
    ports = network.add(
        "ports", _ports, help="show the ports of a network, or of all, with their addresses, and where they are bound"
    )
    _add_name(ports, nargs="?")


def _register_create(network: Subparsers) -> None:
    create = network.add(
        "create",
        _create,
        help="make a network for guests of this machine",
        description="Its bridge is made when the first guest is plugged, or with the DHCP server.",
    )
    create.add_argument("name", metavar="NAME", help="what the network is called")
    for option, value, text in (
        ("cidr", "CIDR", "a subnet, such as 192.168.77.0/24 or fd00:77::/64; can be repeated"),
        ("gateway", "ADDRESS", "where guests send what leaves the subnet; can be repeated, once for each subnet"),
        ("pool", "FIRST-LAST", "the addresses that guests get, of a subnet; can be repeated; by default all"),
    ):
        create.add_argument(f"--{option}", dest=f"{option}s", metavar=value, action="append", default=[], help=text)
    create.add_argument(
        "--switch", choices=("linux_bridge", "ovs"), default="linux_bridge", help="what connects them (linux_bridge)"
    )
    create.add_argument("--bridge", metavar="NAME", default="", help="the bridge's name; made up unless given")
    create.add_argument("--mtu", type=int, default=1500, metavar="BYTES", help="the MTU (default 1500)")
    create.add_argument("--uplink", metavar="INTERFACE", help="this host's interface that leads out of the bridge")
    create.add_argument("--vlan", type=int, metavar="ID", help="the VLAN on the uplink, 1 to 4094")
    create.add_argument(
        "--dhcp", action="store_true", help="tell guests their IPv4 addresses (takes dnsmasq, and root)"
    )
    create.add_argument(
        "--force",
        action="store_true",
        help="make it although others have its addresses, or another DHCP server may be on its uplink",
    )


def _add_name(parser: argparse.ArgumentParser, **options: Any) -> None:
    action = parser.add_argument("network", metavar="NETWORK", help="the network's name, or its id", **options)
    action.completer = _known_names  # type: ignore[attr-defined]


def _known_names(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """For shells. Never an error: somebody is in the middle of a line."""
    from os_vif import exception
    from os_vif.cli import options

    options.fill_in(parsed_args)
    try:
        return [network.name for network in _manager(parsed_args).networks() if network.name.startswith(prefix)]
    except (CommandError, exception.ExceptionBase):
        return []


def _manager(arguments: argparse.Namespace) -> Manager:
    from os_vif.cli import session
    from os_vif.lifecycle.options import options
    from os_vif.loading import drivers
    from os_vif.networks.local.admin import Manager

    session.open_options(arguments)
    configured = options().network_driver
    if configured != _DRIVER:
        raise CommandError(
            f"These commands are for networks of the driver {_DRIVER}; this host's network driver is {configured}.",
            code="not-local",
            exit_code=ExitCode.FAILED,
            hint=f"Make networks with the tools of {configured}, or set [os_vif] network_driver = {_DRIVER}.",
        )
    driver = drivers.load(drivers.NETWORKS, _DRIVER)
    return Manager(driver.database, driver.config)


def _create(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif import exception
    from os_vif.networks.local.spec import WantedNetwork

    manager = _manager(arguments)
    fields = [field.name for field in dataclasses.fields(WantedNetwork)]
    try:
        network = manager.create(WantedNetwork(**{name: getattr(arguments, name) for name in fields}))
    except exception.InvalidRequest as error:
        raise _usage(error) from error
    output.document(_told(network, manager))
    output.line(f"Network {network.name} is made; guests will be on the bridge {network.bridge}.", "good")
    for gateway in manager.gateways_of_nobody(network):
        output.line(f"note: guests are not told of {gateway} until somebody on {network.bridge} has it", "warn")
    return ExitCode.OK


def _usage(error: Any) -> CommandError:
    """What was wrong on the command line, in its words."""
    field = str(error.kwargs.get("field", ""))
    option = _OPTIONS.get(field, f"--{field}")
    message = f"{option}: {error.kwargs.get('reason', error)}"
    return CommandError(message, code=error.code, exit_code=ExitCode.USAGE, hint=error.hint, field=option)


def _list(arguments: argparse.Namespace, output: Output) -> ExitCode:
    manager = _manager(arguments)
    networks = manager.networks()
    output.document([_told(network, manager) for network in networks])
    if networks:
        columns = ("network", "subnets", "switch", "bridge", "MTU", "uplink", "DHCP")
        output.table(columns, [_row(network, manager) for network in networks])
    else:
        output.line(f"There is no network in {manager.file}: `vif network create`.")
    return ExitCode.OK


def _row(network: Network, manager: Manager) -> tuple[str, ...]:
    subnets = ", ".join(subnet.cidr for subnet in network.subnets) or "-"
    uplink = ", ".join(_uplink(network)) or "-"
    served = _dhcp(network, manager)
    return network.name, subnets, network.switch, network.bridge, str(network.mtu), uplink, served


def _uplink(network: Network) -> Iterator[str]:
    if network.uplink:
        yield network.uplink
    if network.vlan:
        yield f"VLAN {network.vlan}"


def _dhcp(network: Network, manager: Manager) -> str:
    return "-" if not network.dhcp else "runs" if manager.dhcp_runs(network) else "does not run"


def _show(arguments: argparse.Namespace, output: Output) -> ExitCode:
    manager = _manager(arguments)
    network, ports = manager.show(arguments.network)
    output.document(_told(network, manager) | {"ports": [_told_port(port) for port in ports]})
    uplink = ", ".join(_uplink(network)) or "-"
    for name, value in (
        ("network", network.name),
        ("id", network.id),
        ("switch", network.switch),
        ("bridge", network.bridge),
        ("MTU", network.mtu),
        ("uplink", uplink),
        ("DHCP", _dhcp(network, manager)),
        ("ports", len(ports)),
    ):
        output.line(f"{name:<8} {value}")
    if network.subnets:
        output.line()
        output.table(("subnet", "gateway", "pool", "DHCP server"), [_subnet_row(subnet) for subnet in network.subnets])
    return ExitCode.OK


def _subnet_row(subnet: Subnet) -> tuple[str, ...]:
    return subnet.cidr, subnet.gateway or "-", f"{subnet.first}-{subnet.last}", subnet.dhcp_server or "-"


def _delete(arguments: argparse.Namespace, output: Output) -> ExitCode:
    network = _manager(arguments).delete(arguments.network)
    output.document({"deleted": network.name, "id": network.id})
    output.line(f"Network {network.name} is deleted.", "good")
    return ExitCode.OK


def _ports(arguments: argparse.Namespace, output: Output) -> ExitCode:
    ports = _manager(arguments).ports(arguments.network or "")
    output.document([_told_port(port) for port in ports])
    if not ports:
        output.line("There are no ports.")
        return ExitCode.OK
    rows = [row for port in ports for row in _port_rows(port)]
    output.table(("network", "addresses", "MAC", "host", "status", "type", "generation", "lapses", "port"), rows)
    return ExitCode.OK


def _port_rows(port: Port) -> Iterator[tuple[str, ...]]:
    for binding in port.bindings:
        lapses = "-" if binding.lapses_at is None else time.strftime("%H:%M:%S", time.localtime(binding.lapses_at))
        yield (
            port.network,
            ", ".join(port.ip_addresses) or "-",
            port.mac_address,
            binding.host,
            binding.status,
            binding.choice,
            str(binding.generation),
            lapses,
            port.port_id,
        )


def _told(network: Network, manager: Manager) -> dict[str, Any]:
    """The JSON form."""
    told = dataclasses.asdict(network) | {"dhcp_runs": manager.dhcp_runs(network)}
    told["subnets"] = [
        {name: value for name, value in subnet.items() if name not in ("id", "latest")} for subnet in told["subnets"]
    ]
    return told


def _told_port(port: Port) -> dict[str, Any]:
    return dataclasses.asdict(port)
