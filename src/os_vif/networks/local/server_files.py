# SPDX-License-Identifier: Apache-2.0
"""The files of a DHCP server, in a directory where nobody writes but who starts it; the server has one inside it.

Root's is below /run/os-vif, which goes with a reboot as the server does; a link beside the database leads there, for
people. What the server writes, its process id, is read with suspicion: guests talk to the server.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from os_vif import exception
from os_vif.host.journal import state_directory
from os_vif.networks.local.confinement import User

#: The directory of all servers, and that which a server owns in its own.
_SERVERS, _OWN = "dhcp", "run"

#: In bytes; more is no process id.
_LONGEST_PID = 16


class ServerFiles:
    """Those of one server, by its network's id; ``beside``: the directory of the database."""

    def __init__(self, network_id: str, beside: Path) -> None:
        self._network_id = network_id
        self._beside = beside

    @property
    def _name(self) -> str:
        return f"{_SERVERS}/{self._network_id}"

    def make(self, who: User) -> Path:
        """The directory, made where it is missing; ``who`` can read it. Raises UntrustedFile, OSError."""
        found = self.find()
        if found is not None and found.stat().st_uid != os.geteuid():
            reason = f"it belongs to {state_directory.user(found.stat().st_uid)}, who has to see to it"
            raise PermissionError(errno.EACCES, reason, str(found))
        directory = state_directory.trusted_directory(self._name, self._beside)
        if who.changes:
            for one in {directory, directory.parent, directory.parent.parent} - {self._beside}:
                one.chmod(0o755)
        own = directory / _OWN
        own.mkdir(exist_ok=True)
        own.chmod(0o755)  # whoever asks whether it runs reads its process id
        os.chown(own, who.uid, who.gid, follow_symlinks=False)
        with contextlib.suppress(FileExistsError):
            (directory / "pid").symlink_to(f"{_OWN}/pid")
        if directory.parent.parent != self._beside:
            self._among_servers_beside(lambda servers: os.symlink(directory, self._network_id, dir_fd=servers))
        return directory

    def find(self) -> Path | None:
        """The directory, if there is one that can be trusted; root's can by everybody."""
        roots = state_directory.RUN_DIRECTORY / self._name
        with contextlib.suppress(OSError):
            if os.geteuid() != 0 and roots.stat().st_uid in state_directory.trusted_users():
                return roots
        try:
            return state_directory.trusted_directory(self._name, self._beside, make=False)
        except (OSError, exception.UntrustedFile):
            return None

    def pid_file(self, directory: Path) -> Path:
        """Where the server writes its process id."""
        return directory / _OWN / "pid"

    def pid(self, directory: Path) -> int | None:
        """What the server says is its process."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(self.pid_file(directory), flags)
        except OSError:
            return None
        try:
            return int(os.read(descriptor, _LONGEST_PID)) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
        except (OSError, ValueError):
            return None
        finally:
            os.close(descriptor)

    def owner(self, directory: Path) -> int:
        """The user that the server was started as. Raises OSError."""
        return (directory / _OWN).lstat().st_uid

    def remove(self) -> None:
        """Removes the directory, and the link to it."""
        directory = self.find()
        if directory is not None:
            shutil.rmtree(directory, ignore_errors=True)
        self._among_servers_beside(self._unlink)

    def _unlink(self, servers: int) -> None:
        if stat.S_ISLNK(os.lstat(self._network_id, dir_fd=servers).st_mode):
            os.unlink(self._network_id, dir_fd=servers)

    def _among_servers_beside(self, act: Callable[[int], None]) -> None:
        """People can do without a link that cannot be made, as in a directory of somebody else."""
        with contextlib.suppress(OSError, exception.UntrustedFile):
            descriptor = state_directory.open_directory(self._beside / _SERVERS, make=True)
            try:
                act(descriptor)
            finally:
                os.close(descriptor)


def known(beside: Path) -> set[str]:
    """The ids of networks that there are files of servers for."""
    found: set[str] = set()
    for place in (state_directory.RUN_DIRECTORY, beside):
        with contextlib.suppress(OSError):
            found |= {one.name for one in (place / _SERVERS).iterdir()}
    return found
