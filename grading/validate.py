"""What must hold in a solution notebook before it is released, and in what comes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from nbformat import NotebookNode

from grading.notebooks import (
    HIDDEN,
    SOLUTION,
    CourseError,
    is_answer,
    is_graded,
    job_number,
    jobs_in,
    points_of,
)

TELLING = 16
"""A line of a solution shorter than this (``else:``, ``return x``) gives nothing away."""


def check_source(notebook: NotebookNode, lab: str) -> None:
    """Raise a :class:`CourseError` that lists everything wrong with a lab's source notebook."""
    problems = [
        *_cells(notebook),
        *_markers(notebook),
        *_jobs(notebook),
        *_totals(notebook),
    ]
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise CourseError(
            f"solutions/{lab}/{lab}.ipynb cannot be released:\n{listed}\n"
            "Mend these in the notebook and run it again; nothing was changed."
        )


def _cells(notebook: NotebookNode) -> Iterator[str]:
    ids = Counter(cell.get("id") for cell in notebook.cells)
    for index, cell in enumerate(notebook.cells, start=1):
        name = cell.get("id")
        if not name:
            yield f"cell {index} has no id; give it one of its own"
        elif ids[name] > 1:
            yield f"the id {name} belongs to {ids[name]} cells; ids must differ"
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", name)
        if grade_id != name:
            yield f"cell {name} has the grade_id {grade_id}; expected its own id"
        if cell.get("outputs"):
            yield f"cell {name} holds outputs; clear them"


def _markers(notebook: NotebookNode) -> Iterator[str]:
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for pattern, what in ((SOLUTION, "SOLUTION"), (HIDDEN, "HIDDEN TESTS")):
            order = [match.group(1) for match in pattern.finditer(cell.source)]
            if order != ["BEGIN", "END"] * (len(order) // 2):
                yield f"cell {cell.id} has unbalanced {what} markers ({', '.join(order)})"
        if SOLUTION.search(cell.source) and not is_answer(cell):
            yield f"cell {cell.id} holds a solution but is not an answer cell of nbgrader's"
        if HIDDEN.search(cell.source) and not is_graded(cell):
            yield f"cell {cell.id} holds hidden tests but is not a test cell of nbgrader's"
        if is_answer(cell) and not SOLUTION.search(cell.source):
            yield f"answer cell {cell.id} has no solution markers"


def _jobs(notebook: NotebookNode) -> Iterator[str]:
    jobs = {job.number: job for job in jobs_in(notebook)}
    for cell in notebook.cells:
        number = job_number(cell)
        if (is_answer(cell) or is_graded(cell)) and number not in jobs:
            yield (
                f"cell {cell.id} belongs to job {number}, which has no statement with the heading "
                "'## 2.3 Title' and the line '**Your job** · 3 points · ●●○ · about 10 minutes'"
            )
    for job in jobs.values():
        graded = sum(points_of(cell) for cell in notebook.cells if job_number(cell) == job.number)
        if graded != job.points:
            yield f"job {job.number} prints {job.points:g} points; its cells have {graded:g}"
        if not job.answers:
            yield f"job {job.number} has no answer cell"
        if job.kind == "code" and not job.tests:
            yield f"job {job.number} has no test cell"


def _totals(notebook: NotebookNode) -> Iterator[str]:
    total = sum(points_of(cell) for cell in notebook.cells)
    declared = notebook.metadata.get("course", {}).get("points")
    if declared != total:
        yield f"the notebook's metadata say course.points = {declared}; its cells have {total:g}"
    first = notebook.cells[0].source if notebook.cells else ""
    if f"**{total:g} points**" not in first:
        yield f"the first cell does not print the total, **{total:g} points**"
    for job in jobs_in(notebook) if "| job |" in first else ():
        dots = "●" * job.difficulty + "○" * (3 - job.difficulty)
        rows = [line for line in first.split("\n") if line.startswith(f"| {job.number} |")]
        expected = f"| {job.points:g} | {dots} | {job.minutes} |"
        if len(rows) != 1 or not rows[0].endswith(expected) or job.title not in rows[0]:
            yield f"the first cell's table has no row '| {job.number} | {job.title} {expected}'"


def secrets_of(notebook: NotebookNode) -> set[str]:
    """Lines of solutions, hidden tests and model answers that stand nowhere else in it."""
    secret: set[str] = set()
    public: set[str] = set()
    for cell in notebook.cells:
        hiding = is_answer(cell) and cell.cell_type != "code"
        for line in cell.source.split("\n"):
            marker = SOLUTION.search(line) or HIDDEN.search(line)
            if marker:
                hiding = marker.group(1) == "BEGIN"
            elif len(line.strip()) >= TELLING:
                (secret if hiding else public).add(line.strip())
    return secret - public


def check_release(released: NotebookNode, source: NotebookNode, lab: str) -> None:
    """Raise a :class:`CourseError` where a student's notebook gives something away."""
    secrets = secrets_of(source)
    for cell in released.cells:
        lines = {line.strip() for line in cell.source.split("\n")}
        leaked = lines & secrets
        marked = SOLUTION.search(cell.source) or HIDDEN.search(cell.source)
        if leaked or marked:
            what = sorted(leaked)[0] if leaked else "a marker of a solution or hidden test"
            raise CourseError(
                f"Releasing {lab} would leak in cell {cell.get('id')}: {what!r}. Expected nothing "
                "of solutions/ there. Check the cell's markers; nothing was changed."
            )
        if not cell.get("id"):
            raise CourseError(f"A released cell of {lab} has no id; give its source one.")
