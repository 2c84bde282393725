"""How a class stands now: the record of the last grading run, with what humans did since.

`course grade` writes its record when it ends. Who scores written answers in Formgrader changes the
gradebook alone, so reports and exports read the scores there. The roster says who handed in
nothing at all, and what was collected says who was late.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import select

from grading.collect import FOLDER, TABLE, read_table
from grading.database import Database
from grading.engine import CellScore, Status
from grading.gradebook import LOCK_SECONDS, default_url, has_schema
from grading.report import Entry, Report
from grading.roster import Roster

Scores = dict[str, tuple[float | None, bool]]
"""By grade id: the points as they are now, and whether a human is still asked."""


@dataclass(frozen=True)
class Standing:
    """A class as it stands.

    late : the days by which the attempt that counts was late, by student and lab.
    strangers : students with grades whom the roster does not name.
    silent : students of the roster whom the grades do not name; the report has them as missing.
    """

    report: Report
    late: Mapping[tuple[str, str], int] = field(default_factory=dict)
    strangers: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()

    def days_late(self, entry: Entry) -> int:
        """The days by which a submission was late, 0 in time."""
        return self.late.get((entry.student, entry.lab), 0)


def standing(
    report: Report,
    course_dir: Path,
    url: str | None = None,
    roster: Roster | None = None,
) -> Standing:
    """The class of a report as it stands now.

    Parameters
    ----------
    report : the record of the last grading run.
    course_dir : the course folder.
    url : the gradebook; without one, the course folder's, where there is one.
    roster : who is in the class; without one, who is in the report.

    Raises `CourseError` where the gradebook or the table of what was collected cannot be read.
    """
    book = course_dir / "gradebook.db"
    if url is not None or book.exists():
        stored = gradebook_scores(url or default_url(course_dir))
        entries = [_as_scored(e, stored.get((e.student, e.lab), {})) for e in report.entries]
        report = replace(report, entries=tuple(entries))
    attempts = read_table(course_dir / FOLDER / TABLE)
    late = {(one.student, one.lab): one.days_late for one in attempts if one.counts}
    if roster is None or not roster.students:
        return Standing(report, late)
    owners = {entry.student: roster.owner(entry.student) for entry in report.entries}
    silent = tuple(sorted({one.student for one in roster.students} - set(owners.values())))
    missing = tuple(_missing(report, silent))
    whole = Report.now(report.labs, Path(report.submissions_dir), (*report.entries, *missing))
    report = replace(whole, created=report.created, engine=report.engine)
    strangers = tuple(sorted(name for name, owner in owners.items() if owner is None))
    return Standing(report, late, strangers, silent)


def gradebook_scores(url: str) -> dict[tuple[str, str], Scores]:
    """What a gradebook holds, by student and lab; nothing where it has no tables yet.

    Raises `CourseError` where it cannot be read.
    """
    asked = (
        select(
            SubmittedAssignment.student_id,
            Assignment.name,
            BaseCell.name,
            Grade.auto_score,
            Grade.manual_score,
            Grade.extra_credit,
            Grade.needs_manual_grade,
        )
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
    )
    database = Database(url, LOCK_SECONDS)

    def read() -> dict[tuple[str, str], Scores]:
        found: dict[tuple[str, str], Scores] = defaultdict(dict)
        with database.reading() as connection:
            if has_schema(connection, database.name):
                for student, lab, cell, automatic, manual, extra, waits in connection.execute(
                    asked
                ):
                    points = automatic if manual is None else manual
                    if points is not None and extra:
                        points += extra
                    found[student, lab][cell] = points, waits
        return dict(found)

    try:
        return database.patiently(read, "")
    finally:
        database.close()


def _as_scored(entry: Entry, stored: Scores) -> Entry:
    if entry.status == "missing" or not stored:
        return entry
    cells = tuple(_cell(cell, stored) for cell in entry.cells)
    waits = any(waits for _, waits in stored.values())
    status: Status = ("failed" if entry.reason else "waiting") if waits else "graded"
    score = None if status == "failed" else sum(cell.score or 0.0 for cell in cells)
    return replace(entry, status=status, score=score, cells=cells)


def _cell(cell: CellScore, stored: Scores) -> CellScore:
    return replace(cell, score=stored[cell.id][0]) if cell.id in stored else cell


def _missing(report: Report, students: Iterable[str]) -> Iterable[Entry]:
    points = {entry.lab: entry.max_score for entry in report.entries}
    for student in students:
        for lab in report.labs:
            yield Entry(student, lab, "missing", None, points.get(lab, 0.0))
