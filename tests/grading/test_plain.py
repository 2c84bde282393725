"""A kernel as a plain process: it is not held in, but it is found and ended."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from boxed import session, start_for

from grading.boxes import BoxError, Limits
from grading.plain import MARK, PlainBackend, end_processes

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sockets in files")


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="box-") as name:
        yield Path(name)


@pytest.fixture
def backend() -> Iterator[PlainBackend]:
    found = PlainBackend()
    yield found
    found.close()


def test_a_kernel_has_a_folder_and_an_environment_of_its_own(
    backend: PlainBackend, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADERS_SECRET", "planted")
    start = start_for(folder, Limits(file_bytes=10**6), COURSE_BUDGET="smoke", **{MARK: "a-mark"})
    (start.view / "course_utils").mkdir()
    (start.view / "course_utils" / "__init__.py").write_text("name = 'the view'")
    with session(backend, start) as box:
        said = box.run(
            "import os, course_utils; print(course_utils.name, os.getcwd())\n"
            f"print([os.environ.get(n) for n in ('COURSE_BUDGET', '{MARK}', 'GRADERS_SECRET')])"
        )
        assert said == f"the view {start.home / 'work'}\n['smoke', 'a-mark', None]\n"
        assert "File too large" in box.run("open('f', 'wb').write(bytes(2 * 10**6))")
        box.client.execute("import time; time.sleep(60)")
        time.sleep(0.3)
        box.kernel.interrupt()
        assert box.client.get_shell_msg(timeout=10)["content"]["ename"] == "KeyboardInterrupt"
        deadline = time.monotonic() + 10
        while "still here" not in box.run("print('still here')"):  # it first drops what is queued
            assert time.monotonic() < deadline


def test_what_left_the_tree_is_ended_too(backend: PlainBackend, folder: Path) -> None:
    with session(backend, start_for(folder)) as box:
        said = box.run(
            "import os, time\n"
            "reading, writing = os.pipe()\n"
            "if os.fork() == 0:\n"
            "    os.setsid()\n"
            "    if os.fork() == 0:\n"
            "        os.write(writing, str(os.getpid()).encode())\n"
            "        time.sleep(100)\n"
            "    os._exit(0)\n"
            "print(os.read(reading, 20).decode())"
        )
        left = psutil.Process(int(said))
        box.kernel.kill()
        assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE
        assert box.kernel.poll() == -signal.SIGKILL
        box.kernel.kill()  # a second time does nothing


def test_how_a_kernel_ended_is_told(backend: PlainBackend, folder: Path) -> None:
    with session(backend, start_for(folder)) as box:
        assert box.run_to_the_end("import os; os._exit(7)") == 7
        assert box.kernel.why() is None


def test_a_kernel_that_cannot_start_is_an_error(backend: PlainBackend, folder: Path) -> None:
    start = start_for(folder)
    start.connection_file.write_text('{"transport": "ipc", "ip": "/nowhere/k", "shell_port": 1}')
    with pytest.raises(BoxError, match="ended with code 1 as it started"):
        backend.start(start)


def test_end_processes_without_root_or_mark_ends_nothing() -> None:
    end_processes(None, "")
