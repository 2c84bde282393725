"""Grading a class: exact scores, repairs, reasons, and what a submission cannot see."""

from __future__ import annotations

import ast
import base64
import hashlib
import os
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest
from nbformat import NotebookNode, reads
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.validator import Validator
from tiny_class import LAB, LIMITS, Lab, cell_of, odd, packed, with_source
from tiny_class import lab_fixture as lab_fixture

from grading.classroom import (
    Class,
    find,
    grade_class,
    lab_settings,
    nbgrader_config,
    open_class,
    students_in,
)
from grading.engine import Options, grade_submission
from grading.gradebook import GradebookWriter, default_url
from grading.many import Task, grade_many
from grading.report import Entry, Report, read_json, write_json
from grading.worker import WorkerEndedError, WorkerProcess

# The tiny lab's tests are bare asserts, which only a trusted submission may meet.
TRUSTED = Options(LIMITS, backend="plain", trusted=True)


@dataclass(frozen=True)
class Graded:
    """A class that was graded once, for all tests here."""

    course: Class
    report: Report

    def entry(self, student: str) -> Entry:
        return next(entry for entry in self.report.entries if entry.student == student)

    def scores(self, student: str) -> list[float | None]:
        return [cell.score for cell in self.entry(student).cells]

    def notebook(self, student: str) -> NotebookNode:
        return reads(self.course.autograded(student, LAB).read_text("utf-8"), 4)


def build(lab: Lab, folder: Path) -> None:
    """Grade the whole class into `folder`."""
    shutil.copytree(lab.folder, folder, dirs_exist_ok=True)
    submissions = folder / "submitted"
    files = {name: packed(notebook) for name, notebook in lab.honest.items()}
    for student, data in (files | odd(lab.honest["solved"])).items():
        hand_in(submissions / student / LAB / f"{LAB}.ipynb", data)
    (submissions / "absent").mkdir()
    hand_in(submissions / "misnamed" / LAB / f"{LAB} (1).ipynb", files["solved"])
    hand_in(submissions / "linked" / LAB / "note.txt", b"")
    source = folder / "solutions" / LAB / f"{LAB}.ipynb"
    (submissions / "linked" / LAB / f"{LAB}.ipynb").symlink_to(source)
    course = open_class(folder, submissions, [LAB])
    found = [find(submissions, student, LAB) for student in students_in(submissions)]
    report, trouble = grade_class(
        course,
        found,
        default_url(folder),
        workers=2,
        options=replace(TRUSTED, course=lab_settings(folder)),
        lock_seconds=5,
    )
    assert trouble is None
    write_json(report, folder / "grades.json")


def hand_in(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(data)


@pytest.fixture
def graded(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """The class, graded once however many test processes ask for it."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if run else base) / f"tiny-class-{run or 'alone'}"
    try:
        folder.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + 300
        while not (folder / "grades.json").exists():
            assert time.monotonic() < deadline, "the test process that grades the class is gone"
            time.sleep(0.2)
    else:
        os.environ["A_SECRET"] = "do not pass on"
        build(lab, folder)
    course = Class(folder, folder / "submitted", {LAB: lab.master})
    return Graded(course, read_json(folder / "grades.json"))


# ---------------------------------------------------------------- scores

SCORES = {
    "solved": ("waiting", [2, 1, None]),
    "untouched": ("graded", [0, 0, 0]),
    "half": ("graded", [2, 1, 0]),
    "wrong": ("waiting", [0, 1, None]),
    "partial": ("waiting", [2, 0.5, None]),
    "warns": ("waiting", [0, 1, None]),
    "endless": ("waiting", [2, 0, None]),
    "talks": ("waiting", [2, 0, None]),
    "twice": ("waiting", [2, 1, None]),
    "deleted": ("waiting", [2, 1, None]),
    "edited": ("waiting", [2, 1, None]),
    "bare": ("waiting", [2, 1, None]),
    "snoop": ("waiting", [2, 1, None]),
    "truncated": ("failed", [None, None, None]),
    "empty": ("failed", [None, None, None]),
    "list": ("failed", [None, None, None]),
    "other": ("failed", [None, None, None]),
    "misnamed": ("waiting", [2, 1, None]),
    "linked": ("failed", [None, None, None]),
    "exits": ("failed", [2, None, None]),
    "stubborn": ("failed", [2, None, None]),
    "flood": ("failed", [2, None, None]),
}


@pytest.mark.parametrize("student", SCORES)
def test_exact_scores(graded: Graded, student: str) -> None:
    status, cells = SCORES[student]
    entry = graded.entry(student)
    assert (entry.status, graded.scores(student)) == (status, cells)
    assert entry.score == (None if status == "failed" else sum(c or 0 for c in cells))
    assert entry.max_score == 5


def test_absent_student_is_missing_not_zero(graded: Graded) -> None:
    entry = graded.entry("absent")
    assert (entry.status, entry.score, entry.reason, entry.cells) == ("missing", None, None, ())
    assert entry.max_score == 5


def test_cells_tell_points_job_time_and_who_scores(graded: Graded) -> None:
    cells = {cell.id: cell for cell in graded.entry("solved").cells}
    assert list(cells) == [
        "tiny-1-1-check",
        "tiny-1-2-check",
        "tiny-1-3-answer",
    ]
    assert [cell.max for cell in cells.values()] == [2, 1, 2]
    assert [cell.job for cell in cells.values()] == ["1.1", "1.2", "1.3"]
    assert [cell.manual for cell in cells.values()] == [False, False, True]
    assert cells["tiny-1-1-check"].seconds is not None
    assert 0 < cells["tiny-1-1-check"].seconds < graded.entry("solved").seconds


# ---------------------------------------------------------------- reasons and repairs

REASONS = {
    "truncated": "breaks off at line",
    "empty": "file is empty",
    "list": "not a Jupyter notebook",
    "other": "No cell of this lab",
    "linked": "not a plain file",
    "exits": "process ended while it ran cell 'tiny-1-2-answer'",
    "stubborn": "hung in cell 'tiny-1-2-answer'",
    "flood": "printed without end in cell 'tiny-1-2-answer'",
}


@pytest.mark.parametrize("student", REASONS)
def test_failures_have_a_reason_of_one_sentence(graded: Graded, student: str) -> None:
    reason = graded.entry(student).reason
    assert reason is not None and REASONS[student] in reason
    assert "\n" not in reason and "Traceback" not in reason and reason.endswith(".")
    notebook = graded.notebook(student)
    assert reason in notebook.cells[0].source, "Formgrader's reader should see why"
    assert notebook.metadata.course.grading.status == "failed"


NOTES = {
    "misnamed": "was called 'tiny (1).ipynb' and not 'tiny.ipynb'",
    "endless": "'tiny-1-2-answer' was stopped after 4 s",
    "twice": "'tiny-1-1-check' stood 2 times",
    "deleted": "'tiny-1-1-check' was missing and was put back",
    "edited": "'tiny-1-1-check' had been edited",
    "bare": "'tiny-1-1-check' had lost its grading metadata",
}


@pytest.mark.parametrize("student", NOTES)
def test_repairs_are_noted(graded: Graded, student: str) -> None:
    assert any(NOTES[student] in note for note in graded.entry(student).notes)


def test_honest_submissions_need_no_repair(graded: Graded) -> None:
    for student in ("solved", "untouched", "half", "wrong", "partial"):
        assert graded.entry(student).notes == ()


def test_put_back_cells_stand_where_they_belong(graded: Graded, lab: Lab) -> None:
    order = [cell.id for cell in lab.frame.cells]
    for student in ("deleted", "bare", "edited"):
        assert [cell.id for cell in graded.notebook(student).cells] == order


# ---------------------------------------------------------------- limits and isolation


def test_output_is_cut_but_what_scoring_reads_is_kept(graded: Graded) -> None:
    for student in ("talks", "flood"):
        path = graded.course.autograded(student, LAB)
        assert path.stat().st_size < 60_000
        assert "output cut here" in path.read_text("utf-8")


def test_nothing_of_the_course_is_in_reach_by_relative_path(graded: Graded) -> None:
    cell = cell_of(graded.notebook("snoop"), "tiny-demo")
    said = next(out.text for out in cell.outputs if out.output_type == "stream")
    here, above, notebooks, *exists, secrets, environment = ast.literal_eval(said[len("SEEN ") :])
    assert here == [] and notebooks == []
    assert set(above) == {"work", "tmp", "run", "ipython"}
    assert len(exists) == 16 and not any(exists)
    assert secrets is False, "a hidden test lies on disk beside the kernel"
    allowed = {"COURSE_BUDGET", "COURSE_PROGRESS", "COURSE_RUN_MARK", "COURSE_OFFLINE"}
    assert set(environment) <= allowed | {"COURSE_DATA"}


# ---------------------------------------------------------------- the pure function and its pool


def test_grading_is_a_function_of_its_bytes(graded: Graded, lab: Lab) -> None:
    submission = packed(lab.honest["partial"])
    result = grade_submission(submission, lab.master, TRUSTED)
    assert [cell.score for cell in result.cells] == graded.scores("partial")
    assert (result.status, result.score, result.max_score) == ("waiting", 2.5, 5)
    told = reads(result.notebook.decode(), 4).metadata.course.grading
    assert told.submission == hashlib.sha256(submission).hexdigest()


def test_too_much_partial_credit_asks_for_a_human(lab: Lab) -> None:
    frame = with_source(lab.frame, "tiny-1-2-check", "7")
    patient = replace(TRUSTED, limits=replace(LIMITS, cell_seconds=20))
    result = grade_submission(packed(lab.honest["solved"]), packed(frame), patient)
    assert [cell.score for cell in result.cells] == [2, None, None]
    assert any("'tiny-1-2-check' needs a human" in note for note in result.notes)


def test_a_worker_that_dies_costs_one_submission(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    answer = {"status": "graded", "notebook": "", "cells": [], "seconds": 1.0, "reason": None}

    def ask(self: WorkerProcess, job: dict[str, object], seconds: float) -> dict[str, object]:
        name = base64.b64decode(str(job["submission"])).decode()
        calls.append(name)
        if name == "a" or calls == ["a", "a", "b"]:
            raise WorkerEndedError("it said nothing")
        return answer | {"notes": [], "engine": "1"}

    monkeypatch.setattr(WorkerProcess, "ask", ask)
    tasks = []
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(name.encode())
        tasks.append(Task(name, LAB, tmp_path / name, lab.master))
    tasks.append(Task("c", LAB, tmp_path / "gone", lab.master))
    done = {each.task.student: each for each in grade_many(tasks, 1)}
    results = {name: each.result for name, each in done.items()}
    assert calls == ["a", "a", "b", "b"]
    assert [name for name, each in done.items() if each.final] == ["b"]
    assert {name: result.status for name, result in results.items()} == {
        "a": "failed",
        "b": "graded",
        "c": "failed",
    }
    assert "2 times and got no result" in str(results["a"].reason)
    assert "could not be read" in str(results["c"].reason)


def test_closing_the_iterator_ends_what_still_runs(lab: Lab, tmp_path: Path) -> None:
    slow = with_source(lab.solved, "tiny-demo", "import time; time.sleep(100)")
    (tmp_path / "slow").write_bytes(packed(slow))
    (tmp_path / "empty").write_bytes(b"")
    tasks = [Task(name, LAB, tmp_path / name, lab.master) for name in ("empty", "slow", "slow")]
    before = set(psutil.Process().children())  # servers of other tests
    results = grade_many(tasks, 1, TRUSTED)
    assert next(results).task.student == "empty"
    (worker,) = set(psutil.Process().children()) - before
    ours = [worker, *worker.children(recursive=True)]
    started = time.monotonic()
    results.close()
    assert time.monotonic() - started < 30
    assert not [process for process in ours if process.is_running()]
    assert not set(psutil.Process().children()) - before


# ---------------------------------------------------------------- agreement with nbgrader itself


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
def test_plain_nbgrader_gives_the_same_scores(
    graded: Graded, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`generate_assignment` and `autograde` on the same folders, with a gradebook of their own."""
    students = ["solved", "untouched", "partial", "warns"]
    for student in students:
        shutil.copytree(graded.course.submissions / student, lab.folder / "submitted" / student)
    url = default_url(lab.folder)
    with GradebookWriter(url):
        pass  # an empty gradebook, made without needing alembic on the path
    monkeypatch.chdir(lab.folder)
    config = nbgrader_config(lab.folder)
    config.CourseDirectory.root = str(lab.folder)
    config.CourseDirectory.db_url = url
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    assert api.generate_assignment(LAB)["success"]
    with Gradebook(url) as book:
        for student in students:
            outcome = api.autograde(LAB, student)
            assert outcome["success"], outcome
            stored = book.find_submission_notebook(LAB, LAB, student)
            theirs = {grade.name: grade.auto_score for grade in stored.grades}
            assert theirs == {cell.id: cell.score for cell in graded.entry(student).cells}, student


def test_formgraders_gradebook_has_every_submission(graded: Graded) -> None:
    """What Formgrader's lists are made from: nbgrader's API on what `course grade` wrote."""
    config = nbgrader_config(graded.course.course_dir)
    config.CourseDirectory.root = str(graded.course.course_dir)
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    listed = {item["student"]: item for item in api.get_submissions(LAB)}
    assert listed["solved"]["score"] == 3 and listed["solved"]["needs_manual_grade"]
    assert listed["half"]["score"] == 3 and not listed["half"]["needs_manual_grade"]
    assert listed["half"]["autograded"] and listed["half"]["max_score"] == 5
    assert "absent" not in listed
    opened = {item["student"] for item in api.get_notebook_submissions(LAB, LAB)}
    handed_in = {entry.student for entry in graded.report.entries if entry.status != "missing"}
    assert opened == handed_in


def test_validate_works_on_what_students_get(lab: Lab, tmp_path: Path) -> None:
    for student, failures in (("solved", 0), ("untouched", 3)):
        path = tmp_path / f"{student}.ipynb"
        path.write_bytes(packed(lab.honest[student]))
        outcome = Validator().validate(str(path))
        assert "changed" not in outcome
        assert len(outcome.get("failed", [])) == failures
