"""What a class of honest and of odd students hands in for the tiny lab.

The lab is that of the fixture `tiny_course`, with two changes: job 1.2 gives half its point for
half an answer, and the imports stand in a read-only cell. Points: 1.1 two, 1.2 one, 1.3 two by
hand.
"""

from __future__ import annotations

import copy
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from nbformat import NotebookNode, reads
from nbformat.v4 import new_code_cell, new_notebook

from grading.classroom import open_class
from grading.demo import fill_in
from grading.execute import Limits
from grading.intake import read_submission
from grading.notebooks import jobs_in, notebook_text, read_notebook
from grading.release import generate, source_of

LAB = "tiny"
JOBS = ["1.1", "1.2", "1.3"]
LIMITS = Limits(
    cell_seconds=4,
    interrupt_seconds=3,
    wall_seconds=60,
    cell_characters=20_000,
    cell_lines=50,
    total_characters=5_000_000,
)
HALF_A_POINT = """assert norm([3, 4]) == 5
### BEGIN HIDDEN TESTS
None if norm([-5, 12]) == 13 else 0.5  # hidden norm
### END HIDDEN TESTS"""
IMPORTS = {"grade": False, "solution": False, "locked": True, "task": False, "schema_version": 3}


def found_course(tiny_course: Path, folder: Path) -> Path:
    """Copy the tiny course to `folder`, with the two changes."""
    shutil.copytree(tiny_course, folder, dirs_exist_ok=True)
    source = source_of(folder, LAB)
    cell_of(source, "tiny-1-2-check").source = HALF_A_POINT
    title = cell_of(source, "tiny-title")
    for job in jobs_in(source):
        dots = "●" * job.difficulty + "○" * (3 - job.difficulty)
        row = f"| {job.number} | {job.title} | {job.points:g} | {dots} | {job.minutes} |"
        if row not in title.source:
            title.source += f"\n{row}"
    cell_of(source, "tiny-imports").metadata["nbgrader"] = IMPORTS | {"grade_id": "tiny-imports"}
    path = folder / "solutions" / LAB / f"{LAB}.ipynb"
    path.write_text(notebook_text(source), encoding="utf-8")
    return folder


def handed_out(course_dir: Path, scratch: Path) -> NotebookNode:
    """The notebook that students get."""
    generate(course_dir, [LAB], scratch)
    return read_notebook(scratch / "notebooks" / LAB / f"{LAB}.ipynb")


def packed(notebook: NotebookNode) -> bytes:
    """A notebook as a student's file."""
    return notebook_text(notebook).encode()


def cell_of(notebook: NotebookNode, name: str) -> NotebookNode:
    """The cell with an id."""
    return next(cell for cell in notebook.cells if cell.id == name)


def with_source(notebook: NotebookNode, name: str, source: str) -> NotebookNode:
    """A copy in which one cell holds another text."""
    changed = copy.deepcopy(notebook)
    cell_of(changed, name).source = source
    return changed


def without_cell(notebook: NotebookNode, name: str) -> NotebookNode:
    """A copy without one cell."""
    changed = copy.deepcopy(notebook)
    changed.cells = [cell for cell in changed.cells if cell.id != name]
    return changed


def honest(blank: NotebookNode, solution: NotebookNode) -> dict[str, NotebookNode]:
    """What honest students hand in; plain nbgrader can grade all of it."""
    solved = fill_in(blank, solution, JOBS)
    line = cell_of(solved, "tiny-1-1-answer").source
    warning = "import sys; print('hm', file=sys.stderr)"
    return {
        "solved": solved,
        "untouched": blank,
        "half": fill_in(blank, solution, JOBS[:2]),
        "wrong": with_source(solved, "tiny-1-1-answer", line.replace("+ self", "- self")),
        "partial": with_source(
            solved,
            "tiny-1-2-answer",
            "def norm(values):\n    return math.sqrt(sum(value * abs(value) for value in values)"
            " if min(values) > 0 else 1)",
        ),
        "warns": with_source(
            solved,
            "tiny-1-1-answer",
            line.replace("rise = ", f"{warning}\n        rise = "),
        ),
    }


SNOOP = """
import os, glob
seen = [os.listdir('.'), os.listdir('..'), glob.glob('../*/*.ipynb')]
for name in ('solutions/tiny/tiny.ipynb', 'gradebook.db', 'nbgrader_config.py', 'submitted'):
    for up in range(4):
        seen.append(os.path.exists('../' * up + name))
near = [os.path.join(top, file) for top, _, files in os.walk('..') for file in files]
seen.append(any('hidden ' in open(p, errors='replace').read() for p in near if os.path.isfile(p)))
seen.append(sorted(k for k in os.environ if k.startswith('COURSE_') or 'SECRET' in k))
print('SEEN', seen)
"""


def odd(solved: NotebookNode) -> dict[str, bytes]:
    """Files that are damaged, mishandled, or try things out."""
    two, check = "tiny-1-2-answer", "tiny-1-1-check"
    twice = copy.deepcopy(solved)
    twice.cells.insert(2, copy.deepcopy(cell_of(twice, check)))  # before its answer
    twice.cells[2].id = "pasted"
    bare = copy.deepcopy(solved)
    for cell in bare.cells:
        cell.metadata = NotebookNode()
    swallow = (
        "while True:\n    try:\n        time.sleep(60)\n    except BaseException:\n        pass"
    )
    notebooks = {
        "other": new_notebook(cells=[new_code_cell("1 + 1")]),
        "exits": with_source(solved, two, "import os\nos._exit(3)"),
        "endless": with_source(solved, two, "while True:\n    pass"),
        "stubborn": with_source(solved, two, f"import time\n{swallow}"),
        "flood": with_source(solved, two, "while True:\n    print('x' * 9_999)"),
        "talks": with_source(solved, two, "print('y' * 90_000)\nnorm = None"),
        "twice": twice,
        "deleted": without_cell(solved, check),
        "edited": with_source(solved, check, "True"),
        "bare": bare,
        "snoop": with_source(solved, "tiny-demo", SNOOP),
    }
    files = {name: packed(notebook) for name, notebook in notebooks.items()}
    return files | {"truncated": packed(solved)[:400], "empty": b"", "list": b"[1, 2]"}


@dataclass(frozen=True)
class Lab:
    """The tiny lab without a class: as it grades, and as honest students hand it in."""

    folder: Path
    master: bytes
    honest: dict[str, NotebookNode]

    @property
    def frame(self) -> NotebookNode:
        """The lab as it grades."""
        return reads(self.master.decode(), 4)

    @property
    def solved(self) -> NotebookNode:
        """A complete submission, as the grader reads it."""
        return read_submission(packed(self.honest["solved"]))


@pytest.fixture(name="lab")
def lab_fixture(tiny_course: Path, tmp_path: Path) -> Lab:
    """The tiny lab with its two changes."""
    folder = found_course(tiny_course, tmp_path / "changed")
    blank = handed_out(folder, tmp_path / "handed-out")
    master = open_class(folder, folder, [LAB]).masters[LAB]
    return Lab(folder, master, honest(blank, source_of(folder, LAB)))
