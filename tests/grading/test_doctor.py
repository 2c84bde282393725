"""What a machine lacks is said, with what to do; only what grading needs stops it."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections import namedtuple
from contextlib import closing
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from grading import doctor
from grading.boxes import BoxError, Limits
from grading.doctor import Line
from grading.gradebook import GradebookWriter, default_url
from grading.proof import Proof

Usage = namedtuple("Usage", "total used free")


def by_part(lines: object) -> dict[str, Line]:
    return {line.part: line for line in lines}  # type: ignore[attr-defined]


def test_this_environment_has_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", SimpleNamespace())  # seconds to import
    found = by_part([*doctor.python(), *doctor.libraries()])
    assert {line.state for line in found.values()} == {"ok"}
    assert found["torch"].told == metadata.version("torch")


def test_an_old_python_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 2))
    [line] = doctor.python()
    assert (line.state, line.told, line.stops) == ("missing", "3.10.2", True)


def test_libraries_that_are_absent_or_broken_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LIBRARIES", ("no-such-library", "torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision", None)
    absent, broken = doctor.libraries()
    assert absent.stops and absent.todo == "Run `make install`."
    assert broken.stops and "halted" in broken.told


def test_the_lock_is_compared_with_what_is_installed(tmp_path: Path) -> None:
    path = tmp_path / "requirements.lock"
    [line] = doctor.lock(path)
    assert line.state == "attention" and "no requirements.lock" in line.told
    rich = metadata.version("rich")
    path.write_text(
        f"# made by a tool\nrich=={rich}+local ; python_full_version >= '3.11' \\\n"
        "    --hash=sha256:aa\nno-such-library==1.0 ; sys_platform == 'nowhere'\n"
    )
    [line] = doctor.lock(path)
    assert (line.state, line.told) == ("ok", "all 1 packages are the ones of requirements.lock")
    path.write_text(f"rich==0.1\nno-such-library==1.0\ntyper=={metadata.version('typer')}\n")
    [line] = doctor.lock(path)
    assert line.state == "attention" and not line.stops and "make install" in line.todo
    assert (
        line.told == f"2 of 3 packages differ: rich {rich} for 0.1, no-such-library absent for 1.0"
    )


def test_data_is_whole_or_digits_must_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSE_DATA", raising=False)
    found = by_part(doctor.data(tmp_path))
    assert found["MNIST"].state == "attention" and "COURSE_DATA" in found["MNIST"].todo
    assert found["digits"].state == "ok" and not any(line.stops for line in found.values())
    raw = tmp_path / "else" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "else"))
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        assert "files in" in by_part(doctor.data(tmp_path))["MNIST"].told
        (raw / f"{name}-ubyte").write_bytes(b"damaged")
    damaged = by_part(doctor.data(tmp_path))["MNIST"]
    assert damaged.state == "attention" and "is not the file it should be" in damaged.told


class Box:
    """A backend that was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("working", ["bubblewrap", ""])
def test_one_sandbox_that_proves_itself_is_enough(working: str) -> None:
    box = Box()

    def ready(name: str, trusted: bool, limits: Limits) -> tuple[Box, Proof]:
        assert not trusted
        if name == working:
            return box, Proof(name, (name, "no network", "read-only system"), (), 1.0)
        raise BoxError(f"No box can be built here. Tried: {name} (the kernel says no). Install it.")

    lines = by_part(doctor.sandboxes(ready))  # type: ignore[arg-type]
    refused = lines["sandbox namespaces"]
    assert (refused.state, refused.told) == ("attention", "the kernel says no")
    assert "user namespaces" in refused.todo and "podman" in lines["sandbox container"].todo
    assert box.closed is bool(working)
    assert any(line.stops for line in lines.values()) is not working
    if working:
        assert lines["sandbox bubblewrap"].told.startswith("held 2 ways")
    else:
        assert "--i-trust-these-notebooks" in lines["sandbox"].todo


def test_a_gradebook_to_be_is_not_made(tmp_path: Path) -> None:
    [line] = doctor.database(tmp_path, None)
    assert line.state == "ok" and "makes it" in line.told and not list(tmp_path.iterdir())


def test_a_gradebook_that_works_stays_as_it_is(tmp_path: Path) -> None:
    with GradebookWriter(default_url(tmp_path)):
        pass
    before = (tmp_path / "gradebook.db").read_bytes()
    [line] = doctor.database(tmp_path, None)
    assert line.state == "ok" and line.told.endswith("has nbgrader's tables")
    assert (tmp_path / "gradebook.db").read_bytes() == before


def test_gradebooks_that_stop_grading(tmp_path: Path) -> None:
    (tmp_path / "gradebook.db").write_bytes(b"no database" * 100)
    [damaged] = doctor.database(tmp_path, None)
    [nonsense] = doctor.database(tmp_path, "nonsense")
    with closing(sqlite3.connect(tmp_path / "old.db")) as other:
        other.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        other.execute("INSERT INTO alembic_version VALUES ('older')")
        other.commit()
    [old] = doctor.database(tmp_path, f"sqlite:///{tmp_path / 'old.db'}")
    assert damaged.stops and nonsense.stops and old.stops
    assert "cannot be used" in damaged.told and "not a database URL" in nonsense.told
    assert "has version older of its tables" in old.told


@pytest.mark.parametrize(
    ("free", "state"), [(2**29, "missing"), (3 * 2**30, "attention"), (2**40, "ok")]
)
def test_room(free: int, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(2**41, 0, free))
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=free))
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    lines = [*doctor.disk(tmp_path), *doctor.memory()]
    assert len(lines) == 3 and {line.state for line in lines} == {state}
    assert all(bool(line.todo) == (state != "ok") for line in lines)
    assert all(line.stops == (state == "missing") for line in lines)


def test_the_pdf_is_no_condition_for_grading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    lines = by_part(doctor.pdf())
    assert {p: line.state for p, line in lines.items()} == {
        "typst": "attention", "pypandoc_binary": "attention", "pypdfium2": "attention",
        "browser": "ok",
    }  # fmt: skip
    assert "pip install typst" in lines["typst"].todo
    assert not any(line.stops for line in lines.values())
