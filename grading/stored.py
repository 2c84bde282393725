"""The grades that a gradebook holds, read in one question."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import select

from grading.database import Database
from grading.gradebook import LOCK_SECONDS, has_schema


@dataclass(frozen=True)
class StoredGrade:
    """What a cell has: points by the checks, by a human and beyond the maximum, and whether a human
    is still asked."""

    automatic: float | None
    manual: float | None
    extra: float | None
    waits: bool

    @property
    def points(self) -> float | None:
        """The points as they count now; a human's go before."""
        points = self.automatic if self.manual is None else self.manual
        return points + self.extra if points is not None and self.extra else points


Grades = dict[str, StoredGrade]
"""By grade id."""

ASKED = (
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


def stored_grades(url: str, lock_seconds: float = LOCK_SECONDS) -> dict[tuple[str, str], Grades]:
    """What a gradebook holds, by student and lab; nothing where it has no tables yet.

    Raises `CourseError` where it cannot be read.
    """
    database = Database(url, lock_seconds)

    def read() -> dict[tuple[str, str], Grades]:
        found: dict[tuple[str, str], Grades] = defaultdict(dict)
        with database.reading() as connection:
            if has_schema(connection, database.name):
                for student, lab, cell, *grade in connection.execute(ASKED):
                    found[student, lab][cell] = StoredGrade(*grade)
        return dict(found)

    try:
        return database.patiently(read, "")
    finally:
        database.close()
