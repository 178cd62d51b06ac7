# SPDX-License-Identifier: Apache-2.0
"""Network namespaces by name, as `ip netns` keeps them, and what is to be done inside of one.

Source: ip-netns(8), setns(2). `ip` makes and removes them: the mounts that this takes are its own affair.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from os_vif.host.process import children, threads

T = TypeVar("T")

DIRECTORY = Path("/run/netns")

_CLONE_NEWNET = 0x40000000
_SECONDS = 30
#: Beside where the caller looks: services often do without these.
_MORE_PLACES = "/usr/sbin:/sbin:/usr/bin:/bin"


def exists(path: Path) -> bool:
    """Whether there is a network namespace; a name whose mount is gone, with a container say, is none."""
    try:
        return path.stat().st_dev == Path("/proc/self/ns/net").stat().st_dev
    except FileNotFoundError:
        return False


def inside(path: Path, function: Callable[[], T]) -> T:
    """Calls a function in a thread that is in the namespace; returns or raises what it does. Raises OSError."""
    return _in_thread(lambda: _enter(path), function, f"inside {path.name}")


def _in_thread(enter: Callable[[], None], function: Callable[[], T], name: str) -> T:
    outcome: list[T] = []
    problem: list[BaseException] = []

    def body() -> None:
        try:
            enter()
            outcome.append(function())
        except BaseException as error:
            problem.append(error)

    # The thread ends with the call: nobody else can come to run in a namespace that is not his.
    thread = threads.native(body, name)
    thread.start()
    thread.join()
    if problem:
        raise problem[0]
    return outcome[0]


def _enter(path: Path) -> None:
    namespace = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("setns", (namespace, _CLONE_NEWNET), f"the namespace {path} cannot be entered")
    finally:
        os.close(namespace)


def _call(function: str, arguments: tuple[int, ...], failure: str) -> None:
    """os.setns() and os.unshare() are there from Python 3.12 on."""
    if getattr(ctypes.CDLL(None, use_errno=True), function)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{failure}: {os.strerror(number)}")


def make(name: str, furnish: Callable[[], None]) -> None:
    """Makes a namespace; takes a name over that leads nowhere. Raises OSError, with `ip`'s words.

    It is furnished before it has a name: of one that is cut off before that, nothing is left.
    """
    if (DIRECTORY / name).exists() and not exists(DIRECTORY / name):
        remove(name)

    def fill_and_name() -> None:
        furnish()
        _ip_netns("attach", name, str(threading.get_native_id()))

    unshare = ("unshare", (_CLONE_NEWNET,), "no namespace can be made")
    _in_thread(lambda: _call(*unshare), fill_and_name, f"making {name}")


def remove(name: str) -> None:
    """Takes away the name of a namespace; it ends when nobody is in it. Raises OSError, with `ip`'s words."""
    _ip_netns("delete", name)


def has_processes(name: str) -> bool:
    """Whether anybody runs in there. Raises OSError."""
    return bool(_ip_netns("pids", name).strip())


def _ip_netns(*arguments: str) -> str:
    shown = " ".join(["ip", "netns", *arguments])
    program = shutil.which("ip", path=f"{os.environ.get('PATH', os.defpath)}:{_MORE_PLACES}")
    if program is None:
        raise OSError("the program ip is missing (Debian: iproute2), and it keeps the names of namespaces")
    try:
        done = children.run([program, "netns", *arguments], seconds=_SECONDS)
    except children.TookTooLong as error:
        raise OSError(f"`{shown}` did not end within {_SECONDS} seconds") from error
    if done.code:
        raise OSError(f"`{shown}`: {' '.join(done.errors.split())}")
    return done.output
