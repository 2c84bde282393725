"""A source that breaks a rule is refused, and the cell is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbformat import from_dict

from grading.notebooks import CourseError, read_notebook
from grading.validate import check_release, check_source, secrets_of

Change = Callable[[dict[str, Any]], None]


def cell(notebook: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in notebook["cells"] if each["id"] == name)


def source(name: str, old: str, new: str) -> Change:
    def change(notebook: dict[str, Any]) -> None:
        found = cell(notebook, name)
        assert old in found["source"]
        found["source"] = found["source"].replace(old, new)

    return change


def drop_id(notebook: dict[str, Any]) -> None:
    del cell(notebook, "tiny-end")["id"]


def double_id(notebook: dict[str, Any]) -> None:
    cell(notebook, "tiny-end")["id"] = "tiny-demo"


def other_grade_id(notebook: dict[str, Any]) -> None:
    cell(notebook, "tiny-1-2-check")["metadata"]["nbgrader"]["grade_id"] = "other"


def outputs(notebook: dict[str, Any]) -> None:
    stream = {"output_type": "stream", "name": "stdout", "text": "2"}
    cell(notebook, "tiny-demo")["outputs"] = [stream]


def more_points(notebook: dict[str, Any]) -> None:
    cell(notebook, "tiny-1-2-check")["metadata"]["nbgrader"]["points"] = 4


def no_check(notebook: dict[str, Any]) -> None:
    notebook["cells"].remove(cell(notebook, "tiny-1-2-check"))


def not_nbgraders(notebook: dict[str, Any]) -> None:
    del cell(notebook, "tiny-1-2-answer")["metadata"]["nbgrader"]


BROKEN: dict[str, Change] = {
    "has no id": drop_id,
    "the id tiny-demo belongs to 2 cells": double_id,
    "has the grade_id other": other_grade_id,
    "tiny-demo holds outputs": outputs,
    "job 1.2 prints 1 points; its cells have 4": more_points,
    "course.points = 5; its cells have 8": more_points,
    "job 1.2 has no test cell": no_check,
    "tiny-1-2-answer holds a solution but is not an answer cell": not_nbgraders,
    "unbalanced SOLUTION": source("tiny-1-2-answer", "### END SOLUTION", ""),
    "unbalanced HIDDEN TESTS": source("tiny-1-2-check", "### END HIDDEN TESTS", ""),
    "belongs to job 1.2, which has no statement": source("tiny-1-2", "about 3 minutes", "soon"),
    "does not print the total": source("tiny-title", "**5 points**", "**6 points**"),
    "has no solution markers": source("tiny-1-2-answer", "SOLUTION", "ANSWER"),
}


@pytest.mark.parametrize("words", BROKEN)
def test_a_broken_rule_is_named(words: str, tiny_course: Path, edit_tiny: Any) -> None:
    edit_tiny(BROKEN[words])
    notebook = read_notebook(tiny_course / "solutions/tiny/tiny.ipynb")
    with pytest.raises(CourseError, match="cannot be released") as caught:
        check_source(notebook, "tiny")
    assert words in str(caught.value)


def test_a_table_of_jobs_must_agree_with_the_jobs(tiny_course: Path, edit_tiny: Any) -> None:
    table = "| job | | points | difficulty | minutes |\n|---|---|---|---|---|\n"
    rows = "| 1.1 | Draw a line | 2 | ●○○ | 4 |\n| 1.2 | How long | 1 | ●●○ | 3 |\n"
    last = "| 1.3 | Why squares (in words) | 2 | ●●● | 5 |"
    edit_tiny(source("tiny-title", "Two jobs", table + rows + last + "\n\nTwo jobs"))
    path = tiny_course / "solutions/tiny/tiny.ipynb"
    check_source(read_notebook(path), "tiny")
    edit_tiny(source("tiny-title", "●●○ | 3 |", "●●○ | 9 |"))
    with pytest.raises(CourseError, match=r"no row '\| 1\.2 \| How long"):
        check_source(read_notebook(path), "tiny")


def test_secrets_are_what_stands_in_hidden_places_only(tiny_course: Path) -> None:
    secrets = secrets_of(read_notebook(tiny_course / "solutions/tiny/tiny.ipynb"))
    assert "return math.sqrt(sum(value**2 for value in values))" in secrets
    assert "assert norm([5, 12]) == 13, 'hidden norm'" in secrets
    assert not any("assert norm([3, 4])" in secret for secret in secrets)


@pytest.mark.parametrize(
    "leak",
    [
        "    return math.sqrt(sum(value**2 for value in values))",
        "assert norm([5, 12]) == 13, 'hidden norm'",
        "### BEGIN SOLUTION",
        "Squares are smooth at zero, absolute values are not.",
    ],
)
def test_a_leak_is_refused(leak: str, tiny_course: Path) -> None:
    original = read_notebook(tiny_course / "solutions/tiny/tiny.ipynb")
    released = from_dict({"cells": [{"id": "a", "cell_type": "code", "source": f"x = 1\n{leak}"}]})
    with pytest.raises(CourseError, match="would leak in cell a"):
        check_release(released, original, "tiny")
