"""Judges for tests, and what they ask answered where the tests run."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from course_utils.checks import exchange
from course_utils.checks.core import Job
from grading.judge import Judge

sys.path.insert(0, str(Path(__file__).parents[1] / "corpus"))

# The corpus's folder has to be on the path first.
from answers import LABS as LABS
from answers import corpus as corpus
from answers import notebook_with as notebook_with

PARTS = [
    (lab, number, index)
    for lab, record in LABS.items()
    for number, job in record.jobs.items()
    for index in range(len(job.parts))
]


def test_cell(name: str, source: str, points: float = 1) -> NotebookNode:
    """A test cell as a lab has it."""
    flags = {"grade": True, "solution": False, "locked": True, "task": False, "schema_version": 3}
    return new_code_cell(
        source,
        id=name.replace(".", "-"),
        metadata={"nbgrader": flags | {"grade_id": name, "points": points}},
    )


test_cell.__test__ = False  # type: ignore[attr-defined]


def source_for(job: Job) -> str:
    return f'check({", ".join(job.targets)}, job="{job.number}")'


def judge_of(lab: str, salt: str = "salt") -> Judge:
    """A judge with one test cell for each job of a lab."""
    cells = [test_cell(f"test-{job.number}", source_for(job)) for job in LABS[lab].jobs.values()]
    return Judge(new_notebook(cells=cells), lab, salt, "digest")


def sit(judge: Judge, number: str, space: dict[str, Any]) -> NotebookNode:
    """Ask everything about a job where `space` is, and return the judged cell."""
    job = judge.lab.jobs[number]
    cell = test_cell(f"test-{number}", source_for(job), float(job.points))
    exam, answer = judge.examine(cell), None
    while True:
        try:
            question = exam.send(answer) if answer is not None else next(exam)
        except StopIteration:
            return cell
        answer = base64.b64decode(exchange.answer(space, question))
