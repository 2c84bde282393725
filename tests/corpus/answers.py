"""The corpus: right and wrong answers to every job, each a file that could be a student's cell.

A file stands where the job's answer cells stand in the solution notebook, after them: it replaces
the names that it defines, and finds all that the cells before it made. So it needs no imports that
the lab does not ask a student for.
"""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import torch

from course_utils.checks import cfg, classifier_guidance, dit, mnist, unet
from course_utils.checks.core import Job, Report, run
from grading.notebooks import SOLUTION, is_exported
from grading.solved import without_markers

HERE = Path(__file__).parent
SOLUTIONS = HERE.parents[1] / "solutions"
LABS = {lab.LAB.name: lab.LAB for lab in (mnist, cfg, unet, dit, classifier_guidance)}
FIELDS = ("Named", "Shown", "Keeps", "Single")
HIDDEN = re.compile(r"BEGIN HIDDEN TESTS.*?seed=(\d+)", re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """One file of the corpus. The docstring says what it is:

    a right one: how it differs from the others, and ``Single: why`` where float64 makes no sense;
    a wrong one: the misconception, then ``Named: …``, a piece of the message that tells this
    mistake from any other, or ``Shown: …``, a piece of the message where it only compares numbers;
    and ``Keeps: …``, the points that it rightly earns where a job has parts.
    """

    path: Path
    source: str
    title: str
    right: bool
    named: str | None = None
    shown: str | None = None
    keeps: float = 0
    single: str | None = None

    @property
    def lab(self) -> str:
        return self.path.parents[2].name

    @property
    def job(self) -> Job:
        return LABS[self.lab].jobs[self.path.parents[1].name]

    def __str__(self) -> str:
        return str(self.path.relative_to(HERE).with_suffix(""))


def read(path: Path) -> Answer:
    """Read one file.

    Raises:
        ValueError: its docstring lacks what an answer of its kind needs, or says something else.
    """
    source = path.read_text("utf-8")
    text = ast.get_docstring(ast.parse(source))
    if not text:
        raise ValueError(f"{path}: expected a docstring that says what the answer is.")
    title, *rest = text.split("\n\n")
    said = {}
    for line in "\n".join(rest).splitlines():
        name, colon, value = line.partition(": ")
        if name not in FIELDS or not colon:
            raise ValueError(f"{path}: expected a line 'Field: text' with one of {FIELDS}: {line}")
        said[name.lower()] = value.strip()
    right = path.parent.name == "right"
    if right and said.keys() - {"single"}:
        raise ValueError(f"{path}: a right answer has no fields but 'Single: why'.")
    if not right and ("named" in said) == ("shown" in said):
        raise ValueError(f"{path}: a wrong answer has 'Named: …' or 'Shown: …', one of them.")
    keeps = float(said.pop("keeps", 0))
    return Answer(path, source, " ".join(title.split()), right, keeps=keeps, **said)


def corpus(lab: str = "*", job: str = "*", kind: str = "*") -> list[Answer]:
    """Every answer of a lab, job and kind ("right" or "wrong"), sorted by path."""
    return [read(path) for path in sorted(HERE.glob(f"{lab}/{job}/{kind}/*.py"))]


@dataclass(frozen=True)
class Cell:
    """A cell of a solution notebook that defines something, and the job that it answers.

    ``solution`` holds the numbers of the lines that a student writes; the others are given.
    """

    name: str
    source: str
    job: str | None
    solution: frozenset[int]


def _solution(source: str) -> frozenset[int]:
    """The numbers of the lines between the solution's markers, as they are without the markers."""
    inside, number, found = False, 0, set()
    for line in source.split("\n"):
        if SOLUTION.search(line):
            inside = "BEGIN" in line
            continue
        number += 1
        if inside:
            found.add(number)
    return frozenset(found)


@cache
def cells(lab: str) -> tuple[Cell, ...]:
    """The cells that ``course_utils.solved`` is made of, in the notebook's order."""
    notebook = nbformat.read(SOLUTIONS / lab / f"{lab}.ipynb", as_version=4)
    return tuple(
        Cell(
            cell.id, without_markers(cell.source), cell.metadata.get("course", {}).get("job"),
            _solution(cell.source),
        )
        for cell in notebook.cells
        if cell.cell_type == "code" and is_exported(cell)
    )  # fmt: skip


@cache
def hidden_seeds(lab: str) -> dict[str, int]:
    """The seeds of the hidden tests by job."""
    notebook = nbformat.read(SOLUTIONS / lab / f"{lab}.ipynb", as_version=4)
    found = {
        cell.metadata.get("course", {}).get("job"): HIDDEN.search(cell.source)
        for cell in notebook.cells
        if cell.cell_type == "code"
    }
    return {job: int(match[1]) for job, match in found.items() if job and match}


def execute(name: str, source: str, space: dict[str, Any]) -> None:
    """Run a cell under a name that counts as a student's own, so that its lines can be named."""
    file = f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), space)


def notebook_with(
    lab: str, job: str, source: str, name: str = "answer", instead_of: str | None = None
) -> dict[str, Any]:
    """The names after Run All of the solved lab with one more answer.

    ``source`` follows the job's own answer, or takes the place of the cell ``instead_of``.
    """
    space: dict[str, Any] = {"__name__": "__main__"}
    after = instead_of or [cell.name for cell in cells(lab) if cell.job == job][-1]
    for cell in cells(lab):
        if cell.name != instead_of:
            execute(cell.name, cell.source, space)
        if cell.name == after:
            execute(name, source, space)
    return space


def target(job: Job, space: dict[str, Any]) -> Any:
    """What the notebook's ``check(...)`` would be called with."""
    found = tuple(space[name] for name in job.targets)
    return found if len(found) > 1 else found[0]


def report(job: Job, space: dict[str, Any], seed: int) -> Report:
    return run(job, target(job, space), seed)


def told(found: Report) -> str:
    """What the student reads of what is wrong."""
    return " ".join(finding.message for finding in found.findings if not finding.ok)


@contextmanager
def double_precision() -> Iterator[None]:
    """What is made without a dtype is float64: networks, their inputs, random numbers."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
