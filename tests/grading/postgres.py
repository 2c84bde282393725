"""A throw-away PostgreSQL server from the system's packages, for tests; skipped without one.

Its folder, its only socket and its data belong to an unprivileged user and go with the tests. What
a commit stores is on the disk when it returns (fsync is on), so that crashes are real.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

START_SECONDS = 30.0
PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")


def programs() -> Path | None:
    """The folder of the newest installed PostgreSQL server, or None."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    for place in PLACES:
        folders = Path("/").glob(place.removeprefix("/"))
        found += sorted(folders, key=lambda folder: [len(str(folder)), str(folder)], reverse=True)
    return next((f for f in found if (f / "postgres").exists() and (f / "initdb").exists()), None)


def _as_whom() -> dict[str, Any]:
    """Whom the server runs as: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            who = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
    pytest.skip("PostgreSQL does not run as root, and there is no user postgres or nobody")


class Server:
    """A server that can be ended and started at will, with one database."""

    def __init__(self, bin_folder: Path) -> None:
        self.bin, self.whom = bin_folder, _as_whom()
        # Not the tests' own folder: a socket's path is short, and this user cannot enter there.
        self.folder = Path(tempfile.mkdtemp(prefix="course-pg-", dir="/tmp"))
        if self.whom:
            os.chown(self.folder, self.whom["user"], self.whom["group"])
        self._process: subprocess.Popen[bytes] | None = None
        options = ("--username=course", "--auth=trust", "--encoding=UTF8", "--locale=C")
        made = self._run("initdb", *options, "--no-sync", f"--pgdata={self.folder / 'data'}")
        assert made.wait() == 0, self.log()

    def _run(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(self.bin / name), *options],
                **self.whom,
                cwd=self.folder,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def log(self) -> str:
        """The end of what the server has said."""
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def start(self) -> None:
        """Start it, recover what a crash left, and wait until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            # After a kill, what is left of the old server may stand in the way for a moment.
            if self._process is None or self._process.poll() is not None:
                settings = ("listen_addresses=", "max_connections=20", "shared_buffers=16MB")
                chosen = [word for setting in settings for word in ("-c", setting)]
                place = ("-D", str(self.folder / "data"), "-k", str(self.folder))
                self._process = self._run("postgres", *place, *chosen)
            if self._answers():
                return
            time.sleep(0.05)
        raise AssertionError(f"PostgreSQL did not start in {START_SECONDS} s:\n{self.log()}")

    def _answers(self) -> bool:
        import psycopg

        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def end(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """End it at once: SIGQUIT is `pg_ctl stop -m immediate`, SIGKILL is worse, SIGINT kind."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def database(self) -> str:
        """The URL of the server's one database, emptied, with nobody else in it."""
        with self._connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return f"postgresql://course@/postgres?host={self.folder}"

    def _connect(self) -> Any:
        import psycopg

        where = {"host": str(self.folder), "user": "course", "dbname": "postgres"}
        return psycopg.connect(**where, autocommit=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A running server, one for each process of the tests."""
    pytest.importorskip("psycopg", reason="psycopg is not installed (extra `postgresql`)")
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL server is installed (package `postgresql`)")
    server = Server(found)
    try:
        server.start()
        yield server
    finally:
        server.end(signal.SIGKILL)
        shutil.rmtree(server.folder, ignore_errors=True)
