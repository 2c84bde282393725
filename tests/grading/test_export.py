"""What is exported comes back: the same students, scores and states, whatever they are called."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from odd_class import LABS, ROSTER, STANDING

from grading.export import (
    Mark,
    Sheet,
    canvas_csv,
    exact,
    moodle_csv,
    read_canvas,
    read_moodle,
    sheet,
)
from grading.export_gradescope import VISIBILITY, gradescope_files, read_gradescope
from grading.notebooks import CourseError

ALL = sheet(STANDING, ROSTER)


def written(folder: Path, grades: Sheet = ALL, visibility: str = "visible") -> Path:
    """Gradescope's files, on the disk."""
    for path, data in gradescope_files(STANDING, grades, visibility).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize("roster", [ROSTER, None])
@pytest.mark.parametrize("labs", [(), ("b",)])
def test_every_format_comes_back(roster: object, labs: tuple[str, ...], tmp_path: Path) -> None:
    grades = sheet(STANDING, roster, labs)  # type: ignore[arg-type]
    assert len(grades.rows) == 8 and tuple(grades.labs) == (labs or LABS)
    canvas = read_canvas(canvas_csv(grades, {"b": "4711"}))
    assert canvas.content == grades.content
    assert read_moodle(moodle_csv(grades)).content == grades.content
    assert read_gradescope(written(tmp_path, grades)).content == grades.content


def test_states_are_what_they_are() -> None:
    marks = {row.login: row.marks for row in ALL.rows}
    assert marks["Ada"]["b"] == Mark("waiting", 2.0, 4.0, 1)
    assert marks["eva"]["a"] == Mark("graded", 0.0, 5.0)
    assert marks["eva"]["b"] == Mark("missing", None, 4.0)
    assert marks["=cmd()"]["b"] == Mark("failed", None, 4.0)
    assert marks["liwei"]["b"] == Mark("graded", 3.0, 4.0, 2)
    assert set(marks["absent"].values()) == {Mark("missing", None, 5.0), Mark("missing", None, 4.0)}
    assert "stranger" not in marks  # a system refuses a file that names others


def test_canvas_takes_the_file_for_its_own() -> None:
    heads, points, *others = rows_of(canvas_csv(ALL, {"b": "4711"}))
    assert heads[:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert heads[5::2] == ["a", "b (4711)"] and points[5::2] == ["5", "4"]
    assert points[0] == "Points Possible"
    # Canvas would make an assignment of any other column.
    assert all("Current Grade" in head for head in heads[6::2])
    assert set(points[6::2]) == {"(read only)"}
    rows = {row[3]: row for row in others}
    assert rows["Ada"] == ["Lovelace, Ada", "900", "12", "Ada", "Mon, 2", "5", "graded", "",
                           "waiting, 2 so far, 1 day late"]  # fmt: skip
    assert rows["eva"][0] == 'Eva "Evi" Ödön' and rows["eva"][5:] == ["0", "graded", "", "missing"]
    assert rows["'=cmd()"][7:] == ["", "failed"]


def test_moodle_finds_its_students_and_no_score_is_empty() -> None:
    heads, *others = rows_of(moodle_csv(ALL))
    assert heads == ["Username", "Full name", "ID number", "Email address", "a (of 5)", "a status",
                     "b (of 4)", "b status"]  # fmt: skip
    rows = {row[0]: row for row in others}
    assert rows["Ada"][:5] == ["Ada", "Lovelace, Ada", "12", "ada@example.edu", "5"]
    assert rows["liwei"][6:] == ["3", "graded, 2 days late"]
    assert all(row[0] for row in others)  # Moodle would give such a row to the student before


@pytest.mark.parametrize("text", [canvas_csv(ALL, {}), moodle_csv(ALL)])
def test_no_cell_is_a_formula(text: str) -> None:
    cells = [cell for row in rows_of(text) for cell in row]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "@", "\t")]
    assert not [cell for cell in cells if cell[:1] == "-" and not cell[1:].isdecimal()]
    assert text.startswith("\ufeff") and "李 伟" in text


def test_scores_come_back_to_the_last_digit() -> None:
    for value in (0.0, 3.0, 2.5, 1 / 3, 1 / 3 + 1.25, 12345.678901, 1e-9):
        assert float(exact(value)) == value
    assert (exact(3.0), exact(None)) == ("3", "")


def test_gradescope_results(tmp_path: Path) -> None:
    folder = written(tmp_path)
    assert not (folder / "b" / "eva").exists()  # missing: no submission
    tree = json.loads((folder / "a" / "eva" / "results.json").read_text("utf-8"))
    assert tree["score"] == 0 and tree["visibility"] == "visible"
    first, second = tree["tests"]
    assert (first["name"], first["score"], first["max_score"]) == ("Job 1.1", 0, 3)
    assert "The mask looks inverted." in first["output"] and first["status"] == "failed"
    assert second["output"] == ""
    failed = json.loads((folder / "b" / "=cmd()" / "results.json").read_text("utf-8"))
    assert "score" not in failed and failed["output"] == "It ended: mend it."
    waiting = json.loads((folder / "b" / "ada" / "results.json").read_text("utf-8"))
    assert waiting["score"] == 2 and "score" not in waiting["tests"][1]
    assert waiting["extra_data"]["status"] == "waiting" and waiting["extra_data"]["days_late"] == 1


def test_gradescope_files_that_do_not_fit_each_other(tmp_path: Path) -> None:
    folder = written(tmp_path)
    path = folder / "a" / "eva" / "results.json"
    path.write_text(path.read_text("utf-8").replace('"score": 0.0', '"score": 5.0', 1), "utf-8")
    with pytest.raises(CourseError, match=r"says something else than status\.csv"):
        read_gradescope(folder)
    path.unlink()
    with pytest.raises(CourseError, match="export again"):
        read_gradescope(folder)


@pytest.mark.parametrize("text", ["", "a,b\n", "Student,ID\n1,2\n", moodle_csv(ALL)[:-20]])
def test_other_files_are_refused(text: str) -> None:
    with pytest.raises(CourseError, match="no file of grades for Canvas"):
        read_canvas(text)
    with pytest.raises(CourseError, match="no file of grades for Moodle"):
        read_moodle(text)


@pytest.mark.parametrize("told", ["", "grade", "graded, late", "waiting, x"])
def test_what_is_no_status(told: str) -> None:
    with pytest.raises(ValueError, match="is no status"):
        Mark.read(told, "", 1.0)


def test_a_lab_that_was_not_graded() -> None:
    with pytest.raises(CourseError, match="--lab was given c; expected labs that were graded"):
        sheet(STANDING, ROSTER, ["c"])


def test_visibility_is_gradescopes() -> None:
    assert VISIBILITY == ("hidden", "after_due_date", "after_published", "visible")
