"""Grades in the form that learning systems take: CSV for Canvas and Moodle.

Both files have a status beside each score, since a number alone cannot say what is missing, what
failed, what waits for a human and what earned nothing. Only what is graded in full has a score; an
empty cell is "no grade" in both systems, and "0" is a zero.

Canvas takes every column behind "Section" for an assignment, except those that its own gradebook
computes: names with "Current Grade" in them, "(read only)" in the row of points. So are ours.
Moodle asks which column is what; a status can be mapped to "Feedback for …".
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from grading.engine import Status
from grading.notebooks import CourseError
from grading.report import Entry
from grading.roster import Roster, Student
from grading.spreadsheet import disarmed, restored
from grading.standing import Standing

CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
POSSIBLE, READ_ONLY = "Points Possible", "(read only)"
CANVAS_STATUS = "Current Grade status: "
MOODLE = ("Username", "Full name", "ID number", "Email address")
_TOP = re.compile(r"(.*) \(of (\S+)\)", re.DOTALL)
_STATUS = re.compile(r"(graded|waiting|failed|missing)(?:, (\S+) so far)?(?:, (\d+) days? late)?")


@dataclass(frozen=True)
class Mark:
    """What one student has for one lab. `score` are the points so far where it is waiting."""

    status: Status
    score: float | None
    max: float
    days_late: int = 0

    @property
    def told(self) -> str:
        """The status in words that `Mark.read` understands."""
        so_far = f", {exact(self.score)} so far" if self.status == "waiting" else ""
        days = f"{self.days_late} day{'s' if self.days_late > 1 else ''}"
        return f"{self.status}{so_far}" + (f", {days} late" if self.days_late else "")

    @property
    def final(self) -> str:
        """The score as a system takes it: empty unless all of it is graded."""
        return exact(self.score) if self.status == "graded" else ""

    @staticmethod
    def read(told: str, final: str, top: float) -> Mark:
        """The mark that was written as `told` and `final`; raises `ValueError` where it was not."""
        found = _STATUS.fullmatch(told)
        if not found:
            raise ValueError(f"{told!r} is no status")
        status: Status = found[1]  # type: ignore[assignment]
        points = found[2] if status == "waiting" else final
        return Mark(status, float(points) if points else None, top, int(found[3] or 0))


@dataclass(frozen=True)
class Row:
    """A student with a mark for each lab."""

    student: Student
    marks: Mapping[str, Mark] = field(default_factory=dict)

    @property
    def login(self) -> str:
        """What the student signs in with, as far as we know."""
        return self.student.login or self.student.student

    @property
    def name(self) -> str:
        """The name, or what stands for it."""
        return self.student.name or self.login


@dataclass(frozen=True)
class Sheet:
    """The grades of a class: labs with their points, and a row for each student."""

    labs: Mapping[str, float]
    rows: tuple[Row, ...]

    @property
    def content(self) -> object:
        """What has to come back when a file is read: who has what, by login and name."""
        return dict(self.labs), [(row.login, row.name, dict(row.marks)) for row in self.rows]


def exact(value: float | None) -> str:
    """Points in the shortest form that is read as the same number; none are empty."""
    if value is None:
        return ""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def sheet(standing: Standing, roster: Roster | None, labs: Sequence[str] = ()) -> Sheet:
    """The grades to export, of all labs or of some.

    With a roster these are its students: a system refuses a file that names others. Raises
    `CourseError` for a lab that was not graded.
    """
    report = standing.report
    unknown = sorted(set(labs) - set(report.labs))
    if unknown:
        raise CourseError(
            f"--lab was given {', '.join(unknown)}; expected labs that were graded:"
            f" {', '.join(report.labs)}. Check the spelling, or grade it first."
        )
    chosen = [lab for lab in report.labs if not labs or lab in labs]
    entries: dict[str, dict[str, Entry]] = {}
    for entry in report.entries:
        entries.setdefault(entry.student, {})[entry.lab] = entry
    top = {lab: max(e.max_score for e in report.entries if e.lab == lab) for lab in chosen}
    enrolled = roster.students if roster else []
    students = enrolled or [Student(name) for name in sorted(entries)]
    rows = []
    for one in students:
        own = entries.get(one.student) or entries.get(one.login, {})
        marks = {lab: _mark(standing, own.get(lab), top[lab]) for lab in chosen}
        rows.append(Row(one, marks))
    return Sheet(top, tuple(rows))


def _mark(standing: Standing, entry: Entry | None, top: float) -> Mark:
    if entry is None:
        return Mark("missing", None, top)
    return Mark(entry.status, entry.score, top, standing.days_late(entry))


# ---------------------------------------------------------------- Canvas


def canvas_csv(grades: Sheet, assignments: Mapping[str, str]) -> str:
    """The grades as Canvas's gradebook imports them.

    `assignments` says what a lab is called in Canvas: its number there, or its whole title. What
    is not in it is called as the lab.
    """
    heads, points = list(CANVAS), [POSSIBLE, "", "", "", ""]
    for lab, top in grades.labs.items():
        heads += [_title(lab, assignments.get(lab, "")), f"{CANVAS_STATUS}{lab}"]
        points += [exact(top), READ_ONLY]
    rows = []
    for row in grades.rows:
        who = row.student
        ids = [row.name, who.system, who.number, row.login, who.section]
        rows.append([*ids, *_cells(row, grades.labs)])
    return _written([heads, points, *rows])


def _title(lab: str, given: str) -> str:
    return f"{lab} ({given})" if given.isdecimal() else given or lab


def read_canvas(text: str) -> Sheet:
    """What `canvas_csv` wrote. Raises `CourseError` for anything else."""
    with _reading("Canvas", text) as rows:
        heads, points, *others = rows
        if tuple(heads[:5]) != CANVAS or points[0] != POSSIBLE:
            raise ValueError(f"it begins with {', '.join(heads[:5])}")
        labs = [head.removeprefix(CANVAS_STATUS) for head in heads[6::2]]
        top = dict(zip(labs, map(float, points[5::2]), strict=True))
        return Sheet(
            top,
            tuple(
                Row(Student(login, name, "", (number,), login, system, section), _marks(top, marks))
                for name, system, number, login, section, *marks in others
            ),
        )


# ---------------------------------------------------------------- Moodle


def moodle_csv(grades: Sheet) -> str:
    """The grades as Moodle imports them: "Grades > Import > CSV file", identified by username,
    ID number or email address, whichever the roster has for everybody."""
    heads = list(MOODLE)
    for lab, top in grades.labs.items():
        heads += [f"{lab} (of {exact(top)})", f"{lab} status"]
    rows = [
        [row.login, row.name, row.student.number, row.student.email, *_cells(row, grades.labs)]
        for row in grades.rows
    ]
    return _written([heads, *rows])


def read_moodle(text: str) -> Sheet:
    """What `moodle_csv` wrote. Raises `CourseError` for anything else."""
    with _reading("Moodle", text) as rows:
        heads, *others = rows
        found = [_TOP.fullmatch(head) for head in heads[4::2]]
        if tuple(heads[:4]) != MOODLE or None in found:
            raise ValueError(f"its columns are {', '.join(heads)}")
        top = {one[1]: float(one[2]) for one in found if one}
        return Sheet(
            top,
            tuple(
                Row(Student(login, name, email, (number,), login), _marks(top, marks))
                for login, name, number, email, *marks in others
            ),
        )


# ---------------------------------------------------------------- what both have


def _cells(row: Row, labs: Mapping[str, float]) -> Iterator[str]:
    for lab in labs:
        yield row.marks[lab].final
        yield row.marks[lab].told


def _marks(top: Mapping[str, float], cells: Sequence[str]) -> dict[str, Mark]:
    pairs = zip(top.items(), cells[::2], cells[1::2], strict=True)
    return {lab: Mark.read(told, final, points) for (lab, points), final, told in pairs}


def _written(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([disarmed(cell) for cell in row] for row in rows)
    # Without this mark, Excel takes UTF-8 for something else; both systems know it.
    return f"\ufeff{out.getvalue()}"


@contextmanager
def _reading(system: str, text: str) -> Iterator[list[list[str]]]:
    """The rows of a file; turns whatever is wrong with them into a `CourseError`."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        yield [[restored(cell) for cell in row] for row in rows]
    except (ValueError, IndexError, csv.Error) as error:
        raise CourseError(
            f"This is no file of grades for {system} ({error}); expected what `course export`"
            " writes: export again."
        ) from None
