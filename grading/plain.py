"""A kernel as a plain process: for notebooks that are trusted, where no box can be built.

It has a folder and an environment of its own, limits where the system has them, and a clean end.
It does not hold a submission that means harm, which runs with the grader's rights.
"""

from __future__ import annotations

import contextlib
import os
import sys
import uuid
from collections.abc import Iterable
from subprocess import DEVNULL, Popen

import psutil  # type: ignore[import-untyped]
from jupyter_client.launcher import launch_kernel

from grading import entry
from grading.boxes import BoxError, Start
from grading.sockets import wait_until_ready

MARK = "COURSE_RUN_MARK"
START_SECONDS = 120.0

# What a kernel may see of the grader's environment: enough to find Python, its libraries
# and a graphics card, and nothing that could be a secret. PYTHONDONTWRITEBYTECODE is left out
# with intent: compiling the libraries anew for each submission more than doubles its time.
# fmt: off
PASSED_ON = frozenset((
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "SHELL", "VIRTUAL_ENV",
    "CONDA_PREFIX", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CUDA_HOME",
    "CUDA_VISIBLE_DEVICES", "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "USERPROFILE",
    "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "NUMBER_OF_PROCESSORS",
    "MPLCONFIGDIR", "XDG_CACHE_HOME", "PYTHONUSERBASE", "PYTHONPYCACHEPREFIX",
))
# fmt: on


class PlainBackend:
    """Starts kernels without a box; see `grading.boxes.Backend`."""

    name = "plain"
    isolated = False

    def __init__(self) -> None:
        self._kernels: list[PlainKernel] = []

    def start(self, start: Start) -> PlainKernel:
        """Start a kernel in `home/work`; returns when it answers.

        Every process of it carries a mark of `start.environment`, or a new one, in its environment.
        """
        for name in ("work", "tmp", "ipython"):
            (start.home / name).mkdir(mode=0o700, exist_ok=True)
        environment = _environment(start)
        process = launch_kernel(
            _command(start),
            stdin=DEVNULL,
            stdout=DEVNULL,  # what bypasses the kernel's own streams goes nowhere
            stderr=DEVNULL,
            env=environment,
            cwd=str(start.home / "work"),
        )
        kernel = PlainKernel(process, environment[MARK])
        self._kernels = [k for k in self._kernels if k.poll() is None] + [kernel]
        try:
            wait_until_ready(start.connection_file, kernel, START_SECONDS)
        except BoxError:
            kernel.kill()
            raise
        return kernel

    def close(self) -> None:
        """End every kernel."""
        for kernel in self._kernels:
            kernel.kill()


def _command(start: Start) -> list[str]:
    if os.name == "posix":
        # RLIMIT_NPROC would count all that this user runs, the grader included.
        return entry.command(start.limits, start.connection_file, count_processes=False)
    return [sys.executable, "-m", "ipykernel_launcher", "-f", str(start.connection_file)]


def _environment(start: Start) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k.upper() in PASSED_ON or k.startswith("LC_")}
    own = {
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(start.home / "tmp")),
        "IPYTHONDIR": str(start.home / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(start.home / "run"),
        "PYTHONPATH": str(start.view),
    }
    return {MARK: uuid.uuid4().hex} | kept | dict(start.environment) | own


class PlainKernel:
    """A kernel that is a process among others; see `grading.boxes.Kernel`."""

    def __init__(self, process: Popen[bytes], mark: str) -> None:
        self._process, self._mark = process, mark

    def poll(self) -> int | None:
        """None while it runs, then its exit code (negative for a signal)."""
        return self._process.poll()

    def interrupt(self) -> None:
        """Send the kernel SIGINT, or what stands for it on Windows."""
        if self.poll() is not None:
            return
        if sys.platform == "win32":
            from jupyter_client.win_interrupt import send_interrupt

            send_interrupt(self._process.win32_interrupt_event)
        else:
            import signal

            self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End the kernel, its descendants, and every process that carries its mark."""
        running = self.poll() is None
        below = _descendants(self._process.pid)[1:] if running else []
        if running:
            self._process.kill()
            self._process.wait()  # before psutil, which would keep the code for itself
        for process in below:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(below, timeout=1)
        end_processes(None, self._mark)

    def why(self) -> str | None:
        """Why a limit ended the kernel, or None."""
        if sys.platform != "win32":
            import signal

            if self.poll() == -signal.SIGXCPU:
                return "processor time"
        return None


def end_processes(root: int | None, mark: str) -> None:
    """Kill a process, all its descendants, and every process that carries a mark.

    The mark in the environment finds those that left the tree (`setsid`, double forks).
    """
    for _ in range(5):
        doomed = [*_descendants(root), *_marked(mark)]
        if not doomed:
            return
        for process in doomed:
            try:
                process.kill()
            except psutil.Error:
                continue
        psutil.wait_procs(doomed, timeout=1)


def _descendants(root: int | None) -> list[psutil.Process]:
    if root is None:
        return []
    try:
        process = psutil.Process(root)
        return _running([process, *process.children(recursive=True)])
    except psutil.Error:
        return []


def _marked(mark: str) -> list[psutil.Process]:
    if not mark:
        return []
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return _running(found)


def _running(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    found = []
    for process in processes:
        try:
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found
