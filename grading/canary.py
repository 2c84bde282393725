"""What a box must withstand: attempts to escape from it, run inside by `grading.proof.prove`.

The box does not see this file: its text is sent to the kernel, so it has the standard library only.
Each attempt returns what it got hold of, "" where it got nothing; an error counts as nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import glob
import importlib.util
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

Given = dict[str, Any]  # what the grader planted; see `grading.proof`
NEW_USER_NAMESPACE = 0x10000000
SET_NAME = 15  # prctl's


def attempts(given: Given) -> dict[str, str]:
    """Try everything that harms nobody where it succeeds; name of an attempt to what it got."""
    return {name: _tried(attempt, given) for name, attempt in ATTEMPTS.items()}


def _tried(attempt: Callable[[Given], str], given: Given) -> str:
    try:
        return attempt(given)
    except (OSError, RuntimeError, ValueError, ImportError):
        return ""


def _secret(given: Given) -> str:
    """The file beside the submissions, by each way to the root of a file system."""
    roots = ["", "/proc/1/root", f"/proc/{given['grader']}/root", "/../.."]
    for root in roots:
        with contextlib.suppress(OSError), open(root + given["secret"]) as file:
            if given["token"] in file.read():
                return root + given["secret"]
    return ""


def _course(given: Given) -> str:
    """The course's folders; the grader and the answers among Python's libraries."""
    places = list(given["course"])
    for folder in sys.path:
        places += [os.path.join(folder, "grading"), os.path.join(folder, "course_utils", "solved")]
    for place in places:
        if os.path.exists(place):
            return place
    with contextlib.suppress(ImportError):
        found = importlib.util.find_spec("grading")
        return str(found.origin) if found is not None else ""
    return ""


def _environment(given: Given) -> str:
    """A word that the grader and a process beside it have in their environments."""
    for path in ["/proc/self/environ", *glob.glob("/proc/[0-9]*/environ")]:
        with contextlib.suppress(OSError), open(path, "rb") as file:
            if given["token"].encode() in file.read():
                return path
    return next((name for name, value in os.environ.items() if given["token"] in value), "")


def _processes(given: Given) -> str:
    """A process that is older than the box; and the end of one that the grader started."""
    if given["victim"]:
        with contextlib.suppress(OSError):
            os.kill(given["victim"], 15)
    for path in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError), open(path) as file:
            started = int(file.read().rpartition(")")[2].split()[19])
            if started < given["ticks"]:
                return path
    return ""


def _network(given: Given) -> str:
    """The grader's server on this machine; a route to another one, along which nothing is sent."""
    with contextlib.suppress(OSError), socket.create_connection(given["address"], 1):
        return "a server of this machine"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        any_socket.connect(("192.0.2.1", 9))  # an address that is nobody's
        return "a route to other machines"


def _sockets(given: Given) -> str:
    for address in given["sockets"]:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(address)
            return str(address)
    return ""


def _writing(given: Given) -> str:
    """Nothing to say: the grader looks whether the files are there."""
    for path in given["writes"]:
        with contextlib.suppress(OSError), open(path, "w") as file:
            file.write("canary")
    return ""


def _namespace(given: Given) -> str:
    """A user namespace, in which one is root and comes to more of the system."""
    if sys.platform != "linux":
        return ""
    child = os.fork()
    if child == 0:
        os._exit(0 if ctypes.CDLL(None).unshare(NEW_USER_NAMESPACE) == 0 else 1)
    return "" if os.waitpid(child, 0)[1] else "a user namespace"


def _threads(given: Given) -> str:
    """As many threads as the box may have, and some."""
    over, started = threading.Event(), []
    size = threading.stack_size(256 * 1024)
    try:
        for _ in range(given["processes"] + 8):
            started.append(threading.Thread(target=over.wait))
            started[-1].start()
        return f"{len(started)} threads"
    finally:
        over.set()
        threading.stack_size(size)
        for thread in started:
            if thread.ident is not None:
                thread.join()


def _file(given: Given) -> str:
    path = os.path.join(os.getcwd(), "canary-long")
    try:
        with open(path, "wb") as file:
            file.write(bytes(given["file_bytes"] + 1))
            file.flush()
        return f"a file of {os.path.getsize(path)} bytes"
    finally:
        os.unlink(path)


def _scratch(given: Given) -> str:
    """More files than the box has room for, wherever something may be written."""
    places = {os.getcwd(), os.environ.get("TMPDIR", "/tmp"), "/tmp", "/dev/shm"}
    written, paths, size = 0, [], given["file_bytes"] // 2
    try:
        for place in places:
            for number in range(given["scratch_bytes"] // size + 2):
                path = os.path.join(place, f"canary-{os.getpid()}-{number}")
                with contextlib.suppress(OSError), open(path, "wb", buffering=0) as file:
                    paths.append(path)
                    written += file.write(bytes(size))
        return f"{written} bytes" if written > given["scratch_bytes"] else ""
    finally:
        for path in paths:
            os.unlink(path)


def leave(given: Given) -> None:
    """Leave a process behind that belongs to nobody; its name is for the grader to find."""
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_NAME, given["left"].encode(), 0, 0, 0)
    time.sleep(600)
    os._exit(0)


def take_memory(given: Given) -> str:
    """More memory than allowed, by three processes of which none alone takes too much."""
    told, children = os.pipe(), []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            os.close(told[0])
            with contextlib.suppress(BaseException):
                taken = b"x" * (given["memory_bytes"] * 6 // 10)
                os.write(told[1], taken[:1])
                time.sleep(30)
            os._exit(0)
        children.append(child)
    os.close(told[1])
    got, alive, deadline = b"", children, time.monotonic() + 10
    # Until each has what it wants, or was ended for it.
    while len(got) + 3 - len(alive) < 3 and time.monotonic() < deadline:
        if select.select([told[0]], [], [], 0.05)[0]:
            got += os.read(told[0], 3)
        alive = _alive(alive)
    if len(got) == 3:
        time.sleep(given["patience"])  # a box counts now and then, and later where it is busy
    alive = _alive(alive)
    for child in alive:
        os.kill(child, 9)
        os.waitpid(child, 0)
    os.close(told[0])
    held = len(got) < 3 or len(alive) < 3
    return "" if held else f"{given['memory_bytes'] * 18 // 10} bytes"


def _alive(children: list[int]) -> list[int]:
    return [child for child in children if os.waitpid(child, os.WNOHANG) == (0, 0)]


ATTEMPTS: dict[str, Callable[[Given], str]] = {
    "secret": _secret,
    "course": _course,
    "environment": _environment,
    "processes": _processes,
    "network": _network,
    "sockets": _sockets,
    "writing": _writing,
    "namespace": _namespace,
    "threads": _threads,
    "file": _file,
    "scratch": _scratch,
}
