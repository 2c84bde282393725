"""The keeper of one box: starts it, counts what it uses, passes on signals, and ends it.

It runs outside the box, as a fork of the fork server, and talks with the grader over one socket:
lines of JSON to the grader (`{"event": "started"}`, `"failed"`, `"ended"`), single bytes from it
(`i` interrupt, `k` kill). A grader that is gone counts as `k`.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time
from pathlib import Path
from typing import Any

from grading import linux
from grading.box_kernel import first_process
from grading.boxes import LOST
from grading.usage import family as descent
from grading.usage import memory

INSIDE_ID = 1000  # the user that a submission is inside its box
NOBODY = 65534  # who that is outside, where the grader is root
LOOK_SECONDS = 0.1
START_SECONDS = 60.0


def keep(link: socket.socket, message: dict[str, Any]) -> int:
    """Run one box to its end; returns the keeper's exit code."""
    os.setsid()
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    base = memory(os.getpid())
    try:
        first = _start_first(ours, theirs, message)
    except OSError as error:
        _tell(link, event="failed", why=str(error))
        return 1
    theirs.close()
    try:
        why, code = _watch(link, ours, first, message["limits"], base)
    finally:
        _end(first)
    _tell(link, event="ended", code=code, why=why)
    return 0


def _tell(link: socket.socket, **message: Any) -> None:
    with contextlib.suppress(OSError):
        link.sendall(json.dumps(message).encode() + b"\n")


# ---------------------------------------------------------------- the start


def _start_first(ours: socket.socket, theirs: socket.socket, message: dict[str, Any]) -> int:
    """Fork the box's first process; returns its PID outside.

    A process in between makes the namespaces, so that the keeper itself stays outside of them.
    """
    between = os.fork()
    if between == 0:
        _between(ours, theirs, message)
    ours.settimeout(START_SECONDS)
    _expect(ours, "unshared")
    _map_users(between)
    ours.send(b'{"go": true}')
    first = int(_expect(ours, "forked")["pid"])
    os.waitpid(between, 0)
    ours.send(b'{"go": true}')
    return first


def _between(ours: socket.socket, theirs: socket.socket, message: dict[str, Any]) -> None:
    try:
        ours.close()
        linux.unshare(linux.ALL_NAMESPACES)
        theirs.send(b'{"did": "unshared"}')
        theirs.recv(64)
        pid = os.fork()
        if pid == 0:
            first_process(theirs, message)  # never returns
        theirs.send(json.dumps({"did": "forked", "pid": pid}).encode())
    except OSError as error:
        theirs.send(json.dumps({"did": "failed", "why": str(error)}).encode())
    finally:
        os._exit(0)


def _expect(ours: socket.socket, what: str) -> dict[str, Any]:
    """The next message of the box, which must say that it did `what`."""
    try:
        data = ours.recv(1 << 16)
    except TimeoutError:
        raise OSError(f"the box did not get as far as '{what}' in {START_SECONDS:.0f} s") from None
    answer = json.loads(data) if data else {}
    if answer.get("did") != what:
        raise OSError(answer.get("why") or f"the box ended before it was '{what}'")
    return dict(answer)


def _map_users(pid: int) -> None:
    """Say who the box's users are outside: nobody where we are root, else ourselves."""
    place = Path(f"/proc/{pid}")
    if os.geteuid() == 0:
        # Root stays root for the box's first process, which reads folders that are root's only;
        # it has no rights outside of the box.
        text = f"0 0 1\n{INSIDE_ID} {NOBODY} 1\n"
        (place / "uid_map").write_text(text)
        (place / "gid_map").write_text(text)
    else:
        (place / "setgroups").write_text("deny")
        (place / "uid_map").write_text(f"{INSIDE_ID} {os.geteuid()} 1\n")
        (place / "gid_map").write_text(f"{INSIDE_ID} {os.getegid()} 1\n")


# ---------------------------------------------------------------- while it runs


def _watch(
    link: socket.socket, box: socket.socket, first: int, limits: dict[str, Any], base: int
) -> tuple[str | None, int]:
    """Until the kernel or the grader ends: why the box was ended, and the kernel's exit code."""
    code = -int(signal.SIGKILL)
    deadline = time.monotonic() + limits["wall_seconds"] + limits["cell_seconds"]
    while True:
        ready, _, _ = select.select([link, box], [], [], LOOK_SECONDS)
        if link in ready:
            commands = _read(link)
            if not commands or b"k" in commands:
                return None, code
            if b"i" in commands:
                _interrupt(first)
        if box in ready:
            data = _read(box)
            if not data:  # nobody inside can end the first process, nor silence it
                return LOST, code
            message = json.loads(data)
            if message.get("did") == "started":
                _tell(link, event="started")
            elif message.get("did") == "failed":
                _tell(link, event="failed", why=message.get("why"))
                return None, code
            elif message.get("did") == "ended":
                return message.get("why"), int(message["code"])
        used, processes = _used(first, base)
        if used > limits["memory_bytes"]:
            return "memory", code
        if processes > limits["processes"]:
            return "processes", code
        if time.monotonic() > deadline:
            return "time", code


def _read(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1 << 16)
    except OSError:
        return b""


def _interrupt(first: int) -> None:
    """SIGINT to the kernel, the first child of the box's first process.

    That one may not send it itself: it is another user than the kernel, and has no rights.
    """
    family = list(descent(first))
    if len(family) > 1:
        with contextlib.suppress(OSError):
            os.kill(family[1], signal.SIGINT)


def _end(first: int) -> None:
    """Kill the box's first process, and with it all others; wait until they are gone."""
    with contextlib.suppress(OSError):
        os.kill(first, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


# ---------------------------------------------------------------- counting


def _private(pid: int) -> int | None:
    """Bytes that belong to this process alone; None where the kernel does not say."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return None
    wanted = ("Private_Clean:", "Private_Dirty:", "Swap:")
    return 1024 * sum(int(x.split()[1]) for x in text.splitlines() if x.startswith(wanted))


def _used(first: int, base: int) -> tuple[int, int]:
    """Memory of the box beyond what it shares with the fork server, and its number of processes.

    The first two processes are forks of the server; of others that is not known, so that theirs
    counts in full unless the kernel tells what is private.
    """
    family = list(descent(first))
    sizes = [max(0, memory(pid) - base) for pid in family[:2]]
    for pid in family[2:]:
        size = memory(pid)
        exact = _private(pid) if size > base // 4 else None
        sizes.append(size if exact is None else min(size, exact))
    return sum(sizes), len(family)
