"""Notebooks as files: read with clear errors, written the same way every time, compared.

nbformat is imported only where it is needed: that alone takes seconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
# nbgrader looks for these words anywhere in a line; so do we.
HIDDEN = re.compile(r"(BEGIN|END) HIDDEN TESTS")
SOLUTION = re.compile(r"(BEGIN|END) SOLUTION")
HEADER = re.compile(
    r"## (?P<number>\d+\.\d+) (?P<title>.+)\n"
    r"\*\*(?P<kind>Your job|In words)\*\* · (?P<points>\d+(?:\.\d+)?) points? · "
    r"(?P<difficulty>●○○|●●○|●●●) · about (?P<minutes>\d+) minutes?[ \t]*(?:\n|$)"
)
EXPORT = "export"


class CourseError(Exception):
    """Something that the user can mend: what was given, what was expected, what to do."""


# ---------------------------------------------------------------- files


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook of format 4 as it stands: nothing in it is converted or repaired.

    Raises:
        CourseError: there is no such file, it is not JSON, or it is no notebook of format 4.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CourseError(
            f"{path} cannot be read ({error.strerror}); expected a notebook: check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise CourseError(
            f"{path} is not a notebook (it is not UTF-8 text); expected a file that Jupyter "
            "wrote: restore it from version control."
        ) from error
    return _parsed(text, path)


def _parsed(text: str, path: Path) -> NotebookNode:
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "too deep"
        raise CourseError(
            f"{path} is not a notebook (its JSON is damaged: {where}); expected a file that "
            "Jupyter wrote: restore it from version control."
        ) from error
    if not isinstance(tree, dict) or "nbformat" not in tree:
        raise CourseError(
            f"{path} is not a notebook (it holds other JSON); expected a file that Jupyter wrote: "
            "check the path."
        )
    if tree["nbformat"] != 4 or not _has_cells(tree):
        raise CourseError(
            f"{path} has notebook format {tree['nbformat']}; expected format 4 with cells: "
            "open it in JupyterLab and save it."
        )
    from nbformat import v4

    # Only joins lines. nbformat.read would give cells without an id, or with another's, a random
    # one, which changes with every run.
    return v4.reads_json(text)


def _has_cells(tree: Mapping[str, Any]) -> bool:
    cells = tree.get("cells")
    return (
        isinstance(tree.get("metadata"), dict)
        and isinstance(cells, list)
        and all(isinstance(cell, dict) and _is_cell(cell) for cell in cells)
    )


def _is_cell(cell: Mapping[str, Any]) -> bool:
    source = cell.get("source")
    joinable = isinstance(source, list) and all(isinstance(line, str) for line in source)
    return (
        cell.get("cell_type") in ("code", "markdown", "raw")
        and isinstance(cell.get("metadata"), dict)
        and (isinstance(source, str) or joinable)
    )


def notebook_text(notebook: NotebookNode) -> str:
    """The one way in which this course writes a notebook: keys sorted, one line end at the end."""
    from nbformat import v4

    return str(v4.writes_json(notebook)) + "\n"


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Drop from a notebook's metadata what depends on who opened it last (in place).

    What stays: the lab's description, one kernel, and each cell's job, tags and nbgrader metadata.
    """
    from nbformat import from_dict

    course = notebook.metadata.get("course", {})
    kept = {key: course[key] for key in ("lab", "number", "title", "points") if key in course}
    notebook.metadata = from_dict(
        {"course": kept, "kernelspec": KERNELSPEC, "language_info": {"name": "python"}}
    )
    notebook.nbformat_minor = max(5, notebook.get("nbformat_minor", 5))
    for cell in notebook.cells:
        cell.metadata = from_dict(_own_metadata(cell))
    return notebook


def _own_metadata(cell: NotebookNode) -> dict[str, Any]:
    """The part of a cell's metadata that belongs to the course, without empty entries."""
    nbgrader = dict(cell.metadata.get("nbgrader", {}))
    course = {"job": job_number(cell)} if job_number(cell) is not None else {}
    found = {"nbgrader": nbgrader, "course": course, "tags": sorted(cell.metadata.get("tags", []))}
    return {key: value for key, value in found.items() if value}


def fingerprint(notebook: NotebookNode) -> list[dict[str, Any]]:
    """What a notebook says, cell by cell, without what opening and saving it changes.

    Two notebooks with equal fingerprints differ in nothing but outputs, execution counts and the
    metadata that front ends write.
    """
    head = {"course": dict(notebook.metadata.get("course", {}))}
    return [head] + [
        {
            "id": cell.get("id"),
            "type": cell.cell_type,
            "source": cell.source,
            "attachments": dict(cell.get("attachments", {})),
            **_own_metadata(cell),
        }
        for cell in notebook.cells
    ]


# ---------------------------------------------------------------- cells


def job_number(cell: NotebookNode) -> str | None:
    """The number of the job that a cell belongs to, such as "2.3"."""
    number = cell.metadata.get("course", {}).get("job")
    return str(number) if number is not None else None


def is_graded(cell: NotebookNode) -> bool:
    """Whether nbgrader gives points for this cell."""
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


def is_answer(cell: NotebookNode) -> bool:
    """Whether the student writes in this cell."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def is_test(cell: NotebookNode) -> bool:
    """Whether this cell checks code and earns its points."""
    return cell.cell_type == "code" and is_graded(cell) and not is_answer(cell)


def is_written(cell: NotebookNode) -> bool:
    """Whether this cell is a question that is answered in words and graded by hand."""
    return cell.cell_type == "markdown" and is_graded(cell) and is_answer(cell)


def is_statement(cell: NotebookNode) -> bool:
    """Whether this cell sets a job."""
    return cell.cell_type == "markdown" and not is_answer(cell) and job_number(cell) is not None


def is_exported(cell: NotebookNode) -> bool:
    """Whether this cell goes to course_utils/solved/."""
    return EXPORT in cell.metadata.get("tags", [])


def points_of(cell: NotebookNode) -> float:
    """A graded cell's points; 0 for any other."""
    return float(cell.metadata["nbgrader"].get("points", 0)) if is_graded(cell) else 0.0


# ---------------------------------------------------------------- jobs


@dataclass(frozen=True)
class JobInfo:
    """A job as its notebook describes it.

    ``kind`` is "code" or "written", ``difficulty`` 1 to 3. A written answer is graded itself, so
    a written job has no ``tests``.
    """

    number: str
    title: str
    kind: str
    points: float
    difficulty: int
    minutes: int
    statement: str
    answers: tuple[str, ...]
    tests: tuple[str, ...]


def jobs_in(notebook: NotebookNode) -> Iterator[JobInfo]:
    """The jobs of a notebook in order, read from the headings of their statements.

    Raises:
        CourseError: a statement does not begin with the two lines that describe its job.
    """
    for cell in notebook.cells:
        if not is_statement(cell):
            continue
        header = HEADER.match(cell.source)
        if header is None:
            raise CourseError(f"{bad_header(cell)}: correct them.")
        own = [other for other in notebook.cells if job_number(other) == header["number"]]
        yield JobInfo(
            number=header["number"],
            title=header["title"].strip(),
            kind="code" if header["kind"] == "Your job" else "written",
            points=_number(header["points"]),
            difficulty=header["difficulty"].count("●"),
            minutes=int(header["minutes"]),
            statement=str(cell.get("id")),
            answers=tuple(str(other.get("id")) for other in own if is_answer(other)),
            tests=tuple(str(other.get("id")) for other in own if is_test(other)),
        )


def bad_header(cell: NotebookNode) -> str:
    """What to say of a statement without a proper header."""
    first = "\n".join(cell.source.split("\n")[:2])
    return (
        f"cell {cell.get('id')} sets job {job_number(cell)} and begins with {first!r}; expected "
        "the lines '## 2.3 Title' and '**Your job** · 3 points · ●●○ · about 10 minutes' (or "
        "**In words**)"
    )


def _number(text: str) -> float:
    """3 rather than 3.0, as a reader would write it."""
    value = float(text)
    return int(value) if value.is_integer() else value
