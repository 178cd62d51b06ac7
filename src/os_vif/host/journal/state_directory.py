# SPDX-License-Identifier: Apache-2.0
"""Directories that hold our files, and who can exchange what is in them.

The state directory may belong to a service, and root's `vif` looks into it. So whoever can write there must not be able
to make root open something else: a link, a FIFO, somebody's own file in place of ours. On the way to a directory every
part is opened for itself, and looked at, before the next one is: what is found in a directory is chosen by whoever owns
that directory (and, where everybody may write in it, by whoever owns what is found). Root and this user may choose
anything; others nothing but what is their own.

That holds for the way to the directory, which stays as it was found: only its owner can exchange it. What is in it may
be exchanged between our look and the moment at which SQLite opens it by its path. Therefore root, in a directory that
belongs to somebody else, opens and makes files with that owner's rights (setfsuid(2)): what the owner plants there
leads to nothing that the owner could not open as well. In a directory of root's own nobody can exchange anything.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import pwd
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.host.process import threads

if TYPE_CHECKING:
    import ctypes

LOG = logger(__name__)

#: Where root keeps what only root may write: gone with a reboot, as the processes are that it is for.
RUN_DIRECTORY = Path("/run/os-vif")

_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: As many as the kernel follows (path_resolution(7)).
_MOST_LINKS = 40


class StateDirectory:
    """A directory, opened once and again when another one has come to its place; made where it is missing.

    Threads may share it. Raises UntrustedFile, OSError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._opened: _Opened | None = None

    def real_path(self, name: str) -> str:
        """The path of a file, for who cannot open it by a descriptor: without links."""
        return f"{_path_of(self._open().descriptor)}/{name}"

    def check(self, name: str, *, make: bool = False) -> os.stat_result | None:
        """What a file is, or None if it is not there; with ``make`` it is made, for whose directory it is.

        Raises UntrustedFile unless it is an ordinary file, with one name, of whom it is to be.
        """
        opened = self._open()
        with _making:
            try:
                found = os.stat(name, dir_fd=opened.descriptor, follow_symlinks=False)
            except FileNotFoundError:
                if not make:
                    return None
                found = self._make(name, opened)
        self._check(name, found, opened)
        return found

    def is_usable(self, name: str) -> bool:
        """Whether this user may read and write a file, or could if the file system were not read-only."""
        descriptor = self._open().descriptor
        read_only = bool(os.fstatvfs(descriptor).f_flag & os.ST_RDONLY)
        return os.access(name, os.R_OK if read_only else os.R_OK | os.W_OK, dir_fd=descriptor, effective_ids=True)

    def open_file(self, name: str) -> int:
        """A descriptor of a file, to read and write; it is made where it is missing."""
        opened = self._open()
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with opened.rights():
            file = os.open(name, flags, 0o600, dir_fd=opened.descriptor)
        try:
            self._check(name, os.fstat(file), opened)
        except BaseException:
            os.close(file)
            raise
        return file

    def open_itself(self) -> int:
        """A descriptor of the directory, of its own."""
        return os.open(".", _OPEN, dir_fd=self._open().descriptor)

    def rename(self, old: str, new: str) -> None:
        """Gives a file another name."""
        opened = self._open()
        with opened.rights():
            os.rename(old, new, src_dir_fd=opened.descriptor, dst_dir_fd=opened.descriptor)

    @property
    def is_anothers(self) -> bool:
        """Whether files in it are to be opened with rights()."""
        return self._open().acts_as is not None

    def rights(self) -> contextlib.AbstractContextManager[None]:
        """While it is entered, this thread opens files with the rights of the directory's owner."""
        return self._open().rights()

    def _open(self) -> _Opened:
        opened = self._opened
        if opened is None or not opened.is_at(self.path):
            opened = self._opened = _Opened(self.path)
        return opened

    def _make(self, name: str, opened: _Opened) -> os.stat_result:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with contextlib.suppress(FileExistsError), opened.rights():
            os.close(os.open(name, flags, 0o600, dir_fd=opened.descriptor))
        return os.stat(name, dir_fd=opened.descriptor, follow_symlinks=False)

    def _check(self, name: str, found: os.stat_result, opened: _Opened) -> None:
        path = self.path / name
        if not stat.S_ISREG(found.st_mode):
            raise untrusted(path, found, "it is no ordinary file")
        if found.st_nlink != 1:
            raise untrusted(path, found, f"it has {found.st_nlink} names, and may be a file of another program")
        expected = {opened.owner} if opened.acts_as else {opened.owner, *trusted_users()}
        if found.st_uid not in expected:
            raise untrusted(path, found, f"it has to belong to {user(opened.owner)}, as its directory does")


#: Whoever closes a file lets go of all locks that SQLite has on it in this process: none is made while one is opened.
_making = threads.Lock()


class _Opened:
    """A descriptor of a directory, closed when nobody uses it any more."""

    def __init__(self, path: Path) -> None:
        self.descriptor = open_directory(path, make=True)
        found = os.fstat(self.descriptor)
        self.owner = found.st_uid
        self._identity = (found.st_dev, found.st_ino)
        if found.st_mode & 0o002:
            _warn_of_everybody(str(path))
        is_anothers = os.geteuid() == 0 and found.st_uid not in trusted_users()
        self.acts_as = (found.st_uid, found.st_gid) if is_anothers else None

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        # The function is kept here because its module may be gone by now, when the interpreter ends.
        if hasattr(self, "descriptor"):
            close(self.descriptor)

    def is_at(self, path: Path) -> bool:
        """Whether the path leads to it still."""
        try:
            found = path.stat()
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._identity

    def rights(self) -> contextlib.AbstractContextManager[None]:
        """See StateDirectory."""
        return contextlib.nullcontext() if self.acts_as is None else _rights_of(*self.acts_as)


@functools.cache
def _warn_of_everybody(path: str) -> None:
    """Once. A directory like /tmp keeps what is ours from being exchanged, but not from being made by others first."""
    LOG.warning("Everybody may write in the state directory %s: `chmod 0700 %s`.", path, path)


@contextlib.contextmanager
def _rights_of(uid: int, gid: int) -> Iterator[None]:
    """This thread alone goes to files as another user; root's leave to open anything is gone until then."""
    libc = _libc()
    former_gid, former_uid = libc.setfsgid(gid), libc.setfsuid(uid)
    try:
        if libc.setfsuid(-1) != uid and _exists_here(uid):
            reason = f"its directory belongs to {user(uid)}, and root may not act as another user here (CAP_SETUID)"
            raise exception.UntrustedFile(path="The state directory", reason=reason)
        yield
    finally:
        libc.setfsuid(former_uid)
        libc.setfsgid(former_gid)


@functools.cache
def _libc() -> ctypes.CDLL:
    import ctypes

    return ctypes.CDLL(None)


def _exists_here(uid: int) -> bool:
    """Whether a user exists in this user namespace: over files of others, root has no power here anyway."""
    lines = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(int(first) <= uid < int(first) + int(count) for first, _, count in lines)


def open_directory(path: Path, *, make: bool = False) -> int:
    """A descriptor of a directory that nobody can have exchanged but root, this user, or who owns it.

    With ``make`` it is made where it is missing, open to its owner only. Raises UntrustedFile, OSError.
    """
    with _Walk() as walk:
        walk.go(str(path.absolute()), make=make)
        found = os.fstat(walk.descriptor)
        if not stat.S_ISDIR(found.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
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
            if make and place.exists():
                _check_private(place)
            _check_private(place / name, make=make)
        except (OSError, exception.UntrustedFile) as error:
            if make or not isinstance(error, FileNotFoundError):
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


def _check_private(path: Path, *, make: bool = False) -> None:
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
    return {0, os.geteuid(), _owner_of_the_root_directory()}


@functools.cache
def _owner_of_the_root_directory() -> int:
    return Path("/").stat().st_uid


class _Walk:
    """One part of a path after the other, from the root directory."""

    def __init__(self) -> None:
        self.descriptor = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._links = 0
        #: Who has chosen the way so far, if it is not somebody who may choose any.
        self._chosen_by: int | None = None
        self._chosen_at = ""
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
            if not make:
                raise
            self._make(name, 0o700 if is_last else 0o755)
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

    def _make(self, name: str, mode: int) -> None:
        found = os.fstat(self.descriptor)
        rights = contextlib.nullcontext() if self._chosen_by is None else _rights_of(found.st_uid, found.st_gid)
        with contextlib.suppress(FileExistsError), rights:
            os.mkdir(name, mode, dir_fd=self.descriptor)

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
            whose = user(self._chosen_by)
            reason = f"{self._chosen_at}, which leads there, is {whose}'s, who may lead to what is their own only"
            raise untrusted(_path_of(entry), found, reason)
        if found.st_uid not in self._trusted:
            self._chosen_by, self._chosen_at = found.st_uid, _path_of(entry)

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
