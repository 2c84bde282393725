"""Boxes made by a container engine: what is asked of it; one that answers runs one for real."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from boxed import session, start_for

from grading.boxes import BoxError, Limits
from grading.container import IMAGE, ContainerBackend, find_engine, run_arguments
from grading.sandbox import choose, prove

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="containers are Linux's")


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="box-") as name:
        yield Path(name)


@pytest.fixture
def programs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that alone is on the PATH."""
    (folder / "bin").mkdir()
    monkeypatch.setenv("PATH", str(folder / "bin"))
    yield folder / "bin"
    # A real engine would end what a test that fails half-way leaves behind.
    for started in folder.glob("bin/state/*.pid"):
        with contextlib.suppress(OSError):
            os.killpg(int(started.read_text()), signal.SIGKILL)


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _engine(programs: Path) -> None:
    shutil.copy(Path(__file__).parent / "fake_engine.py", programs)
    call = f'exec {sys.executable} {programs / "fake_engine.py"} "$@"\n'
    _program(programs / "podman", f"#!/bin/sh\n{call}")


def test_the_first_engine_that_answers_is_taken(programs: Path) -> None:
    with pytest.raises(BoxError, match="podman is not installed; docker is not installed"):
        find_engine()
    _program(programs / "podman", "#!/bin/sh\necho cannot connect >&2\nexit 125\n")
    with pytest.raises(BoxError, match=r"podman does not answer \(cannot connect\)"):
        find_engine()
    _program(programs / "docker", "#!/bin/sh\nexit 0\n")
    assert find_engine() == "docker"
    _program(programs / "podman", "#!/bin/sh\nexit 0\n")
    assert find_engine() == "podman"


def test_an_image_must_be_named_and_fit(
    programs: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(IMAGE, raising=False)
    _program(
        programs / "docker", "#!/bin/sh\n[ $1 = info ] || { echo no such image >&2; exit 125; }"
    )
    with pytest.raises(BoxError, match=f"docker answers, but {IMAGE} names no image"):
        ContainerBackend().check()
    with pytest.raises(BoxError, match="docker cannot run labs: no such image"):
        ContainerBackend(image="labs").check()
    with pytest.raises(BoxError, match="docker cannot run labs: no such image"):
        ContainerBackend(image="labs").start(start_for(folder))
    _program(programs / "docker", "#!/bin/sh\n[ $1 = info ] || echo 3.7")
    with pytest.raises(BoxError, match=r"labs has Python 3.7; the grader runs 3\."):
        ContainerBackend(image="labs").check()


@pytest.mark.parametrize("engine", ["podman", "docker"])
def test_a_container_is_asked_for_with_every_limit(folder: Path, engine: str) -> None:
    limits = Limits(memory_bytes=10**9, processes=77, scratch_bytes=4000)
    start = start_for(folder, limits, COURSE_BUDGET="smoke", PATH="/host/bin")
    start = type(start)(**(vars(start) | {"readable": (folder / "data",)}))
    command = run_arguments(engine, "labs", start, "course-1", ["python3", "-c", "pass"])
    assert command[:2] == [engine, "run"]
    pairs = set(itertools.pairwise(command))
    run = start.home / "run"
    assert pairs >= {
        ("--network", "none"),
        ("--cap-drop", "ALL"),
        ("--security-opt", "no-new-privileges"),
        ("--pids-limit", "77"),
        ("--memory", "1000000000"),
        ("--memory-swap", "1000000000"),
        ("--tmpfs", "/scratch:rw,exec,nosuid,nodev,mode=1777,size=2000"),
        ("--tmpfs", "/tmp:rw,exec,nosuid,nodev,mode=1777,size=1000"),
        ("--shm-size", "1000"),
        ("--volume", f"{start.view}:{start.view}:ro"),
        ("--volume", f"{folder / 'data'}:{folder / 'data'}:ro"),
        ("--volume", f"{run}:{run}:rw"),
        ("--env", "COURSE_BUDGET=smoke"),
        ("--env", f"PYTHONPATH={start.view}"),
        ("--log-driver", "none"),
        ("--pull", "never"),
    }
    assert {"--read-only", "--rm", "--detach"} <= set(command)
    assert "root" not in command[command.index("--user") + 1]
    assert not command[command.index("--user") + 1].startswith("0:")
    assert "PATH=/host/bin" not in command  # the image knows where its programs are
    assert ("--read-only-tmpfs=false" in command) == (engine == "podman")
    assert command[-5:] == ["--entrypoint", "python3", "labs", "-c", "pass"]
    assert sum(word == "--volume" for word in command) == 3


def test_a_kernel_is_started_interrupted_and_ended(programs: Path, folder: Path) -> None:
    _engine(programs)
    backend = ContainerBackend(image="labs")
    backend.check()
    start = start_for(folder, Limits(), COURSE_BUDGET="smoke")
    with session(backend, start) as box:
        assert box.run("import os; print(os.environ['COURSE_BUDGET'])") == "smoke\n"
        box.client.execute("import time; time.sleep(60)")
        time.sleep(0.3)
        box.kernel.interrupt()
        assert box.client.get_shell_msg(timeout=10)["content"]["ename"] == "KeyboardInterrupt"
        box.kernel.kill()
        assert box.kernel.poll() == -signal.SIGKILL
        assert box.kernel.why() is None  # we asked for it
    with session(backend, start_for(folder, Limits(cpu_seconds=1))) as box:
        assert box.run_to_the_end("while True: pass") == -signal.SIGXCPU
        assert box.kernel.why() == "processor time"
    with session(backend, start_for(folder, Limits(wall_seconds=8, cell_seconds=0))) as box:
        # Where the grader is gone, nobody else ends the box.
        assert box.run_to_the_end("import time; time.sleep(60)") == 124
        assert box.kernel.why() == "time"
    backend.close()


def test_a_real_container_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.environ.get(IMAGE):
        pytest.skip(f"{IMAGE} names no image")
    try:
        backend = choose("container")
    except BoxError as error:
        pytest.skip(str(error))
    proof = prove(backend, Limits())
    backend.close()
    assert set(proof.missing) <= {"no new namespaces"}
