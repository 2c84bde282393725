"""What runs inside a box: its first process, and the kernel that this one forks."""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from grading import box_files, linux

INSIDE_ID = 1000
OPEN_FILES = 512
CPU_GRACE = 2


def first_process(box: socket.socket, message: dict[str, Any]) -> NoReturn:
    """Be PID 1 of the box: build its files, fork the kernel, report its end."""
    code = 1
    try:
        _reset_signals()
        box.recv(64)  # the process in between is gone: the keeper is our parent
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        run = Path(message["run"])
        readable = [Path(path) for path in message["readable"]]
        root, view = Path(message["root"]), Path(message["view"])
        limits = message["limits"]
        box_files.build_root(root, view, readable, run, limits["scratch_bytes"])
        ours, theirs = socket.socketpair()
        kernel = os.fork()
        if kernel == 0:
            ours.close()
            box.close()
            _kernel_process(theirs, message)
        theirs.close()
        _seal(ours, run)
        box.send(b'{"did": "started"}')
        code = _attend(box, kernel)
    except BaseException as error:
        with contextlib.suppress(OSError):
            why = f"{type(error).__name__}: {error}"
            box.send(json.dumps({"did": "failed", "why": why}).encode())
    finally:
        os._exit(code)


def _reset_signals() -> None:
    # A signal without a handler of its own cannot be sent to PID 1 from inside its namespace.
    for number in signal.valid_signals():
        with contextlib.suppress(OSError, ValueError):
            if number != signal.SIGCHLD:
                signal.signal(number, signal.SIG_DFL)


def _seal(kernel: socket.socket, run: Path) -> None:
    """Wait until the kernel has bound its sockets; then nobody in the box may move them."""
    said = kernel.recv(1 << 12)
    if said != b"bound":
        raise OSError(said.decode("utf-8", "replace") or "the kernel ended as it started")
    box_files.seal_sockets(run)
    linux.bar_capabilities()
    linux.drop_capabilities()
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    kernel.send(b"go")
    kernel.close()


def _attend(box: socket.socket, kernel: int) -> int:
    """Bury the box's dead until the kernel is one of them, and say how it ended."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == kernel:
            code = os.waitstatus_to_exitcode(status)
            why = "processor time" if -code == signal.SIGXCPU else None
            box.send(json.dumps({"did": "ended", "code": code, "why": why}).encode())
            return 0


# ---------------------------------------------------------------- the kernel


def _kernel_process(ready: socket.socket, message: dict[str, Any]) -> NoReturn:
    code = 1
    try:
        os.setsid()
        _close_all_but(ready.fileno())
        _python_signals()
        _limit(message["limits"])
        _become_student()
        _settle(message)
        app = _kernel_app(message["connection_file"])
        ready.send(b"bound")
        if ready.recv(2) != b"go":
            os._exit(1)
        ready.close()
        app.start()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException as error:
        with contextlib.suppress(OSError):
            ready.send(f"{type(error).__name__}: {error}".encode()[:4_000])
    finally:
        os._exit(code)


def _python_signals() -> None:
    """What Python sets at its start: Ctrl-C raises, and so does a broken pipe or a full file."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_IGN)


def _close_all_but(kept: int) -> None:
    os.closerange(3, kept)
    os.closerange(kept + 1, 65_536)
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _limit(limits: Mapping[str, int]) -> None:
    own = _data_bytes()
    wanted = {
        resource.RLIMIT_DATA: own + limits["memory_bytes"],  # one process; the keeper counts all
        resource.RLIMIT_FSIZE: limits["file_bytes"],
        resource.RLIMIT_CPU: limits["cpu_seconds"],
        resource.RLIMIT_NPROC: limits["processes"],
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for which, value in wanted.items():
        _, hard = resource.getrlimit(which)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # Of processor time the soft limit is told apart from any other end by its signal.
        grace = CPU_GRACE if which == resource.RLIMIT_CPU and bound == value else 0
        resource.setrlimit(which, (bound, bound + grace))
    with contextlib.suppress(OSError, ValueError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    os.nice(5)


def _data_bytes() -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmData:"):
                return 1024 * int(line.split()[1])
    return 4 * 2**30  # no /proc: what a process with torch has mapped, and more


def _become_student() -> None:
    """Be the box's user without any right, and with the calls of `linux.REFUSED` refused."""
    linux.bar_capabilities()
    if os.geteuid() != INSIDE_ID:
        os.setgroups([])
        os.setresgid(INSIDE_ID, INSIDE_ID, INSIDE_ID)
        os.setresuid(INSIDE_ID, INSIDE_ID, INSIDE_ID)
    linux.drop_capabilities()
    # The keeper, outside, must be able to count the memory; this box holds nobody else.
    linux.prctl(linux.PR_SET_DUMPABLE, 1)
    linux.refuse_calls()


def _settle(message: dict[str, Any]) -> None:
    """Look like a freshly started Python: environment, folders, paths, random numbers."""
    os.environ.clear()
    os.environ.update(box_files.environment(message["environment"], Path(message["view"])))
    time.tzset()
    os.chdir(box_files.SCRATCH)
    os.umask(0o022)
    python = box_files.python_folders()
    seen = [p for p in sys.path if any(Path(p).is_relative_to(folder) for folder in python)]
    sys.path[:] = [str(message["view"]), *seen]
    sys.argv[:] = ["ipykernel_launcher"]
    sys.path_importer_cache.clear()
    for name in [n for n in sys.modules if n == "grading" or n.startswith("grading.")]:
        del sys.modules[name]
    _reseed()


def _reseed() -> None:
    """Two forks of one server must not draw the same random numbers."""
    seed = int.from_bytes(os.urandom(8), "little")
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed % 2**63)


def _kernel_app(connection_file: str) -> Any:
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance(connection_file=connection_file)
    app.initialize([])
    return app
