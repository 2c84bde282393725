"""The proof that a backend's boxes hold: a program in one of them tries to escape.

The grader plants what must stay out of reach (`_Planted`), sends the attempts of `grading.canary`
into a box, and looks from outside, too, what came of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

import grading
from grading import canary
from grading.boxes import MIB, Backend, BoxError, Kernel, Limits, Start

ATTEMPT_SECONDS = 30.0
# What is tried is made small: the means are the same, whatever the numbers are.
SMALL = {
    "memory_bytes": 256 * MIB,
    "processes": 64,
    "file_bytes": 4 * MIB,
    "scratch_bytes": 32 * MIB,
}

# What holds where an attempt fails (in a few words, with the limits), and what it did otherwise.
CLAIMS = {
    "secret": ("no view of other files", "read a file that lay beside the submissions"),
    "course": ("no view of the course", "found the course's own folders"),
    "environment": ("no view of the grader's environment", "read the grader's environment"),
    "processes": ("no other processes", "saw or ended processes outside"),
    "network": ("no network", "reached the network"),
    "sockets": ("no sockets from outside", "reached a socket of the grader's"),
    "writing": ("read-only system", "wrote files outside of its scratch folder"),
    "namespace": ("no new namespaces", "made a user namespace"),
    "threads": ("{processes} processes and threads", "started more threads than it may have"),
    "memory": ("memory {memory} MB", "took more memory than it may have"),
    "file": ("a file {file} MB", "wrote a larger file than it may"),
    "scratch": ("all files {scratch} MB", "wrote more than its scratch folder may hold"),
    "left": ("nothing survives", "left a process behind that outlived its box"),
}
# An engine's own rules may allow it; what one gains by it stays behind the other claims.
NOT_NEEDED = frozenset({"namespace"})
UNTRIED = "untried"


@dataclass(frozen=True)
class Proof:
    """What the boxes of a backend withstood.

    in_force : short phrases for the record of a result, the backend's name first; for a plain
        backend also what is not in force.
    missing : what did not hold.
    """

    backend: str
    in_force: tuple[str, ...]
    missing: tuple[str, ...]
    seconds: float


def prove(backend: Backend, limits: Limits) -> Proof:
    """Try to escape from a box, and report what held; costs one start of a kernel.

    Raises `BoxError`, which names each escape, unless the backend promises nothing ("plain").
    """
    began = time.monotonic()
    if os.name != "posix":  # only plain processes, and no way to try
        return Proof(backend.name, (backend.name, "not in force: isolation"), (), 0.0)
    small = {name: min(value, getattr(limits, name)) for name, value in SMALL.items()}
    with _Planted(replace(limits, **small), backend.isolated) as planted:
        got = _escapes(backend, planted)
    tried = [name for name in CLAIMS if got.get(name) != UNTRIED]
    got = {name: what for name, what in got.items() if name in tried}
    phrases = {name: _phrase(name, limits) for name in tried}
    missing = tuple(phrases[name] for name in tried if name in got)
    escaped = [CLAIMS[name][1] + _of(got[name]) for name in got if name not in NOT_NEEDED]
    if escaped and backend.isolated:
        raise BoxError(f"the box does not hold: a program in it {'; it '.join(escaped)}")
    in_force = [backend.name, *(phrases[name] for name in tried if name not in got)]
    if not backend.isolated:
        in_force += [f"not in force: {phrase}" for phrase in missing]
    return Proof(backend.name, tuple(in_force), missing, time.monotonic() - began)


def _phrase(name: str, limits: Limits) -> str:
    return CLAIMS[name][0].format(
        processes=limits.processes,
        memory=limits.memory_bytes // MIB,
        file=limits.file_bytes // MIB,
        scratch=limits.scratch_bytes // MIB,
    )


def _of(what: str) -> str:
    return f" ({what})" if what else ""


def _escapes(backend: Backend, planted: _Planted) -> dict[str, str]:
    """Names of the attempts that succeeded, and what they got."""
    kernel = backend.start(planted.start)
    client = BlockingKernelClient(connection_file=str(planted.start.connection_file))
    client.load_connection_file()
    client.start_channels()
    try:
        text = Path(canary.__file__).read_text(encoding="utf-8")
        _run(client, kernel, f"import json\nexec({text!r})\ngiven = {planted.given!r}")
        said = _run(client, kernel, "print(json.dumps(attempts(given)))")
        if said is None:
            raise BoxError("the attempts to escape could not be made: the kernel ended")
        got = {name: what for name, what in json.loads(said).items() if what}
        got |= planted.found_outside()
        _run(client, kernel, "leave(given)")
        left = planted.left_behind(seconds=2)  # it takes its name in a moment
        taken = _run(client, kernel, "print(take_memory(given))")
        if taken is not None and taken.strip():
            got["memory"] = taken.strip()
    finally:
        client.stop_channels()
        kernel.kill()
    if not left:  # nor would it be seen if it survived
        got["left"] = UNTRIED
    elif planted.left_behind():
        got["left"] = "seen outside"
    return got


def _run(client: BlockingKernelClient, kernel: Kernel, code: str) -> str | None:
    """What `code` prints; None where the kernel ends over it. Raises `BoxError` where it fails."""
    asked, said = client.execute(code), ""
    deadline = time.monotonic() + ATTEMPT_SECONDS
    while time.monotonic() < deadline:
        try:
            message = client.get_iopub_msg(timeout=0.1)
        except queue.Empty:
            if kernel.poll() is not None:
                return None
            continue
        content, kind = message["content"], message["msg_type"]
        if message["parent_header"].get("msg_id") != asked:
            continue
        if kind == "stream" and content["name"] == "stdout":
            said += content["text"]
        elif kind == "error":
            raise BoxError(
                f"the attempts to escape could not be made: {content['ename']}: {content['evalue']}"
            )
        elif kind == "status" and content["execution_state"] == "idle":
            return said
    raise BoxError(f"the attempts to escape took longer than {ATTEMPT_SECONDS:.0f} s")


class _Planted:
    """What the grader lays out for a canary to find: files, a process, servers, a word."""

    def __init__(self, limits: Limits, isolated: bool) -> None:
        self.limits, self._isolated = limits, isolated

    def __enter__(self) -> _Planted:
        self._ends = contextlib.ExitStack()
        try:
            self._lay_out()
        except BaseException:
            self._ends.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for path in self._writes:
            path.unlink(missing_ok=True)
        self._ends.close()

    def _lay_out(self) -> None:
        token, word = f"token-{uuid.uuid4().hex}", uuid.uuid4().hex[:8]
        folder = Path(tempfile.mkdtemp(prefix="proof-", dir=_short_folder()))
        self._ends.callback(shutil.rmtree, folder, ignore_errors=True)
        # What a box does not show must be hidden by the box, not by a file's permissions.
        folder.chmod(0o755)
        (folder / "secret.txt").write_text(token)
        self.start = self._start_in(folder)
        self._servers = self._listen(folder, word)
        self._ends.callback(os.environ.pop, "COURSE_CANARY", None)
        os.environ["COURSE_CANARY"] = token
        waits = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]
        self._victim = subprocess.Popen(waits, stdin=subprocess.DEVNULL)
        self._ends.callback(self._victim.wait)
        self._ends.callback(self._victim.kill)
        view, home = self.start.view, self.start.home
        places = [view, *self.start.readable, home, home / "run", folder]
        if self._isolated:  # without a box the files would be there, maybe for good
            places += [Path(place) for place in ("/", "/usr", "/etc", sys.prefix)]
        self._writes = [place / f"canary-{word}" for place in places]
        self._left = f"canary-{word}"
        course = Path(grading.__file__).parents[1]
        named = [course / name for name in ("grading", "course_utils", "solutions")]
        self.given: dict[str, Any] = {
            "token": token,
            "secret": str(folder / "secret.txt"),
            "course": [str(path) for path in named if path.exists()],
            "grader": os.getpid(),
            # A small number may be the canary's own inside.
            "victim": self._victim.pid if self._victim.pid > 300 else 0,
            "ticks": _ticks_since_boot(),
            "address": self._servers[0].getsockname(),
            "sockets": [str(folder / "outside"), f"\0course-{word}"],
            "writes": [str(path) for path in self._writes],
            "left": self._left,
            "processes": self.limits.processes,
            "memory_bytes": self.limits.memory_bytes,
            "file_bytes": self.limits.file_bytes,
            "scratch_bytes": self.limits.scratch_bytes,
            "patience": 8.0
            if self._isolated
            else 0.5,  # seconds, spent in vain where nobody counts
        }

    def _start_in(self, folder: Path) -> Start:
        home, view, data = folder / "home", folder / "view", folder / "data"
        for path in (home / "run", view / "course_utils", data):
            path.mkdir(parents=True)
        (view / "course_utils" / "__init__.py").write_text("")
        file = home / "run" / "kernel.json"
        write_connection_file(
            str(file),
            ip=str(home / "run" / "kernel-ipc"),
            transport="ipc",
            key=uuid.uuid4().hex.encode(),
        )
        return Start(home, file, {"OMP_NUM_THREADS": "1"}, view, (data,), self.limits)

    def _listen(self, folder: Path, word: str) -> list[socket.socket]:
        servers = [socket.create_server(("127.0.0.1", 0))]
        addresses = [str(folder / "outside")]
        if sys.platform == "linux":
            addresses.append(f"\0course-{word}")
        for address in addresses:
            server = socket.socket(socket.AF_UNIX)
            server.bind(address)
            server.listen()
            servers.append(server)
        (folder / "outside").chmod(0o777)
        for server in servers:
            server.setblocking(False)
            self._ends.callback(server.close)
        return servers

    def found_outside(self) -> dict[str, str]:
        """The escapes that show outside, whatever was said inside."""
        got = {}
        written = [str(path) for path in self._writes if path.exists()]
        if written:
            got["writing"] = ", ".join(written)
        if self._victim.poll() is not None:
            got["processes"] = "one of the grader's is dead"
        for name, server in zip(("network", "sockets", "sockets"), self._servers, strict=False):
            with contextlib.suppress(OSError):
                server.accept()[0].close()
                got[name] = "a connection came in"
        return got

    def left_behind(self, seconds: float = 0.0) -> bool:
        """Whether the process that the canary leaves is seen outside, within some time."""
        deadline = time.monotonic() + seconds
        while True:
            named = [p for p in psutil.process_iter(["name"]) if p.info["name"] == self._left]
            if any(_runs(process) for process in named):
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _ticks_since_boot() -> int:
    """Now, as the kernel of Linux counts when processes start; -1 on other systems."""
    if sys.platform != "linux":
        return -1
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK"))


def _short_folder() -> str:
    """A folder whose name leaves room for that of a socket, which may have 100 characters."""
    folder = tempfile.gettempdir()
    return folder if len(folder) < 50 else "/tmp"
