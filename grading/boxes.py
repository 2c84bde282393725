"""What a sandbox backend is given, and what it gives back.

A *box* is the isolated surrounding of one submission's kernel. Backends differ in how they build
it (`grading.sandbox` chooses one); the rest of the grader knows only what stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

MIB = 2**20
LOST = "lost"
"""Why a kernel ended whose box was ended by something outside: not the kernel's fault."""


@dataclass(frozen=True)
class Limits:
    """How long a notebook may run, how much it may print, and what it may use.

    Seconds: `cell_seconds` for one cell, `interrupt_seconds` for an interrupted cell to end in,
    `wall_seconds` for the whole notebook, `cpu_seconds` of processor time for one process.
    Output: characters and lines of one cell, characters in all. Bytes: `memory_bytes` is the
    private memory of all its processes together, `file_bytes` one file, `scratch_bytes` all
    files, `answer_bytes` what one probe may send back. `processes` counts threads, too.
    """

    cell_seconds: int = 300
    interrupt_seconds: int = 10
    wall_seconds: int = 1800
    cell_characters: int = 4_000_000
    cell_lines: int = 1_000
    total_characters: int = 50_000_000
    memory_bytes: int = 3072 * MIB
    processes: int = 128
    file_bytes: int = 256 * MIB
    scratch_bytes: int = 512 * MIB
    cpu_seconds: int = 1800
    answer_bytes: int = 64 * MIB


@dataclass(frozen=True)
class Start:
    """All that a backend needs to start one kernel.

    home : this run's private folder on the host; `home/run` holds the sockets.
    connection_file : in `home/run`; names transport "ipc" and the sockets' path.
    environment : the kernel's whole environment, without anything of the grader's.
    view : the folder with the `course_utils` that this lab may see; first on `sys.path` inside.
    readable : further folders that are to be seen inside, read-only, such as a data set's.
    preload : modules of the view that every kernel will import ("course_utils.mnist"), or what to
        call in one ("course_utils.mnist:MNISTSampler"); a backend may do so once for all kernels.
    """

    home: Path
    connection_file: Path
    environment: Mapping[str, str]
    view: Path
    readable: tuple[Path, ...]
    limits: Limits
    preload: tuple[str, ...] = ()


class Kernel(Protocol):
    """A kernel that runs in its box."""

    def poll(self) -> int | None:
        """None while it runs, then its exit code (negative for a signal)."""

    def interrupt(self) -> None:
        """Send the kernel SIGINT, as a user does who stops a cell."""

    def kill(self) -> None:
        """End the whole tree of processes; returns when it is gone. May be called twice."""

    def why(self) -> str | None:
        """Why the box ended it ("memory", "processor time", `LOST`); None where it did not."""


class Backend(Protocol):
    """A way to build boxes."""

    name: str
    isolated: bool

    def start(self, start: Start) -> Kernel:
        """Start a kernel; raises `BoxError` where the box cannot be built."""

    def close(self) -> None:
        """End what the backend keeps running, and every kernel with it."""


class BoxError(Exception):
    """A box could not be built; the message says why, in one sentence."""
