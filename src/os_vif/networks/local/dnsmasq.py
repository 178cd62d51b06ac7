# SPDX-License-Identifier: Apache-2.0
"""A dnsmasq that serves DHCP on one bridge: what it is told, and its process.

It answers nobody but those that the file ``hosts`` names. Options are those of dnsmasq(8), version 2.80 and newer;
``static`` ranges and ``dhcp-hostsfile``, read again on SIGHUP, are what the rest stands on. It writes no leases: only
``hosts`` says whom an address is for, and a guest that renews a lease from before a restart is given it again.
"""

from __future__ import annotations

import contextlib
import enum
import os
import select
import shutil
import signal
import subprocess
from collections.abc import Collection, Iterable, Iterator, Sequence
from ipaddress import IPv4Network
from pathlib import Path

from os_vif import exception
from os_vif.host.kernel import namespaces
from os_vif.networks.driver import Port
from os_vif.networks.local import confinement
from os_vif.networks.local.model import Network
from os_vif.networks.local.server_files import ServerFiles

PACKAGE = "dnsmasq-base"

#: Where it is to run; for whoever starts it.
PLACE = "place"
_CONFIGURATION, _HOSTS = "dnsmasq.conf", "hosts"
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


class _News(enum.Enum):
    """What became of those it serves. Reading again is for more of them; it keeps a lease for who had it."""

    NONE = enum.auto()
    MORE = enum.auto()
    LESS = enum.auto()


class Dnsmasq:
    """That of a network, whether it runs or not. ``user``: whom it is to be, as configured."""

    def __init__(self, network: Network, files: ServerFiles, user: str) -> None:
        self._network = network
        self._files = files
        self._user = user

    def keep(self, ports: Sequence[Port], gateways: Collection[str], place: str) -> None:
        """Writes down what it serves, to whom, and where; starts it, here, unless it runs and knows all that.

        ``gateways``: those that guests are told of. Raises OSError, UntrustedFile, NetworkUnavailable.
        """
        who = confinement.user(self._user)
        self._stop_another(who)
        directory = self._files.make(who)
        _write(directory / PLACE, place)
        changed = _write(directory / _CONFIGURATION, _text(self._lines(directory, who, gateways)))
        news = self._write_hosts(directory, ports)
        if self.runs_here:
            self._send(signal.SIGCONT)
            self._follow(_News.LESS if changed else news)
        else:
            self.stop()
            self.start()

    def _stop_another(self, who: confinement.User) -> None:
        """One that runs as the user of before is known by that user."""
        directory = self._files.find()
        with contextlib.suppress(FileNotFoundError):
            if directory is not None and self._files.owner(directory) != who.uid:
                self.stop()

    @property
    def configuration(self) -> str:
        """What it was started with."""
        directory = self._files.find()
        return "" if directory is None else _read(directory / _CONFIGURATION)

    def is_told(self, ports: Sequence[Port], gateways: Collection[str]) -> bool:
        """Whether all that write() would write is written."""
        directory = self._files.find()
        if directory is None:
            return False
        lines = self._lines(directory, confinement.user(self._user), gateways)
        return self.configuration == _text(lines) and _read(directory / _HOSTS) == _text(_hosts(ports))

    def _lines(self, directory: Path, who: confinement.User, gateways: Collection[str]) -> Iterator[str]:
        yield from ("port=0", "dhcp-authoritative", "dhcp-ignore=tag:!known", "bind-dynamic", "except-interface=lo")
        yield f"interface={self._network.bridge}"
        # It is this user already: root's dnsmasq would look for one of its own.
        yield from (f"user={who.name}", "group=")
        yield f"pid-file={self._files.pid_file(directory)}"
        yield "leasefile-ro"
        yield f"dhcp-hostsfile={directory / _HOSTS}"
        yield f"dhcp-option=option:mtu,{self._network.mtu}"
        for number, subnet in enumerate(subnet for subnet in self._network.subnets if subnet.dhcp_server):
            cidr = IPv4Network(subnet.cidr)
            yield f"dhcp-range=set:subnet{number},{cidr.network_address},static,{cidr.netmask},{_LEASE}"
            # Without a value none is told of; else it would be dnsmasq itself.
            gateway = f",{subnet.gateway}" if subnet.gateway in gateways else ""
            yield f"dhcp-option=tag:subnet{number},option:router{gateway}"

    def tell(self, ports: Sequence[Port]) -> None:
        """Writes down who gets which address; a server that runs follows. Raises OSError, NetworkUnavailable."""
        directory = self._files.find()
        if directory is not None:
            self._follow(self._write_hosts(directory, ports))

    def _write_hosts(self, directory: Path, ports: Sequence[Port]) -> _News:
        lines = list(_hosts(ports))
        before = set(_read(directory / _HOSTS).splitlines())
        if not _write(directory / _HOSTS, _text(lines)):
            return _News.NONE
        return _News.LESS if before - set(lines) else _News.MORE

    def _follow(self, news: _News) -> None:
        if news is _News.LESS:
            self.restart()
        elif news is _News.MORE:
            self._send(signal.SIGHUP)

    @property
    def runs(self) -> bool:
        """Whether there is a process."""
        with self._process() as process:
            return process is not None

    @property
    def runs_here(self) -> bool:
        """Whether there is one in the network namespace of the calling thread."""
        namespace = self._namespace()
        return namespace is not None and namespace == Path("/proc/thread-self/ns/net").stat().st_ino

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has stopped it, and it goes on at SIGCONT."""
        with self._process() as process, contextlib.suppress(OSError):
            status = "" if process is None else Path(f"/proc/{self._pid()}/status").read_text(errors="replace")
            return "\nState:\tT" in status
        return False

    def _namespace(self) -> int | None:
        with self._process() as process, contextlib.suppress(OSError):
            return None if process is None else Path(f"/proc/{self._pid()}/ns/net").stat().st_ino
        return None

    def start(self) -> None:
        """Starts it in the network namespace of the calling thread; it listens when this returns.

        Raises NetworkUnavailable, with its own words.
        """
        directory = self._files.make(confinement.user(self._user))
        command = confinement.command([program(), _argument(directory)], confinement.user(self._user))
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS_TO_START,
            )
        except subprocess.TimeoutExpired as error:
            reason = f"dnsmasq did not start within {_SECONDS_TO_START} seconds."
            raise exception.NetworkUnavailable(driver="local", reason=reason) from error
        if done.returncode:
            raise exception.NetworkUnavailable(driver="local", reason=f"{' '.join(done.stderr.split())}.")

    def restart(self) -> None:
        """Starts one that runs anew, where it runs."""
        with self._process() as process:
            if process is None:
                return
            namespace = os.open(f"/proc/{self._pid()}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.stop()
            namespaces.inside(Path(f"/proc/self/fd/{namespace}"), self.start)
        finally:
            os.close(namespace)

    def stop(self) -> None:
        """Ends it, and returns when it is gone. Nothing happens if it does not run."""
        with self._process() as process, contextlib.suppress(ProcessLookupError):
            if process is None:
                return
            for how in (signal.SIGTERM, signal.SIGKILL):
                signal.pidfd_send_signal(process, how)
                if select.select([process], [], [], _SECONDS_TO_STOP)[0]:
                    break

    def _send(self, number: int) -> None:
        with self._process() as process, contextlib.suppress(ProcessLookupError):
            if process is not None:
                signal.pidfd_send_signal(process, number)

    @contextlib.contextmanager
    def _process(self) -> Iterator[int | None]:
        """A descriptor of its process, if it runs. A pid that has become somebody else's is not taken for it."""
        directory, pid = self._files.find(), self._pid()
        if directory is None or pid is None:
            yield None
            return
        with confinement.process(pid, _argument(directory), self._files.owner(directory)) as found:
            yield found

    def _pid(self) -> int | None:
        directory = self._files.find()
        return None if directory is None else self._files.pid(directory)


def _argument(directory: Path) -> str:
    return f"--conf-file={directory / _CONFIGURATION}"


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _write(path: Path, text: str) -> bool:
    """Exchanges a file's text, in a directory of ours alone; whether it was another one. It is for the server too."""
    if _read(path) == text:
        return False
    new = path.with_suffix(".new")
    new.write_text(text)
    new.chmod(0o644)
    new.replace(path)
    return True


def _read(path: Path) -> str:
    """ "" where there is nothing."""
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return ""


def _hosts(ports: Sequence[Port]) -> Iterator[str]:
    for port in ports:
        address = next((text for text in port.ip_addresses if ":" not in text), None)
        if address:
            yield f"{port.mac_address},{address}"
