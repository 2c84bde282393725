"""Boxes made by a container engine, podman or docker, from an image that holds the libraries.

The image is named by COURSE_GRADING_IMAGE: any image with the same version of Python as the
grader's, the course's requirements.lock installed, and nothing of the course itself
(`docs/grading-image/Containerfile` builds one). A kernel starts cold.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from grading import box_files, entry
from grading.boxes import BoxError, Limits, Start
from grading.sockets import seal, wait_until_ready

ENGINES = ("podman", "docker")
IMAGE = "COURSE_GRADING_IMAGE"
NOBODY = 65534
ALL_PROCESSES = 16_384  # of all containers together
COMMAND_SECONDS = 60.0
START_SECONDS = 120.0
END_SECONDS = 30.0
# Where programs and libraries lie is the image's to say.
OF_THE_HOST = ("PATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "SHELL")
ASK = "import sys, ipykernel, cloudpickle; print('%d.%d' % sys.version_info[:2])"


class ContainerBackend:
    """Starts each kernel in a container of its own; see `grading.boxes.Backend`.

    `engine` and `image` are found where they are not given.
    """

    name = "container"
    isolated = True

    def __init__(self, engine: str | None = None, image: str | None = None) -> None:
        self._engine = engine
        self._image = image or os.environ.get(IMAGE)
        self._kernels: list[ContainerKernel] = []

    def check(self) -> None:
        """See that a box can be built and has what a kernel needs; raises `BoxError` if not."""
        engine, image = self._found()
        with tempfile.TemporaryDirectory(prefix="box-") as name:
            home, view = Path(name), Path(name) / "view"
            (home / "run").mkdir()
            view.mkdir()
            start = Start(home, home / "run" / "kernel.json", {}, view, (), Limits())
            inside = ["python3", "-I", "-c", ASK]
            command = run_arguments(engine, image, start, f"course-{uuid.uuid4().hex}", inside)
            done = _call([word for word in command if word != "--detach"], home)
        if done.returncode:
            raise BoxError(f"{engine} cannot run {image}: {_last_line(done)}")
        ours = f"{sys.version_info[0]}.{sys.version_info[1]}"
        if done.stdout.strip() != ours:
            raise BoxError(f"{image} has Python {done.stdout.strip()}; the grader runs {ours}")

    def start(self, start: Start) -> ContainerKernel:
        """Start a kernel in a new container; returns when it answers.

        Raises `BoxError` where there is no engine or no image, or the kernel does not start.
        """
        engine, image = self._found()
        if os.geteuid() == 0:
            for path in (start.home / "run", start.connection_file):
                os.chown(path, NOBODY, NOBODY)
        name = f"course-{uuid.uuid4().hex}"
        inside = entry.command(
            start.limits,
            start.connection_file,
            count_processes=False,
            python="python3",
            attend=True,
        )
        done = _call(run_arguments(engine, image, start, name, inside), start.home)
        if done.returncode:
            raise BoxError(f"{engine} cannot run {image}: {_last_line(done)}")
        kernel = ContainerKernel(engine, name)
        self._kernels = [k for k in self._kernels if k.poll() is None] + [kernel]
        try:
            wait_until_ready(start.connection_file, kernel, START_SECONDS)
            seal(start.connection_file)
        except (BoxError, OSError) as error:
            kernel.kill()
            raise BoxError(str(error)) from None
        return kernel

    def close(self) -> None:
        """End every kernel."""
        for kernel in self._kernels:
            kernel.kill()

    def _found(self) -> tuple[str, str]:
        if not sys.platform.startswith("linux"):
            raise BoxError("sockets do not pass into the virtual machine that runs containers here")
        self._engine = self._engine or find_engine()
        if not self._image:
            raise BoxError(f"{self._engine} answers, but {IMAGE} names no image")
        return self._engine, self._image


def find_engine() -> str:
    """The first of podman and docker that answers `info`; raises `BoxError` where none does."""
    said = []
    for engine in ENGINES:
        if shutil.which(engine) is None:
            said.append(f"{engine} is not installed")
            continue
        done = _call([engine, "info"])
        if done.returncode == 0:
            return engine
        said.append(f"{engine} does not answer ({_last_line(done)})")
    raise BoxError("; ".join(said))


def run_arguments(engine: str, image: str, start: Start, name: str, inside: list[str]) -> list[str]:
    """The command line that runs `inside` in a container called `name`, detached."""
    limits = start.limits
    user = (NOBODY, NOBODY) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    size = "rw,exec,nosuid,nodev,mode=1777,size"
    command = [
        *(engine, "run", "--detach", "--rm", "--name", name, "--hostname", "box"),
        *("--network", "none", "--read-only", "--cap-drop", "ALL", "--ipc", "private"),
        *("--security-opt", "no-new-privileges"),
        # A system that labels files (SELinux) would refuse those that are shown from outside.
        *("--security-opt", "label=disable"),
        *("--pids-limit", str(limits.processes)),
        *("--memory", str(limits.memory_bytes), "--memory-swap", str(limits.memory_bytes)),
        *("--ulimit", f"nofile={entry.OPEN_FILES}:{entry.OPEN_FILES}", "--ulimit", "core=0:0"),
        # Engines ask for more than a machine may allow, and fail; --pids-limit is what counts.
        *("--ulimit", f"nproc={ALL_PROCESSES}:{ALL_PROCESSES}"),
        *("--tmpfs", f"{box_files.SCRATCH}:{size}={limits.scratch_bytes // 2}"),
        *("--tmpfs", f"/tmp:{size}={limits.scratch_bytes // 4}"),
        *("--shm-size", str(limits.scratch_bytes // 4)),
        *("--user", f"{user[0]}:{user[1]}", "--workdir", box_files.SCRATCH),
        # The engine's log of what a container prints has no limit.
        *("--log-driver", "none", "--pull", "never"),
    ]
    if engine == "podman":
        command.append("--read-only-tmpfs=false")  # no further folders, which have no limit
        if os.geteuid() != 0:
            command += ["--userns", "keep-id"]
    for folder in dict.fromkeys((start.view, *start.readable)):
        command += ["--volume", f"{folder}:{folder}:ro"]
    command += ["--volume", f"{start.home / 'run'}:{start.home / 'run'}:rw"]
    for key, value in _environment(start):
        command += ["--env", f"{key}={value}"]
    return [*command, "--entrypoint", inside[0], image, *inside[1:]]


def _environment(start: Start) -> Iterator[tuple[str, str]]:
    given = box_files.environment(start.environment, start.view) | {"TMPDIR": "/tmp"}
    given |= {"TEMP": "/tmp", "TMP": "/tmp"}
    return ((key, value) for key, value in given.items() if key not in OF_THE_HOST)


class ContainerKernel:
    """A kernel in a container, waited for by the engine; see `grading.boxes.Kernel`."""

    def __init__(self, engine: str, name: str) -> None:
        self._engine, self._name = engine, name
        self._code: int | None = None
        self._asked = False
        self._waiting = subprocess.Popen(
            [engine, "wait", name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def poll(self) -> int | None:
        """None while it runs, then its exit code (negative for a signal)."""
        if self._code is None and self._waiting.poll() is not None:
            said, _ = self._waiting.communicate()
            # The container may be gone before the engine could say how it ended.
            code = int(said) if said.strip().isdigit() else 128 + signal.SIGKILL
            self._code = code if code <= 128 else 128 - code
        return self._code

    def interrupt(self) -> None:
        """Send the kernel SIGINT, by way of the container's first process."""
        if self.poll() is None:
            _call([self._engine, "kill", "--signal", "INT", self._name])

    def kill(self) -> None:
        """End the container; returns when it is gone."""
        self._asked = self._asked or self.poll() is None
        deadline = time.monotonic() + END_SECONDS
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise BoxError(f"{self._engine} does not end the container {self._name}")
            _call([self._engine, "kill", self._name])
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._waiting.wait(1)

    def why(self) -> str | None:
        """Why a limit ended the kernel ("memory", "processor time", "time"), or None.

        An end by force that nobody asked for counts as "memory": the system ends what takes more.
        """
        reasons = {-signal.SIGXCPU: "processor time", 124: "time"}
        if not self._asked:
            reasons[-signal.SIGKILL] = "memory"
        return reasons.get(self.poll() or 0)


def _call(command: list[str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run an engine's command; in `folder`, because one leaves notes where it is started."""
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_SECONDS,
            cwd=folder,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"it ended with code {done.returncode}"
