"""What is said about a notebook before it is handed in."""

import json
from typing import Any

import pytest
from handed_in import (
    check,
    code,
    failed,
    finished,
    notebook,
    printed,
    prose,
    solved,
    submit_cell,
    written,
)

from course_utils.submission import notebook as module
from course_utils.submission.notebook import MOST_BYTES, RefusedError, inspect, read
from grading.restore import MAX_SUBMISSION_BYTES


def said(*cells: dict[str, Any], **course: Any) -> list[str]:
    return inspect(read(json.dumps(notebook(*cells, **course)).encode(), "cfg.ipynb"), "cfg")


def test_nothing_is_said_about_a_finished_lab() -> None:
    assert inspect(read(json.dumps(finished()).encode(), "cfg.ipynb"), "cfg") == []


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b'{"cells": [', "damaged at line 1"),
        (b"\xff\xfe\x00", "damaged"),
        (b"[" * 100_000, "damaged"),
        (b"[1, 2]", "not a Jupyter notebook"),
        (b'{"cells": 3, "nbformat": 4}', "not a Jupyter notebook"),
        (b'{"cells": [{"cell_type": "code"}], "nbformat": 4}', "not a Jupyter notebook"),
        (b'{"cells": [], "nbformat": 3}', "old notebook format"),
        (b'{"cells": [], "nbformat": 4, "metadata": {"kernelspec": {"language": "R"}}}', "for R"),
    ],
)
def test_what_is_no_notebook_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        read(data, "cfg.ipynb")


def test_a_file_that_the_grader_would_not_take_is_refused() -> None:
    assert MOST_BYTES == MAX_SUBMISSION_BYTES
    with pytest.raises(RefusedError, match="105 MB, and 104 MB are accepted"):
        read(b" " * (MOST_BYTES + 1) + b"{", "cfg.ipynb")


def test_another_labs_notebook_is_refused() -> None:
    with pytest.raises(RefusedError, match="lab 'mnist', not of 'cfg'"):
        said(lab="mnist")


def test_without_metadata_the_cells_tell_the_lab() -> None:
    assert said(solved("x = 1"), lab=None) == []
    with pytest.raises(RefusedError, match="does not hold lab 'cfg'"):
        said(code("x = 1"), lab=None)


def test_graded_cells_that_are_missing_or_doubled_are_told() -> None:
    gone, twice = said(
        solved("x = 1"),
        solved("x = 2", count=2),
        graded=["cfg-2-1-answer", "cfg-2-1-check", "cfg-2-5-answer"],
    )
    assert gone.startswith("These graded cells are missing: cfg-2-1-check, cfg-2-5-answer.")
    assert "cfg-2-1-answer stands 2 times" in twice


def test_a_graded_cell_that_lost_its_metadata_is_known_by_its_id() -> None:
    bare = code("x = 1") | {"id": "cfg-2-1-answer"}
    assert said(bare, graded=["cfg-2-1-answer"]) == []


def test_jobs_that_are_not_done_are_told_and_not_as_failures() -> None:
    stub = 'def f(x):\n    raise NotImplementedError("Your job 2.1")'
    assert said(
        solved(stub),
        check(outputs=[failed("NotImplementedError", "Your job 2.1")]),
        written("YOUR ANSWER HERE", "2.5"),
        written(" \n", "2.6"),
        solved("# YOUR CODE HERE", "2.2", 3),
    ) == [
        "Job 2.1 is not done yet.",
        "Job 2.5 has no written answer yet.",
        "Job 2.6 has no written answer yet.",
    ]


def test_an_error_is_told_with_its_first_line() -> None:
    lines = said(
        check(count=1, outputs=[failed("NotYet", "\x1b[31mTurn the mask round.\x1b[0m\nmore")]),
        code("\n1 / 0", 2, [printed("x"), failed("ZeroDivisionError", "division by zero")]),
    )
    assert lines == [
        "The check of 2.1 ended with NotYet: Turn the mask round.",
        'Cell 2 ("1 / 0") ended with ZeroDivisionError: division by zero',
    ]


def test_cells_that_did_not_run_or_ran_out_of_order_are_told() -> None:
    waiting, late = said(
        code("a = 1", 7), code("b = 1", 3), code("c = 1", None), code("  ", None), submit_cell()
    )
    assert waiting.startswith('Cell 3 ("c = 1") did not run')
    assert 'Cell 1 ("a = 1") ran after what stands below' in late
    assert "Restart Kernel and Run All" in late


def test_gaps_in_the_counts_and_an_earlier_run_of_the_last_cell_are_fine() -> None:
    assert said(code("a = 1", 2), code("b = 1", 9), submit_cell(count=4)) == []


def test_a_notebook_that_never_ran_gets_one_line() -> None:
    (line,) = said(*[code(f"a = {n}", None) for n in range(9)])
    assert line.startswith("No cell of the saved notebook has run")


def test_large_outputs_are_named() -> None:
    (line,) = said(prose("# T"), code("show()", 1, [printed("x" * 21_000_000)]))
    assert "has 21 MB" in line and 'Cell 2 ("show()") 21 MB' in line


@pytest.mark.parametrize("strange", [None, 3, "x", [1], {"nbgrader": 3, "course": [2]}])
def test_strange_metadata_is_no_trouble(strange: Any) -> None:
    cell = code("x = 1") | {"metadata": strange, "outputs": strange}
    assert said(cell, prose("t") | {"metadata": strange}, graded=strange) == []
    assert module.job_of(cell) is None and module.grade_id(cell) is None
