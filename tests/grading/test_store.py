"""Results that are kept: what they belong to, and what a damaged one costs."""

from __future__ import annotations

import dataclasses
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import course_utils
from grading import store
from grading.boxes import Limits
from grading.engine import CellScore, Options, Result
from grading.store import Store, key_of
from grading.wire import options_as_json, options_from_json, result_as_json, result_from_json

RESULT = Result(
    "waiting",
    b'{"cells": []}',
    (CellScore("a", 2.0, 3.0, 0.1, "1.1"), CellScore("b", None, 1.0, manual=True)),
    seconds=1.5,
    notes=("a note", "ein zweites: ü"),
)
OPTIONS = Options()


def test_results_and_options_survive_the_wire() -> None:
    assert result_from_json(result_as_json(RESULT)) == RESULT
    options = Options(Limits(cell_seconds=7), {"COURSE_BUDGET": "smoke"})
    assert options_from_json(options_as_json(options)) == options


def test_what_was_put_is_there_for_the_next_run(tmp_path: Path) -> None:
    key = key_of(b"submission", b"lab", OPTIONS)
    assert Store(tmp_path).get("lab", key) is None
    Store(tmp_path).put("lab", key, RESULT)
    assert Store(tmp_path).get("lab", key) == RESULT
    assert Store(tmp_path).get("other", key) is None


def test_a_key_changes_with_all_that_changes_a_score(monkeypatch: pytest.MonkeyPatch) -> None:
    longer = dataclasses.replace(OPTIONS, limits=Limits(cell_seconds=7))
    keys = {
        key_of(b"submission", b"lab", OPTIONS),
        key_of(b"submissionl", b"ab", OPTIONS),
        key_of(b"other", b"lab", OPTIONS),
        key_of(b"submission", b"changed test", OPTIONS),
        key_of(b"submission", b"lab", longer),
    }
    monkeypatch.setattr("grading.store.lab_digest", lambda master: "a changed check")
    assert len(keys | {key_of(b"submission", b"lab", OPTIONS)}) == 6


def test_a_lab_depends_on_what_it_imports_and_on_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Path(course_utils.__file__).parent
    copy = tmp_path / "course_utils"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    (copy / "weights" / "unet.safetensors").write_bytes(b"weights")
    monkeypatch.setattr(course_utils, "__file__", str(copy / "__init__.py"))
    solutions = Path(__file__).parents[2] / "solutions"
    labs = {path.stem: path.read_bytes() for path in solutions.glob("*/*.ipynb")}
    assert {"mnist", "cfg", "unet"} <= labs.keys()

    def digests() -> dict[str, str]:
        store.lab_digest.cache_clear()
        store._content.cache_clear()
        return {lab: store.lab_digest(master) for lab, master in labs.items()}

    def moved(name: str) -> set[str]:
        before, path = digests(), copy / name
        path.write_bytes(path.read_bytes() + b"\n")
        now = digests()
        return {lab for lab in labs if now[lab] != before[lab]}

    try:
        assert moved("checks/cfg_loss.py") == {"cfg"}
        assert moved("checks/core.py") == set(labs)
        assert "unet" in moved("weights/unet.safetensors")
        assert moved("solved/mnist.py") >= {"cfg"} and "mnist" not in moved("solved/mnist.py")
    finally:
        store.lab_digest.cache_clear()
        store._content.cache_clear()


@pytest.mark.parametrize("harm", [b"", b"no gzip", "half"])
def test_a_damaged_file_counts_as_none(tmp_path: Path, harm: bytes | str) -> None:
    store, key = Store(tmp_path), "0" * 64
    store.put("lab", key, RESULT)
    path = tmp_path / "lab" / f"{key}.json.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if isinstance(harm, str) else harm)
    assert store.get("lab", key) is None
    assert store.damaged == [path]
    store.put("lab", key, RESULT)
    assert store.get("lab", key) == RESULT


def test_two_graders_at_once_leave_a_whole_file(tmp_path: Path) -> None:
    key = "1" * 64
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: Store(tmp_path).put("lab", key, RESULT), range(40)))
    assert Store(tmp_path).get("lab", key) == RESULT
    assert [path.name for path in (tmp_path / "lab").iterdir()] == [f"{key}.json.gz"]
