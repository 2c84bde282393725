"""Finding what was handed in, and keeping every result whatever happens to the gradebook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_class import LAB, Lab, packed
from tiny_class import lab_fixture as lab_fixture

from grading import classroom
from grading.classroom import (
    Class,
    find,
    grade_class,
    lab_settings,
    labs_handed_in,
    nbgrader_config,
    open_class,
    students_in,
)
from grading.engine import CellScore, Options, Result
from grading.gradebook import GradebookWriter, default_url
from grading.many import Done, Task
from grading.notebooks import CourseError
from grading.restore import restore

SCORES = (
    CellScore("tiny-1-1-check", 2.0, 2.0),
    CellScore("tiny-1-2-check", 1.0, 1.0),
    CellScore("tiny-1-3-answer", None, 2.0, manual=True),
)


def hand_in(submissions: Path, student: str, name: str = f"{LAB}.ipynb") -> Path:
    path = submissions / student / LAB / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    return path


# ---------------------------------------------------------------- finding


def test_students_are_the_folders(tmp_path: Path) -> None:
    for name in ("zoe", "ada", ".git", "_archive"):
        (tmp_path / name).mkdir()
    (tmp_path / "notes.txt").write_text("")
    assert students_in(tmp_path) == ["ada", "zoe"]


def test_a_missing_or_empty_submissions_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="is not a folder; expected a folder with <student>"):
        students_in(tmp_path / "none")
    with pytest.raises(CourseError, match="holds no student's folder"):
        students_in(tmp_path)


def test_labs_are_those_that_somebody_handed_in(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada")
    assert labs_handed_in(tmp_path, ["other", LAB]) == [LAB]
    with pytest.raises(CourseError, match=r"one of this course's labs \(other\)"):
        labs_handed_in(tmp_path, ["other"])


def test_what_stands_in_a_students_folder(tmp_path: Path) -> None:
    path = hand_in(tmp_path, "ada")
    path.with_name("timestamp.txt").write_text("2026-11-20 12:00:00 UTC\n")
    found = find(tmp_path, "ada", LAB)
    assert (found.path, found.timestamp, found.plan) == (path, "2026-11-20 12:00:00 UTC", "graded")
    (tmp_path / "eva").mkdir()
    assert find(tmp_path, "eva", LAB).plan == "missing"
    hand_in(tmp_path, "ivo", "Tiny.ipynb").with_name("timestamp.txt").write_text("soon")
    near = find(tmp_path, "ivo", LAB)
    assert near.path is not None and near.plan == "graded" and near.timestamp is None
    assert near.note == "The file was called 'Tiny.ipynb' and not 'tiny.ipynb'."
    hand_in(tmp_path, "zoe", "one.ipynb").with_name("two.ipynb").write_text("{}")
    said = str(find(tmp_path, "zoe", LAB).reason)
    assert "none is called tiny.ipynb: one.ipynb, two.ipynb" in said
    other = hand_in(tmp_path, "max", "other.ipynb")
    other.write_text('{"cells": [], "metadata": {"course": {"lab": "other"}}}')
    assert "other.ipynb is lab 'other'" in str(find(tmp_path, "max", LAB).reason)


def test_links_out_of_the_submissions_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "solutions.ipynb"
    secret.write_text("x")
    path = hand_in(tmp_path / "submitted", "ada")
    path.unlink()
    path.symlink_to(secret)
    assert "not a plain file" in str(find(tmp_path / "submitted", "ada", LAB).reason)
    path.unlink()
    path.symlink_to(tmp_path / "nowhere")
    assert "not a plain file" in str(find(tmp_path / "submitted", "ada", LAB).reason)


def test_settings_are_small_and_never_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("COURSE_DATA", "COURSE_OFFLINE", "COURSE_DEVICE"):
        monkeypatch.delenv(name, raising=False)
    small = {"COURSE_BUDGET": "smoke", "COURSE_PROGRESS": "0"}
    assert lab_settings(tmp_path) == small | {"COURSE_OFFLINE": "1"}
    (tmp_path / "data").mkdir()
    assert lab_settings(tmp_path) == small | {"COURSE_DATA": str(tmp_path / "data")}
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    assert lab_settings(tmp_path) == small | {"COURSE_OFFLINE": "1"}
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    assert lab_settings(tmp_path)["COURSE_DEVICE"] == "cpu"


def test_course_folder_is_checked(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="no lab 'tinny'"):
        open_class(lab.folder, tmp_path, ["tinny"])
    course = open_class(lab.folder, tmp_path, [LAB])
    assert course.masters == {LAB: lab.master} and course.course_id == "generative-models"
    (lab.folder / "nbgrader_config.py").write_text("c = get_config(\n")
    with pytest.raises(CourseError, match="cannot be used"):
        nbgrader_config(lab.folder)


# ---------------------------------------------------------------- keeping


@pytest.fixture
def course(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Class:
    """A class of two and an absent one, graded without running anything."""
    submissions = lab.folder / "submitted"
    for student in ("ada", "eva"):
        hand_in(submissions, student).write_bytes(packed(lab.honest["solved"]))
    (submissions / "ivo").mkdir()
    notebook = packed(restore(lab.honest["solved"], lab.frame).notebook)

    def engine(tasks: list[Task], workers: int, options: Options) -> Iterator[Done]:
        for task in tasks:
            yield Done(task, Result("waiting", notebook, SCORES))

    monkeypatch.setattr(classroom, "grade_many", engine)
    return Class(lab.folder, submissions, {LAB: lab.master})


def grade(course: Class) -> tuple[list[tuple[str, str, float | None]], CourseError | None]:
    found = [find(course.submissions, s, LAB) for s in students_in(course.submissions)]
    url = default_url(course.course_dir)
    told: list[str] = []
    report, trouble = grade_class(
        course,
        found,
        url,
        workers=1,
        options=Options(trusted=True),
        lock_seconds=1,
        regrade=True,
        on_entry=lambda entry: told.append(entry.student),
    )
    assert sorted(told) == ["ada", "eva", "ivo"]
    return [(e.student, e.status, e.score) for e in report.entries], trouble


def test_results_go_to_gradebook_and_folder(course: Class) -> None:
    expected = [("ada", "waiting", 3), ("eva", "waiting", 3), ("ivo", "missing", None)]
    assert grade(course) == (expected, None)
    assert course.autograded("ada", LAB).exists() and course.autograded("eva", LAB).exists()
    assert not course.autograded("ivo", LAB).exists()
    assert grade(course) == (expected, None)


def test_a_gradebook_that_fails_midway_loses_no_result(
    course: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def in_use(self: GradebookWriter, student: str, *rest: object, **options: object) -> Result:
        tried.append(student)
        raise CourseError("The gradebook is in use.")

    monkeypatch.setattr(GradebookWriter, "record", in_use)
    entries, trouble = grade(course)
    assert [score for _, _, score in entries] == [3, 3, None]
    assert "in use" in str(trouble)
    assert len(tried) == 1, "one long wait is enough"
    assert course.autograded("eva", LAB).exists()
