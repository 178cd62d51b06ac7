# SPDX-License-Identifier: Apache-2.0
"""The files from which a Neutron of the tests is configured."""

from __future__ import annotations

import configparser
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

Options = Mapping[str, Mapping[str, object]]

MECHANISM_DRIVER = "os_vif_negotiated"
FILTER = "os_vif_offers"
_FILTER_FACTORY = "os_vif.neutron_ml2.filter:factory"
#: The longest that Neutron takes: nobody beats the agents' hearts here.
_AGENTS_LIVE_FOR = 2147483


def write(
    directory: Path, venv: Path, mechanism_drivers: Sequence[str], options: Options, *, negotiation: bool
) -> None:
    """neutron.conf, api-paste.ini and the database; ``options`` by section, over what is here."""
    drivers = [MECHANISM_DRIVER, *mechanism_drivers] if negotiation else mechanism_drivers
    _write_ini(directory / "neutron.conf", _merged(_defaults(directory, drivers), options))
    _write_ini(directory / "api-paste.ini", _paste(venv, negotiation=negotiation))
    (directory / "policy.yaml").write_text("{}\n")
    (directory / "tmp").mkdir()
    shutil.copy(venv / "neutron.sqlite", directory)


def _defaults(directory: Path, mechanism_drivers: Sequence[str]) -> Options:
    return {
        "DEFAULT": {
            "auth_strategy": "noauth",
            "core_plugin": "ml2",
            "service_plugins": "",
            "transport_url": "fake://",
            "api_paste_config": directory / "api-paste.ini",
            "state_path": directory,
            "log_file": directory / "neutron.log",
            "notify_nova_on_port_status_changes": False,
            "notify_nova_on_port_data_changes": False,
            "dhcp_agent_notification": False,
            "agent_down_time": _AGENTS_LIVE_FOR,
        },
        "database": {"connection": f"sqlite:///{directory}/neutron.sqlite", "sqlite_synchronous": False},
        "oslo_concurrency": {"lock_path": directory / "lock"},
        "oslo_policy": {"policy_file": directory / "policy.yaml"},
        "ml2": {
            "type_drivers": "local,flat,vlan,vxlan",
            "tenant_network_types": "vxlan",
            "mechanism_drivers": ",".join(mechanism_drivers),
            "extension_drivers": "port_security",
        },
        "ml2_type_flat": {"flat_networks": "*"},
        "ml2_type_vlan": {"network_vlan_ranges": "physnet1:100:999"},
        "ml2_type_vxlan": {"vni_ranges": "1000:9999"},
        "securitygroup": {"enable_security_group": True},
    }


def _paste(venv: Path, *, negotiation: bool) -> Options:
    parser = _parser()
    parser.read(venv / "etc/neutron/api-paste.ini")
    pipelines = parser["composite:neutronapi_v2_0"]
    # With auth_strategy = keystone, everybody is who the headers say that he is.
    pipelines["keystone"] = pipelines["keystone"].replace("authtoken ", "")
    if negotiation:
        parser.add_section(f"filter:{FILTER}")
        parser[f"filter:{FILTER}"]["paste.filter_factory"] = _FILTER_FACTORY
        for strategy in ("noauth", "keystone"):
            pipelines[strategy] = pipelines[strategy].replace("extensions", f"{FILTER} extensions")
    return {name: dict(parser[name]) for name in parser.sections()}


def _merged(below: Options, above: Options) -> Options:
    return {name: {**below.get(name, {}), **above.get(name, {})} for name in {**below, **above}}


def _parser() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, default_section="none")
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    return parser


def _write_ini(path: Path, options: Options) -> None:
    parser = _parser()
    parser.read_dict({name: {key: str(value) for key, value in section.items()} for name, section in options.items()})
    with path.open("w") as file:
        parser.write(file)
