"""A course folder with one tiny lab that obeys every rule and needs no torch."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

# The fork server of a test has no use for the whole scientific stack, which takes seconds.
os.environ["COURSE_PRELOAD"] = "torch,numpy,ipykernel.kernelapp"

TITLE = """# 1. A tiny lab
**5 points** · about 12 minutes · no GPU needed

Two jobs and one question.
"""
IMPORTS = """from collections.abc import Sequence

import math
"""
LINE = '''class Line:
    """y = slope x + offset."""

    def __init__(self, slope: float, offset: float) -> None:
        self.slope, self.offset = slope, offset

    def __call__(self, x: float) -> float:
        ### BEGIN SOLUTION
        rise = self.slope * x  # the secret way to y
        return rise + self.offset
        ### END SOLUTION

    def root(self) -> float:
        """Where the line crosses zero."""
        ### BEGIN SOLUTION
        return -self.offset / self.slope  # the secret way to the root
        ### END SOLUTION'''
NORM = '''def norm(values: Sequence[float]) -> float:
    """The Euclidean norm of some numbers."""
    ### BEGIN SOLUTION
    return math.sqrt(sum(value**2 for value in values))
    ### END SOLUTION'''


def _statement(job: str, title: str, line: str, text: str) -> dict[str, Any]:
    source = f"## {job} {title}\n{line}\n\n{text}"
    return _cell("markdown", f"tiny-{job.replace('.', '-')}", source, job)


def _check(job: str, points: int, visible: str, hidden: str) -> dict[str, Any]:
    source = f"{visible}\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
    name = f"tiny-{job.replace('.', '-')}-check"
    return _cell("code", name, source, job, grade=True, locked=True, points=points)


def _cell(kind: str, name: str, source: str, job: str = "", **nbgrader: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"course": {"job": job}} if job else {}
    if nbgrader:
        flags = {"grade": False, "solution": False, "locked": False, "task": False}
        metadata["nbgrader"] = {"schema_version": 3, "grade_id": name, **flags, **nbgrader}
    cell = {"cell_type": kind, "id": name, "metadata": metadata, "source": source}
    return cell | {"outputs": [], "execution_count": None} if kind == "code" else cell


def _exported(cell: dict[str, Any]) -> dict[str, Any]:
    cell["metadata"]["tags"] = ["export"]
    return cell


def tiny_cells() -> list[dict[str, Any]]:
    """The cells of the instructor's notebook."""
    return [
        _cell("markdown", "tiny-title", TITLE.strip()),
        _exported(_cell("code", "tiny-imports", IMPORTS.strip())),
        _statement(
            "1.1", "Draw a line", "**Your job** · 2 points · ●○○ · about 4 minutes", "y = ax + b."
        ),
        _exported(_cell("code", "tiny-1-1-answer", LINE, "1.1", solution=True)),
        _check(
            "1.1", 2, "assert Line(2, 1)(3) == 7", "assert Line(4, -8).root() == 2, 'hidden root'"
        ),
        _statement("1.2", "How long", "**Your job** · 1 point · ●●○ · about 3 minutes", "A norm."),
        _exported(_cell("code", "tiny-1-2-answer", NORM, "1.2", solution=True)),
        _check("1.2", 1, "assert norm([3, 4]) == 5", "assert norm([5, 12]) == 13, 'hidden norm'"),
        _cell("code", "tiny-demo", "numbers = [1, 2]\nlen(numbers)"),
        _statement("1.3", "Why squares", "**In words** · 2 points · ●●● · about 5 minutes", "Why?"),
        _cell(
            *("markdown", "tiny-1-3-answer"),
            "Squares are smooth at zero, absolute values are not.\n\n"
            "**Rubric** (2 points)\n- Smooth.",
            *("1.3",),
            **{"grade": True, "solution": True, "points": 2},
        ),
        _cell("markdown", "tiny-end", "That is all."),
    ]


@pytest.fixture
def tiny_course(tmp_path: Path) -> Path:
    """A course folder: nbgrader_config.py, an empty course_utils/, and solutions/tiny/.

    The lab `tiny` has 5 points: job 1.1 a class with two methods (2), job 1.2 a function (1),
    question 1.3 (2, by hand). Both code cells are exported.
    """
    root = tmp_path / "course"
    (root / "solutions" / "tiny").mkdir(parents=True)
    (root / "course_utils").mkdir()
    shutil.copy(ROOT / "nbgrader_config.py", root)
    course = {"lab": "tiny", "number": 1, "title": "A tiny lab", "points": 5}
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook = {
        "cells": tiny_cells(),
        "metadata": {"course": course, "kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path = root / "solutions" / "tiny" / "tiny.ipynb"
    path.write_text(json.dumps(notebook, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return root


Edit = Callable[[Callable[[dict[str, Any]], Any]], None]


@pytest.fixture
def edit_tiny(tiny_course: Path) -> Edit:
    """Calls a function with the source notebook as plain JSON, and writes what it made of it.

    A function that looks for cells finds them in `notebook["cells"]`; sources are strings.
    """
    path = tiny_course / "solutions" / "tiny" / "tiny.ipynb"

    def edit(change: Callable[[dict[str, Any]], Any]) -> None:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        change(notebook)
        path.write_text(json.dumps(notebook, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    return edit
