"""Release: the same bytes every time, nothing leaks, and what is stale is named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from grading import release as module
from grading.index import INDEX
from grading.notebooks import CourseError, read_notebook
from grading.release import (
    all_labs,
    chosen_labs,
    describe,
    differences,
    find_root,
    leftovers,
    release,
)

Edit = Callable[[Callable[[dict[str, Any]], Any]], None]
NOTEBOOK = Path("notebooks/tiny/tiny.ipynb")
SOLVED = Path("course_utils/solved/tiny.py")


def cell(notebook: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in notebook["cells"] if each["id"] == name)


def replace(name: str, old: str, new: str) -> Callable[[dict[str, Any]], None]:
    def change(notebook: dict[str, Any]) -> None:
        found = cell(notebook, name)
        assert old in found["source"]
        found["source"] = found["source"].replace(old, new)

    return change


def released(root: Path) -> dict[str, str]:
    return {each.id: each.source for each in read_notebook(root / NOTEBOOK).cells}


def test_stubs_and_checks_stand_where_solutions_and_hidden_tests_stood(tiny_course: Path) -> None:
    release(tiny_course)
    sources = released(tiny_course)
    assert sources["tiny-1-1-answer"].count('raise NotImplementedError("Your job 1.1")') == 2
    assert "rise = " not in sources["tiny-1-1-answer"]
    assert "self.slope, self.offset = slope, offset" in sources["tiny-1-1-answer"]
    assert sources["tiny-1-2-check"] == "assert norm([3, 4]) == 5"
    assert sources["tiny-1-3-answer"] == "YOUR ANSWER HERE"


def test_check_cells_let_run_all_go_on_and_answers_do_not(tiny_course: Path) -> None:
    release(tiny_course)
    tags = {c.id: c.metadata.get("tags", []) for c in read_notebook(tiny_course / NOTEBOOK).cells}
    assert tags["tiny-1-1-check"] == ["raises-exception"]
    assert not tags["tiny-1-1-answer"] and not tags["tiny-imports"]


def test_nothing_but_the_notebook_is_released(tiny_course: Path) -> None:
    source = tiny_course / "solutions" / "tiny"
    for name in ("notes.md", ".secret", "answers.csv", "helper.py"):
        (source / name).write_text("the secret way to y")
    release(tiny_course)
    out = [path for path in (tiny_course / "notebooks").rglob("*") if path.is_file()]
    assert {path.relative_to(tiny_course) for path in out} == {NOTEBOOK, INDEX}
    text = (tiny_course / NOTEBOOK).read_text()
    for secret in ("secret way", "hidden norm", "hidden root", "Rubric", "Squares are smooth"):
        assert secret not in text


def test_the_solved_module_holds_the_exported_cells_and_works(tiny_course: Path) -> None:
    release(tiny_course)
    text = (tiny_course / SOLVED).read_text()
    assert "SOLUTION" not in text and "numbers = [1, 2]" not in text and "Edit it there" in text
    names: dict[str, Any] = {}
    exec(compile(text, "solved", "exec"), names)
    assert names["Line"](2, 1)(3) == 7 and names["norm"]([3, 4]) == 5
    assert (tiny_course / "course_utils/solved/__init__.py").exists()


def test_two_runs_in_different_processes_write_the_same_bytes(
    tiny_course: Path, tmp_path: Path
) -> None:
    written = []
    for seed in ("1", "2"):
        copy = tmp_path / f"copy{seed}"
        shutil.copytree(tiny_course, copy)
        command = [sys.executable, "-m", "grading.cli", "release", "--root", str(copy)]
        subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": seed}, check=True)
        written.append([(copy / path).read_bytes() for path in (NOTEBOOK, SOLVED)])
    assert written[0] == written[1]


def test_plain_nbgrader_writes_the_same_bytes(tiny_course: Path) -> None:
    release(tiny_course)
    ours = (tiny_course / NOTEBOOK).read_text()
    (tiny_course / NOTEBOOK).unlink()
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "tiny", "--force"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(command, cwd=tiny_course, env=os.environ | {"PATH": path}, check=True)
    assert (tiny_course / NOTEBOOK).read_text().rstrip("\n") == ours.rstrip("\n")


def test_a_fresh_release_is_not_stale(tiny_course: Path) -> None:
    assert {each.path for each in differences(tiny_course)} == {NOTEBOOK, SOLVED, INDEX}
    release(tiny_course)
    assert differences(tiny_course) == []


def test_what_is_stale_is_named_by_cell(tiny_course: Path, edit_tiny: Edit) -> None:
    release(tiny_course)
    edit_tiny(replace("tiny-1-2-answer", "Euclidean norm", "length"))
    found = {str(each.path): each.what for each in differences(tiny_course)}
    assert found[str(NOTEBOOK)] == "differs in cells tiny-1-2-answer"
    assert "differs" in found[str(SOLVED)]


def test_a_hidden_test_changed_alone_leaves_the_release_as_it_is(
    tiny_course: Path, edit_tiny: Edit
) -> None:
    release(tiny_course)
    edit_tiny(replace("tiny-1-2-check", "[5, 12]) == 13", "[8, 15]) == 17"))
    assert differences(tiny_course) == []


def test_opening_and_saving_in_jupyterlab_changes_nothing_that_counts(tiny_course: Path) -> None:
    release(tiny_course)
    notebook = read_notebook(tiny_course / NOTEBOOK)
    notebook.metadata["language_info"] = {"name": "python", "version": "3.13.1"}
    notebook.metadata["widgets"] = {"state": {}}
    for each in notebook.cells:
        each.metadata["trusted"] = True
        if each.cell_type == "code":
            each.execution_count = 3
            each.metadata["execution"] = {"iopub.execute_input": "2026-01-01"}
            each.outputs = [nbformat.v4.new_output("stream", name="stdout", text="hello")]
    nbformat.write(notebook, tiny_course / NOTEBOOK)
    assert differences(tiny_course) == []
    notebook.cells[2].source += " changed"
    nbformat.write(notebook, tiny_course / NOTEBOOK)
    assert [each.what for each in differences(tiny_course)] == ["differs in cells tiny-1-1"]


def test_a_failed_release_leaves_everything_as_it_was(
    tiny_course: Path, edit_tiny: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(tiny_course)
    before = {path: (tiny_course / path).read_bytes() for path in (NOTEBOOK, SOLVED)}
    edit_tiny(replace("tiny-1-2-answer", "Euclidean norm", "length"))
    real = Path.replace

    def full(self: Path, target: Path) -> Path:
        if self.suffix == ".py" and "backup" not in self.parts:
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(CourseError, match="No space left"):
        release(tiny_course)
    assert {path: (tiny_course / path).read_bytes() for path in before} == before
    assert not list(tiny_course.glob(".release-*"))


def test_a_dry_run_changes_nothing(tiny_course: Path) -> None:
    assert len(release(tiny_course, dry_run=True)) == 3
    assert not (tiny_course / "notebooks").exists()


def test_files_of_a_lab_that_is_gone_are_told_and_removed(tiny_course: Path) -> None:
    release(tiny_course)
    old = tiny_course / "notebooks/old/old.ipynb"
    old.parent.mkdir()
    shutil.copy(tiny_course / NOTEBOOK, old)
    assert leftovers(tiny_course) == [Path("notebooks/old/old.ipynb")]
    assert [each.what for each in differences(tiny_course)] == ["belongs to no lab in solutions/"]
    release(tiny_course)
    assert not old.exists() and (tiny_course / NOTEBOOK).exists()


def test_a_converter_that_fails_is_told_in_one_message(
    tiny_course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONFIG", "broken_config.py")
    (tiny_course / "broken_config.py").write_text(
        "c = get_config()\nc.GenerateAssignment.preprocessors = ['no.such.Preprocessor']\n"
    )
    with pytest.raises(CourseError, match="could not convert solutions/tiny"):
        release(tiny_course)


def test_labs_are_found_and_misspellings_answered(tiny_course: Path) -> None:
    assert all_labs(tiny_course) == ["tiny"] and chosen_labs(tiny_course) == ["tiny"]
    with pytest.raises(CourseError, match=r"expected one of tiny\. Did you mean tiny"):
        chosen_labs(tiny_course, ["tinny"])
    assert find_root(tiny_course / "solutions" / "tiny") == tiny_course.resolve()
    with pytest.raises(CourseError, match="--root"):
        find_root(Path("/"))


def test_jobs_are_described(tiny_course: Path) -> None:
    (lab,) = describe(tiny_course)
    assert (lab["lab"], lab["points"], lab["title"]) == ("tiny", 5, "A tiny lab")
    first, _, written = lab["jobs"]
    assert first == {
        "number": "1.1",
        "title": "Draw a line",
        "kind": "code",
        "points": 2.0,
        "difficulty": 1,
        "minutes": 4,
        "statement": "tiny-1-1",
        "answers": ("tiny-1-1-answer",),
        "tests": ("tiny-1-1-check",),
    }
    assert written["kind"] == "written" and written["answers"] == ("tiny-1-3-answer",)
    json.dumps(lab)
