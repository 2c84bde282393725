"""The fork server and its boxes: what is ready, what is in force, and what is left behind."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from boxed import session, start_for

from grading.box_files import hidden
from grading.boxes import BoxError, Limits
from grading.kernels import NamespacesBackend
from grading.sandbox import prove

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # Paths of sockets are short; pytest's folders are not.
    with tempfile.TemporaryDirectory(prefix="box-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def backend(folder: Path) -> Iterator[NamespacesBackend]:
    found = NamespacesBackend()
    try:
        found.start(start_for(folder)).kill()
    except BoxError as error:
        pytest.skip(f"no namespaces here: {error}")
    yield found
    found.close()


def test_a_kernel_is_a_fresh_python_without_rights(
    backend: NamespacesBackend, folder: Path
) -> None:
    start = start_for(folder, COURSE_BUDGET="smoke")
    with session(backend, start) as box:
        assert box.run("import os; print(os.getcwd(), os.environ['COURSE_BUDGET'])") == (
            "/scratch smoke\n"
        )
        said = box.run("print(open('/proc/self/status').read())")
        rights = {line.split()[0]: line.split()[1] for line in said.splitlines() if "Cap" in line}
        assert rights and all(set(value) == {"0"} for value in rights.values())
        assert "NoNewPrivs:\t1" in said and "Seccomp:\t2" in said
        assert box.run("import grading").startswith("ModuleNotFoundError")
        assert box.run("import torch; print(torch.ones(2).sum().item())") == "2.0\n"


def test_nothing_of_the_grader_is_in_sight(
    backend: NamespacesBackend, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADERS_SECRET", "planted-4711")
    (folder / "secret.txt").write_text("planted-4712")
    with session(backend, start_for(folder)) as box:
        said = box.run(
            "import glob, os\n"
            "for path in glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/cmdline'):\n"
            "    try: print(open(path).read())\n"
            "    except OSError as error: print(type(error).__name__)\n"
            f"print(os.path.exists({str(folder / 'secret.txt')!r}), os.listdir({str(folder)!r}))\n"
            f"print(os.path.exists({str(Path(__file__).parents[2] / 'solutions')!r}))\n"
            "print(sorted(p for p in os.listdir('/proc') if p.isdigit()))\n"
        )
    assert "planted" not in said
    assert said.splitlines()[-3].startswith("False")
    assert said.splitlines()[-2:] == ["False", "['1', '2']"]


def test_only_the_scratch_folder_can_be_written(backend: NamespacesBackend, folder: Path) -> None:
    start = start_for(folder)
    places = ["/usr/x", "/etc/passwd", "/x", f"{start.view}/x", f"{start.home}/run/kernel.json"]
    code = (
        f"for place in {places!r}:\n"
        "    try: open(place, 'a').write('x'); print('written', place)\n"
        "    except OSError: pass\n"
        "for place in ('/scratch/x', '/tmp/x', '/dev/shm/x'):\n"
        "    open(place, 'w').write('x')\n"
        "import os\n"
        f"os.unlink({str(start.home / 'run/kernel-ipc-1')!r})"
    )
    with session(backend, start) as box:
        assert box.run(code).startswith("OSError: [Errno 30] Read-only file system")


def test_there_is_no_network(backend: NamespacesBackend, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, session(backend, start_for(folder)) as b:
        port = server.getsockname()[1]
        said = b.run(f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)")
        assert said.startswith("OSError: [Errno 101]")
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    "call", ["unshare(0x10000000)", "ptrace(16, 1, 0, 0)", "memfd_create(b'', 0)"]
)
def test_calls_that_reach_past_the_box_are_refused(
    backend: NamespacesBackend, folder: Path, call: str
) -> None:
    with session(backend, start_for(folder)) as box:
        said = box.run(
            "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n"
            f"print(libc.{call}, ctypes.get_errno())"
        )
    assert said == "-1 1\n"


def test_limits_hold(backend: NamespacesBackend, folder: Path) -> None:
    limits = Limits(memory_bytes=600 * 2**20, processes=60, file_bytes=10**6, scratch_bytes=10**7)
    with session(backend, start_for(folder, limits)) as box:
        assert box.run("x = bytearray(900 * 2**20)").startswith("MemoryError")
        assert "File too large" in box.run("open('f', 'wb').write(bytes(2 * 10**6))")
        many = "for i in range(20): open(f'f{i}', 'wb').write(bytes(10**6))"
        assert "No space left" in box.run(many)
        threads = (
            "import threading, time\n"
            "for i in range(200): threading.Thread(target=time.sleep, args=(9,)).start()"
        )
        assert "can't start new thread" in box.run(threads)


def test_memory_is_counted_over_all_processes(backend: NamespacesBackend, folder: Path) -> None:
    code = (
        "import os, time\n"
        "for _ in range(4):\n"
        "    if os.fork() == 0:\n"
        "        x = bytearray(b'x') * (200 * 2**20)\n"
        "        time.sleep(60)\n"
        "time.sleep(60)"
    )
    with session(backend, start_for(folder, Limits(memory_bytes=500 * 2**20))) as box:
        assert box.run_to_the_end(code) is not None
        assert box.kernel.why() == "memory"


def test_nothing_survives_its_kernel(backend: NamespacesBackend, folder: Path) -> None:
    before = _python_processes()
    with session(backend, start_for(folder)) as box:
        said = box.run(
            "import os, time\n"
            "if os.fork() == 0:\n"
            "    os.setsid()\n"
            "    if os.fork() == 0:\n"
            "        time.sleep(100)\n"
            "    os._exit(0)\n"
            "os.wait()\n"
            "print('left')"
        )
        assert said == "left\n"
        assert len(_python_processes() - before) > 3
    left = [psutil.Process(pid) for pid in _python_processes() - before if psutil.pid_exists(pid)]
    assert not psutil.wait_procs(left, timeout=2)[1]  # the keeper itself ends a moment later


def test_an_interrupt_stops_the_cell_only(backend: NamespacesBackend, folder: Path) -> None:
    with session(backend, start_for(folder)) as box:
        # As the engine asks: an error must not make the kernel drop what comes next.
        box.client.execute("import time; time.sleep(60)", stop_on_error=False)
        time.sleep(0.5)
        box.kernel.interrupt()
        assert box.client.get_shell_msg(timeout=10)["content"]["ename"] == "KeyboardInterrupt"
        assert box.run("print('still here')").endswith("still here\n")


def test_an_exit_code_is_told(backend: NamespacesBackend, folder: Path) -> None:
    with session(backend, start_for(folder)) as box:
        assert box.run_to_the_end("import os; os._exit(7)") == 7
        assert box.kernel.why() is None


def test_two_forks_draw_different_numbers(backend: NamespacesBackend, folder: Path) -> None:
    code = "import random, numpy, torch; print(random.random(), numpy.random.rand(), torch.rand(1))"
    said = []
    for _ in range(2):
        with session(backend, start_for(folder)) as box:
            said.append(box.run(code))
    assert not set(said[0].split()) & set(said[1].split())


def test_a_killed_server_or_keeper_costs_only_what_ran(
    backend: NamespacesBackend, folder: Path
) -> None:
    with session(backend, start_for(folder)) as box:
        server = _children(os.getpid(), "grading.forkserver")[0]
        os.kill(server.pid, signal.SIGKILL)
        assert box.run("print('the box lives on')") == "the box lives on\n"
    with session(backend, start_for(folder)) as box:  # by a new server
        server = _children(os.getpid(), "grading.forkserver")[0]
        keeper = server.children()[0]
        inside = [p.pid for p in keeper.children(recursive=True)]
        keeper.kill()
        psutil.wait_procs([psutil.Process(p) for p in inside if psutil.pid_exists(p)], timeout=5)
        assert not any(psutil.pid_exists(pid) for pid in inside)
        assert box.kernel.poll() == -9


def _children(pid: int, name: str) -> list[psutil.Process]:
    found = psutil.Process(pid).children()
    return [p for p in found if p.is_running() and name in " ".join(p.cmdline())]


def _python_processes() -> set[int]:
    """The fork server's descendants, wherever they are."""
    found = set()
    for process in psutil.process_iter(["cmdline", "status"]):
        running = process.info["status"] != psutil.STATUS_ZOMBIE
        if running and "grading.forkserver" in " ".join(process.info["cmdline"] or []):
            found.add(process.pid)
    return found


def test_a_nursery_imports_a_view_once_for_all_its_kernels(
    backend: NamespacesBackend, folder: Path
) -> None:
    start = start_for(folder)
    start.view.joinpath("loaded.py").write_text(
        "import time\nborn = time.time()\ndef warm(): global warmed; warmed = time.time()\n"
    )
    start = replace(start, preload=("loaded", "loaded:warm", "no_such_module", "loaded:nothing"))
    said = []
    for _ in range(2):
        again = replace(start, **_fresh_home(folder))
        with session(backend, again) as box:
            said.append(box.run("import loaded; print(loaded.born, loaded.warmed)"))
    assert said[0] == said[1] and len(said[0].split()) == 2


def _fresh_home(folder: Path) -> dict[str, Path]:
    other = start_for(folder)
    return {"home": other.home, "connection_file": other.connection_file}


def test_processor_time_is_limited_and_named(backend: NamespacesBackend, folder: Path) -> None:
    with session(backend, start_for(folder, Limits(cpu_seconds=4))) as box:
        assert box.run_to_the_end("while True: pass") == -signal.SIGXCPU
        assert box.kernel.why() == "processor time"


def test_a_shell_command_works(backend: NamespacesBackend, folder: Path) -> None:
    with session(backend, start_for(folder)) as box:
        assert "student" in box.run("!id -un")


def test_an_installed_course_is_hidden(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = folder / "site-packages"
    (library / "course_utils").mkdir(parents=True)
    assert library / "course_utils" not in hidden([library])
    monkeypatch.setattr(sys, "path", [*sys.path, str(library)])
    assert hidden([library]) == {library / "course_utils"}
    assert hidden([folder / "elsewhere"]) == set()


def test_its_boxes_prove_themselves(backend: NamespacesBackend) -> None:
    proof = prove(backend, Limits())
    assert proof.missing == () and len(proof.in_force) == 14
