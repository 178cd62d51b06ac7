# SPDX-License-Identifier: Apache-2.0
"""Throwaway network namespaces: a real kernel for every test, and nothing left of it afterwards."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from support import kernel, snapshot
from support.monitor import Monitor

T = TypeVar("T")

_numbers = itertools.count(1)


class CommandFailed(AssertionError):
    """A command in a namespace ended with another code than 0; shows what it printed."""

    def __init__(self, result: subprocess.CompletedProcess[str]) -> None:
        command = " ".join(str(part) for part in result.args)
        super().__init__(f"exit code {result.returncode} of: {command}\n{result.stdout}{result.stderr}")
        self.returncode = result.returncode
        self.stdout = result.stdout
        self.stderr = result.stderr


class Namespace:
    """A network namespace with `lo` up and nothing else. The fixtures make and remove it.

    IPv6 addresses are good at once: duplicate address detection is off, since its random pauses make tests flaky.
    """

    def __init__(self) -> None:
        self.name = f"ovif-{os.getpid()}-{next(_numbers)}"
        self._children: list[subprocess.Popen[str]] = []
        _call(["ip", "netns", "add", self.name])
        self._fd = os.open(f"/run/netns/{self.name}", os.O_RDONLY | os.O_CLOEXEC)
        self.inside(_prepare)

    def __repr__(self) -> str:
        return f"<Namespace {self.name}>"

    # --- commands -------------------------------------------------------------------------------------------

    def run(
        self, command: Sequence[str | Path], *, check: bool = True, input: str | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command inside and returns what it printed, as text. Another exit code than 0: CommandFailed."""
        return _call(["ip", "netns", "exec", self.name, *command], check=check, input=input, **options)

    def popen(self, command: Sequence[str | Path], **options: Any) -> subprocess.Popen[str]:
        """Starts a command inside; its pid is the command's own, and it is killed when the namespace goes."""
        child = subprocess.Popen(["ip", "netns", "exec", self.name, *map(str, command)], text=True, **options)
        self._children.append(child)
        return child

    def ip(self, *arguments: str) -> None:
        """`ip` inside, for its effect: ns.ip("link", "add", "br0", "type", "bridge")."""
        _call(["ip", "-n", self.name, *arguments])

    def ip_json(self, *arguments: str) -> Any:
        """`ip -j -d` inside, parsed: ns.ip_json("link", "show", "br0")[0]["mtu"]."""
        printed = _call(["ip", "-n", self.name, "-j", "-d", *arguments]).stdout
        return json.loads(printed) if printed.strip() else []

    def link(self, name: str) -> dict[str, Any] | None:
        """One device as `ip -j -d link show` tells of it, or None when there is no such device."""
        return next((link for link in self.ip_json("link", "show") if link["ifname"] == name), None)

    def link_names(self) -> set[str]:
        """The names of all devices but lo."""
        return {name for _, name in self.inside(socket.if_nameindex)} - {"lo"}

    def python_command(self, code_or_script: str | Path, *arguments: object) -> list[str]:
        """The command line that `python` runs; for popen(), say."""
        script = isinstance(code_or_script, Path)
        source = [str(code_or_script)] if script else ["-c", textwrap.dedent(str(code_or_script))]
        return [sys.executable, *source, *(str(argument) for argument in arguments)]

    def python(self, code_or_script: str | Path, *arguments: object, check: bool = True, **options: Any) -> Any:
        """Runs Python inside, a pathlib.Path as a script, text as code, and returns the JSON that it prints."""
        printed = self.run(self.python_command(code_or_script, *arguments), check=check, **options).stdout
        return json.loads(printed) if printed.strip() else None

    # --- this process, inside -------------------------------------------------------------------------------

    @contextlib.contextmanager
    def enter(self) -> Iterator[None]:
        """The calling thread, and the threads and processes it starts, are inside for a while.

        Netlink, sockets and /proc/sys/net follow; /sys/class/net does not (it is mounted for the whole process).
        """
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            kernel.setns(self._fd, kernel.CLONE_NEWNET)
            try:
                yield
            finally:
                kernel.setns(home, kernel.CLONE_NEWNET)
        finally:
            os.close(home)

    def inside(self, function: Callable[[], T]) -> T:
        """Calls a function in a thread that is inside, and returns or raises what it does."""
        outcome: list[T] = []
        problem: list[BaseException] = []

        def body() -> None:
            try:
                kernel.setns(self._fd, kernel.CLONE_NEWNET)
                outcome.append(function())
            except BaseException as error:
                problem.append(error)

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        if problem:
            raise problem[0]
        return outcome[0]

    # --- looking at it --------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """All observable state, for `==`, or for support.differences(before, after), which reads better."""
        return {
            "links": snapshot.links(self.ip_json("link", "show")),
            "addresses": snapshot.addresses(self.ip_json("addr", "show")),
            "routes": {
                family: snapshot.routes(self.ip_json(family, "route", "show", "table", "all"))
                for family in ("-4", "-6")
            },
            "rules": {family: self.ip_json(family, "rule", "show") for family in ("-4", "-6")},
            "firewall": {
                command: snapshot.firewall(self.run([command]).stdout)
                for command in ("iptables-save", "ip6tables-save")
            },
            "sysctls": self.inside(snapshot.sysctls),
        }

    @contextlib.contextmanager
    def monitor(self, quiet: float = 1.1) -> Iterator[Monitor]:
        """Records every write to the kernel's network state while the body runs; read `.events` afterwards.

        Waits first until the namespace has been quiet for so many seconds: the kernel tells of carrier by itself,
        up to a second after the cause. 0 does not wait; right where the state before was made long ago.

            with ns.monitor() as monitor:
                plug_again()
            assert monitor.events == []
        """
        watching = self.inside(Monitor)
        try:
            if quiet:
                self.inside(lambda: watching.settle(quiet))
            yield watching
            self.inside(watching.collect)
        finally:
            watching.close()

    # --- the end --------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Ends what runs inside and removes the namespace with all its devices. A second time does nothing."""
        if self._fd < 0:
            return
        for pid in _call(["ip", "netns", "pids", self.name], check=False).stdout.split():
            with contextlib.suppress(ProcessLookupError):
                if int(pid) != os.getpid():
                    os.kill(int(pid), 9)
        for child in self._children:
            child.kill()
            child.wait()
        os.close(self._fd)
        self._fd = -1
        _call(["ip", "netns", "delete", self.name], check=False)


def _prepare() -> None:
    for setting in ("all/accept_dad", "default/accept_dad", "default/dad_transmits"):
        with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
            Path("/proc/sys/net/ipv6/conf", setting).write_text("0")
    kernel.loopback_up()


def _call(
    command: Sequence[str | Path], *, check: bool = True, timeout: float = 120, **options: Any
) -> subprocess.CompletedProcess[str]:
    options.setdefault("stdin", subprocess.DEVNULL if options.get("input") is None else None)
    if options["stdin"] is None:
        del options["stdin"]
    result = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=timeout, check=False, **options
    )
    if check and result.returncode != 0:
        raise CommandFailed(result)
    return result
