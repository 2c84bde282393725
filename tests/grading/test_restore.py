"""Reading what students send, and giving the lab's own cells back to it."""

from __future__ import annotations

import json

import pytest
from nbgrader.utils import determine_grade
from tiny_class import Lab, cell_of, packed, with_source, without_cell
from tiny_class import lab_fixture as lab_fixture

from grading.intake import read_submission
from grading.notebooks import is_graded
from grading.restore import UnreadableError, restore, without_hidden


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b" \n", "empty"),
        (b"{\xff}", "UTF-8"),
        (b'{"cells": [', "breaks off at line 1"),
        (b'{"cells": "x"}', "list of cells"),
        (b'{"worksheets": 3}', "2015"),
        (b"[" * 100_000, "damaged"),
    ],
)
def test_reading_refuses_what_is_no_notebook(data: bytes, words: str) -> None:
    with pytest.raises(UnreadableError, match=words):
        read_submission(data)


def test_reading_keeps_only_what_grading_needs() -> None:
    raw = {
        "cells": [
            {"cell_type": "code", "id": "a b", "source": ["x\n", "y"], "metadata": {"tags": ["t"]}},
            {"cell_type": "code", "id": "same", "source": 3, "outputs": [{"huge": 1}]},
            {"cell_type": "markdown", "id": "same", "source": "\ud800", "metadata": []},
            {"cell_type": "nonsense", "source": ""},
            "nonsense",
        ]
    }
    cells = read_submission(json.dumps(raw).encode()).cells
    assert [cell.source for cell in cells] == ["x\ny", "", "\ufffd"]
    assert len({cell.id for cell in cells}) == 3 and cells[1].id == "same"
    assert all(cell.metadata == {} for cell in cells)
    assert cells[1].outputs == []


def test_a_whole_submission_stays_as_it_is(lab: Lab) -> None:
    restored = restore(lab.solved, lab.frame)
    assert restored.notes == ()
    assert [cell.id for cell in restored.notebook.cells] == [cell.id for cell in lab.solved.cells]
    check = cell_of(restored.notebook, "tiny-1-1-check")
    assert "hidden root" in check.source
    answer = cell_of(restored.notebook, "tiny-1-1-answer")
    assert answer.source == cell_of(lab.solved, "tiny-1-1-answer").source


def test_a_notebook_of_another_course_is_refused(lab: Lab) -> None:
    other = lab.solved
    other.cells = [cell for cell in other.cells if cell.id == "tiny-end"]
    with pytest.raises(UnreadableError, match="No cell of this lab"):
        restore(other, lab.frame)


def test_deleted_written_answer_comes_back_for_a_human(lab: Lab) -> None:
    restored = restore(without_cell(lab.solved, "tiny-1-3-answer"), lab.frame)
    names = [cell.id for cell in restored.notebook.cells]
    assert names.index("tiny-1-3-answer") == names.index("tiny-1-2-check") + 1
    cell = cell_of(restored.notebook, "tiny-1-3-answer")
    assert "not found in the submission" in cell.source
    assert determine_grade(cell) == (None, 2)
    assert restored.notes == ("Cell 'tiny-1-3-answer' was missing and was put back.",)


def test_deleted_code_answer_stays_deleted(lab: Lab) -> None:
    restored = restore(without_cell(lab.solved, "tiny-1-1-answer"), lab.frame)
    assert "tiny-1-1-answer" not in [cell.id for cell in restored.notebook.cells]
    assert restored.notes == ("Answer cell 'tiny-1-1-answer' was deleted.",)


def test_first_cell_deleted_comes_back_first(lab: Lab) -> None:
    restored = restore(without_cell(lab.solved, "tiny-imports"), lab.frame)
    assert restored.notebook.cells[0].id == "tiny-imports"


def test_edited_read_only_cell_is_the_original_again(lab: Lab) -> None:
    restored = restore(with_source(lab.solved, "tiny-imports", "import os"), lab.frame)
    original = cell_of(lab.frame, "tiny-imports").source
    assert cell_of(restored.notebook, "tiny-imports").source == original
    assert restored.notes == ("Cell 'tiny-imports' had been edited; the original was put back.",)


def test_cells_without_metadata_are_known_by_id_by_colabs_id_or_by_text(lab: Lab) -> None:
    raw = json.loads(packed(lab.honest["solved"]))
    for cell in raw["cells"]:
        cell["metadata"] = {"id": cell.pop("id")}
    colab = restore(read_submission(json.dumps(raw).encode()), lab.frame).notebook
    assert [c.metadata for c in colab.cells if c.metadata] == [
        c.metadata for c in lab.frame.cells if "nbgrader" in c.metadata
    ]
    for cell in raw["cells"]:
        cell["metadata"] = {}
    bare = restore(read_submission(json.dumps(raw).encode()), lab.frame).notebook
    ids = [c.metadata["nbgrader"]["grade_id"] for c in bare.cells if is_graded(c)]
    assert ids == ["tiny-1-1-check", "tiny-1-2-check", "tiny-1-3-answer"]


def test_unknown_grade_id_is_ignored_with_a_note(lab: Lab) -> None:
    notebook = lab.solved
    cell_of(notebook, "tiny-1-1-answer").metadata.nbgrader.grade_id = "made-up"
    notes = restore(notebook, lab.frame).notes
    assert "Cell 'made-up' is not part of this lab and was not graded." in notes


def test_points_and_flags_come_from_the_lab(lab: Lab) -> None:
    notebook = lab.solved
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader |= {"points": 1000, "grade": False, "solution": True}
    restored = restore(notebook, lab.frame).notebook
    assert [c.metadata.get("nbgrader") for c in restored.cells] == [
        c.metadata.get("nbgrader") for c in lab.frame.cells
    ]


def test_the_written_copy_of_a_doubled_answer_is_kept(lab: Lab) -> None:
    notebook = read_submission(packed(lab.honest["untouched"]))
    written = cell_of(lab.solved, "tiny-1-3-answer")
    notebook.cells.insert(3, written)
    restored = restore(notebook, lab.frame)
    kept = [c for c in restored.notebook.cells if c.metadata.get("nbgrader", {}).get("points") == 2]
    assert [c.source for c in kept if c.cell_type == "markdown"] == [written.source]
    assert "Cell 'tiny-1-3-answer' stood 2 times; one of them was graded." in restored.notes


def test_code_answer_turned_into_text_is_code_again(lab: Lab) -> None:
    raw = json.loads(packed(lab.honest["solved"]))
    next(c for c in raw["cells"] if c["id"] == "tiny-1-2-answer")["cell_type"] = "markdown"
    restored = restore(read_submission(json.dumps(raw).encode()), lab.frame)
    cell = cell_of(restored.notebook, "tiny-1-2-answer")
    assert cell.cell_type == "code" and cell.outputs == [] and "math.sqrt" in cell.source
    assert restored.notes == ("Cell 'tiny-1-2-answer' was a markdown cell; it is code again.",)


def test_students_see_no_hidden_lines() -> None:
    source = "a\n### BEGIN HIDDEN TESTS\nb\n### END HIDDEN TESTS\nc"
    assert without_hidden(source) == "a\nc"
