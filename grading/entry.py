"""The first program in a box that is entered by exec: it sets the limits and becomes the kernel.

A box does not see the grader's files, so this one is handed to Python as text (`command`). Inside
it has the standard library only, and what it says on stderr is the reason of a failed start.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grading.boxes import Limits

OPEN_FILES = 512
CPU_GRACE = 2  # seconds between the signal that says so and the one that cannot be caught
# RLIMIT_DATA counts what is mapped, used or not; the labs' libraries map 1 GiB as they load.
MAPPED_UNUSED = 2 * 2**30


def command(
    limits: Limits,
    connection_file: Path,
    *,
    count_processes: bool,
    user: int | None = None,
    python: str | None = None,
    attend: bool = False,
) -> list[str]:
    """The command line that starts a kernel within limits.

    Parameters
    ----------
    count_processes : limit processes by RLIMIT_NPROC, which counts all of a user's; right where
        the box has a user, or a user namespace, of its own.
    user : the user and group to become; None to stay who we are.
    python : the interpreter inside; None for our own.
    attend : stay as the box's first process: pass on Ctrl-C, bury what dies, and end the box
        when its time is over, even if the grader is gone.
    """
    bounds = {
        "RLIMIT_DATA": [limits.memory_bytes + MAPPED_UNUSED] * 2,
        "RLIMIT_FSIZE": [limits.file_bytes] * 2,
        "RLIMIT_CPU": [limits.cpu_seconds, limits.cpu_seconds + CPU_GRACE],
        "RLIMIT_NOFILE": [OPEN_FILES] * 2,
        "RLIMIT_CORE": [0, 0],
    }
    if count_processes:
        bounds["RLIMIT_NPROC"] = [limits.processes] * 2
    seconds = limits.wall_seconds + limits.cell_seconds if attend else 0
    settings = {"bounds": bounds, "user": user, "file": str(connection_file), "attend": seconds}
    text = Path(__file__).read_text(encoding="utf-8")
    return [python or sys.executable, "-I", "-S", "-c", text, json.dumps(settings)]


def enter(settings: dict[str, Any]) -> None:
    """Set limits, give up rights, let go of inherited files, and be the kernel."""
    if settings["attend"]:
        _attend(settings["attend"])
    _limit(settings["bounds"])
    user = settings["user"]
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    os.umask(0o022)
    null = os.open(os.devnull, os.O_RDWR)
    complaints = os.dup(2)  # closed by a successful exec
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.closerange(3, complaints)
    os.closerange(complaints + 1, 65_536)
    kernel = [sys.executable, "-m", "ipykernel_launcher", "-f", settings["file"]]
    try:
        os.execv(kernel[0], kernel)
    except OSError as error:
        os.write(complaints, f"{kernel[0]} cannot be started in the box: {error}\n".encode())
        raise


def _attend(seconds: int) -> None:
    """Fork; return in the child, which becomes the kernel, and outlive it in the parent."""
    kernel = os.fork()
    if kernel == 0:
        return
    signal.signal(signal.SIGINT, lambda *_: os.kill(kernel, signal.SIGINT))
    signal.signal(signal.SIGALRM, lambda *_: os._exit(124))
    signal.alarm(seconds)
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == kernel:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _limit(bounds: dict[str, list[int]]) -> None:
    """Set what the system knows of `bounds` (soft and hard), never above what is allowed now."""
    import resource  # Windows has none, and no box that is entered here

    for name, wanted in bounds.items():
        which = getattr(resource, name, None)
        if which is None:
            continue
        _, hard = resource.getrlimit(which)
        if hard != resource.RLIM_INFINITY:
            wanted = [min(value, hard) for value in wanted]
        try:
            resource.setrlimit(which, (wanted[0], wanted[1]))
        except (OSError, ValueError):  # macOS knows RLIMIT_DATA and refuses it
            continue
    with contextlib.suppress(OSError):  # where memory runs out, this goes first
        Path("/proc/self/oom_score_adj").write_text("1000")
    os.nice(5)  # the grader, who judges, goes before


if __name__ == "__main__":
    enter(json.loads(sys.argv[1]))
