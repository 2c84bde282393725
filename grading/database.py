"""The database under a gradebook: one connection, one writer, whole transactions, patience.

SQLite and PostgreSQL are what nbgrader is used with, and what is tested here.
"""

from __future__ import annotations

import os
import socket
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, TypeVar

from nbgrader.api import InvalidEntry
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from grading.notebooks import CourseError

if sys.platform != "win32":
    import fcntl

ATTEMPT_SECONDS = 2.0  # one attempt at a lock; several fit into the time that the caller has
CONNECT_SECONDS = 5
PAUSE_SECONDS = 0.1
# SQLite has one lock, and those who wait for it look now and then: where one transaction follows
# the next, a human's would hardly ever find it free. After each, it is free for this part of the
# time that the transaction took.
GIVE_WAY = 0.25
# Any two numbers that nothing else in the same database is likely to lock.
LOCK_KEY = (1_852_990_322, 6)

# SQLite's primary result codes, and PostgreSQL's SQLSTATEs: lock_not_available, deadlock,
# serialization_failure (somebody else changed the row first), and the violations by what somebody
# else created first, which the next attempt finds: unique, duplicate_table, duplicate_object.
SQLITE_LOCKED = {5, 6, 15}
LOCKED = {"55P03", "40P01", "40001", "23505", "42P07", "42710"}
# The server ends or begins.
AWAY = {"57P01", "57P02", "57P03"}
NOT_YET = ("starting up", "shutting down", "in recovery mode")

T = TypeVar("T")


class AwayError(Exception):
    """The database server cannot be reached, though it could before."""


class OtherWriterError(Exception):
    """Another process writes to this gradebook; the text says which."""


OURS = (AwayError, OtherWriterError)


def usable_url(url: str) -> URL:
    """The database URL with a driver that is installed.

    `postgresql://` (and `postgres://`) names no driver; psycopg 3 is what this course installs,
    and older SQLAlchemy would look for another. Raises `CourseError` for what is no URL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise CourseError(
            f"--db was given {url!r}, which is not a database URL; expected something like"
            " sqlite:////home/me/course/gradebook.db or postgresql://user@host/course."
        ) from None
    if parsed.drivername == "postgres":
        parsed = parsed.set(drivername="postgresql")
    if parsed.drivername == "postgresql" and find_spec("psycopg") is not None:
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed


class Database:
    """One connection to a database, made anew when it breaks.

    Parameters
    ----------
    url : any SQLAlchemy URL.
    lock_seconds : how long to wait, in all, for a database that is locked or went away.

    Raises `CourseError` where `url` is none.
    """

    def __init__(self, url: str, lock_seconds: float) -> None:
        self.url, self.lock_seconds = usable_url(url), lock_seconds
        self.name = self.url.render_as_string(hide_password=True)
        self._attempt = min(ATTEMPT_SECONDS, lock_seconds)
        self._kind = self.url.get_backend_name()
        # Also how another process, and this one after it lost a connection, tells who holds a lock.
        host = f"process {os.getpid()} on {socket.gethostname()}"
        self._self = f"course grade, {host}"[:55] + f" #{uuid.uuid4().hex[:6]}"
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._was_open = False
        self._writes = False
        self._locked: Connection | IO[str] | None = None
        self._free_until = 0.0

    def patiently(self, attempt: Callable[[], T], purpose: str) -> T:
        """Try until it works or `lock_seconds` are over; returns what `attempt` does.

        Only what may pass is tried again: a lock, another writer, a server that went away.
        `purpose` names what is not stored if it does not pass; empty for reading. Raises
        `CourseError`.
        """
        deadline = time.monotonic() + self.lock_seconds
        while True:
            try:
                return attempt()
            except (
                AwayError,
                OtherWriterError,
                SQLAlchemyError,
                InvalidEntry,
                ImportError,
            ) as error:
                passing = _passing(error)
                if passing is None or passing == "away":
                    self._drop()
                if passing is None:
                    raise self._unusable(error) from error
                if time.monotonic() > deadline:
                    raise self._given_up(passing, error, purpose) from error
            time.sleep(PAUSE_SECONDS)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        self._writes = False
        connection = self._connected()
        with connection.begin() as transaction:
            yield connection
            transaction.rollback()

    @contextmanager
    def writing(self, *, alone: bool = True) -> Iterator[Connection]:
        """A transaction that is stored whole when the block ends well, and else not at all.

        The first one that is to be `alone` makes this process the gradebook's one writer, until
        `close`.
        """
        self._writes = True
        connection = self._connected()
        if alone:
            self._be_the_writer(connection)
        time.sleep(max(0.0, self._free_until - time.monotonic()))
        began = time.monotonic()
        with connection.begin():
            yield connection
        if self._kind == "sqlite":
            self._free_until = time.monotonic() + (time.monotonic() - began) * GIVE_WAY

    def close(self) -> None:
        """Let go of the connection and of the writer's lock."""
        self._drop()
        if self._locked is not None:
            self._locked.close()
            self._locked = None

    # ------------------------------------------------------------ the connection

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed or self._connection.invalidated:
            self._drop()
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> Connection:
        if self._engine is None:
            self._engine = self._make_engine()
        try:
            connection = self._engine.connect()
        except DBAPIError as error:
            if self._was_open or any(said in str(error) for said in NOT_YET):
                raise AwayError(_first_line(error)) from error
            raise
        self._was_open = True
        return connection

    def _drop(self) -> None:
        if self._locked is self._connection:
            self._locked = None  # the server lets go of it with the connection
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self._connection.close()
        self._connection = None

    def _make_engine(self) -> Engine:
        if self._kind == "sqlite":
            engine = create_engine(
                self.url, poolclass=NullPool, connect_args=self._unless_given(timeout=self._attempt)
            )
            event.listen(engine, "connect", _leave_begin_to_us)
            event.listen(engine, "begin", self._begin_sqlite)
            return engine
        if self._kind == "postgresql":
            # Repeatable read: an update of a row that a human changed meanwhile is refused and
            # tried again with what the human wrote.
            engine = create_engine(
                self.url,
                poolclass=NullPool,
                isolation_level="REPEATABLE READ",
                connect_args=self._unless_given(
                    connect_timeout=CONNECT_SECONDS,
                    application_name=self._self,
                    # A server that vanished from the network is noticed, in milliseconds ...
                    tcp_user_timeout=10_000,
                ),
            )
            event.listen(engine, "connect", self._set_up_postgresql)
            return engine
        return create_engine(self.url, poolclass=NullPool)

    def _unless_given(self, **defaults: Any) -> dict[str, Any]:
        return {key: value for key, value in defaults.items() if key not in self.url.query}

    def _begin_sqlite(self, connection: Connection) -> None:
        # A transaction that reads first and writes later would fail at once, instead of waiting,
        # if another program has written in between.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if self._writes else "BEGIN")

    def _set_up_postgresql(self, raw: Any, record: object) -> None:
        settings = {
            "lock_timeout": f"{max(1, round(1000 * self._attempt))}ms",
            # ... and so is a grader that vanished, by the server: it lets go of the lock then.
            "tcp_keepalives_idle": "20",
            "tcp_keepalives_interval": "5",
            "tcp_keepalives_count": "3",
        }
        with raw.cursor() as cursor:
            for key, value in settings.items():
                cursor.execute(f"SET {key} = '{value}'")
        raw.commit()

    # ------------------------------------------------------------ the one writer

    def _be_the_writer(self, connection: Connection) -> None:
        if self._locked is not None:
            return
        if self._kind == "postgresql":
            self._lock_postgresql(connection)
            self._locked = connection
        elif self._kind == "sqlite" and self.url.database not in (None, "", ":memory:"):
            self._locked = _locked_file(Path(f"{self.url.database}.writer"), self._self)

    def _lock_postgresql(self, connection: Connection) -> None:
        first, second = LOCK_KEY
        with connection.begin():
            asked = text(f"SELECT pg_try_advisory_lock({first}, {second})")
            if connection.scalar(asked):
                return
            holder = connection.execute(
                text(
                    "SELECT pid, application_name FROM pg_locks JOIN pg_stat_activity USING (pid)"
                    f" WHERE locktype = 'advisory' AND classid = {first} AND objid = {second}"
                    " AND granted AND datname = current_database()"
                )
            ).first()
            # A connection of our own that broke, which the server still believes in.
            if holder is not None and holder.application_name == self._self:
                connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": holder.pid})
        raise OtherWriterError(_named(holder.application_name if holder else ""))

    # ------------------------------------------------------------ what went wrong

    def _given_up(self, passing: str, error: BaseException, purpose: str) -> CourseError:
        waited = f"{self.lock_seconds:g} s"
        lost = f" Not stored: {purpose}." if purpose else ""
        if passing == "writer":
            return CourseError(
                f"The gradebook {self.name} has a writer already, and after {waited} it still has:"
                f" {_first_line(error)}; expected to be the only one.{lost} Wait until the other"
                " has finished, or end it; then run the same command again."
            )
        if passing == "locked":
            return CourseError(
                f"The gradebook {self.name} is in use: another program has held it locked for more"
                f" than {waited}; expected to be the one that writes.{lost} Close Formgrader and"
                " other nbgrader commands, then run the same command again."
            )
        return CourseError(
            f"The database of the gradebook {self.name} went away and was not back after {waited}"
            f" ({_first_line(error)}); expected it to stay while results arrive.{lost} What was"
            " stored before is safe: start the database, then run the same command again."
        )

    def _unusable(self, error: BaseException) -> CourseError:
        if isinstance(error, (NoSuchModuleError, ImportError)):
            why = f"its driver is not installed ({error})"
            if self._kind == "postgresql":
                why += "; `pip install 'psycopg[binary]'` brings one"
        else:
            why = _first_line(error)
        return CourseError(
            f"The gradebook {self.name} cannot be used: {why}. Expected a database that nbgrader"
            " can read and write: check the path or URL in --db, and its permissions."
        )


def _leave_begin_to_us(raw: Any, record: object) -> None:
    raw.isolation_level = None


def _named(holder: str) -> str:
    return (holder or "another program").partition(" #")[0]


def _locked_file(path: Path, who: str) -> IO[str] | None:
    """An open file that no other process has locked; the lock ends with the process.

    None where the system or the folder's file system has no such locks: transactions alone then
    keep two writers apart.
    """
    if sys.platform == "win32":
        return None
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise CourseError(
            f"{path} cannot be written ({error.strerror}); expected a folder in which the gradebook"
            " can be changed: check its permissions, or the path in --db."
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise OtherWriterError(_named(holder)) from None
    except OSError:
        file.close()
        return None
    file.truncate(0)
    file.write(who)
    file.flush()
    return file


def _passing(error: BaseException) -> str | None:
    """What stands in the way if it may pass ("writer", "away", "locked"), else None.

    nbgrader turns a database's errors into its own; what they were is in their context.
    """
    for cause in _causes(error):
        if isinstance(cause, OtherWriterError):
            return "writer"
        state = str(getattr(cause, "sqlstate", None) or "")
        lost = isinstance(cause, DBAPIError) and cause.connection_invalidated
        if lost or isinstance(cause, AwayError) or state in AWAY or state.startswith("08"):
            return "away"
        if state in LOCKED or getattr(cause, "sqlite_errorcode", 0) & 0xFF in SQLITE_LOCKED:
            return "locked"
    return None


def _first_line(error: BaseException) -> str:
    told = [c for c in _causes(error) if isinstance(c, DBAPIError) and c.orig is not None]
    said = str(told[0].orig if told else error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
