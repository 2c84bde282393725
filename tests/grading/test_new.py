"""A sixth lab from the template goes the whole way; the names that it may not have."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grading.demo import fill_in, jobs_of
from grading.new import new_lab
from grading.notebooks import CourseError, notebook_text, read_notebook
from grading.release import all_labs, find_root, source_of

ROOT = find_root(Path(__file__))
LAB, TITLE = "latent_models", 'Latent "models"'
SWAPPED = ("return t * z + (1 - t) * noise", "return (1 - t) * z + t * noise")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A copy of the course with one lab, as an author has it."""
    for name in ("course_utils", "grading", "solutions/mnist"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("nbgrader_config.py", "course.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def run_course(folder: Path, *words: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "grading.cli", *words],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_a_new_lab_is_released_graded_and_reported(course: Path) -> None:
    run_course(course, "new", LAB, "--title", TITLE)
    run_course(course, "release", LAB)
    released = read_notebook(course / "notebooks" / LAB / f"{LAB}.ipynb")
    solution = source_of(course, LAB)
    right = notebook_text(fill_in(released, solution, jobs_of(solution)))
    assert SWAPPED[0] in right
    for student, text in (("ada", right), ("bob", right.replace(*SWAPPED))):
        path = course / "submitted" / student / LAB / f"{LAB}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    run_course(course, "grade", LAB, "--submissions", "submitted", "--json", "grades.json")
    entries = json.loads((course / "grades.json").read_text())["entries"]
    assert [(one["student"], one["score"], one["status"]) for one in entries] == [
        ("ada", 2, "waiting"),
        ("bob", 0, "waiting"),
    ]
    assert "z and the noise look swapped" in json.dumps(entries[1])
    run_course(course, "report", "--json", "grades.json", "--html", "report.html")
    assert LAB in (course / "report.html").read_text("utf-8")


def test_the_new_lab_is_the_last(course: Path) -> None:
    notebook, check = new_lab(course, LAB, TITLE)
    assert all_labs(course) == ["mnist", LAB]
    cells = {cell.id: cell.source for cell in read_notebook(notebook).cells}
    assert cells[f"{LAB}-title"].startswith(f"# 2. {TITLE}\n")
    assert f'LAB, WHEEL, BEGAN = "{LAB}"' in cells[f"{LAB}-course"]
    assert "__" not in check.read_text("utf-8").replace("__future__", "")


@pytest.mark.parametrize("name", ["Latent", "6th", "latent-models", "class", "../mnist", ""])
def test_a_name_that_no_module_can_have_is_refused(course: Path, name: str) -> None:
    with pytest.raises(CourseError, match="cannot be called"):
        new_lab(course, name, TITLE)


def test_nothing_that_exists_is_written_over(course: Path) -> None:
    with pytest.raises(CourseError, match="exists; expected a new name"):
        new_lab(course, "mnist", TITLE)
    check = course / "course_utils" / "checks" / f"{LAB}.py"
    check.write_text("# mine")
    with pytest.raises(CourseError, match="exists"):
        new_lab(course, LAB, TITLE)
    assert check.read_text() == "# mine" and not (course / "solutions" / LAB).exists()


def test_a_dry_run_writes_nothing(course: Path) -> None:
    for path in new_lab(course, LAB, TITLE, dry_run=True):
        assert not path.exists()
