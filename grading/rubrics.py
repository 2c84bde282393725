"""Rubrics and model answers of the questions in words, as the labs' sources hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from grading.notebooks import is_answer, is_graded, job_number
from grading.release import source_of

MARK = "**Rubric**"


@dataclass(frozen=True)
class Rubric:
    """How an answer in words is scored: Markdown for `points`, and an answer that earns them."""

    question: str
    job: str
    max: float
    points: str
    model: str


def rubrics(course_dir: Path, lab: str) -> Mapping[str, Rubric]:
    """The rubrics of a lab by the grade ids of its questions, in the lab's order.

    Raises `CourseError` where the course folder does not hold the lab, or it cannot be read.
    """
    cells = source_of(course_dir, lab).cells
    found = [_rubric(cell) for cell in cells if _is_question(cell)]
    return {one.question: one for one in found}


def _is_question(cell: NotebookNode) -> bool:
    return cell.cell_type == "markdown" and is_answer(cell) and is_graded(cell)


def _rubric(cell: NotebookNode) -> Rubric:
    nbgrader = cell.metadata["nbgrader"]
    model, mark, points = cell.source.partition(MARK)
    return Rubric(
        str(nbgrader["grade_id"]),
        job_number(cell) or "",
        float(nbgrader["points"]),
        f"{mark}{points}".strip(),
        model.strip(),
    )
