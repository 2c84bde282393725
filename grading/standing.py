"""How a class stands now: the record of the last grading run, with what humans did since.

`course grade` writes its record when it ends. Who scores written answers in Formgrader changes the
gradebook alone, so reports and exports read the scores there. The roster says who handed in
nothing at all, and what was collected says who was late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from grading.collect import FOLDER, TABLE, read_table
from grading.engine import CellScore, Status
from grading.gradebook import default_url
from grading.report import Entry, Report
from grading.roster import Roster
from grading.stored import Grades, stored_grades


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
        stored = stored_grades(url or default_url(course_dir))
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


def _as_scored(entry: Entry, stored: Grades) -> Entry:
    if entry.status == "missing" or not stored:
        return entry
    cells = tuple(_cell(cell, stored) for cell in entry.cells)
    waits = any(grade.waits for grade in stored.values())
    status: Status = ("failed" if entry.reason else "waiting") if waits else "graded"
    score = None if status == "failed" else sum(cell.score or 0.0 for cell in cells)
    return replace(entry, status=status, score=score, cells=cells)


def _cell(cell: CellScore, stored: Grades) -> CellScore:
    return replace(cell, score=stored[cell.id].points) if cell.id in stored else cell


def _missing(report: Report, students: Iterable[str]) -> Iterable[Entry]:
    points = {entry.lab: entry.max_score for entry in report.entries}
    for student in students:
        for lab in report.labs:
            yield Entry(student, lab, "missing", None, points.get(lab, 0.0))
