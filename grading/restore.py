"""Put a submission back into the frame of its lab: test cells, locked cells, grade ids.

Pure functions from notebooks to notebooks. What was repaired is told in notes, one plain
sentence each; what cannot be read at all raises `UnreadableError` with a sentence for the student.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode, from_dict

from grading.notebooks import is_answer, is_graded

MAX_SUBMISSION_BYTES = 100 * 2**20
CELL_TYPES = ("code", "markdown", "raw")
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
SUBMIT_AGAIN = "open it in JupyterLab, save it, and submit the saved .ipynb file again"


class UnreadableError(Exception):
    """The submission cannot be run; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Restored:
    """A submission whose graded and locked cells are those of the lab again."""

    notebook: NotebookNode
    notes: tuple[str, ...]


# ---------------------------------------------------------------- reading


def clean_notebook(tree: Mapping[str, Any]) -> NotebookNode:
    """A notebook from parsed JSON that has a list of cells, without outputs.

    Only what grading needs is kept of each cell: its id, type, source, attachments and
    nbgrader metadata. Tags and other metadata of the student's cells are dropped, so that
    none of them (`skip-execution`, say) changes how the notebook is run.
    """
    cells: list[NotebookNode] = []
    taken: set[str] = set()
    for index, raw in enumerate(tree["cells"]):
        if isinstance(raw, dict) and raw.get("cell_type") in CELL_TYPES:
            cells.append(_clean_cell(raw, index, taken))
    return from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


def _clean_cell(raw: Mapping[str, Any], index: int, taken: set[str]) -> NotebookNode:
    metadata = raw.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    nbgrader = metadata.get("nbgrader")
    cell: dict[str, Any] = {
        "id": _cell_id(raw, metadata, index, taken),
        "cell_type": raw["cell_type"],
        "source": _text(raw.get("source")),
        "metadata": {"nbgrader": nbgrader} if isinstance(nbgrader, dict) else {},
    }
    if raw["cell_type"] == "code":
        cell |= {"outputs": [], "execution_count": None}
    elif isinstance(raw.get("attachments"), dict):
        cell["attachments"] = raw["attachments"]
    return from_dict(cell)


def _cell_id(
    raw: Mapping[str, Any], metadata: Mapping[str, Any], index: int, taken: set[str]
) -> str:
    # Colab keeps a cell's id in its metadata.
    for candidate in (raw.get("id"), metadata.get("id"), f"cell-{index}", f"cell-{index}-again"):
        if isinstance(candidate, str) and CELL_ID.fullmatch(candidate) and candidate not in taken:
            taken.add(candidate)
            return candidate
    raise UnreadableError(f"The ids of the notebook's cells are not sound: {SUBMIT_AGAIN}.")


def _text(source: Any) -> str:
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        return ""
    # A lone surrogate is legal JSON but cannot be sent to a kernel.
    return source.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


# ---------------------------------------------------------------- the lab's frame


def is_framed(cell: NotebookNode) -> bool:
    """Whether nbgrader tracks the cell: graded, an answer, or locked."""
    return (
        is_graded(cell) or is_answer(cell) or bool(cell.metadata.get("nbgrader", {}).get("locked"))
    )


def grade_id(cell: NotebookNode) -> str:
    """The id under which nbgrader knows a framed cell."""
    return str(cell.metadata["nbgrader"]["grade_id"])


def framed_cells(master: NotebookNode) -> dict[str, NotebookNode]:
    """The lab's framed cells by grade id, in order."""
    return {grade_id(cell): cell for cell in master.cells if is_framed(cell)}


def without_hidden(source: str) -> str:
    """A cell's source as students see it: without hidden tests and marking schemes."""
    kept, hidden = [], False
    for line in source.split("\n"):
        if re.search(r"BEGIN (HIDDEN TESTS|MARK SCHEME)", line):
            hidden = True
        elif re.search(r"END (HIDDEN TESTS|MARK SCHEME)", line):
            hidden = False
        elif not hidden:
            kept.append(line)
    return "\n".join(kept)


# ---------------------------------------------------------------- restoring


def restore(submission: NotebookNode, master: NotebookNode) -> Restored:
    """The submission with the lab's own test and locked cells, answers untouched.

    `master` is the lab with hidden tests, solutions cleared, checksums computed
    (`grading.gradebook.master_notebook`). Edited cells are replaced, deleted ones put back
    after the framed cell they follow in the lab, of duplicated ids one cell keeps the id,
    and cells that lost their metadata are recognised by cell id or by their text.

    Raises `UnreadableError` where no cell of the lab can be recognised.
    """
    frame = framed_cells(master)
    notebook = copy.deepcopy(submission)
    notebook.metadata = copy.deepcopy(master.metadata)
    notes: list[str] = []
    claimed = _claim_by_metadata(notebook, frame, notes)
    _claim_by_likeness(notebook, frame, claimed, notes)
    if frame and not claimed:
        raise UnreadableError(
            "No cell of this lab was found in the notebook: put the answers into the notebook"
            " that was handed out, and submit that one."
        )
    for name, cell in claimed.items():
        _mend(cell, frame[name], notes)
    _put_back(notebook, claimed, frame, notes)
    return Restored(notebook, tuple(notes))


def _claim_by_metadata(
    notebook: NotebookNode, frame: Mapping[str, NotebookNode], notes: list[str]
) -> dict[str, NotebookNode]:
    found: dict[str, list[NotebookNode]] = {}
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if isinstance(name, str) and name in frame:
            found.setdefault(name, []).append(cell)
        else:
            if isinstance(name, str) and is_framed(cell):
                notes.append(f"Cell '{name[:64]}' is not part of this lab and was not graded.")
            cell.metadata.pop("nbgrader", None)
    claimed = {}
    for name, cells in found.items():
        claimed[name] = kept = _keeper(cells, frame[name])
        if len(cells) > 1:
            notes.append(f"Cell '{name}' stood {len(cells)} times; one of them was graded.")
        for cell in cells:
            if cell is not kept:
                cell.metadata.pop("nbgrader", None)
    return claimed


def _keeper(cells: list[NotebookNode], model: NotebookNode) -> NotebookNode:
    """Of several cells with one id the last, of answers the last that was written in."""
    if is_answer(model):
        written = [cell for cell in cells if not _same(cell.source, model.source)]
        cells = written or cells
    return cells[-1]


def _claim_by_likeness(
    notebook: NotebookNode,
    frame: Mapping[str, NotebookNode],
    claimed: dict[str, NotebookNode],
    notes: list[str],
) -> None:
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            continue
        name = _likeness(cell, {k: v for k, v in frame.items() if k not in claimed})
        if name is not None:
            claimed[name] = cell
            notes.append(f"Cell '{name}' had lost its grading metadata and was recognised again.")


def _likeness(cell: NotebookNode, missing: Mapping[str, NotebookNode]) -> str | None:
    if cell.id in missing:
        return str(cell.id)
    for name, model in missing.items():
        if not is_answer(model) and _same(cell.source, without_hidden(model.source)):
            return name
    return None


def _mend(cell: NotebookNode, model: NotebookNode, notes: list[str]) -> None:
    """Give a recognised cell the lab's metadata and type, and its text unless it is an answer."""
    name = grade_id(model)
    if not is_answer(model):
        seen = (without_hidden(model.source), model.source)
        if cell.cell_type != model.cell_type or not any(_same(cell.source, s) for s in seen):
            notes.append(f"Cell '{name}' had been edited; the original was put back.")
        cell.source = model.source
        cell.pop("attachments", None)
    elif cell.cell_type != model.cell_type:
        notes.append(f"Cell '{name}' was a {cell.cell_type} cell; it is {model.cell_type} again.")
    _set_type(cell, model.cell_type)
    cell.metadata = copy.deepcopy(model.metadata)


def _set_type(cell: NotebookNode, cell_type: str) -> None:
    cell.cell_type = cell_type
    if cell_type == "code":
        cell.outputs, cell.execution_count = [], None
        cell.pop("attachments", None)
    else:
        cell.pop("outputs", None)
        cell.pop("execution_count", None)


def _put_back(
    notebook: NotebookNode,
    claimed: dict[str, NotebookNode],
    frame: Mapping[str, NotebookNode],
    notes: list[str],
) -> None:
    # A deleted code answer stays deleted: its test then fails, as it should.
    before: NotebookNode | None = None
    for name, model in frame.items():
        if name in claimed:
            before = claimed[name]
            continue
        if is_answer(model) and not is_graded(model):
            notes.append(f"Answer cell '{name}' was deleted.")
            continue
        cell = _replacement(model, {str(c.id) for c in notebook.cells})
        at = 0 if before is None else _position(notebook.cells, before) + 1
        notebook.cells.insert(at, cell)
        notes.append(f"Cell '{name}' was missing and was put back.")
        before = claimed[name] = cell


def _position(cells: list[NotebookNode], wanted: NotebookNode) -> int:
    # By identity: equal cells are different places.
    return next(index for index, cell in enumerate(cells) if cell is wanted)


def _replacement(model: NotebookNode, taken: set[str]) -> NotebookNode:
    cell = copy.deepcopy(model)
    cell.id = next(name for name in _names(str(model.id)) if name not in taken)
    if is_answer(model):
        # No longer the untouched stub, so that a human looks instead of an automatic zero.
        cell.source = "*This answer was not found in the submission.*\n\n" + model.source
    return cell


def _names(stem: str) -> Iterator[str]:
    yield stem
    for number in range(1, 100_000):
        yield f"{stem[:50]}-{number}"


def _same(one: str, other: str) -> bool:
    def bare(text: str) -> list[str]:
        return [line.rstrip() for line in text.strip().splitlines()]

    return bare(one) == bare(other)
