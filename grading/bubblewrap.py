"""Boxes made by bubblewrap: namespaces of their own, and a file system with only what Python needs.

Works as a user and as root; then each box is a user of its own outside, without a name and without
rights. Needs bubblewrap 0.8 and Linux 5.14: before that, RLIMIT_NPROC counts a user's processes
outside of the box, too. A kernel starts cold: what it imports takes its time.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from grading import box_files, entry, linux
from grading.boxes import BoxError, Limits, Start
from grading.sockets import seal, wait_until_ready
from grading.usage import children, family, processor_seconds, take_more

LOOK_SECONDS = 0.1
START_SECONDS = 60.0
END_SECONDS = 20.0
INSIDE_ID = 1000
COURSE_PACKAGES = ("course_utils", "grading")
_number = itertools.count()
_Started = tuple["subprocess.Popen[bytes]", BinaryIO, int]  # bwrap, what it tells, PID 1 of the box


class BubblewrapBackend:
    """Starts each kernel by `bwrap`; see `grading.boxes.Backend`."""

    name = "bubblewrap"
    isolated = True

    def __init__(self) -> None:
        self._kernels: list[BubblewrapKernel] = []
        # bwrap ends with the thread that started it (--die-with-parent): one that stays.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="bubblewrap")
        self._proc = True  # where the host hides parts of its /proc, a new one is refused
        self._checked = False

    def check(self) -> None:
        """Build an empty box, in some 30 ms; raises `BoxError` where that does not work."""
        with tempfile.TemporaryDirectory(prefix="box-") as name:
            home, view = Path(name), Path(name) / "view"
            (home / "run").mkdir()
            view.mkdir()
            start = Start(home, home / "run" / "kernel.json", {}, view, (), Limits())
            try:
                self._check(start)
            except BoxError as error:
                if "proc" not in str(error):
                    raise
                self._proc = False
                self._check(start)
        self._checked = True

    def _check(self, start: Start) -> None:
        with _Descriptors() as descriptors:
            box = _box(start, descriptors, user=_outside_user(), proc=self._proc)
            command = [_bwrap(), *box, "--", sys.executable, "-I", "-S", "-c", ""]
            done = subprocess.run(
                command, pass_fds=descriptors, capture_output=True, timeout=END_SECONDS, env={}
            )
        if done.returncode:
            raise BoxError(_refusal(done.stderr, done.returncode))

    def start(self, start: Start) -> BubblewrapKernel:
        """Start a kernel in a new box; returns when it answers.

        Raises `BoxError` where bubblewrap is missing or refused, or the kernel does not start.
        """
        if not self._checked:
            self.check()
        user = _outside_user()
        if user is not None:
            if not start.view.stat().st_mode & 0o001:
                raise BoxError(f"a box's user cannot read {start.view}; set `umask 022`")
            for path in (start.home / "run", start.connection_file):
                os.chown(path, user, user)
        kernel = BubblewrapKernel(
            self._starter.submit(self._spawn, start, user).result(), start.limits
        )
        self._kernels = [k for k in self._kernels if k.poll() is None] + [kernel]
        try:
            wait_until_ready(start.connection_file, kernel, START_SECONDS)
            seal(start.connection_file)
        except (BoxError, OSError) as error:
            said = kernel.said()
            kernel.kill()
            raise BoxError(said or str(error)) from None
        return kernel

    def _spawn(self, start: Start, user: int | None) -> _Started:
        with _Descriptors() as descriptors:
            box = _box(start, descriptors, user, self._proc)
            status, theirs = os.pipe()
            descriptors.append(theirs)
            inside = entry.command(
                start.limits, start.connection_file, count_processes=True, user=user
            )
            process = subprocess.Popen(
                [_bwrap(), *box, "--json-status-fd", str(theirs), "--", *inside],
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=_environment(start),
                cwd="/",
            )
        told = os.fdopen(status, "rb")  # stays open: bwrap ends where nobody listens
        line = told.readline()
        if not line:
            told.close()
            _, said = process.communicate()
            raise BoxError(_refusal(said, process.returncode))
        return process, told, int(json.loads(line)["child-pid"])

    def close(self) -> None:
        """End every kernel."""
        for kernel in self._kernels:
            kernel.kill()
        self._starter.shutdown()


class BubblewrapKernel:
    """A kernel in its box; a thread counts its memory. See `grading.boxes.Kernel`."""

    def __init__(self, started: _Started, limits: Limits) -> None:
        self._process, self._told, self._first = started
        self._limits = limits
        self._why: str | None = None
        self._over = threading.Event()
        self._seconds = 0.0  # of the processor, used by the kernel when last looked at
        try:
            # A descriptor names this very process, even after its number is another's.
            self._handle: int | None = os.pidfd_open(self._first)
        except ProcessLookupError:
            self._handle = None
        self._lock = threading.Lock()
        threading.Thread(target=self._watch, name="box-watch", daemon=True).start()

    def poll(self) -> int | None:
        """None while it runs, then its exit code (negative for a signal)."""
        code = self._process.poll()
        if code is None or code <= 128:
            return code
        return 128 - code  # bwrap reports a signal as shells do

    def interrupt(self) -> None:
        """Send the kernel SIGINT."""
        first_born = children(self._first)[:1]
        for pid in first_born if self.poll() is None else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)

    def kill(self) -> None:
        """End the box's first process, and with it all others; returns when they are gone."""
        self._over.set()
        self._end()

    def why(self) -> str | None:
        """Why the box ended the kernel ("memory", "processor time"), or None."""
        by_force = self.poll() in (-signal.SIGXCPU, -signal.SIGKILL)
        if self._why is None and by_force and self._seconds >= self._limits.cpu_seconds - 1:
            self._why = "processor time"
        return self._why

    def said(self) -> str | None:
        """Why the box could not be entered, once it has ended; None where nothing was said."""
        if self._process.poll() is None or self._process.stderr is None:
            return None
        try:
            lines = self._process.stderr.read().decode("utf-8", "replace").strip().splitlines()
        except (OSError, ValueError):  # closed
            return None
        return lines[-1] if lines else None

    def _end(self) -> None:
        with self._lock:
            if self._handle is not None:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._handle, signal.SIGKILL)
                # Linux lets the first process of a PID namespace end only after all others.
                if not select.select([self._handle], [], [], END_SECONDS)[0]:
                    raise BoxError("a box could not be ended: its processes do not die")
                os.close(self._handle)
                self._handle = None
            self._process.kill()
            self._process.wait()
            self._told.close()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS) and self._process.poll() is None:
            inside = list(family(self._first))
            if len(inside) > 1:
                self._seconds = processor_seconds(inside[1])
            if take_more(inside, self._limits.memory_bytes):
                self._why = "memory"
                break
        with contextlib.suppress(BoxError):
            self._end()  # what the kernel left behind, too


# ---------------------------------------------------------------- what a box shows


class _Descriptors(list[int]):
    """Descriptors that are handed to bwrap and closed here when the block is left."""

    def holding(self, content: bytes) -> str:
        """A new descriptor from which `content` is read, as text for a command line."""
        reading, writing = os.pipe()
        self.append(reading)
        with os.fdopen(writing, "wb") as file:
            file.write(content)  # less than a pipe holds
        return str(reading)

    def __enter__(self) -> _Descriptors:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in self:
            os.close(descriptor)


def _bwrap() -> str:
    found = shutil.which("bwrap")
    if found is None:
        raise BoxError("bubblewrap is not installed: there is no bwrap on the PATH")
    return found


def _refusal(said: bytes, code: int) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"bwrap ended with code {code} and said nothing"


def _outside_user() -> int | None:
    """A user for one box where we are root: nobody else's, so that its processes can be counted.

    None where we are not root: a box is then ourselves, in a user namespace of its own.
    """
    if os.geteuid() != 0:
        return None
    # In a container without root's rights over the host, few numbers stand for users.
    lines = Path("/proc/self/uid_map").read_text().splitlines()
    highest = max(int(inside) + int(count) for inside, _, count in map(str.split, lines))
    choice = os.getpid() * 16 + next(_number) % 16
    if highest > 2_000_000_000:
        return 1_900_000_000 + choice % 100_000_000
    if highest >= 65_536:
        return 20_000 + choice % 40_000
    raise BoxError(f"root has only {highest} users here, and a box needs one that is nobody")


def _environment(start: Start) -> dict[str, str]:
    folders = [str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]
    given = {"PATH": ":".join(folders), "LANG": "C.UTF-8"} | dict(start.environment)
    return box_files.environment(given, start.view)


def _box(start: Start, descriptors: _Descriptors, user: int | None, proc: bool) -> list[str]:
    """The arguments of bwrap that build a box; what they read from is put into `descriptors`."""
    inside = INSIDE_ID if user is None else user
    names = box_files.PASSWD.replace(f":{INSIDE_ID}:{INSIDE_ID}:", f":{inside}:{inside}:")
    arguments = ["--die-with-parent", "--new-session", "--hostname", "box"]
    arguments += [f"--unshare-{kind}" for kind in ("pid", "net", "ipc", "uts", "cgroup-try")]
    if user is None:
        arguments += ["--unshare-user", "--uid", str(inside), "--gid", str(inside)]
    mounts = list(_mounts(start, proc))
    # What bwrap makes on the way to a place, only bwrap may enter.
    parents = {str(path) for mount in mounts for path in Path(mount[-1]).parents}
    places = [["--perms", "0755", "--dir", path] for path in parents - {"/"}]
    for step in sorted([*places, *mounts], key=lambda step: len(Path(step[-1]).parts)):
        arguments += step
    for path, text in (("passwd", names), ("group", f"student:x:{inside}:\n")):
        arguments += ["--perms", "0444", "--file", descriptors.holding(text.encode())]
        arguments.append(f"/etc/{path}")
    arguments += ["--perms", "0777", "--dir", "/scratch/tmp"]
    for font_list in _font_lists():
        arguments += ["--perms", "0777", "--dir", "/scratch/.matplotlib"]
        arguments += ["--ro-bind", str(font_list), f"/scratch/.matplotlib/{font_list.name}"]
    # bwrap's own mounts are writable, and no limit counts what is in them.
    for path in ("/", "/dev", *(m[-1] for m in mounts if m[0] == "--tmpfs")):
        arguments += ["--remount-ro", path]
    arguments += ["--chdir", "/scratch"]
    try:
        program = linux.call_filter()
        arguments += ["--seccomp", descriptors.holding(program)]
    except OSError:  # no list of calls for this machine
        if user is None:
            arguments.append("--disable-userns")
    return arguments


def _mounts(start: Start, proc: bool) -> Iterator[list[str]]:
    """Pieces of bwrap's arguments, in any order; the last word of each is the place inside."""
    for system in map(Path, box_files.SYSTEM):
        if system.is_symlink():
            yield ["--symlink", str(system.readlink()), str(system)]
        elif system.is_dir():
            yield ["--ro-bind", str(system), str(system)]
    # Python's own folders by the names that it knows them by, too: these may hold links.
    named = [Path(sys.prefix), Path(sys.base_prefix)]
    shown = [*box_files.python_folders(), *named, start.view, *start.readable]
    for path in dict.fromkeys(shown):
        yield ["--ro-bind", str(path), str(path)]
    for name in box_files.ETC:
        yield ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for path in box_files.hidden([*shown, *map(Path, box_files.SYSTEM)]):
        yield ["--tmpfs", str(path)]
    yield ["--bind", str(start.home / "run"), str(start.home / "run")]
    yield ["--dev", "/dev"]
    if proc:
        yield ["--proc", "/proc"]
        for path in box_files.untold():
            yield ["--ro-bind", "/dev/null", str(path)]
    # bwrap cannot show one writable file system at three places, so that each has its share.
    for place, share in (("/scratch", 2), ("/tmp", 4), ("/dev/shm", 4)):
        size = str(start.limits.scratch_bytes // share)
        yield ["--perms", "1777", "--size", size, "--tmpfs", place]


def _font_lists() -> Iterator[Path]:
    """Matplotlib's list of fonts, where it has made one: it takes seconds to make."""
    folders = [os.environ.get("MPLCONFIGDIR"), os.environ.get("XDG_CACHE_HOME"), "~/.cache"]
    for folder in map(Path, filter(None, folders)):
        with contextlib.suppress(OSError, RuntimeError):
            place = folder.expanduser()
            lists = [*place.glob("fontlist*.json"), *place.glob("matplotlib/fontlist*.json")]
            if lists:
                yield from lists
                return
