# SPDX-License-Identifier: Apache-2.0
"""A daemon that faces guests: started as a user of its own with three capabilities, and recognized later.

setpriv(1) of util-linux gives up the rest before the daemon's first instruction: what it is not given it can never get,
whatever a guest makes it do (capabilities(7), `no_new_privs` in prctl(2)).
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from os_vif import exception

#: To answer who has no address yet, to bind a port below 1024, and to put what it knows into the ARP table.
CAPABILITIES = ("net_admin", "net_raw", "net_bind_service")

#: That of our Debian package; else who a daemon of no special needs is on most distributions. The first that there is.
_USERS = ("os-vif-dhcp", "dnsmasq", "nobody")
_SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class User:
    """``changes``: whether it is another than this process's."""

    name: str
    uid: int
    gid: int
    changes: bool = False


def user(configured: str) -> User:
    """Whom the daemon is to be: the user of that name, or the usual one.

    Only root can start it as somebody else, and only as somebody who is in its user namespace. Raises
    NetworkUnavailable.
    """
    here = _user(pwd.getpwuid(os.geteuid()))
    if here.uid != 0:
        return here
    wanted = _named(configured)
    if wanted is None or wanted.uid == 0 or not (_is_mapped("uid", wanted.uid) and _is_mapped("gid", wanted.gid)):
        return here
    return User(wanted.name, wanted.uid, wanted.gid, changes=True)


def _named(configured: str) -> User | None:
    for name in [configured] if configured else _USERS:
        with contextlib.suppress(KeyError):
            return _user(pwd.getpwnam(name))
    if configured:
        error = exception.NetworkUnavailable(driver="local", reason=f"there is no user {configured} on this machine.")
        error.hint = "Name one that there is in [os_vif_network_local] dhcp_user, or leave it out."
        raise error
    return None


def _user(entry: pwd.struct_passwd) -> User:
    return User(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _is_mapped(kind: str, number: int) -> bool:
    """Whether this user namespace has a user, or group, of that number (user_namespaces(7))."""
    for line in Path(f"/proc/self/{kind}_map").read_text().splitlines():
        first, _, count = map(int, line.split())
        if first <= number < first + count:
            return True
    return False


def command(daemon: Sequence[str], who: User) -> list[str]:
    """The command that starts a daemon without what it does not need. Raises NetworkUnavailable."""
    setpriv = shutil.which("setpriv", path=_SEARCH_PATH)
    if setpriv is None:
        error = exception.NetworkUnavailable(driver="local", reason="setpriv, which takes root's powers, is missing.")
        error.hint = "apt-get install util-linux"
        raise error
    return [setpriv, "--no-new-privs", *_powers(who), "--", *daemon]


def _powers(who: User) -> Iterator[str]:
    if os.geteuid() != 0:
        return
    kept = ",".join(["-all", *(f"+{name}" for name in CAPABILITIES)])
    yield f"--bounding-set={kept}"
    if who.changes:
        yield from (f"--reuid={who.uid}", f"--regid={who.gid}", "--clear-groups")
        yield from (f"--inh-caps={kept}", f"--ambient-caps={kept}")


@contextlib.contextmanager
def process(pid: int, argument: str, uid: int) -> Iterator[int | None]:
    """A descriptor (pidfd_open(2)) of that process if it runs with that argument as that user; else None.

    Looked at once it is held: the number cannot become somebody else's meanwhile.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except (OSError, OverflowError):
        yield None
        return
    try:
        yield descriptor if _is(pid, argument, uid) else None
    finally:
        os.close(descriptor)


def _is(pid: int, argument: str, uid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        status = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    except OSError:
        return False
    real = next((line.split()[1] for line in status if line.startswith("Uid:")), "")
    return argument.encode() in words and real == str(uid)
