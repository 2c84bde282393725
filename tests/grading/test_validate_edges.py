"""grading.validate: what is refused before a release, and what must not come out of one."""

import copy
from pathlib import Path

import pytest

from grading.notebooks import CourseError, read_notebook
from grading.validate import check_release, check_source, secrets_of


@pytest.fixture
def source(tiny_course: Path):
    return read_notebook(tiny_course / "solutions" / "tiny" / "tiny.ipynb")


def cell(notebook, name):
    return next(one for one in notebook.cells if one.get("id") == name)


def test_the_tiny_lab_breaks_no_rule(source) -> None:
    check_source(source, "tiny")


def change_source(name: str, old: str, new: str):
    def change(notebook):
        found = cell(notebook, name)
        assert old in found.source
        found.source = found.source.replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda nb: nb.cells[3].pop("id"), "cell 4 has no id"),
        (lambda nb: nb.cells[3].update(id="tiny-demo"), "the id tiny-demo belongs to 2 cells"),
        (
            lambda nb: cell(nb, "tiny-1-1-check").metadata.nbgrader.update(grade_id="x"),
            "cell tiny-1-1-check has the grade_id x",
        ),
        (
            lambda nb: cell(nb, "tiny-demo").update(
                outputs=[{"output_type": "stream", "name": "stdout", "text": "2"}]
            ),
            "cell tiny-demo holds outputs",
        ),
        (
            lambda nb: cell(nb, "tiny-demo").update(execution_count=3),
            "cell tiny-demo holds outputs",
        ),
        (lambda nb: nb.update(nbformat_minor=4), "before 4.5"),
        (lambda nb: cell(nb, "tiny-demo").pop("outputs"), "no valid notebook"),
        (lambda nb: nb.metadata.pop("course"), "course.lab = None"),
        (lambda nb: nb.metadata.course.update(lab="other"), "course.lab = 'other'"),
        (lambda nb: nb.metadata.course.update(points=6), "course.points = 6; its cells have 5"),
        (lambda nb: nb.metadata.course.update(number=2), "job 1.1 does not belong to lab number 2"),
        (
            change_source("tiny-title", "**5 points**", "**6 points**"),
            "the first cell does not print the total",
        ),
        (
            change_source("tiny-1-1", "2 points", "3 points"),
            "job 1.1 prints 3 points; its cells have 2",
        ),
        (change_source("tiny-1-1", "●○○", "●●●●"), "cell tiny-1-1 sets job 1.1 and begins with"),
        (change_source("tiny-1-1", "## 1.1", "## 1.2"), "is headed 1.2; its metadata: 1.1"),
        (
            change_source("tiny-1-1", "**Your job**", "**In words**"),
            "job 1.1 is headed **In words**",
        ),
        (change_source("tiny-1-3", "**In words**", "**Your job**"), "job 1.3 has no test cell"),
        (
            lambda nb: cell(nb, "tiny-1-2-check").metadata.course.update(job="1.1"),
            "job 1.2 has no test cell",
        ),
        (
            lambda nb: cell(nb, "tiny-1-2-answer").metadata.pop("course"),
            "cell tiny-1-2-answer belongs to no job",
        ),
        (
            lambda nb: cell(nb, "tiny-1-2").metadata.pop("course"),
            "belongs to job 1.2, which has no statement",
        ),
        (
            lambda nb: cell(nb, "tiny-end").metadata.update(course={"job": "1.1"}),
            "job 1.1 has 2 statements",
        ),
        (
            change_source("tiny-1-1-answer", "### END SOLUTION", ""),
            "cell tiny-1-1-answer has unbalanced SOLUTION markers",
        ),
        (
            change_source("tiny-1-1-check", "### BEGIN HIDDEN TESTS", ""),
            "cell tiny-1-1-check has unbalanced HIDDEN TESTS markers",
        ),
        (
            change_source("tiny-demo", "numbers", "### BEGIN SOLUTION\n### END SOLUTION\nnumbers"),
            "cell tiny-demo holds a solution but is not an answer cell",
        ),
        (
            change_source("tiny-end", "That", "# BEGIN HIDDEN TESTS\n# END HIDDEN TESTS\nThat"),
            "cell tiny-end holds hidden tests but is not a test cell",
        ),
        (
            lambda nb: cell(nb, "tiny-1-2-answer").update(source="def norm(): return 1"),
            "answer cell tiny-1-2-answer has no solution markers",
        ),
        (
            lambda nb: cell(nb, "tiny-1-2-check").update(source="assert norm"),
            "test cell tiny-1-2-check has no hidden tests",
        ),
        (
            change_source("tiny-1-3-answer", "**Rubric**", "Rubric"),
            "tiny-1-3-answer is a written question without",
        ),
        (
            lambda nb: cell(nb, "tiny-1-3-answer").update(attachments={"a": {"image/png": ""}}),
            "cell tiny-1-3-answer has attachments",
        ),
        (
            change_source("tiny-imports", "import math", "%matplotlib inline\nimport math"),
            "cell tiny-imports is exported and not plain Python",
        ),
        (
            change_source("tiny-end", "That is all.", "![all](all.png)"),
            "cell tiny-end shows the file all.png",
        ),
        (lambda nb: nb.cells.append(nb.cells.pop(2)), "job 1.1 has cells out of order"),
    ],
)
def test_a_broken_rule_is_named_with_its_cell(source, change, said: str) -> None:
    change(source)
    with pytest.raises(CourseError) as error:
        check_source(source, "tiny")
    assert said in str(error.value)
    assert str(error.value).startswith("solutions/tiny/tiny.ipynb cannot be released")


def test_all_broken_rules_are_listed_at_once(source) -> None:
    source.metadata.course.points = 9
    cell(source, "tiny-demo").execution_count = 1
    with pytest.raises(CourseError) as error:
        check_source(source, "tiny")
    assert "course.points = 9" in str(error.value) and "holds outputs" in str(error.value)


def test_secrets_are_solutions_hidden_tests_and_model_answers(source) -> None:
    secrets = secrets_of(source)
    assert "return math.sqrt(sum(value**2 for value in values))" in secrets
    assert "assert norm([5, 12]) == 13, 'hidden norm'" in secrets
    assert "Squares are smooth at zero, absolute values are not." in secrets
    assert "assert norm([3, 4]) == 5" not in secrets


def released(source):
    """A release as it should be, made by hand."""
    made = copy.deepcopy(source)
    for one in made.cells:
        kept, hiding = [], False
        for line in one.source.split("\n"):
            if "### " in line:
                hiding = "BEGIN" in line
            elif not hiding:
                kept.append(line)
        one.source = "\n".join(kept)
    cell(made, "tiny-1-3-answer").source = "YOUR ANSWER HERE"
    return made


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            change_source(
                "tiny-end", "That", "return math.sqrt(sum(value**2 for value in values))\n"
            ),
            "cell tiny-end",
        ),
        (change_source("tiny-demo", "numbers", "### BEGIN SOLUTION\nnumbers"), "a marker"),
        (
            lambda nb: cell(nb, "tiny-1-3-answer").update(source="**Rubric** (2 points)"),
            "cell tiny-1-3-answer",
        ),
        (
            lambda nb: cell(nb, "tiny-end").metadata.update(
                note="rise = self.slope * x  # the secret way to y"
            ),
            "cell tiny-end",
        ),
        (lambda nb: cell(nb, "tiny-demo").update(outputs=[{"text": "5"}]), "outputs"),
        (lambda nb: nb.cells[5].pop("id"), "a cell with the id None"),
        (lambda nb: nb.cells[5].update(id="fresh"), "a cell with the id 'fresh'"),
    ],
)
def test_a_leak_is_refused(source, change, said: str) -> None:
    made = released(source)
    check_release(made, source, "tiny")
    change(made)
    with pytest.raises(CourseError, match=said):
        check_release(made, source, "tiny")


def test_a_short_secret_line_leaks_too(source) -> None:
    answer = cell(source, "tiny-1-2-answer")
    answer.source = answer.source.replace(
        "return math.sqrt(sum(value**2 for value in values))", "x"
    )
    made = released(source)
    cell(made, "tiny-1-2-answer").source += "\n    x"
    with pytest.raises(CourseError, match="cell tiny-1-2-answer"):
        check_release(made, source, "tiny")
