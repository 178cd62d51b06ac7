# SPDX-License-Identifier: Apache-2.0
"""A dnsmasq that serves DHCP on one bridge: its files, which are all in one directory, and its process.

It gives nobody an address but those that the file ``hosts`` names. Options are those of dnsmasq(8), version 2.80 and
newer; ``static`` ranges and ``dhcp-hostsfile``, read again on SIGHUP, are what the rest stands on.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network
from pathlib import Path

from os_vif import exception
from os_vif.host import namespaces
from os_vif.networks.driver import Port
from os_vif.networks.local.model import Network

PACKAGE = "dnsmasq-base"

_LEASE = "1h"
_SECONDS_TO_START, _SECONDS_TO_STOP = 30, 10


def program() -> str:
    """Where dnsmasq is. Raises NetworkUnavailable, which says how to install it."""
    found = shutil.which("dnsmasq", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if found is None:
        error = exception.NetworkUnavailable(driver="local", reason="dnsmasq, which serves DHCP, is not installed.")
        error.hint = f"apt-get install --no-install-recommends {PACKAGE}"
        raise error
    return found


class Dnsmasq:
    """The one whose files are in ``directory``, whether it runs or not."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._configuration = directory / "dnsmasq.conf"
        self._hosts = directory / "hosts"
        self._leases = directory / "leases"
        self._pid_file = directory / "pid"

    def write_configuration(self, network: Network) -> None:
        """What it serves; it is read when it starts."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._configuration.write_text("".join(f"{line}\n" for line in self._lines(network)))

    def _lines(self, network: Network) -> Iterator[str]:
        yield from ("port=0", "dhcp-authoritative", "bind-dynamic", "except-interface=lo")
        yield f"interface={network.bridge}"
        # Whoever else it were could not read its files again; and in a user namespace it can be nobody else.
        yield from (f"user={pwd.getpwuid(os.geteuid()).pw_name}", "group=")
        yield f"pid-file={self._pid_file}"
        yield f"log-facility={self._directory / 'log'}"
        yield f"dhcp-leasefile={self._leases}"
        yield f"dhcp-hostsfile={self._hosts}"
        yield f"dhcp-option=option:mtu,{network.mtu}"
        for number, subnet in enumerate(subnet for subnet in network.subnets if subnet.dhcp_server):
            cidr = IPv4Network(subnet.cidr)
            yield f"dhcp-range=set:subnet{number},{cidr.network_address},static,{cidr.netmask},{_LEASE}"
            # Without a value none is told of; else it would be dnsmasq itself.
            gateway = f",{subnet.gateway}" if subnet.gateway else ""
            yield f"dhcp-option=tag:subnet{number},option:router{gateway}"

    def write_hosts(self, ports: Sequence[Port]) -> bool:
        """Who gets which address; whether that is something new."""
        text = "".join(f"{line}\n" for line in _hosts(ports))
        if self._hosts.exists() and self._hosts.read_text() == text:
            return False
        new = self._hosts.with_suffix(".new")
        new.write_text(text)
        new.replace(self._hosts)
        return True

    def pid(self) -> int | None:
        """Its process, if it runs. A pid that has become somebody else's is not taken for it."""
        with contextlib.suppress(OSError, ValueError):
            pid = int(self._pid_file.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            return pid if f"--conf-file={self._configuration}".encode() in command else None
        return None

    def start(self) -> None:
        """Starts it in the network namespace of the calling thread; it listens when this returns.

        Raises NetworkUnavailable, with its own words.
        """
        command = [program(), f"--conf-file={self._configuration}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS_TO_START)
        except subprocess.TimeoutExpired as error:
            reason = f"dnsmasq did not start within {_SECONDS_TO_START} seconds."
            raise exception.NetworkUnavailable(driver="local", reason=reason) from error
        if done.returncode:
            raise exception.NetworkUnavailable(driver="local", reason=f"{' '.join(done.stderr.split())}.")

    def reread(self) -> None:
        """Has it read again who gets which address.

        Where an address that it has leased is somebody else's by now, it is started anew: it would go on keeping that
        address for who had it.
        """
        pid = self.pid()
        if pid is None:
            return
        if self._stale_leases():
            namespaces.inside(Path(f"/proc/{pid}/ns/net"), self._restart)
        else:
            os.kill(pid, signal.SIGHUP)

    def _restart(self) -> None:
        self.stop()
        stale = self._stale_leases()
        kept = [line for line in self._leases.read_text().splitlines(keepends=True) if line not in stale]
        self._leases.write_text("".join(kept))
        self.start()

    def _stale_leases(self) -> list[str]:
        """Lines of the file of leases: the end of the lease, MAC, address, ..."""
        if not self._leases.exists():
            return []
        given = set(self._hosts.read_text().split())
        lines = self._leases.read_text().splitlines(keepends=True)
        return [line for line in lines if ",".join(line.split()[1:3]) not in given]

    def stop(self) -> None:
        """Ends it, and returns when it is gone. Nothing happens if it does not run."""
        pid = self.pid()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process = os.pidfd_open(pid)
            try:
                for how in (signal.SIGTERM, signal.SIGKILL):
                    signal.pidfd_send_signal(process, how)
                    if select.select([process], [], [], _SECONDS_TO_STOP)[0]:
                        break
            finally:
                os.close(process)

    def remove_files(self) -> None:
        """Removes the directory."""
        shutil.rmtree(self._directory, ignore_errors=True)


def _hosts(ports: Sequence[Port]) -> Iterator[str]:
    for port in ports:
        address = next((text for text in port.ip_addresses if ":" not in text), None)
        if address:
            yield f"{port.mac_address},{address}"
