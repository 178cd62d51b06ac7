# SPDX-License-Identifier: Apache-2.0
"""A real Open vSwitch for tests: its database server and its switch, in a network namespace, with their own directory.

The userspace datapath ("netdev") needs no kernel module; with ``--enable-dummy`` there are some that carry nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from support.netns import Namespace
from support.parts import require, require_tun

PACKAGE = "openvswitch-switch"
_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
#: Debian's /usr/sbin/ovs-vswitchd may be the one with DPDK.
_WITHOUT_DPDK = "/usr/lib/openvswitch-switch/ovs-vswitchd"
_MARK = "test-mark"
_TABLES = ("Bridge", "Port", "Interface", "QoS")
#: What Open vSwitch itself writes into the rows, and what differs each time.
_VOLATILE = {
    "_version", "bfd_status", "cfm_fault", "cfm_fault_status", "cfm_flap_count", "cfm_health", "cfm_mpid",
    "cfm_remote_mpids", "cfm_remote_opstate", "admin_state", "bond_active_slave", "datapath_id", "datapath_version",
    "duplex", "ifindex", "link_resets", "link_speed", "link_state", "mac_in_use", "mtu", "ofport", "rstp_statistics",
    "rstp_status", "statistics", "status", "error", "lacp_current",
}  # fmt: skip


class Switch:
    """``remote`` is where its database listens, in the words of the option ovsdb_connection."""

    def __init__(
        self, namespace: Namespace, *arguments: str, listen: Sequence[str] = (), server_arguments: Sequence[str] = ()
    ) -> None:
        """Starts it. ``arguments`` are for ovs-vswitchd; ``listen`` are further remotes of the database server."""
        require("ovsdb-server", PACKAGE)
        require("ovs-vswitchd", PACKAGE)
        require_tun()
        self.ns = namespace
        self._arguments = arguments
        self._server_arguments = [*(f"--remote={remote}" for remote in listen), *server_arguments]
        self._settled = 0
        # Not pytest's directory: the path of a socket has 107 characters at most.
        self.directory = Path(tempfile.mkdtemp(prefix="os-vif-ovs-"))
        self.remote = f"unix:{self.directory}/db.sock"
        self._environment = os.environ | {
            f"OVS_{kind}DIR": str(self.directory) for kind in ("RUN", "DB", "LOG", "SYSCONF")
        }
        self._call("ovsdb-tool", "create", self._database_file, _SCHEMA)
        self.start_server()
        self._call("ovs-vsctl", f"--db={self.remote}", "--no-wait", "init")
        self.start_vswitchd()

    @property
    def _database_file(self) -> str:
        return str(self.directory / "conf.db")

    # --- daemons --------------------------------------------------------------------------------------------

    def start_server(self) -> None:
        """Starts the database server; returns when it listens."""
        remote = f"--remote=p{self.remote}"
        self._daemon("ovsdb-server", "ovsdb-server", self._database_file, remote, *self._server_arguments)

    def start_vswitchd(self) -> None:
        """Starts the switch."""
        program = _WITHOUT_DPDK if Path(_WITHOUT_DPDK).exists() else "ovs-vswitchd"
        self._daemon("ovs-vswitchd", program, self.remote, *self._arguments)

    def stop(self, daemon: str, how: signal.Signals = signal.SIGTERM) -> None:
        """Ends "ovsdb-server" or "ovs-vswitchd", and returns when it is gone. One that is not there is fine."""
        pid = self.pid(daemon)
        if pid is None:
            return
        os.kill(pid, how)
        end = time.monotonic() + 120
        while _runs(pid):
            assert time.monotonic() < end, f"{daemon} does not end"
            time.sleep(0.005)
        (self.directory / f"{daemon}.pid").unlink(missing_ok=True)

    @contextlib.contextmanager
    def frozen(self, daemon: str) -> Iterator[None]:
        """While it lasts, a daemon takes in nothing and does nothing."""
        pid = self.pid(daemon)
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def pid(self, daemon: str) -> int | None:
        """The process of a daemon."""
        with contextlib.suppress(FileNotFoundError):
            return int((self.directory / f"{daemon}.pid").read_text())
        return None

    def close(self) -> None:
        """Ends both daemons and removes their files."""
        for daemon in ("ovs-vswitchd", "ovsdb-server"):
            self.stop(daemon, signal.SIGKILL)
        shutil.rmtree(self.directory)

    def _daemon(self, name: str, *command: str) -> None:
        files = [f"--{kind}={self.directory}/{name}.{end}" for kind, end in (("pidfile", "pid"), ("log-file", "log"))]
        control = f"--unixctl={self.directory}/{name}.ctl"
        self._call(*command, *files, control, "-vconsole:off", "--detach", "--no-chdir")

    def _call(self, *command: str) -> str:
        return self.ns.run(command, env=self._environment).stdout

    def appctl(self, *arguments: str) -> str:
        """ovs-appctl, to ovs-vswitchd; returns what it prints."""
        return self._call("ovs-appctl", f"--target={self.directory}/ovs-vswitchd.ctl", *arguments)

    # --- rows -----------------------------------------------------------------------------------------------

    def vsctl(self, *arguments: str) -> str:
        """ovs-vsctl, which waits until the switch has acted; returns what it prints."""
        return self._call("ovs-vsctl", f"--db={self.remote}", "--timeout=120", *arguments).strip()

    def transact(self, *operations: dict[str, Any]) -> list[dict[str, Any]]:
        """One transaction by ovsdb-client; the results."""
        text = json.dumps(["Open_vSwitch", *operations])
        results: list[dict[str, Any]] = json.loads(self._call("ovsdb-client", "transact", self.remote, text))
        assert not [result for result in results if result and "error" in result], results
        return results

    def rows(self, table: str) -> dict[str, dict[str, Any]]:
        """All rows of a table by name, as plain values; of QoS, by UUID."""
        return self._all_rows()[table]

    def look(self) -> dict[str, Any]:
        """All that is configured, in a form that compares: no UUIDs, nothing that the switch writes by itself."""
        tables = self._all_rows()
        names = {row["_uuid"]: name for rows in tables.values() for name, row in rows.items()}
        qos = {key: _settled(row, names) for key, row in tables["QoS"].items()}
        found: dict[str, Any] = {
            table: {name: _settled(row, names) for name, row in tables[table].items()} for table in _TABLES[:3]
        }
        for port in found["Port"].values():
            port["qos"] = [qos[key] for key in port["qos"]]
        used = {key for row in tables["Port"].values() for key in row["qos"]}
        return found | {"QoS of no port": [row for key, row in qos.items() if key not in used]}

    @contextlib.contextmanager
    def watch(self) -> Iterator[Watch]:
        """Watches the database while the body runs.

        with switch.watch() as watch:
            plug_again()
            assert watch.changes() == []
        """
        watch = Watch(self)
        try:
            yield watch
        finally:
            watch.close()

    def settle(self) -> None:
        """Returns when the switch has acted on all that is in the database now."""
        self._settled += 1
        self.vsctl("set", "Open_vSwitch", ".", f"external_ids:{_MARK}=settle-{self._settled}")

    def clean(self) -> None:
        """Removes all bridges, all QoS, and all devices of the namespace but those that the switch always has."""
        self.transact(
            {"op": "update", "table": "Open_vSwitch", "where": [], "row": {"bridges": ["set", []]}},
            {"op": "update", "table": "Port", "where": [], "row": {"qos": ["set", []]}},
            {"op": "delete", "table": "QoS", "where": []},
        )
        self.settle()
        for name in self.ns.link_names() - {"ovs-netdev", "ovs-system"}:
            self.ns.run(["ip", "link", "delete", name], check=False)

    def _all_rows(self) -> dict[str, dict[str, dict[str, Any]]]:
        answers = self.transact(*({"op": "select", "table": table, "where": []} for table in _TABLES))
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for table, answer in zip(_TABLES, answers, strict=True):
            plain = [{column: _plain(value) for column, value in row.items()} for row in answer["rows"]]
            found[table] = {row.get("name", row["_uuid"]): row for row in plain}
        return found


class Watch:
    """Collects every change of what is configured in the database, from the moment it is made; see Switch.watch()."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(120)
        self._socket.connect(switch.remote.partition(":")[2])
        self._buffer = ""
        self._marks = 0
        schema = self._ask("get_schema", ["Open_vSwitch"])
        wanted = {table: sorted(set(schema["tables"][table]["columns"]) - _VOLATILE) for table in _TABLES}
        wanted["Open_vSwitch"] = ["bridges", "external_ids"]
        self._ask("monitor", ["Open_vSwitch", "m", {table: {"columns": names} for table, names in wanted.items()}])

    def changes(self) -> list[dict[str, Any]]:
        """What has changed since the beginning, or since the last call: a list of updates, one per transaction.

        A change of our own, made last, shows that nothing is on its way.
        """
        self._marks += 1
        mark = f"mark-{id(self)}-{self._marks}"
        values = [["external_ids", "delete", ["set", [_MARK]]], ["external_ids", "insert", ["map", [[_MARK, mark]]]]]
        self._switch.transact({"op": "mutate", "table": "Open_vSwitch", "where": [], "mutations": values})
        seen = []
        while mark not in json.dumps(message := self._next()):
            if message.get("method") == "update":
                seen.append(message["params"][1])
        return seen

    def close(self) -> None:
        """Ends it."""
        self._socket.close()

    def _ask(self, method: str, parameters: list[Any]) -> Any:
        self._socket.sendall(json.dumps({"method": method, "params": parameters, "id": 1}).encode())
        return self._next()["result"]

    def _next(self) -> dict[str, Any]:
        while True:
            with contextlib.suppress(json.JSONDecodeError):
                message, end = json.JSONDecoder().raw_decode(self._buffer)
                self._buffer = self._buffer[end:]
                return dict(message)
            data = self._socket.recv(1 << 20)
            assert data, "the database server has ended"
            self._buffer += data.decode()


def _plain(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 2:
        if value[0] == "uuid":
            return value[1]
        if value[0] == "set":
            return sorted(_plain(item) for item in value[1])
        if value[0] == "map":
            return {key: _plain(item) for key, item in value[1]}
    return value


def _settled(row: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    kept = {column: value for column, value in row.items() if column not in _VOLATILE | {"_uuid"}}
    for column in ("ports", "interfaces"):
        if column in kept:
            values = kept[column] if isinstance(kept[column], list) else [kept[column]]
            kept[column] = sorted(names[value] for value in values)
    if "qos" in kept and not isinstance(kept["qos"], list):
        kept["qos"] = [kept["qos"]]
    return kept


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextlib.contextmanager
def in_a_namespace(*arguments: str) -> Iterator[Switch]:
    """A switch in a namespace of its own."""
    namespace = Namespace()
    try:
        switch = Switch(namespace, *arguments)
        try:
            yield switch
        finally:
            switch.close()
    finally:
        namespace.close()
