"""Notebooks as files: read with clear errors, written the same way every time, compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
HIDDEN = re.compile(r"### (BEGIN|END) HIDDEN TESTS")
SOLUTION = re.compile(r"### (BEGIN|END) SOLUTION")
HEADER = re.compile(
    r"## (?P<number>\d+\.\d+) (?P<title>.+)\n"
    r"\*\*(?P<kind>Your job|In words)\*\* · (?P<points>[\d.]+) points? · "
    r"(?P<difficulty>●{1,3}○{0,2}) · about (?P<minutes>\d+) minutes"
)


class CourseError(Exception):
    """Something that the user can mend: what was given, what was expected, what to do."""


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook of format 4.

    Raises:
        CourseError: there is no such file, it is not JSON, or it is no notebook of format 4.
    """
    try:
        # Not nbformat.reads: that gives ids to cells without them, and so hides the fault.
        notebook = nbformat.reader.reads(path.read_text("utf-8"))
    except OSError as error:
        raise CourseError(
            f"{path} cannot be read ({error.strerror}); expected a notebook: check the path."
        ) from error
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise CourseError(
            f"{path} is not a notebook (its JSON is damaged); expected a file that Jupyter wrote: "
            "restore it from version control."
        ) from error
    if notebook.get("nbformat") != 4 or not isinstance(notebook.get("cells"), list):
        raise CourseError(
            f"{path} has notebook format {notebook.get('nbformat')}; expected format 4 with cells: "
            "open it in JupyterLab and save it."
        )
    return notebook


def notebook_text(notebook: NotebookNode) -> str:
    """The one way in which this course writes a notebook: format 4.5, keys sorted, one line end."""
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Drop from a notebook's metadata what depends on who opened it last (in place)."""
    course = notebook.metadata.get("course", {})
    notebook.metadata = nbformat.from_dict(
        {"course": course, "kernelspec": KERNELSPEC, "language_info": {"name": "python"}}
    )
    notebook.nbformat_minor = max(5, notebook.get("nbformat_minor", 5))
    return notebook


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
            "nbgrader": dict(cell.metadata.get("nbgrader", {})),
            "course": dict(cell.metadata.get("course", {})),
            "tags": sorted(cell.metadata.get("tags", [])),
        }
        for cell in notebook.cells
    ]


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


def points_of(cell: NotebookNode) -> float:
    """A graded cell's points; 0 for any other."""
    return float(cell.metadata["nbgrader"].get("points", 0)) if is_graded(cell) else 0.0


@dataclass(frozen=True)
class JobInfo:
    """A job as its notebook describes it. ``kind`` is "code" or "written"."""

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
    """The jobs of a notebook in order, read from the headings of their statements."""
    for cell in notebook.cells:
        if cell.cell_type != "markdown" or is_answer(cell) or job_number(cell) is None:
            continue
        header = HEADER.match(cell.source)
        if header is None:
            continue
        own = [other for other in notebook.cells if job_number(other) == header["number"]]
        yield JobInfo(
            number=header["number"],
            title=header["title"].strip(),
            kind="code" if header["kind"] == "Your job" else "written",
            points=float(header["points"]),
            difficulty=header["difficulty"].count("●"),
            minutes=int(header["minutes"]),
            statement=cell.id,
            answers=tuple(other.id for other in own if is_answer(other)),
            tests=tuple(other.id for other in own if is_graded(other) and not is_answer(other)),
        )
