"""What must hold in a solution notebook before it is released, and in what comes out."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from grading.notebooks import (
    HEADER,
    HIDDEN,
    SOLUTION,
    CourseError,
    JobInfo,
    bad_header,
    is_answer,
    is_exported,
    is_graded,
    is_statement,
    is_test,
    is_written,
    job_number,
    jobs_in,
    points_of,
)

if TYPE_CHECKING:
    from nbformat import NotebookNode

TELLING = 16
"""A line of a solution shorter than this (``else:``, ``return x``) gives nothing away."""
MARKERS = ((SOLUTION, "SOLUTION"), (HIDDEN, "HIDDEN TESTS"))
LOCAL_IMAGE = re.compile(r"!\[[^\]]*\]\((?!https?:|attachment:|data:)([^)\s]+)")


def check_source(notebook: NotebookNode, lab: str) -> None:
    """Raise a :class:`CourseError` that lists everything wrong with a lab's source notebook."""
    problems = [*_head(notebook, lab), *_format(notebook), *_cells(notebook)]
    problems += [*_markers(notebook), *_kinds(notebook)]
    # Jobs and their sums can be read only where every statement can.
    problems += [*_headers(notebook)] or [*_jobs(notebook), *_totals(notebook)]
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise CourseError(
            f"solutions/{lab}/{lab}.ipynb cannot be released:\n{listed}\n"
            "Mend these in the notebook and run it again; nothing was changed."
        )


# ---------------------------------------------------------------- the notebook and its cells


def _head(notebook: NotebookNode, lab: str) -> Iterator[str]:
    course = notebook.metadata.get("course", {})
    if course.get("lab") != lab:
        yield f"the notebook's metadata say course.lab = {course.get('lab')!r}; expected {lab!r}"
    for key, kinds in (("number", int), ("title", str), ("points", int | float)):
        if not isinstance(course.get(key), kinds):
            yield f"the notebook's metadata say course.{key} = {course.get(key)!r}; expected it set"


def _format(notebook: NotebookNode) -> Iterator[str]:
    from nbformat import ValidationError, validate

    if notebook.get("nbformat_minor", 0) < 5:
        yield "it is in a format before 4.5, which has no cell ids; open it in JupyterLab and save"
    elif "" not in _ids(notebook) and max(_ids(notebook).values(), default=1) == 1:
        try:
            validate(notebook)
        except ValidationError as error:
            yield f"it is no valid notebook: {str(error).splitlines()[0]}"


def _ids(notebook: NotebookNode) -> Counter[str]:
    return Counter(str(cell.get("id") or "") for cell in notebook.cells)


def _cells(notebook: NotebookNode) -> Iterator[str]:
    ids = _ids(notebook)
    for index, cell in enumerate(notebook.cells, start=1):
        name = str(cell.get("id") or "")
        if not name:
            yield f"cell {index} has no id; give it one of its own"
        elif ids[name] > 1:
            yield f"the id {name} belongs to {ids[name]} cells; ids must differ"
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", name)
        if grade_id != name:
            yield f"cell {name} has the grade_id {grade_id}; expected its own id"
        if cell.get("outputs") or cell.get("execution_count"):
            yield f"cell {name} holds outputs; clear them"
        if cell.cell_type == "code" and is_exported(cell):
            yield from _plain_python(cell)
        for image in LOCAL_IMAGE.findall(cell.source) if cell.cell_type == "markdown" else ():
            yield f"cell {name} shows the file {image}, which students do not get; attach it"


def _plain_python(cell: NotebookNode) -> Iterator[str]:
    try:
        ast.parse(cell.source)
    except SyntaxError as error:
        yield (
            f"cell {cell.get('id')} is exported and not plain Python (line {error.lineno}: "
            f"{error.msg}); magics belong in other cells"
        )


def _markers(notebook: NotebookNode) -> Iterator[str]:
    for cell in notebook.cells:
        name = cell.get("id")
        for pattern, what in MARKERS:
            order = [match.group(1) for match in pattern.finditer(cell.source)]
            if order != ["BEGIN", "END"] * (len(order) // 2):
                yield f"cell {name} has unbalanced {what} markers ({', '.join(order)})"
        if SOLUTION.search(cell.source) and not (cell.cell_type == "code" and is_answer(cell)):
            yield f"cell {name} holds a solution but is not an answer cell of nbgrader's"
        if HIDDEN.search(cell.source) and not is_test(cell):
            yield f"cell {name} holds hidden tests but is not a test cell of nbgrader's"


def _kinds(notebook: NotebookNode) -> Iterator[str]:
    for cell in notebook.cells:
        name = cell.get("id")
        if (is_answer(cell) or is_graded(cell)) and job_number(cell) is None:
            yield f"cell {name} belongs to no job; expected course.job in its metadata"
        if is_written(cell):
            if "**Rubric**" not in cell.source:
                yield f"cell {name} is a written question without **Rubric**"
            if cell.get("attachments"):
                yield f"cell {name} has attachments, which would be released; embed them elsewhere"
        elif is_answer(cell) and is_graded(cell):
            yield f"cell {name} is answer and test at once; expected two code cells"
        elif is_answer(cell) and not SOLUTION.search(cell.source):
            yield f"answer cell {name} has no solution markers"
        elif is_test(cell) and not HIDDEN.search(cell.source):
            yield f"test cell {name} has no hidden tests"


# ---------------------------------------------------------------- the jobs and their points


def _headers(notebook: NotebookNode) -> Iterator[str]:
    stated = Counter(job_number(cell) for cell in notebook.cells if is_statement(cell))
    for cell in notebook.cells:
        number, name = job_number(cell), cell.get("id")
        if is_statement(cell):
            header = HEADER.match(cell.source)
            if header is None:
                yield bad_header(cell)
            elif header["number"] != number:
                yield f"cell {name} is headed {header['number']}; its metadata: {number}"
            if stated[number] > 1:
                yield f"job {number} has {stated[number]} statements, one of them in cell {name}"
        elif number is not None and not _is_stated(number, notebook):
            yield (
                f"cell {name} belongs to job {number}, which has no statement with the heading "
                "'## 2.3 Title' and the line '**Your job** · 3 points · ●●○ · about 10 minutes'"
            )


def _is_stated(number: str, notebook: NotebookNode) -> bool:
    return any(
        is_statement(cell) and job_number(cell) == number and HEADER.match(cell.source)
        for cell in notebook.cells
    )


def _jobs(notebook: NotebookNode) -> Iterator[str]:
    order = [str(cell.get("id")) for cell in notebook.cells]
    lab_number = str(notebook.metadata.get("course", {}).get("number"))
    for job in jobs_in(notebook):
        graded = sum(points_of(cell) for cell in notebook.cells if job_number(cell) == job.number)
        if graded != job.points:
            yield f"job {job.number} prints {job.points:g} points; its cells have {graded:g}"
        if job.number.split(".")[0] != lab_number:
            yield f"job {job.number} does not belong to lab number {lab_number}"
        yield from _parts(job, order, notebook)


def _parts(job: JobInfo, order: list[str], notebook: NotebookNode) -> Iterator[str]:
    written = {str(cell.get("id")) for cell in notebook.cells if is_written(cell)}
    if not job.answers:
        yield f"job {job.number} has no answer cell"
    if job.kind == "code" and not job.tests:
        yield f"job {job.number} has no test cell"
    if job.kind == "code" and written.intersection(job.answers):
        yield f"job {job.number} is headed **Your job** and has a written answer"
    if job.kind == "written" and (job.tests or not written.issuperset(job.answers)):
        yield f"job {job.number} is headed **In words** and has code cells"
    cells = [job.statement, *job.answers, *job.tests]
    if [order.index(name) for name in cells] != sorted(order.index(name) for name in cells):
        yield f"job {job.number} has cells out of order; expected statement, answers, tests"


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


# ---------------------------------------------------------------- what comes out


def secrets_of(notebook: NotebookNode) -> set[str]:
    """Lines of solutions, hidden tests and model answers that stand nowhere else in it."""
    secret: set[str] = set()
    public: set[str] = set()
    for cell in notebook.cells:
        for line, hidden in _lines(cell):
            if len(line.strip()) >= TELLING:
                (secret if hidden else public).add(line.strip())
    return secret - public


def _lines(cell: NotebookNode) -> Iterator[tuple[str, bool]]:
    """A source cell's lines, without markers, and whether each of them is for instructors only."""
    hiding = is_answer(cell) and cell.cell_type != "code"
    for line in cell.source.split("\n"):
        marker = SOLUTION.search(line) or HIDDEN.search(line)
        if marker:
            hiding = marker.group(1) == "BEGIN"
        else:
            yield line, hiding


def check_release(released: NotebookNode, source: NotebookNode, lab: str) -> None:
    """Raise a :class:`CourseError` where a student's notebook gives something away.

    No line for instructors only stands in any cell, and no cell shows a line, however short,
    more often than its source shows it to students.
    """
    secrets = secrets_of(source)
    origins = {cell.get("id"): cell for cell in source.cells}
    for cell in released.cells:
        name = cell.get("id")
        leak = _leak(cell, origins.get(name), secrets)
        if leak:
            raise CourseError(
                f"Releasing {lab} would leak in cell {name}: {leak!r}. Expected nothing "
                "of solutions/ there. Check the cell's markers; nothing was changed."
            )
        if not name or name not in origins:
            raise CourseError(
                f"Releasing {lab} made a cell with the id {name!r}; expected those of its source: "
                "give every source cell an id of its own. Nothing was changed."
            )


def _leak(cell: NotebookNode, origin: NotebookNode | None, secrets: set[str]) -> str | None:
    if cell.get("outputs"):
        return "outputs"
    if origin is not None and is_written(origin) and cell.get("attachments"):
        return "attachments"
    if SOLUTION.search(cell.source) or HIDDEN.search(cell.source):
        return "a marker of a solution or hidden test"
    lines = Counter(line.strip() for line in cell.source.split("\n"))
    aside = f"{dict(cell.get('metadata', {}))} {cell.get('attachments')}"
    leaks = secrets.intersection(lines) | {line for line in secrets if line in aside}
    if origin is not None:
        shown = Counter(line.strip() for line, hidden in _lines(origin) if not hidden)
        own = {line.strip() for line, hidden in _lines(origin) if hidden} - {""}
        leaks |= own.intersection(lines - shown)
    return min(leaks, default=None)
