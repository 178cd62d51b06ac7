# SPDX-License-Identifier: Apache-2.0
"""A SQLite database in a state directory, for all threads of a process; nothing of it survives a fork.

Waits end with the deadline of the call. Whoever only reads needs no room on the disk and no leave to write, and does
not wait for writers. A file that was removed or replaced is opened anew.

SQLite keeps in memory which locks its process holds on a file. A forked child would inherit that, but not the locks:
it might write where nobody reads any more, or wait for ever for what a thread of its parent was writing. So whoever
forks closes the file before (https://www.sqlite.org/howtocorrupt.html, section 2.6).
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sqlite3
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.host.journal.sqlite_connection import OwnersConnection, Wait, read_only
from os_vif.host.journal.sqlite_errors import explained, is_busy
from os_vif.host.journal.state_directory import StateDirectory
from os_vif.host.process import threads

LOG = logger(__name__)

MEMORY = ":memory:"
_BESIDE = ("-wal", "-shm", "-journal")


class Schema(NamedTuple):
    """What a new file begins with; one of a newer version is refused."""

    version: int
    statements: str


class SqliteFile:
    """A file, opened when it is first used; or ``MEMORY``. Raises JournalError.

    ``patience``: seconds of a call that may be spent waiting for such files; what comes after needs the others.
    ``durable``: all that is written survives the loss of power. ``long``: a transaction may take as long as a call.
    """

    def __init__(
        self,
        path: Path | str,
        schema: Schema,
        *,
        patience: float = 10.0,
        durable: bool = False,
        long: bool = False,
        row_factory: Any = None,
        hint_if_damaged: str = "",
        text_factory: Any = str,
    ) -> None:
        self.path = str(path)
        self.long = long
        self._schema = schema
        self._patience = patience
        self._durable = durable
        self._row_factory = row_factory
        self._hint_if_damaged = hint_if_damaged
        self._text_factory = text_factory
        self._place = Path(self.path).absolute()
        self._name = self._place.name
        self._directory = None if self.path == MEMORY else StateDirectory(Path(self.path).parent)
        self._writer = _Connection()
        self._reader = self._writer if self._directory is None else _Connection()
        _all.add(self)

    def connections(self) -> tuple[_Connection, ...]:
        """Both, or the only one; in the order in which a thread may hold them."""
        return (self._writer,) if self._directory is None else (self._writer, self._reader)

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """What a query finds."""
        wait = Wait(self.path, self._patience)
        while True:
            with wait.alone(self._reader.mutex), self._explained():
                try:
                    return self._rows(query, values)
                except sqlite3.OperationalError as error:
                    if not is_busy(error):
                        raise
            wait.a_moment()

    def _rows(self, query: str, values: Sequence[Any]) -> list[Any]:
        try:
            database = self._open(self._reader)
            try:
                return database.execute(query, values).fetchall()
            except sqlite3.OperationalError as error:
                if "decode" not in str(error):
                    raise
                database.text_factory = decoded
                return database.execute(query, values).fetchall()
        except (sqlite3.OperationalError, OSError) as error:
            with self._open_without_writing(error) as database:
                return database.execute(query, values).fetchall()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """All that is read inside was so at one moment."""
        wait = Wait(self.path, self._patience)
        with contextlib.ExitStack() as until_then:
            while True:
                with contextlib.ExitStack() as so_far, self._explained():
                    so_far.enter_context(wait.alone(self._reader.mutex))
                    try:
                        database = self._begin_reading(so_far)
                    except sqlite3.OperationalError as error:
                        if not is_busy(error):
                            raise
                    else:
                        until_then.push(so_far.pop_all())
                        break
                wait.a_moment()
            with self._explained_inside():
                yield database

    def _begin_reading(self, stack: contextlib.ExitStack) -> sqlite3.Connection:
        try:
            database = self._open(self._reader)
            _begin(database, "BEGIN")
        except (sqlite3.OperationalError, OSError) as error:
            database = stack.enter_context(self._open_without_writing(error))
            _begin(database, "BEGIN")
        stack.callback(_end, database)
        return database

    @contextlib.contextmanager
    def writing(self, *, durably: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction: all that is written in it, or nothing. ``durably``: it survives the loss of power.

        Nobody else writes meanwhile: what is found in it stays so until it ends.
        """
        database = self._begin_writing(durably=durably or self._durable)
        try:
            with self._explained_inside():
                try:
                    yield database
                    database.execute("COMMIT")
                except BaseException:
                    _end(database)
                    raise
        finally:
            self._writer.is_writing = False
            self._writer.mutex.release()

    def _begin_writing(self, *, durably: bool) -> sqlite3.Connection:
        """With the mutex held."""
        wait = Wait(self.path, self._patience)
        while True:
            wait.acquire(self._writer.mutex)
            try:
                with self._explained():
                    database = self._open(self._writer)
                    self._writer.be_durable(durably=durably)
                    _begin(database, "BEGIN IMMEDIATE")
                self._writer.is_writing = True
            except exception.JournalError as error:
                self._writer.mutex.release()
                if not is_busy(error.__cause__):
                    raise
            except BaseException:
                self._writer.mutex.release()
                raise
            else:
                return database
            wait.a_moment()

    def close(self) -> None:
        """Closes it; the next use opens it again."""
        for connection in self.connections():
            with connection.mutex:
                connection.close()

    def __del__(self) -> None:
        if hasattr(self, "_reader") and not _is_over:
            for connection in self.connections():
                connection.close()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise explained(error, self.path, self._hint_if_damaged) from error

    @contextlib.contextmanager
    def _explained_inside(self) -> Iterator[None]:
        """Only what SQLite says: what else fails in a transaction is no matter of the file."""
        try:
            yield
        except sqlite3.Error as error:
            raise explained(error, self.path, self._hint_if_damaged) from error

    # --- opening ------------------------------------------------------------------------------------------------

    def _open(self, connection: _Connection) -> sqlite3.Connection:
        if connection.database is not None and not self._is_still_there(connection):
            LOG.warning("%s was removed or replaced while it was in use; it is opened anew.", self.path)
            connection.close()
        if connection.database is None:
            database, connection.identity = self._connect()
            try:
                self._prepare(database)
            except BaseException:
                database.close()
                raise
            connection.database = database
        return connection.database

    def _is_still_there(self, connection: _Connection) -> bool:
        if self._directory is None:
            return True
        try:
            found = self._place.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True  # it cannot be told now, and what is open may do
        return (found.st_dev, found.st_ino) == connection.identity

    def _connect(self) -> tuple[sqlite3.Connection, tuple[int, int]]:
        options: dict[str, Any] = {"timeout": 0, "isolation_level": None, "check_same_thread": False}
        if self._directory is None:
            return sqlite3.connect(MEMORY, **options), (0, 0)
        found = self._directory.check(self._name, make=True)
        assert found is not None
        for suffix in _BESIDE:
            self._directory.check(self._name + suffix)
        if self._directory.is_anothers:
            options["factory"] = OwnersConnection.of(self._directory)
        with self._directory.rights():
            database = sqlite3.connect(self._directory.real_path(self._name), cached_statements=64, **options)
        return database, (found.st_dev, found.st_ino)

    def _prepare(self, database: sqlite3.Connection) -> None:
        # Who may write the file is not to choose functions that run here (https://www.sqlite.org/security.html).
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA foreign_keys = ON")
        database.row_factory = self._row_factory
        database.text_factory = self._text_factory
        version = self._version(database)
        if version == 0:
            self._create(database)

    def _version(self, database: sqlite3.Connection) -> int:
        version = int(database.execute("PRAGMA user_version").fetchone()[0])
        if version > self._schema.version:
            reason = (
                f"it was written by a newer os-vif (format {version}; the newest known here is {self._schema.version})."
            )
            error = exception.JournalError(path=self.path, reason=reason, version=version)
            error.hint = "Upgrade os-vif on this host."
            raise error
        return version

    def _create(self, database: sqlite3.Connection) -> None:
        if self._directory is not None:
            database.execute("PRAGMA journal_mode = WAL")
        _begin(database, "BEGIN IMMEDIATE")
        try:
            # Another process may have been first while this one waited.
            if self._version(database) == 0:
                self._write_schema(database)
            database.execute("COMMIT")
        except BaseException:
            _end(database)
            raise

    def _write_schema(self, database: sqlite3.Connection) -> None:
        for statement in self._schema.statements.split(";"):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {self._schema.version}")

    @contextlib.contextmanager
    def _open_without_writing(self, error: sqlite3.Error | OSError) -> Iterator[sqlite3.Connection]:
        """For who cannot open it in the usual way, because of ``error``. A file without tables has no rows."""
        if self._directory is None or is_busy(error):
            raise error
        LOG.debug("%s: %s. It is read as it is.", self.path, error)
        found = self._directory.check(self._name)
        with contextlib.ExitStack() as stack:
            database = None
            if found is not None and found.st_size:
                database = stack.enter_context(read_only(self._directory, self._name, error))
            if database is None or self._version(database) == 0:
                database = stack.enter_context(contextlib.closing(sqlite3.connect(MEMORY, isolation_level=None)))
                self._write_schema(database)
            database.row_factory = self._row_factory
            database.text_factory = decoded
            yield database


def decoded(text: bytes) -> str:
    """Of a text that is none, what can be read: one damaged row does not keep all others."""
    return text.decode(errors="replace")


class _Connection:
    """One connection, and who is at it. ``identity``: device and inode of the file that it is to."""

    database: sqlite3.Connection | None
    identity: tuple[int, int]

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Nobody is at it, and nothing is open."""
        self.mutex = threads.RLock()
        self.database = None
        self.is_writing = False
        self._is_durable = False

    def be_durable(self, *, durably: bool) -> None:
        """How long a transaction takes to end: until the kernel has it, or until the disk has it."""
        assert self.database is not None
        if durably != self._is_durable:
            self.database.execute(f"PRAGMA synchronous = {'FULL' if durably else 'NORMAL'}")
            self._is_durable = durably

    def close(self) -> None:
        """Closes what is open."""
        database, self.database = self.database, None
        self._is_durable = False
        if database is not None:
            database.close()


def _begin(database: sqlite3.Connection, how: str) -> None:
    """All locks that this takes are there when it returns."""
    database.execute(how)
    try:
        database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except BaseException:
        _end(database)
        raise


def _end(database: sqlite3.Connection) -> None:
    """Takes back what was not committed, if SQLite has not done so by itself."""
    if database.in_transaction:
        database.execute("ROLLBACK")


_all: weakref.WeakSet[SqliteFile] = weakref.WeakSet()
_forking = threads.Lock()
_kept_still: list[_Connection] = []
#: What children cannot use, and must not close either.
_of_parents: list[sqlite3.Connection] = []
#: Not empty when the interpreter ends.
_is_over: list[bool] = []


def _before_fork() -> None:
    """Waits until no thread is at any file, and keeps them away; but not for transactions that may take long."""
    _forking.acquire()
    for file in sorted(_all, key=lambda file: not file.long):
        for connection in file.connections():
            if connection.mutex.acquire(blocking=not file.long):
                _kept_still.append(connection)
                if file.path != MEMORY and not connection.is_writing:
                    connection.close()


def _after_fork() -> None:
    while _kept_still:
        _kept_still.pop().mutex.release()
    _forking.release()


def _after_fork_in_child() -> None:
    kept_still = list(_kept_still)
    _after_fork()
    for file in _all:
        for connection in file.connections():
            if connection not in kept_still or connection.is_writing:
                if connection.database is not None:
                    _of_parents.append(connection.database)
                connection.begin_anew()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)


@atexit.register
def _at_exit() -> None:
    """What is closed later than this is closed by an interpreter that has lost half of what that takes."""
    for file in list(_all):
        for connection in file.connections():
            if connection.mutex.acquire(blocking=False):
                connection.close()
    _is_over.append(True)
