"""What changed in a lab since submissions were graded by it, and the gradebook brought up to it.

A lab's graded and locked cells are compared as they grade, hidden tests included: as the gradebook
holds them, as an autograded notebook does, and as the lab's source makes them now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, reads
from nbgrader.api import Comment, Grade, Gradebook, MissingEntry
from nbgrader.utils import is_grade, is_locked, is_solution

from grading.notebooks import CourseError
from grading.restore import without_hidden


@dataclass(frozen=True)
class Framed:
    """A cell that grading knows: its points where it has any, whether students write in it."""

    points: float | None
    answer: bool
    locked: bool
    kind: str
    source: str
    checksum: str | None = None
    job: str | None = None


Frame = Mapping[str, Framed]
"""A lab's cells by grade id."""


@dataclass(frozen=True)
class Change:
    """One difference, in words; `scores` says whether it may move one."""

    cell: str
    what: str
    scores: bool
    job: str | None = None

    def __str__(self) -> str:
        return f"{f'job {self.job}' if self.job else self.cell}: {self.what}"


def frame_of(notebook: NotebookNode) -> dict[str, Framed]:
    """The framed cells of a lab as it grades, or of an autograded notebook."""
    return {
        str(cell.metadata["nbgrader"]["grade_id"]): Framed(
            float(cell.metadata["nbgrader"]["points"]) if is_grade(cell) else None,
            bool(is_solution(cell)),
            bool(is_locked(cell)),
            cell.cell_type,
            cell.source,
            cell.metadata["nbgrader"].get("checksum"),
            cell.metadata.get("course", {}).get("job"),
        )
        for cell in notebook.cells
        if is_grade(cell) or is_solution(cell) or is_locked(cell)
    }


def frame_in(book: Gradebook, lab: str) -> dict[str, Framed]:
    """The framed cells that a gradebook holds; none where it does not know the lab."""
    try:
        notebook = book.find_notebook(lab, lab)
    except MissingEntry:
        return {}
    points = {cell.name: cell.max_score for cell in notebook.grade_cells}
    answers = {cell.name for cell in notebook.solution_cells}
    return {
        cell.name: Framed(
            points.get(cell.name), cell.name in answers, bool(cell.locked),
            cell.cell_type or "code", cell.source or "", cell.checksum,
        )
        for cell in notebook.source_cells
    }  # fmt: skip


def changes(old: Frame, new: Frame) -> list[Change]:
    """What became of each cell, in the new lab's order; removed ones at the end."""
    found = [change for name in new for change in _changes(name, old.get(name), new[name])]
    gone = [(name, old[name]) for name in old if name not in new]
    return found + [Change(name, "removed", one.points is not None, one.job) for name, one in gone]


def _changes(name: str, old: Framed | None, new: Framed) -> Iterator[Change]:
    if old is None:
        graded = new.points is not None
        points = f"{new.points:g} point{'s' if new.points != 1 else ''}" if graded else ""
        what = f"new, for {points}" if graded else "new"
        yield Change(name, what, graded, new.job)
        return
    if old.points != new.points:
        before, after = (f"{p:g}" if p is not None else "none" for p in (old.points, new.points))
        yield Change(name, f"points {before} → {after}", True, new.job)
    if new.answer or old.answer:
        return  # what students wrote, or the stub that they are given
    shown = without_hidden(old.source) != without_hidden(new.source)
    if shown:
        what = "its test changed" if new.points is not None else "its text changed"
        yield Change(name, what, new.kind == "code", new.job)
    elif old.source != new.source:
        yield Change(name, "its hidden test changed", True, new.job)


def changes_since(autograded: Path, master: bytes) -> dict[str, str]:
    """What changed in a lab since a submission was graded by it, in words, by grade id; nothing
    where the autograded file cannot be read."""
    try:
        old = reads(autograded.read_text(encoding="utf-8"), as_version=4)
    except Exception:  # a file that something else wrote: then nobody knows
        return {}
    found: dict[str, str] = {}
    for one in changes(frame_of(old), frame_of(reads(master.decode(), as_version=4))):
        if one.scores:
            found[one.cell] = f"{found[one.cell]}, {one.what}" if one.cell in found else one.what
    return found


# ---------------------------------------------------------------- the gradebook


def affected(book: Gradebook, lab: str) -> int:
    """How many submissions of a lab a gradebook holds."""
    try:
        return len(book.find_notebook(lab, lab).submissions)
    except MissingEntry:
        return 0


def adapt(book: Gradebook, lab: str, new: Frame) -> None:
    """Bring the cells of a lab that has submissions up to `new`, as far as nbgrader would refuse.

    A new cell gets a place in each submission, and waits there until it is graded. A cell that is
    gone takes its automatic scores along. Where points change under a human's score, the score
    stays, and a human is asked for another look.

    Raises `CourseError` where a human has scored or commented a cell that is gone.
    """
    try:
        notebook = book.find_notebook(lab, lab)
    except MissingEntry:
        return
    if not notebook.submissions:
        return  # nbgrader then makes the lab anew
    graded = {name for name, one in new.items() if one.points is not None}
    answers = {name for name, one in new.items() if one.answer}
    _remove(book, lab, notebook, graded, answers)
    for cell in [cell for cell in notebook.source_cells if cell.name not in new]:
        book.db.delete(cell)
    book.db.flush()
    book.db.expire_all()
    _ask_again(book, notebook, new)
    for name in graded - {cell.name for cell in notebook.grade_cells}:
        cell = book.add_grade_cell(
            name, lab, lab, max_score=new[name].points, cell_type=new[name].kind
        )
        book.db.add_all(_grades(cell.id, notebook.submissions))
    for name in answers - {cell.name for cell in notebook.solution_cells}:
        cell = book.add_solution_cell(name, lab, lab)
        book.db.add_all(Comment(cell_id=cell.id, notebook=each) for each in notebook.submissions)
    for name in new.keys() - {cell.name for cell in notebook.source_cells}:
        one = new[name]
        book.add_source_cell(
            name, lab, lab, cell_type=one.kind, locked=one.locked, source=one.source,
            checksum=one.checksum,
        )  # fmt: skip
    book.db.flush()
    book.db.expire_all()


def _grades(cell: str, submissions: Iterable[Any]) -> Iterator[Grade]:
    for each in submissions:
        yield Grade(cell_id=cell, notebook=each, needs_manual_grade=True)


def _remove(book: Gradebook, lab: str, notebook: Any, graded: set[str], answers: set[str]) -> None:
    gone = [cell for cell in notebook.grade_cells if cell.name not in graded]
    mute = [cell for cell in notebook.solution_cells if cell.name not in answers]
    for cell in gone:
        grades = book.db.query(Grade).filter(Grade.cell_id == cell.id).all()
        scored = [g for g in grades if g.manual_score is not None or g.extra_credit]
        _refuse(lab, cell.name, len(scored), "scored")
        for one in (*grades, cell):
            book.db.delete(one)
    for cell in mute:
        comments = book.db.query(Comment).filter(Comment.cell_id == cell.id).all()
        _refuse(lab, cell.name, sum(bool(c.manual_comment) for c in comments), "commented")
        for one in (*comments, cell):
            book.db.delete(one)


def _refuse(lab: str, cell: str, count: int, done: str) -> None:
    if count:
        raise CourseError(
            f"Lab '{lab}' no longer has the cell '{cell}', which a human has {done} in"
            f" {count} submissions; expected it to stay, since that work would be lost. Put the"
            " cell back, or grade into a fresh gradebook with --db."
        )


def _ask_again(book: Gradebook, notebook: Any, new: Frame) -> None:
    for cell in notebook.grade_cells:
        if cell.name in new and cell.max_score != new[cell.name].points:
            for grade in book.db.query(Grade).filter(Grade.cell_id == cell.id):
                if grade.manual_score is not None:
                    grade.needs_manual_grade = True
