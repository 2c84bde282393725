"""Boxes made of Linux namespaces, with kernels forked from a server that has imported everything.

A kernel is ready within a second, instead of the fifteen that its imports take. Works as root and
as a user, where the system lets users make namespaces.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import grading
from grading.boxes import LOST, BoxError, Start
from grading.forkserver import PRELOAD

SERVER_SECONDS = 180.0
KERNEL_SECONDS = 60.0
END_SECONDS = 20.0


class NamespacesBackend:
    """Starts kernels in boxes of their own; see `grading.boxes.Backend`.

    The fork server is started when it is first needed, and again where it has ended.
    """

    name = "namespaces"
    isolated = True

    def __init__(self) -> None:
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._lock = threading.Lock()
        self._kernels: list[BoxedKernel] = []
        self._nurseries: dict[Path, socket.socket] = {}

    def start(self, start: Start) -> BoxedKernel:
        """Start a kernel in a new box.

        Raises `BoxError` where namespaces are refused, or the server does not come up.
        """
        if not sys.platform.startswith("linux"):
            raise BoxError(f"namespaces are Linux's; this is {sys.platform}")
        run = start.home / "run"
        root = Path(tempfile.mkdtemp(prefix="root-", dir=start.home))
        if os.geteuid() == 0:
            from grading.keeper import NOBODY

            for path in (run, start.connection_file):
                if path.exists():
                    os.chown(path, NOBODY, NOBODY)
        message = {
            "root": str(root),
            "run": str(run),
            "connection_file": str(start.connection_file),
            "environment": dict(start.environment),
            "view": str(start.view),
            "readable": [str(path) for path in start.readable],
            "limits": asdict(start.limits),
        }
        ours, theirs = socket.socketpair()
        try:
            self._ask(message, start, theirs)
        finally:
            theirs.close()
        kernel = BoxedKernel(ours)
        kernel.wait_until_started(KERNEL_SECONDS)
        self._kernels = [k for k in self._kernels if k.poll() is None] + [kernel]
        return kernel

    def close(self) -> None:
        """End every kernel, and the server."""
        for kernel in self._kernels:
            kernel.kill()
        with self._lock:
            self._stop()

    def _ask(self, message: Mapping[str, object], start: Start, link: socket.socket) -> None:
        """Send a request with the descriptor of `link`."""
        data = json.dumps(message).encode()
        with self._lock:
            for attempt in (1, 2):
                try:
                    socket.send_fds(self._nursery(start), [data], [link.fileno()])
                    return
                except OSError as error:  # the server was killed: a new one
                    self._stop()
                    if attempt == 2:
                        raise BoxError(f"the fork server does not answer ({error})") from None

    def _nursery(self, start: Start) -> socket.socket:
        """Who forks kernels for a view: a nursery where there is something to import."""
        server = self._ready()
        if not start.preload:
            return server
        if start.view not in self._nurseries:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            message = {
                "preload": list(start.preload),
                "view": str(start.view),
                "environment": dict(start.environment),
            }
            with theirs:
                socket.send_fds(server, [json.dumps(message).encode()], [theirs.fileno()])
            _expect_ready(ours)
            self._nurseries[start.view] = ours
        return self._nurseries[start.view]

    def _ready(self) -> socket.socket:
        if self._control is not None and self._server is not None and self._server.poll() is None:
            return self._control
        self._stop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._server = subprocess.Popen(
            [sys.executable, "-m", "grading.forkserver", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_server_environment(),
            cwd="/",
            start_new_session=True,
        )
        theirs.close()
        self._control = ours
        try:
            _expect_ready(ours)
        except OSError as error:
            self._stop()
            raise BoxError(
                f"`{sys.executable} -m grading.forkserver` did not start: {error}"
            ) from None
        return ours

    def _stop(self) -> None:
        for control in self._nurseries.values():
            control.close()
        self._nurseries.clear()
        if self._control is not None:
            self._control.close()
        if self._server is not None:
            self._server.kill()
            self._server.wait()
        self._control, self._server = None, None


def _expect_ready(control: socket.socket) -> None:
    control.settimeout(SERVER_SECONDS)
    if control.recv(16) != b"ready":
        raise OSError("it ended at once")
    control.settimeout(KERNEL_SECONDS)


def _server_environment() -> dict[str, str]:
    """Nothing of the grader's but where programs and libraries lie: a box can read it."""
    kept = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "MPLCONFIGDIR", "VIRTUAL_ENV", PRELOAD)
    one_thread = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return (
        {name: os.environ[name] for name in kept if name in os.environ}
        | dict.fromkeys(one_thread, "1")
        | {
            "PYTHONPATH": str(Path(grading.__file__).parents[1]),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "CUDA_VISIBLE_DEVICES": "",  # a fork must not inherit a graphics card
        }
    )


class BoxedKernel:
    """A kernel in its box, as its keeper tells of it over `link`."""

    def __init__(self, link: socket.socket) -> None:
        self._link, self._buffer = link, b""
        self._code: int | None = None
        self._why: str | None = None
        self._failed: str | None = None
        self._started = False
        self._lock = threading.Lock()

    def wait_until_started(self, seconds: float) -> None:
        """Return when the kernel has bound its sockets; raises `BoxError` where it does not."""
        deadline = time.monotonic() + seconds
        while not self._started and self._code is None:
            if time.monotonic() > deadline:
                self.kill()
                raise BoxError(f"the kernel did not start within {seconds:.0f} s")
            self._listen(0.2)
        if not self._started:
            raise BoxError(f"the box could not be built ({self._failed or 'it ended at once'})")

    def poll(self) -> int | None:
        """None while it runs, then its exit code (negative for a signal)."""
        self._listen(0)
        return self._code

    def interrupt(self) -> None:
        """Send the kernel SIGINT."""
        self._command(b"i")

    def kill(self) -> None:
        """End the box; returns when all its processes are gone."""
        self._command(b"k")
        deadline = time.monotonic() + END_SECONDS
        while self._code is None and time.monotonic() < deadline:
            self._listen(0.1)
        if self._code is None:
            raise BoxError("a box could not be ended; its keeper does not answer")

    def why(self) -> str | None:
        """Why the box ended the kernel, or None."""
        self.poll()
        return self._why

    def _command(self, command: bytes) -> None:
        if self._code is None:
            with contextlib.suppress(OSError):
                self._link.sendall(command)

    def _listen(self, seconds: float) -> None:
        """Take in what the keeper says within `seconds`."""
        with self._lock:
            if self._code is not None or not select.select([self._link], [], [], seconds)[0]:
                return
            try:
                data = self._link.recv(1 << 16)
            except OSError:
                data = b""
            *lines, self._buffer = (self._buffer + data).split(b"\n")
            for line in lines:
                self._note(json.loads(line))
            if not data and self._code is None:  # the keeper is gone, and the box with it
                self._why = LOST
                self._finish(-9)

    def _note(self, message: dict[str, object]) -> None:
        if message["event"] == "started":
            self._started = True
        elif message["event"] == "failed":
            self._failed = str(message["why"])
            self._finish(1)
        elif message["event"] == "ended":
            self._why = None if message["why"] is None else str(message["why"])
            self._finish(int(str(message["code"])))

    def _finish(self, code: int) -> None:
        if self._code is None:
            self._code = code
            self._link.close()
