# SPDX-License-Identifier: Apache-2.0
"""The floor: what the kernel and Open vSwitch themselves take for what a VIF needs, asked for by hand.

`python floor.py TASK [KIND]` prints one line of JSON. Messages are encoded beforehand and go over one netlink socket
and one connection to the database; nothing is looked up, recorded or read back. To plug is to make the devices, one
transaction, and to wait until the switch has acted on it; to re-plug, to look at each device and at the rows.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import statistics
import struct
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

ROUNDS = 21
MAC = bytes.fromhex("525400123456")

NEW, DELETE, GET = 16, 17, 18  # RTM_*LINK
CREATE = 0x400 | 0x200  # NLM_F_CREATE, NLM_F_EXCL
ADDRESS, NAME, MTU, MASTER, INFO, ALIAS, GROUP = 1, 3, 4, 10, 18, 20, 27  # IFLA_*
KIND, DATA = 1, 2  # IFLA_INFO_*
UP, PROMISCUOUS = 0x1, 0x100  # IFF_*
TUNSETIFF, TUNSETPERSIST, TAP_WITHOUT_HEADER = 0x400454CA, 0x400454CB, 0x1002 | 0x8000

HOST_IP_OFF = {"ipv6": [("disable_ipv6", "1")], "ipv4": [("arp_ignore", "1"), ("arp_announce", "2")]}

#: Something to do, all that can be prepared being prepared.
Job = Callable[[], None]


def linux_bridge(kind: str = "") -> dict[str, float]:
    """A Linux bridge of its own for each VIF."""
    kernel = Kernel()
    rounds = []
    for number in range(ROUNDS):
        name = f"brf{number}"
        make = [kernel.job(NEW, name, CREATE, create("bridge", name)), *kernel.marked_and_silent(name)]
        make += [kernel.job(NEW, name, 0, u32(MTU, 1500)), kernel.job(NEW, name, flags=UP)]
        rounds.append((make, kernel.look_at(name), [kernel.job(DELETE, name)]))
    return measured(rounds)


def ovs(kind: str) -> dict[str, float]:
    """A port of the switch that the variable OVSDB tells of: "hybrid", or "tap"."""
    kernel, database = Kernel(), Database(os.environ["OVSDB"])
    rounds = [(hybrid if kind == "hybrid" else tap)(kernel, database, number) for number in range(ROUNDS)]
    return measured(rounds)


def hybrid(kernel: Kernel, database: Database, number: int) -> tuple[list[Job], list[Job], list[Job]]:
    """A Linux bridge, and a veth pair from it to the switch."""
    bridge, near, far, index = f"qbr{number}", f"qvb{number}", f"qvo{number}", 10_000 + number
    quick = nested(DATA, u32(4, 0), u32(1, 0), u32(5, 0), attribute(23, b"\0"))  # IFLA_BR_*
    peer = nested(DATA, nested(1, struct.pack("=BxHiII", 0, 0, 0, 0, 0), text(NAME, far)))
    make = [kernel.job(NEW, bridge, CREATE, create("bridge", bridge, quick), index=index)]
    make += [*kernel.marked_and_silent(bridge), kernel.job(NEW, bridge, flags=UP)]
    make += [kernel.job(NEW, near, CREATE, create("veth", near, peer))]
    for end, more in ((near, u32(MASTER, index)), (far, b"")):
        make += [*kernel.marked_and_silent(end), kernel.job(NEW, end, 0, u32(MTU, 1500))]
        make += [kernel.job(NEW, end, 0, more, flags=PROMISCUOUS | UP)]
    group = u32(GROUP, 1 << 30 | number)
    end = [database.remove(far), kernel.job(NEW, near, 0, group), kernel.job(NEW, bridge, 0, group)]
    look = [*kernel.look_at(bridge), *kernel.look_at(near), *kernel.look_at(far), database.look_at(far)]
    return [*make, database.add(far)], look, [*end, kernel.job(DELETE, "", 0, group)]


def tap(kernel: Kernel, database: Database, number: int) -> tuple[list[Job], list[Job], list[Job]]:
    """A tap that is a port of the switch."""
    name = f"tapf{number}"
    settings = kernel.job(NEW, name, 0, attribute(ADDRESS, MAC) + u32(MTU, 1500))
    make = [lambda: make_tap(name, settings), *kernel.marked_and_silent(name), kernel.job(NEW, name, flags=UP)]
    end = [database.remove(name), kernel.job(DELETE, name)]
    return [*make, database.add(name)], [*kernel.look_at(name), database.look_at(name)], end


def measured(rounds: list[tuple[list[Job], list[Job], list[Job]]]) -> dict[str, float]:
    """Medians in milliseconds; the first round warms up."""
    times: dict[str, list[float]] = {"plug": [], "replug": [], "unplug": []}
    for jobs in rounds:
        for found, some in zip(times.values(), jobs, strict=True):
            began = time.perf_counter()
            for job in some:
                job()
            found.append((time.perf_counter() - began) * 1e3)
    return {name: statistics.median(found[1:]) for name, found in times.items()}


class Kernel:
    """A netlink socket, and jobs for it."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))

    def job(
        self, kind: int, name: str, how: int = 0, attributes: bytes = b"", *, flags: int = 0, index: int = 0
    ) -> Job:
        """One message about the device of that name."""
        body = struct.pack("=BxHiII", 0, 0, index, flags, flags) + attributes
        if name and not how:
            body += text(NAME, name)
        wants = how | (0x1 if kind == GET else 0x5)  # NLM_F_REQUEST, NLM_F_ACK
        message = struct.pack("=IHHII", 16 + len(body), kind, wants, 1, 0) + body
        return lambda: self._ask(message)

    def marked_and_silent(self, name: str) -> list[Job]:
        """An alias, and no IP of the host's."""
        keys = [(f"/proc/sys/net/{ip}/conf/{name}/{key}", value) for ip, on in HOST_IP_OFF.items() for key, value in on]
        alias = self.job(NEW, name, 0, text(ALIAS, "os-vif:" + str(uuid.uuid4())))
        return [alias, *(lambda path=path, value=value: write(path, value) for path, value in keys)]  # type: ignore[misc]

    def look_at(self, name: str) -> list[Job]:
        """The device, and whether its IP is off."""
        paths = [f"/proc/sys/net/{ip}/conf/{name}/{key}" for ip, on in HOST_IP_OFF.items() for key, _ in on]
        return [self.job(GET, name), *(lambda path=path: read(path) for path in paths)]  # type: ignore[misc]

    def _ask(self, message: bytes) -> None:
        self._socket.send(message)
        answer = self._socket.recv(1 << 16)
        kind, error = struct.unpack_from("=4xH10xi", answer)
        if kind == 2 and error:
            raise OSError(-error, os.strerror(-error))


class Database:
    """A connection to OVSDB, and jobs for it."""

    def __init__(self, remote: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(remote.partition(":")[2])

    def add(self, name: str) -> Job:
        """A port in br-int; ends when the switch has acted on it, and has opened it."""
        port, interface = str(uuid.uuid4()), str(uuid.uuid4())
        ids = ["map", [["iface-id", port], ["iface-status", "active"], ["attached-mac", "52:54:00:12:34:56"]]]
        adding = encoded(
            insert("Interface", interface, {"name": name, "external_ids": ids}),
            insert("Port", port, {"name": name, "interfaces": ["uuid", interface]}),
            mutate("Bridge", [["name", "==", "br-int"]], ["ports", "insert", ["uuid", port]]),
            mutate("Open_vSwitch", [], ["next_cfg", "+=", 1]),
            select("Open_vSwitch", [], "next_cfg"),
        )
        question = select("Interface", [["name", "==", name]], "ofport", "error")

        def job() -> None:
            wanted = self._ask(adding)[-1]["rows"][0]["next_cfg"]
            acted = {"op": "wait", "table": "Open_vSwitch", "columns": ["cur_cfg"], "until": "!=", "rows": []}
            answer = self._ask(encoded(acted | {"where": [["cur_cfg", ">=", wanted]], "timeout": 10000}, question))
            if not isinstance(answer[1]["rows"][0]["ofport"], int):
                raise OSError(f"{name} was not opened: {answer}")

        return job

    def remove(self, name: str) -> Job:
        """The port goes, and its interface with it."""
        # By its name a bridge does not know a port; which UUID it has is asked before, as for a re-plug.
        question = encoded(select("Port", [["name", "==", name]], "_uuid"))

        def job() -> None:
            port = self._ask(question)[0]["rows"][0]["_uuid"]
            self._ask(encoded(mutate("Bridge", [["name", "==", "br-int"]], ["ports", "delete", port])))

        return job

    def look_at(self, name: str) -> Job:
        """The rows of a port, and of the bridge."""
        where = [["name", "==", name]]
        message = encoded(
            select("Bridge", [["name", "==", "br-int"]], "name", "datapath_type"),
            select("Port", where, "name", "external_ids"),
            select("Interface", where, "name", "type", "options", "external_ids", "mtu_request", "ofport", "error"),
        )
        return lambda: void(self._ask(message))

    def _ask(self, message: bytes) -> list[Any]:
        self._socket.send(message)
        text = ""
        while True:
            text += self._socket.recv(1 << 16).decode()
            try:
                answer = json.loads(text)
            except ValueError:
                continue
            failed = [result for result in answer["result"] if result and "error" in result]
            if failed:
                raise OSError(str(failed))
            return list(answer["result"])


def make_tap(name: str, settings: Job) -> None:
    """A persistent tap; set up before it is made persistent."""
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), TAP_WITHOUT_HEADER))
    settings()
    fcntl.ioctl(tun, TUNSETPERSIST, 1)
    os.close(tun)


def write(path: str, value: str) -> None:
    """Sets a sysctl."""
    file = os.open(path, os.O_WRONLY)
    os.write(file, value.encode())
    os.close(file)


def read(path: str) -> None:
    """Looks at a sysctl."""
    file = os.open(path, os.O_RDONLY)
    os.read(file, 64)
    os.close(file)


def create(kind: str, name: str, data: bytes = b"") -> bytes:
    """The attributes that a device is born with."""
    return text(NAME, name) + u32(GROUP, 4711) + nested(INFO, text(KIND, kind), data)


def attribute(number: int, value: bytes) -> bytes:
    """One attribute, padded (netlink(7))."""
    return struct.pack("=HH", 4 + len(value), number) + value + b"\0" * (-len(value) % 4)


def text(number: int, value: str) -> bytes:
    """A string."""
    return attribute(number, value.encode() + b"\0")


def u32(number: int, value: int) -> bytes:
    """A number."""
    return attribute(number, struct.pack("=I", value))


def nested(number: int, *values: bytes) -> bytes:
    """Attributes in an attribute."""
    return attribute(number | 0x8000, b"".join(values))


def insert(table: str, row_uuid: str, row: dict[str, Any]) -> dict[str, Any]:
    """These three: operations of RFC 7047."""
    return {"op": "insert", "table": table, "uuid": row_uuid, "row": row}


def mutate(table: str, where: list[Any], *mutations: list[Any]) -> dict[str, Any]:
    """See insert()."""
    return {"op": "mutate", "table": table, "where": where, "mutations": list(mutations)}


def select(table: str, where: list[Any], *columns: str) -> dict[str, Any]:
    """See insert()."""
    return {"op": "select", "table": table, "where": where, "columns": list(columns)}


def encoded(*operations: dict[str, Any]) -> bytes:
    """A transaction as it goes over the wire."""
    return json.dumps({"method": "transact", "params": ["Open_vSwitch", *operations], "id": 1}).encode()


def void(value: object) -> None:
    """Takes a value and drops it."""


if __name__ == "__main__":
    task = {"linux_bridge": linux_bridge, "ovs": ovs}[sys.argv[1]]
    print(json.dumps(task(*sys.argv[2:])))
