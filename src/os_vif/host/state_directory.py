# SPDX-License-Identifier: Apache-2.0
"""Directories that hold our files, and who can exchange what is in them.

The state directory may belong to a service, and root's `vif` looks into it. So whoever can write there must not be able
to make root open something else: a link, a FIFO, somebody's own file in place of ours. On the way to a directory every
part is opened for itself, and looked at, before the next one is: what is found in a directory is chosen by whoever owns
that directory (and, where everybody may write in it, by whoever owns what is found). Root and this user may choose
anything; others nothing but what is their own.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from os_vif import exception

#: Where root keeps what only root may write: gone with a reboot, as the processes are that it is for.
RUN_DIRECTORY = Path("/run/os-vif")

_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: As many as the kernel follows (path_resolution(7)).
_MOST_LINKS = 40


def open_directory(path: Path, *, make: bool = False) -> int:
    """A descriptor of a directory that nobody can have exchanged but root, this user, or who owns it.

    With ``make`` it is made where it is missing, open to its owner only. Raises UntrustedFile, OSError.
    """
    with _Walk() as walk:
        walk.go(str(path.absolute()), make=make)
        found = os.fstat(walk.descriptor)
        if not stat.S_ISDIR(found.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
        if found.st_mode & 0o002:
            raise untrusted(path, found, "everybody may write in it")
        return os.open(".", _OPEN, dir_fd=walk.descriptor)


def trusted_directory(name: str, beside: Path, *, make: bool = True) -> Path:
    """A directory for files that a program of ours obeys (a daemon's configuration): this user alone can write in it.

    ``name`` may have several parts, "dhcp/ID". Root's is below /run/os-vif, because the state directory may be that of
    a service; anybody else's below ``beside``, the state directory, or $XDG_RUNTIME_DIR. Without ``make``, it is the
    first of these that is there. Raises UntrustedFile, which names those tried, and FileNotFoundError.
    """
    problems = []
    for place in _private_places(beside):
        try:
            _check_private(place / name, make=make)
        except FileNotFoundError:
            if make:
                problems.append(f"{place} is not there")
        except (OSError, exception.UntrustedFile) as error:
            problems.append(str(error).rstrip("."))
        else:
            return place / name
    if problems:
        raise exception.UntrustedFile(path=name, reason="; ".join(problems))
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)


def _private_places(beside: Path) -> Iterator[Path]:
    if os.geteuid() == 0:
        yield RUN_DIRECTORY
        yield beside
        return
    yield beside
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        yield Path(runtime) / "os-vif"


def _check_private(path: Path, *, make: bool) -> None:
    descriptor = open_directory(path, make=make)
    try:
        found = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise untrusted(path, found, "it is to be written by this user alone")


def untrusted(path: Path | str, found: os.stat_result, reason: str) -> exception.UntrustedFile:
    """The error that says whose it is."""
    mode = stat.S_IMODE(found.st_mode)
    return exception.UntrustedFile(path=path, reason=f"it belongs to {user(found.st_uid)} (mode {mode:04o}): {reason}")


def user(uid: int) -> str:
    """The name of a user."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def trusted_users() -> set[int]:
    """Who may choose what this process opens: root, and itself; and whoever has "/", in a user namespace."""
    return {0, os.geteuid(), Path("/").stat().st_uid}


class _Walk:
    """One part of a path after the other, from the root directory."""

    def __init__(self) -> None:
        self.descriptor = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._links = 0
        #: Who has chosen the way so far, if it is not somebody who may choose any.
        self._chosen_by: int | None = None
        self._trusted = trusted_users()

    def __enter__(self) -> _Walk:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def go(self, path: str, *, make: bool) -> None:
        """Along a path; a link's text may be one."""
        if path.startswith("/"):
            self._enter(os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC), "/")
        parts = [part for part in path.split("/") if part not in ("", ".")]
        for number, part in enumerate(parts, 1):
            self._step(part, make=make, is_last=number == len(parts))

    def _step(self, name: str, *, make: bool, is_last: bool) -> None:
        try:
            entry = os.open(name, _LOOK, dir_fd=self.descriptor)
        except FileNotFoundError:
            if not make or self._chosen_by is not None:
                raise
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700 if is_last else 0o755, dir_fd=self.descriptor)
            entry = os.open(name, _LOOK, dir_fd=self.descriptor)
        if not stat.S_ISLNK(os.fstat(entry).st_mode):
            self._enter(entry, name)
            return
        try:
            self._check(os.fstat(entry), entry)
            target = os.readlink("", dir_fd=entry)
        finally:
            os.close(entry)
        self._links += 1
        if self._links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
        self.go(target, make=make)

    def _enter(self, entry: int, name: str) -> None:
        try:
            found = os.fstat(entry)
            self._check(found, entry)
            self._check_writers(found, entry)
        except BaseException:
            os.close(entry)
            raise
        os.close(self.descriptor)
        self.descriptor = entry

    def _check(self, found: os.stat_result, entry: int) -> None:
        """What another user has chosen has to be that user's: root may do with it what that user might."""
        if os.geteuid() != 0:
            return
        if self._chosen_by is not None and found.st_uid != self._chosen_by:
            reason = f"what leads there is {user(self._chosen_by)}'s, who may lead to what is their own only"
            raise untrusted(_path_of(entry), found, reason)
        if found.st_uid not in self._trusted:
            self._chosen_by = found.st_uid

    def _check_writers(self, found: os.stat_result, entry: int) -> None:
        """Where many may write, who has chosen what is there cannot be told."""
        if not stat.S_ISDIR(found.st_mode) or found.st_mode & stat.S_ISVTX:
            return
        if found.st_mode & 0o002:
            raise untrusted(_path_of(entry), found, "everybody may write in it")
        if found.st_mode & 0o020 and found.st_gid != 0 and os.geteuid() == 0 and found.st_uid in self._trusted:
            raise untrusted(_path_of(entry), found, "a group may write in it")


def _path_of(descriptor: int) -> str:
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())
