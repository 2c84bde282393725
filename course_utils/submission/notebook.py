"""A notebook as it lies on disk: what is wrong with it, and what its author should know.

Only the standard library is needed here: these checks work wherever the lab itself does.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from course_utils.submission.outputs import clean, joined

MB = 1_000_000
# What the grader accepts at most (grading/restore.py), and what a learning system still takes
# without trouble over a slow line.
MOST_BYTES, MANY_BYTES = 100 * 2**20, 20 * MB
LARGE_OUTPUT = 5 * MB
PLACEHOLDERS = ("YOUR ANSWER HERE", "YOUR CODE HERE", "")
STUB = re.compile(r"^\s*raise NotImplementedError\(\s*[\"']Your job\b", re.MULTILINE)
SAVE_AGAIN = "open it in JupyterLab, save it, and hand it in again"


class RefusedError(Exception):
    """This file cannot be handed in; the message says why and what to do."""


@dataclass(frozen=True)
class Notebook:
    """A notebook's bytes as they will be handed in, and what they say."""

    data: bytes
    tree: Mapping[str, Any]

    @property
    def cells(self) -> Sequence[Mapping[str, Any]]:
        """Its cells in order."""
        return self.tree["cells"]


# ---------------------------------------------------------------- reading


def read(data: bytes, name: str) -> Notebook:
    """The notebook in a file's bytes.

    Raises RefusedError where they are no notebook of today's format, written in Python.
    """
    if not data.strip():
        raise RefusedError(f"{name} is empty: save the notebook in JupyterLab, and try again.")
    if len(data) > MOST_BYTES:
        raise RefusedError(
            f"{name} has {len(data) / MB:.0f} MB, and {MOST_BYTES // MB} MB are accepted. The most"
            " stands in the outputs: clear those of the largest cells, save, and try again."
        )
    try:
        tree = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise RefusedError(f"{name} is damaged{where}: {SAVE_AGAIN}.") from None
    if not isinstance(tree, dict) or not _has_cells(tree):
        raise RefusedError(f"{name} is not a Jupyter notebook: hand in the lab's .ipynb file.")
    if tree.get("nbformat") != 4:
        raise RefusedError(f"{name} has an old notebook format: {SAVE_AGAIN}.")
    _check_language(tree, name)
    return Notebook(data, tree)


def _has_cells(tree: Mapping[str, Any]) -> bool:
    cells = tree.get("cells")
    return isinstance(cells, list) and all(
        isinstance(cell, dict)
        and cell.get("cell_type") in ("code", "markdown", "raw")
        and isinstance(cell.get("source"), str | list)
        for cell in cells
    )


def _check_language(tree: Mapping[str, Any], name: str) -> None:
    metadata = table(tree.get("metadata"))
    spec, info = table(metadata.get("kernelspec")), table(metadata.get("language_info"))
    language = str(spec.get("language") or info.get("name") or "python")
    if "python" not in language.lower():
        raise RefusedError(
            f"{name} is written for {language[:40]}, and the labs are in Python: choose Kernel >"
            " Change Kernel > Python 3, run all cells, save, and try again."
        )


def table(value: Any) -> Mapping[str, Any]:
    """The value where it is a table, else an empty one: front ends and people write anything."""
    return value if isinstance(value, dict) else {}


# ---------------------------------------------------------------- what a cell is


def _course(owner: Mapping[str, Any]) -> Mapping[str, Any]:
    return table(table(owner.get("metadata")).get("course"))


def _nbgrader(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    return table(table(cell.get("metadata")).get("nbgrader"))


def lab_of(tree: Mapping[str, Any]) -> str | None:
    """The lab that a notebook says it is."""
    named = _course(tree).get("lab")
    return named if isinstance(named, str) else None


def title_of(tree: Mapping[str, Any], lab: str) -> str:
    """What stands on the head of each page: the lab's number and title."""
    course = _course(tree)
    title, number = course.get("title"), course.get("number")
    if not isinstance(title, str):
        return f"Lab {lab}"
    return f"Lab {number}: {title}" if isinstance(number, int) else title


def job_of(cell: Mapping[str, Any]) -> str | None:
    """The number of the job that a cell belongs to."""
    number = _course(cell).get("job")
    return str(number) if isinstance(number, str | int | float) else None


def answer_of(cell: Mapping[str, Any]) -> str | None:
    """The grade id of a cell that the student writes in; None for other cells."""
    return grade_id(cell) if _nbgrader(cell).get("solution") else None


def grade_id(cell: Mapping[str, Any]) -> str | None:
    """The id under which a cell is graded, if it is."""
    known = _nbgrader(cell)
    name = known.get("grade_id")
    return name if isinstance(name, str) and (known.get("grade") or known.get("solution")) else None


def source_of(cell: Mapping[str, Any]) -> str:
    """A cell's text."""
    return joined(cell.get("source"))


def is_submit(cell: Mapping[str, Any], lab: str) -> bool:
    """Whether the cell hands the notebook in: its own run cannot be saved before it."""
    own = cell.get("id") == f"{lab}-submit" or table(cell.get("metadata")).get("id") == (
        f"{lab}-submit"
    )
    called = re.search(r"^\s*(?:\w+\.)?submit\(", source_of(cell), re.MULTILINE)
    return cell.get("cell_type") == "code" and (own or called is not None)


def name_of(cell: Mapping[str, Any], index: int) -> str:
    """A cell in words that help to find it."""
    job = job_of(cell)
    if job and _nbgrader(cell).get("solution"):
        return f"your answer to {job}"
    if job and _nbgrader(cell).get("grade"):
        return f"the check of {job}"
    lines = [line.strip() for line in source_of(cell).splitlines() if line.strip()]
    return f'cell {index + 1} ("{lines[0][:48] if lines else ""}")'


# ---------------------------------------------------------------- what is to be said


def inspect(notebook: Notebook, lab: str) -> list[str]:
    """What the author should know before handing in, a sentence each.

    Raises RefusedError for the notebook of another lab, or of none.
    """
    _check_lab(notebook, lab)
    return [
        *_presence(notebook),
        *_unfinished(notebook),
        *_order(notebook, lab),
        *_errors(notebook),
        *_sizes(notebook),
    ]


def _check_lab(notebook: Notebook, lab: str) -> None:
    said = lab_of(notebook.tree)
    if said == lab:
        return
    if said is not None:
        raise RefusedError(
            f"This is the notebook of lab '{said}', not of '{lab}': hand in the notebook of lab"
            f" '{lab}', or say '{said}' if that is the one you mean."
        )
    if not any((grade_id(cell) or "").startswith(f"{lab}-") for cell in notebook.cells):
        raise RefusedError(
            f"This notebook does not hold lab '{lab}': put your answers into the notebook that"
            " you were given for it, and hand in that one."
        )


def _presence(notebook: Notebook) -> Iterator[str]:
    """Graded cells that are gone, or stand there more than once."""
    wanted = _course(notebook.tree).get("graded")
    found = Counter(filter(None, map(grade_id, notebook.cells)))
    wanted = [name for name in wanted if isinstance(name, str)] if isinstance(wanted, list) else []
    # Somebody may have pasted an answer into a new cell with the same id.
    ids = {cell.get("id") for cell in notebook.cells}
    gone = [name for name in wanted if name not in found and name not in ids]
    if gone:
        yield (
            f"These graded cells are missing: {', '.join(gone)}. Answers in them cannot earn"
            " points; copy them back from the notebook that you were given."
        )
    for name, times in found.items():
        if times > 1:
            yield (
                f"The cell {name} stands {times} times in the notebook, and only one of them is"
                " graded: delete the others."
            )


def _unfinished(notebook: Notebook) -> Iterator[str]:
    for index, cell in enumerate(notebook.cells):
        if not answer_of(cell):
            continue
        source = source_of(cell)
        what = f"Job {job_of(cell)}" if job_of(cell) else f"The answer in cell {index + 1}"
        if cell.get("cell_type") != "code":
            if source.strip() in PLACEHOLDERS:
                yield f"{what} has no written answer yet."
        elif STUB.search(source) or source.strip() in PLACEHOLDERS:
            yield f"{what} is not done yet."


def _order(notebook: Notebook, lab: str) -> Iterator[str]:
    """Cells that never ran, or ran after one that stands below them."""
    ran: list[tuple[int, int, Mapping[str, Any]]] = []
    waiting = []
    for index, cell in enumerate(notebook.cells):
        if cell.get("cell_type") != "code" or not source_of(cell).strip() or is_submit(cell, lab):
            continue
        count = cell.get("execution_count")
        if isinstance(count, int):
            ran.append((count, index, cell))
        else:
            waiting.append(name_of(cell, index))
    if waiting and not ran:
        yield "No cell of the saved notebook has run: choose Run > Run All Cells, and save."
    elif waiting:
        yield f"{_few(waiting)} did not run: choose Run > Run All Cells, and save."
    late = [
        name_of(cell, index)
        for (count, index, cell), (after, _, _) in pairwise(ran)
        if count >= after
    ]
    if late:
        yield (
            f"The cells did not run from top to bottom ({_few(late)} ran after what stands below)."
            " To be sure that the notebook works as it stands, choose Kernel > Restart Kernel and"
            " Run All Cells, and save."
        )


def _few(names: Sequence[str], most: int = 4) -> str:
    told = ", ".join(names[:most])
    text = told + (f" and {len(names) - most} more" if len(names) > most else "")
    return text[:1].upper() + text[1:]


def _errors(notebook: Notebook) -> Iterator[str]:
    """Cells that ended with an error other than a stub's, which `_unfinished` has told."""
    for index, cell in enumerate(notebook.cells):
        for output in _outputs(cell):
            if output.get("output_type") != "error":
                continue
            kind, said = joined(output.get("ename")), joined(output.get("evalue"))
            if kind == "NotImplementedError" and said.startswith("Your job"):
                continue
            first = clean(said).split("\n")[0][:160]
            name = name_of(cell, index)
            yield f"{name[:1].upper()}{name[1:]} ended with {kind}" + (
                f": {first}" if first else "."
            )


def _outputs(cell: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    outputs = cell.get("outputs")
    return [one for one in outputs if isinstance(one, dict)] if isinstance(outputs, list) else []


def _sizes(notebook: Notebook) -> Iterator[str]:
    if len(notebook.data) <= MANY_BYTES:
        return
    large = [
        f"{name_of(cell, index)} {size / MB:.0f} MB"
        for index, cell in enumerate(notebook.cells)
        if (size := len(json.dumps(cell.get("outputs") or []))) > LARGE_OUTPUT
    ]
    told = f" The outputs of {_few(large)} are the largest." if large else ""
    yield (
        f"The notebook has {len(notebook.data) / MB:.0f} MB, and above {MANY_BYTES // MB} MB some"
        f" course sites refuse files.{told} Clear what nobody needs to see, and save."
    )
