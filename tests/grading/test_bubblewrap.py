"""Boxes made by bubblewrap: what they show, what they allow, and how they end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from boxed import Session, session, start_for
from unprivileged import run_as_nobody

from grading.boxes import BoxError, Limits
from grading.bubblewrap import BubblewrapBackend

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bwrap is not installed")
MIB = 2**20
LEFT = f"left-{os.getpid()}"  # a process's name may have 15 characters


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # Paths of sockets are short; pytest's folders are not.
    with tempfile.TemporaryDirectory(prefix="box-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def backend() -> Iterator[BubblewrapBackend]:
    found = BubblewrapBackend()
    try:
        found.check()
    except BoxError as error:
        pytest.skip(f"no boxes here: {error}")
    yield found
    found.close()


@pytest.fixture(scope="module")
def box(backend: BubblewrapBackend, folder: Path) -> Iterator[Session]:
    """One box for all tests that leave it as it was; its limits are small."""
    (folder / "data").mkdir()
    (folder / "data" / "numbers.txt").write_text("1 2 3")
    for name in ("course_utils", "kept"):  # as where the course is installed among libraries
        (folder / "data" / name).mkdir()
        (folder / "data" / name / "answers.py").touch()
    limits = Limits(processes=60, file_bytes=MIB, scratch_bytes=16 * MIB)
    start = start_for(folder, limits, COURSE_BUDGET="smoke")
    start = type(start)(**(vars(start) | {"readable": (folder / "data",)}))
    sys.path.append(str(folder / "data"))
    try:
        with session(backend, start) as found:
            yield found
    finally:
        sys.path.remove(str(folder / "data"))


def test_a_kernel_is_a_fresh_python_without_rights(box: Session) -> None:
    said = box.run("import os, sys; print(os.getcwd(), os.environ['COURSE_BUDGET'], sys.path[0])")
    assert said == f"/scratch smoke {box.start.view}\n"
    status = box.run("print(open('/proc/self/status').read())")
    rights = {line.split()[0]: line.split()[1] for line in status.splitlines() if "Cap" in line}
    assert {set(rights[name]) == {"0"} for name in ("CapEff:", "CapPrm:", "CapInh:")} == {True}
    assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status
    user = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
    assert "0" not in user


def test_nothing_of_the_course_is_in_sight(box: Session) -> None:
    course = Path(__file__).parents[2]
    venv = Path(sys.prefix)
    said = box.run(
        f"import os\ncourse = {str(course)!r}\n"
        "print(os.listdir(course) if os.path.exists(course) else [])\n"
        "try: import grading\n"
        "except ImportError: print('none')\n"
    )
    visible = [venv.relative_to(course).parts[0]] if venv.is_relative_to(course) else []
    assert said == f"{visible}\nnone\n"


def test_folders_are_shown_without_the_course_in_them(box: Session) -> None:
    data = box.start.readable[0]
    said = box.run(
        f"import os; data = {str(data)!r}\n"
        "print(open(data + '/numbers.txt').read(), os.listdir(data + '/kept'))\n"
        "print(os.listdir(data + '/course_utils'))\n"
        "try: open(data + '/course_utils/x', 'w')\n"
        "except OSError as error: print(type(error).__name__)"
    )
    assert said.startswith("1 2 3 ['answers.py']\n[]\n")
    assert said.splitlines()[-1] in ("OSError", "PermissionError")


def test_the_sockets_are_out_of_reach(box: Session) -> None:
    run = box.start.home / "run"
    assert len(list(run.glob("kernel-ipc-*"))) == 5
    said = box.run(f"import os; print(os.listdir({str(run)!r})); open({str(run / 'x')!r}, 'w')")
    assert said.startswith("[]\nFileNotFoundError")
    assert not (run / "x").exists()
    assert [path.name for path in box.start.home.iterdir()] == ["run"]


def test_files_are_limited_one_by_one_and_together(box: Session) -> None:
    assert "File too large" in box.run("open('f', 'wb').write(bytes(2**21))")
    for place in ("/scratch", "/tmp", "/dev/shm"):
        many = f"for i in range(9): open(f'{place}/f{{i}}', 'wb').write(bytes(2**20))"
        assert "No space left" in box.run(many)
        box.run(f"import glob, os\nfor path in glob.glob('{place}/f*'): os.unlink(path)")
    elsewhere = ["/x", "/dev/x", "/etc/x", "/usr/x", f"{sys.prefix}/x", f"{box.start.view}/x"]
    said = box.run(
        f"for place in {elsewhere!r}:\n"
        "    try: open(place, 'w'); print('written', place)\n"
        "    except OSError: pass"
    )
    assert said == ""


def test_processes_and_threads_are_limited(box: Session) -> None:
    said = box.run(
        "import threading; over = threading.Event()\n"
        "try:\n"
        "    for i in range(80): threading.Thread(target=over.wait).start()\n"
        "finally: over.set()"
    )
    assert "can't start new thread" in said


def test_calls_that_reach_past_the_box_are_refused(box: Session) -> None:
    said = box.run(
        "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n"
        "print(libc.unshare(0x10000000), ctypes.get_errno(), libc.ptrace(16, 1, 0, 0))"
    )
    assert said == "-1 1 -1\n"


def test_a_shell_command_of_a_notebook_works(box: Session) -> None:
    assert "in the box" in box.run("get_ipython().system('echo in the box')")


def test_an_interrupt_stops_the_cell_only(box: Session) -> None:
    box.client.execute("import time; time.sleep(60)")
    time.sleep(0.3)
    box.kernel.interrupt()
    assert box.client.get_shell_msg(timeout=10)["content"]["ename"] == "KeyboardInterrupt"
    deadline = time.monotonic() + 10
    while "still here" not in box.run("print('still here')"):  # it first drops what is queued
        assert time.monotonic() < deadline


def test_memory_is_counted_over_all_processes(backend: BubblewrapBackend, folder: Path) -> None:
    shared = (
        "import mmap, os, time\n"
        "for _ in range(2):\n"
        "    if os.fork() == 0:\n"
        "        x = mmap.mmap(-1, 120 * 2**20); x.write(bytes(120 * 2**20))\n"
        "        time.sleep(60)\n"
        "time.sleep(60)"
    )
    with session(backend, start_for(folder, Limits(memory_bytes=200 * MIB))) as box:
        # What forks share counts once.
        box.run(
            "import os, time\n"
            "x = b'x' * (60 * 2**20)\n"
            "for _ in range(3): os.fork() or (time.sleep(0.5), os._exit(0))\n"
            "time.sleep(0.6)"
        )
        assert box.kernel.poll() is None
        assert box.run_to_the_end(shared) == -signal.SIGKILL
        assert box.kernel.why() == "memory"


def test_processor_time_is_limited(backend: BubblewrapBackend, folder: Path) -> None:
    with session(backend, start_for(folder, Limits(cpu_seconds=2))) as box:
        assert box.run_to_the_end("while True: pass") == -signal.SIGXCPU
        assert box.kernel.why() == "processor time"


def test_boxes_have_processes_of_their_own(backend: BubblewrapBackend, folder: Path) -> None:
    forks = (
        "import os, time\n"
        "for _ in range(30): os.fork() or (time.sleep(60), os._exit(0))\n"
        "print(len([p for p in os.listdir('/proc') if p.isdigit()]))"
    )
    limits = Limits(processes=55)
    starts = start_for(folder, limits), start_for(folder, limits)
    with session(backend, starts[0]) as one, session(backend, starts[1]) as two:
        assert one.run(forks) == two.run(forks) == "32\n"


def test_nothing_survives_its_kernel(backend: BubblewrapBackend, folder: Path) -> None:
    code = (
        "import ctypes, os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        f"        ctypes.CDLL(None).prctl(15, b'{LEFT}', 0, 0, 0)\n"
        "        time.sleep(100)\n"
        "    os._exit(0)"
    )
    with session(backend, start_for(folder)) as box:
        box.run(code)
        time.sleep(0.1)
        assert _named(LEFT)
        box.kernel.kill()
        assert not _named(LEFT)
        box.kernel.kill()  # a second time does nothing
        assert box.kernel.poll() == -signal.SIGKILL
    with session(backend, start_for(folder)) as box:
        box.run(code)
        assert box.run_to_the_end("os._exit(7)") == 7
        assert box.kernel.why() is None
        deadline = time.monotonic() + 5
        while _named(LEFT) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _named(LEFT)


def test_a_box_outlives_the_thread_that_started_it_but_not_the_grader(folder: Path) -> None:
    script = (
        "import os, sys, threading, time\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\n"
        "from boxed import start_for\n"
        "from grading.bubblewrap import BubblewrapBackend\n"
        "backend, kernels = BubblewrapBackend(), []\n"
        f"start = start_for(Path({str(folder)!r}))\n"
        "thread = threading.Thread(target=lambda: kernels.append(backend.start(start)))\n"
        "thread.start(); thread.join(); time.sleep(0.3)\n"
        "print(kernels[0].poll(), kernels[0]._first, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    environment = dict(os.environ, PYTHONPATH=str(Path(__file__).parents[2]))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment
    )
    code, first = done.stdout.split()
    assert code == "None"
    deadline = time.monotonic() + 5
    while psutil.pid_exists(int(first)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(int(first))


def test_a_user_without_rights_builds_boxes_that_hold() -> None:
    script = (
        "from grading.boxes import Limits\n"
        "from grading.sandbox import choose, prove\n"
        "backend = choose('bubblewrap')\n"
        "proof = prove(backend, Limits())\n"
        "backend.close()\n"
        "print(proof.backend, proof.missing)"
    )
    assert run_as_nobody(script) == "bubblewrap ()\n"


def test_what_is_missing_is_said(
    backend: BubblewrapBackend, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = start_for(folder)
    vanished = type(start)(**(vars(start) | {"readable": (folder / "nowhere",)}))
    with pytest.raises(BoxError, match="nowhere"):
        backend.start(vanished)
    monkeypatch.setattr(sys, "executable", "/usr/bin/no-python")
    with pytest.raises(BoxError, match="no-python"):
        backend.start(start_for(folder))
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(BoxError, match="bubblewrap is not installed"):
        BubblewrapBackend().check()


def _named(name: str) -> list[psutil.Process]:
    found = psutil.process_iter(["name", "status"])
    return [p for p in found if p.info["name"] == name and p.info["status"] != "zombie"]
