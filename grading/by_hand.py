"""Points and comments that humans gave, from a table into the gradebook.

Who grades in Formgrader needs none of this. A table is for graders without an account on the
server, and for programs; `course waiting --csv` makes one to fill in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry

from grading.notebooks import CourseError
from grading.spreadsheet import read_csv, restored

COLUMNS = ("student", "lab", "question", "points", "comment")
SHOWN = 10


@dataclass(frozen=True)
class Mark:
    """One line of a table. `question` is the grade id of the answer's cell; without `points` only
    the comment is meant, and an empty comment leaves the one that is there."""

    student: str
    lab: str
    question: str
    points: float | None
    comment: str
    line: int

    def __str__(self) -> str:
        return f"line {self.line} ({self.student}, {self.lab}, {self.question})"


@dataclass(frozen=True)
class Stored:
    """What came of a table: lines that changed something, and lines that said what was there."""

    changed: int
    same: int


def read_marks(path: Path) -> list[Mark]:
    """The lines of a CSV table that hold points or a comment.

    It needs the columns student, lab, question and points, and may have a comment and others.
    Commas, semicolons and tabs separate; 1,5 is one and a half where they are not commas.

    Raises `CourseError` where it cannot be read, lacks a column, or holds points that are no
    number, or an answer twice.
    """
    heads, rows = read_csv(path, f"The table {path}")
    lacking = sorted(set(COLUMNS[:4]) - set(heads))
    if lacking:
        raise CourseError(
            f"The table {path} has no column {', '.join(lacking)}; expected {', '.join(COLUMNS)}:"
            " name them so in its first line, as `course waiting --csv` does."
        )
    marks = [mark for line, row in rows if (mark := _mark(row, line, path))]
    seen: dict[tuple[str, str, str], Mark] = {}
    for mark in marks:
        first = seen.setdefault((mark.student, mark.lab, mark.question), mark)
        if first is not mark:
            raise CourseError(
                f"The table {path} has line {first.line} and {mark}; expected each answer once:"
                " remove one of the two."
            )
    return marks


def _mark(row: Mapping[str, Any], line: int, path: Path) -> Mark | None:
    told = {name: restored((row.get(name) or "").strip()) for name in COLUMNS}
    if not told["points"] and not told["comment"]:
        return None
    try:
        points = float(told["points"].replace(",", ".")) if told["points"] else None
    except ValueError:
        raise CourseError(
            f"The table {path} has the points '{told['points']}' in line {line}; expected a number"
            " such as 1.5, or nothing where the answer still waits."
        ) from None
    return Mark(told["student"], told["lab"], told["question"], points, told["comment"], line)


def store(book: Gradebook, marks: Sequence[Mark], force: bool, dry_run: bool) -> Stored:
    """Put marks into an open gradebook, as Formgrader would; with `dry_run`, only compare.

    Raises `CourseError`, before anything is changed, where a line fits no answer in the gradebook,
    has points beyond those of its question or, unless `force`, differs from what a human gave.
    """
    places = _Places(book)
    problems = [said for mark in marks if (said := places.problem(mark, force))]
    if problems:
        more = [f"and {len(problems) - SHOWN} more lines"] if len(problems) > SHOWN else []
        told = "\n".join(f"  {said}" for said in (*problems[:SHOWN], *more))
        raise CourseError(f"Nothing was stored, since these lines cannot be:\n{told}")
    new = [mark for mark in marks if places.is_new(mark)]
    for mark in () if dry_run else new:
        places.put(mark)
    return Stored(len(new), len(marks) - len(new))


class _Places:
    """Where marks go in a gradebook."""

    def __init__(self, book: Gradebook) -> None:
        self._book = book
        self._found: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]] | None] = {}

    def _notebook(self, mark: Mark) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The grades and comments of a submission by question; None where there is none."""
        key = mark.student, mark.lab
        if key not in self._found:
            try:
                found = self._book.find_submission_notebook(mark.lab, mark.lab, mark.student)
                self._found[key] = _named(found.grades), _named(found.comments)
            except MissingEntry:
                self._found[key] = None
        return self._found[key]

    def _of(self, mark: Mark) -> tuple[Any, Any]:
        grades, comments = self._notebook(mark) or ({}, {})
        return grades.get(mark.question), comments.get(mark.question)

    def problem(self, mark: Mark, force: bool) -> str | None:
        """Why a mark cannot be stored, if so."""
        found = self._notebook(mark)
        if found is None:
            return f"{mark}: the gradebook has no such submission; grade it first."
        grade, comment = self._of(mark)
        if grade is None:
            known = ", ".join(found[0])
            return f"{mark}: the lab has no such question; expected one of {known}."
        if mark.comment and comment is None:
            return f"{mark}: there is no place for a comment on this cell; leave it out."
        if mark.points is not None and not 0 <= mark.points <= grade.max_score:
            return f"{mark}: {mark.points:g} points; expected 0 to {grade.max_score:g}."
        if not force and (other := _other(mark, grade, comment)):
            return f"{mark}: a human gave {other}; add --force to write over it."
        return None

    def is_new(self, mark: Mark) -> bool:
        """Whether a mark says more than what is there."""
        grade, comment = self._of(mark)
        scored = mark.points is None or (
            grade.manual_score == mark.points and not grade.needs_manual_grade
        )
        return not (scored and (not mark.comment or comment.manual_comment == mark.comment))

    def put(self, mark: Mark) -> None:
        """Store a mark that has no `problem`."""
        grade, comment = self._of(mark)
        if mark.points is not None:
            grade.manual_score, grade.needs_manual_grade = mark.points, False
        if mark.comment:
            comment.manual_comment = mark.comment


def _named(entries: Iterable[Any]) -> dict[str, Any]:
    return {entry.name: entry for entry in entries}


def _other(mark: Mark, grade: Any, comment: Any) -> str | None:
    """What a human gave, where the mark says something else."""
    if mark.points is not None and grade.manual_score not in (None, mark.points):
        return f"{grade.manual_score:g} points"
    if mark.comment and comment.manual_comment not in (None, "", mark.comment):
        return "another comment"
    return None
