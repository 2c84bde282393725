"""One HTML page for each graded submission: scores, messages, comments, and the notebook below.

Two things differ from `nbgrader generate_feedback`: hidden tests are not on the page, and nothing
that a student wrote can run in the reader's browser, or make the page larger than `MOST_BYTES`.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from nbformat import NotebookNode, reads
from nbformat.v4 import new_markdown_cell
from nbgrader.api import Gradebook, MissingEntry
from sqlalchemy.exc import SQLAlchemyError

from grading.feedback_cells import Cells, hidden_lines
from grading.formulas import Formulas
from grading.gradebook import GradebookWriter
from grading.markup import Writer
from grading.notebooks import CourseError, is_answer, is_graded, is_test, job_number
from grading.page_room import AROUND, Part, cut, fit, joined
from grading.pictures import Gallery
from grading.restore import grade_id, without_hidden
from grading.rubrics import Rubric, rubrics

TEMPLATE = Path(__file__).with_name("feedback_page.html")
STYLE = Path(__file__).with_name("feedback_page.css")
MOST_BYTES = 5_000_000
MARGIN = 100_000  # for what is on every page
FORMULA_BYTES = 1_000_000
NAME, NOTE, MOST_NOTES, LONGEST_REASON = 200, 500, 40, 2_000  # characters, but for the notes
SAID = 3_000  # characters of a check in the table on top; the whole of it stands with the check


@dataclass(frozen=True)
class Score:
    """What the gradebook has for one graded cell."""

    points: float
    max: float
    waiting: bool


@dataclass(frozen=True)
class Grades:
    """What the gradebook has for one submission, by grade id."""

    scores: Mapping[str, Score]
    comments: Mapping[str, str]
    penalty: float

    @property
    def points(self) -> float:
        """Points so far, less what being late cost."""
        return sum(score.points for score in self.scores.values()) - self.penalty

    @property
    def waiting(self) -> int:
        """Answers that a human still has to read."""
        return sum(score.waiting for score in self.scores.values())

    @property
    def max(self) -> float:
        """Points that the lab has."""
        return sum(score.max for score in self.scores.values())


class FeedbackPages:
    """Writes feedback pages from autograded notebooks and the gradebook.

    Parameters
    ----------
    url : the gradebook's SQLAlchemy URL; grades are only read.
    course_dir : the course folder, whose labs' rubrics stand below the answers; None for none.

    Raises `CourseError` where the gradebook cannot be opened.
    """

    def __init__(self, url: str, course_dir: Path | None = None) -> None:
        with GradebookWriter(url):
            self._url = url  # it can be opened: said in our words if not
        self._course_dir = course_dir
        self._rubrics: dict[str, Mapping[str, Rubric]] = {}

    def page(self, notebook: bytes, student: str, lab: str) -> str:
        """The page of one autograded notebook.

        A submission that failed gets a small page with the reason and what to do. Raises
        nbgrader's `MissingEntry` where the gradebook does not hold the submission.
        """
        tree = reads(notebook.decode(), as_version=4)
        record = tree.metadata.get("course", {}).get("grading", {})
        if record.get("status") == "failed":
            return notice_page(student, lab, str(record.get("reason")), record.get("notes", ()))
        if self._course_dir is not None and lab not in self._rubrics:
            self._rubrics[lab] = rubrics(self._course_dir, lab)
        told = self._rubrics.get(lab, {})
        grades = self._grades(student, lab)
        return full_page(tree, grades, student, lab, record.get("notes", ()), told)

    def _grades(self, student: str, lab: str) -> Grades:
        with Gradebook(self._url) as book:
            stored = book.find_submission_notebook(lab, lab, student)
            return Grades(
                {
                    grade.name: Score(grade.score, grade.max_score, grade.needs_manual_grade)
                    for grade in stored.grades
                },
                {one.name: one.comment for one in stored.comments if one.comment},
                stored.late_submission_penalty or 0.0,
            )

    def write(self, autograded: Path, target: Path, student: str, lab: str) -> bool:
        """Write the page of an autograded notebook to `target`; False where none is possible.

        None is possible for a notebook that the gradebook does not know.
        """
        try:
            page = self.page(autograded.read_bytes(), student, lab)
        except MissingEntry:
            return False
        except SQLAlchemyError as error:
            raise CourseError(
                f"The gradebook could not be read ({str(error).splitlines()[0]}); expected the"
                f" grades of {student}. If it is in use, close Formgrader and run this again."
            ) from error
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page, encoding="utf-8", errors="replace")
        return True


# ---------------------------------------------------------------- the page


def full_page(
    notebook: NotebookNode,
    grades: Grades,
    student: str,
    lab: str,
    notes: Sequence[str] = (),
    found: Mapping[str, Rubric] = MappingProxyType({}),
) -> str:
    """The page of a submission that ran; the notebook is changed. `found` are the lab's rubrics."""
    hidden = hidden_lines(notebook)
    shown = presentable(notebook)
    shown.cells = with_rubrics(shown.cells, found)
    mark = f"x{secrets.token_hex(12)}"  # unknown to whoever wrote the submission
    gallery, formulas = Gallery(mark), Formulas(mark)
    writer = Writer(gallery, formulas, mark)
    cells = Cells(writer, gallery, hidden)
    sections, missing = cells.sections(shown)
    comments = {
        name: Part(0, len(said.encode()), partial(writer.markdown, said), "comments")
        for name, said in grades.comments.items()
    }
    parts = [*comments.values(), *(part for section in sections for part in section.parts)]
    room = fit(
        parts,
        MOST_BYTES - MARGIN - AROUND * len(sections) - 2 * SAID * len(grades.scores),
        lambda markup: len(markup.encode()) + formulas.weight(markup) + gallery.weight(markup),
    )
    page = _render(
        student,
        lab,
        notes,
        reason=None,
        grades=grades,
        rows=_rows(shown, grades, comments, cells),
        sections=[(section, Markup(joined(section.parts))) for section in sections],
        missing=missing,
    )
    before = len(page.encode()) + formulas.weight(page)
    page = formulas.fill(page, min(room, FORMULA_BYTES))
    room -= max(0, len(page.encode()) - before)
    return gallery.fill(page, room)


@dataclass
class Row:
    """A row of the table on top: a graded cell, or comments on an answer without points."""

    name: str
    job: str
    kind: str
    score: Score | None = None
    said: str = ""
    comments: str = ""


def _rows(
    notebook: NotebookNode, grades: Grades, comments: Mapping[str, Part], cells: Cells
) -> list[Row]:
    """The rows in the notebook's order; a comment on an answer stands with the check behind it."""
    rows: list[Row] = []
    for cell in notebook.cells:
        if not (is_graded(cell) or is_answer(cell)):
            continue
        name = grade_id(cell)
        job = job_number(cell) or name
        comment = Markup(joined([comments[name]]) if name in comments else "")
        if name in grades.scores:
            if rows and rows[-1].score is None and rows[-1].job in (job, rows[-1].name):
                comment = rows.pop().comments + comment
            kind = "check" if is_test(cell) else "written answer"
            said = cut(cells.said(cell), SAID)
            text = f"{said[0]} …" if said[1] else said[0]
            rows.append(Row(name, job, kind, grades.scores[name], text, comment))
        elif comment:
            rows.append(Row(name, job, "answer", comments=comment))
    return rows


def presentable(notebook: NotebookNode) -> NotebookNode:
    """The notebook as its student may see it: without hidden tests and what is for graders.

    Hidden lines also show in the traceback of a test that raised; where a hidden test failed,
    only the error's own message is kept.
    """
    notebook.cells = [cell for cell in notebook.cells if not _is_for_graders(cell)]
    for cell in notebook.cells:
        shown = without_hidden(cell.source)
        hidden = _hidden_lines(cell.source) if shown != cell.source else []
        for output in cell.get("outputs", []):
            if hidden and output.output_type == "error":
                output.traceback = _own_message(output.traceback, hidden)
        cell.source = shown
    return notebook


def with_rubrics(cells: Sequence[NotebookNode], found: Mapping[str, Rubric]) -> list[NotebookNode]:
    """The cells with a rubric behind each answer that has one; not the model answer."""
    shown: list[NotebookNode] = []
    for cell in cells:
        shown.append(cell)
        rubric = found.get(grade_id(cell)) if is_answer(cell) else None
        if rubric is not None:
            lines = rubric.points.splitlines()
            shown.append(new_markdown_cell("\n".join(f"> {line}" for line in lines)))
    return shown


def _is_for_graders(cell: NotebookNode) -> bool:
    """Whether a cell holds a job's rubric and its model answer."""
    return "rubric" in cell.metadata.get("course", {})


def _hidden_lines(source: str) -> list[str]:
    seen = {line.strip() for line in without_hidden(source).splitlines()}
    lines = {line.strip() for line in source.splitlines()} - seen
    return [line for line in lines if len(line) > 3]


def _own_message(traceback: Sequence[str], hidden: Sequence[str]) -> list[str]:
    kept = []
    for block in traceback:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", block)
        if not any(line in plain for line in hidden):
            kept.append(block)
    return kept


# ---------------------------------------------------------------- the frame of both pages


def notice_page(student: str, lab: str, reason: str, notes: Sequence[str] = ()) -> str:
    """A small page for a submission without an executed notebook."""
    return _render(student, lab, notes, reason=cut(reason, LONGEST_REASON)[0])


def _render(student: str, lab: str, notes: Sequence[str], **more: Any) -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["number"] = lambda value: f"{round(float(value), 2) + 0.0:g}"
    style = STYLE.read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        student=cut(student, NAME)[0],
        lab=cut(lab, NAME)[0],
        notes=[cut(str(note), NOTE)[0] for note in notes[:MOST_NOTES]],
        more_notes=len(notes[MOST_NOTES:]),
        style=Markup(style),
        digest=digest,
        **more,
    )
