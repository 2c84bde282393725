"""A class in which every state occurs, and names that files have trouble with."""

from __future__ import annotations

from grading.engine import CellScore
from grading.report import Entry, Report
from grading.roster import Roster, Student
from grading.standing import Standing

LABS = ("a", "b")
TOP = {"a": 5.0, "b": 4.0}
INVERTED = "80% of the labels were dropped; η = 0.2 drops 20%. The mask looks inverted."
STUB = "Your job 1.2 is not written yet."


def student(login: str, name: str, **more: str) -> Student:
    """As a roster has it."""
    return Student(login.lower(), name, login=login, **more)  # type: ignore[arg-type]


ROSTER = Roster(
    [
        Student("ada", "Lovelace, Ada", "ada@example.edu", ("12", "900"), "Ada", "900", "Mon, 2"),
        student("eva", 'Eva "Evi" Ödön'),
        student("=cmd()", '=HYPERLINK("x")'),
        student("liwei", "李 伟"),
        student("-5", "+49 30 1"),
        student("hook", "'t Hooft"),
        student("quote", "'=1+1"),
        student("absent", "@nobody"),
    ]
)


def cells(lab: str, first: float | None, second: float | None, said: str = "") -> tuple:
    """Two graded cells: job 1.1 by a check, job 1.2 by hand."""
    top = TOP[lab]
    told = (said,) if said else ()
    return (
        CellScore(f"{lab}-1-1-check", first, top - 2, 0.1, "1.1", False, told),
        CellScore(f"{lab}-1-2-answer", second, 2.0, None, "1.2", True),
    )


def entry(name: str, lab: str, first: float | None, second: float | None, said: str = "") -> Entry:
    """A submission that ran to its end."""
    made = cells(lab, first, second, said)
    score = sum(cell.score or 0.0 for cell in made)
    status = "waiting" if second is None else "graded"
    return Entry(name, lab, status, score, TOP[lab], made, 4.0)


ENTRIES = (
    entry("ada", "a", 3, 2),
    entry("ada", "b", 2, None),
    entry("eva", "a", 0, 0, INVERTED),
    Entry("eva", "b", "missing", None, 4.0),
    entry("=cmd()", "a", 1 / 3, 1.25, INVERTED.replace("80", "79")),
    Entry("=cmd()", "b", "failed", None, 4.0, cells("b", None, None), reason="It ended: mend it."),
    entry("liwei", "a", 3, 1),
    entry("liwei", "b", 2, 1),
    entry("-5", "a", 3, None),
    entry("-5", "b", 0, 0),
    entry("hook", "a", 3, 2),
    entry("hook", "b", 2, 2),
    entry("quote", "a", 0, 1),
    entry("quote", "b", 1, 2),
    entry("stranger", "a", 3, 2),
    Entry("stranger", "b", "missing", None, 4.0, notes=("The file was called 'Jo.ipynb'.",)),
)
REPORT = Report(LABS, "submitted", ENTRIES, "2026-11-23T12:00:00+00:00")
STANDING = Standing(REPORT, {("liwei", "b"): 2, ("ada", "b"): 1}, ("stranger",), ("absent",))
