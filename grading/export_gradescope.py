"""Grades as Gradescope's autograders write them: a `results.json` for each submission.

The fields are those of Gradescope's "Autograder Specifications". A submission that failed has no
score there, as with an autograder that crashed, and one that waits has none for the questions that
a human reads. `status.csv` beside them also lists what is missing, which has no submission.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grading.engine import CellScore
from grading.export import Mark, Row, Sheet, exact
from grading.notebooks import CourseError
from grading.report import Entry
from grading.roster import Student
from grading.spreadsheet import disarmed, restored
from grading.standing import Standing

TABLE = "status.csv"
COLUMNS = ("student", "name", "lab", "status", "score", "max_score", "days_late", "file")
VISIBILITY = ("hidden", "after_due_date", "after_published", "visible")


def gradescope_files(
    standing: Standing, grades: Sheet, visibility: str = "after_published"
) -> dict[Path, bytes]:
    """The files, by their paths in a folder of their own."""
    entries = {(entry.student, entry.lab): entry for entry in standing.report.entries}
    files, rows = {}, []
    for row in grades.rows:
        for lab in grades.labs:
            mark, path = row.marks[lab], Path(lab) / row.student.student / "results.json"
            entry = entries.get((row.student.student, lab))
            there = entry is not None and mark.status != "missing"
            if entry is not None and there:
                tree = _results(entry, row, mark, visibility)
                files[path] = (json.dumps(tree, indent=1, ensure_ascii=False) + "\n").encode()
            rows.append(_line(row, lab, mark, path.as_posix() if there else ""))
    return {Path(TABLE): _table(rows).encode()} | files


def _results(entry: Entry, row: Row, mark: Mark, visibility: str) -> dict[str, Any]:
    told = [entry.reason or "", *entry.notes]
    tree: dict[str, Any] = {
        "execution_time": entry.seconds,
        "output": "\n".join(line for line in told if line),
        "visibility": visibility,
        "stdout_visibility": "hidden",
        "extra_data": {
            "student": row.login,
            "lab": entry.lab,
            "status": mark.status,
            "days_late": mark.days_late,
            "max_score": mark.max,
        },
    }
    if mark.score is None:
        return tree
    tests = [_test(cell, visibility) for cell in entry.cells]
    return {"score": mark.score, **tree, "tests": tests}


def _test(cell: CellScore, visibility: str) -> dict[str, Any]:
    waits = "This answer waits for a human." if cell.score is None else ""
    test: dict[str, Any] = {
        "name": f"Job {cell.job}" if cell.job else cell.id,
        "max_score": cell.max,
        "output": "\n".join(cell.findings) or waits,
        "visibility": visibility,
    }
    if cell.score is None:
        return test
    return {"score": cell.score, "status": _passed(cell.score, cell.max), **test}


def _passed(score: float, top: float) -> str:
    return "passed" if score >= top else "failed"


def _line(row: Row, lab: str, mark: Mark, path: str) -> tuple[str, ...]:
    score = exact(mark.score)
    late = str(mark.days_late)
    return row.login, row.name, lab, mark.status, score, exact(mark.max), late, path


def _table(rows: list[tuple[str, ...]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([disarmed(cell) for cell in row] for row in rows)
    return f"\ufeff{out.getvalue()}"


def read_gradescope(folder: Path) -> Sheet:
    """What `gradescope_files` made: the table, with each score from the submission's own file.

    Raises `CourseError` where a file is missing, or says something else than the table.
    """
    try:
        labs: dict[str, float] = {}
        marks: dict[tuple[str, str], dict[str, Mark]] = {}
        for login, name, lab, mark in _lines(folder):
            labs[lab] = mark.max
            marks.setdefault((login, name), {})[lab] = mark
        rows = (Row(Student(login, name, login=login), own) for (login, name), own in marks.items())
        return Sheet(labs, tuple(rows))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f"{folder} holds no grades as `course export gradescope` writes them ({error});"
            " expected status.csv and a results.json for each submission: export again."
        ) from None


def _lines(folder: Path) -> Iterator[tuple[str, str, str, Mark]]:
    with (folder / TABLE).open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            told = {key: restored(value) for key, value in row.items()}
            score = float(told["score"]) if told["score"] else None
            days = int(told["days_late"])
            if told["file"]:
                tree = json.loads((folder / told["file"]).read_text(encoding="utf-8"))
                said = tree["extra_data"]
                if (tree.get("score"), said["status"], said["days_late"], said["student"]) != (
                    score, told["status"], days, told["student"],
                ):  # fmt: skip
                    raise ValueError(f"{told['file']} says something else than {TABLE}")
            status: Any = told["status"]
            mark = Mark(status, score, float(told["max_score"]), days)
            yield told["student"], told["name"], told["lab"], mark
