"""What every lab promises: its form, its points, and one description of each job."""

import importlib
import re
import statistics
from pathlib import Path

import nbformat
import pytest

from grading.notebooks import jobs_in

ROOT = Path(__file__).resolve().parents[2]
LABS = sorted(path.parent.name for path in ROOT.glob("solutions/*/*.ipynb"))


@pytest.fixture(params=LABS)
def lab(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def notebook(lab: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / f"solutions/{lab}/{lab}.ipynb", 4)


def test_checks_and_text_describe_the_same_jobs(lab: str, notebook: nbformat.NotebookNode) -> None:
    told = {
        job.number: (job.title, float(job.points), job.difficulty, job.minutes)
        for job in jobs_in(notebook)
        if job.kind == "code"
    }
    checks = importlib.import_module(f"course_utils.checks.{lab}")
    assert told == {
        job.number: (job.title, float(job.points), job.difficulty, job.minutes)
        for job in checks.JOBS
    }
    in_words = [(j.number, j.title, j.points) for j in jobs_in(notebook) if j.kind != "code"]
    assert in_words == [(q.number, q.title, q.points) for q in checks.QUESTIONS]


def test_every_job_has_two_hints_and_a_visible_and_a_hidden_check(
    notebook: nbformat.NotebookNode,
) -> None:
    for cell in notebook.cells:
        if "**Your job** ·" in cell.source:
            assert cell.source.count("<details><summary>Hint") == 2, cell.id
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade") and cell.cell_type == "code":
            visible, hidden = cell.source.split("### BEGIN HIDDEN TESTS")
            assert visible.startswith("check(") and "seed=" not in visible, cell.id
            assert re.search(r"seed=\d{4}", hidden), cell.id


def test_cells_are_short_and_prose_comes_first(notebook: nbformat.NotebookNode) -> None:
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    lines = [len(source.splitlines()) for source in code]
    assert statistics.median(lines) <= 15 and max(lines) <= 40
    assert 1.2 <= len("".join(prose)) / len("".join(code)) <= 2.2


def test_a_written_question_has_a_rubric_that_adds_up(notebook: nbformat.NotebookNode) -> None:
    written = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "markdown" and cell.metadata.get("nbgrader", {}).get("grade")
    ]
    assert written
    for cell in written:
        rubric = cell.source.split("**Rubric**")[1]
        told, *rows = rubric.strip().split("\n")
        points = cell.metadata.nbgrader.points
        assert told == f"({points:g} point{'s' * (points != 1)})", cell.id
        worth = [re.match(r"- (½|\d) points?: ", row) for row in rows]
        assert all(worth), cell.id
        values = [0.5 if match[1] == "½" else float(match[1]) for match in worth if match]
        assert sum(values) == points, cell.id


def test_every_section_has_a_figure(notebook: nbformat.NotebookNode) -> None:
    figures = [index for index, cell in enumerate(notebook.cells) if "figures." in cell.source]
    written = {
        cell.metadata.course.job
        for cell in notebook.cells
        if cell.cell_type == "markdown" and cell.metadata.get("nbgrader")
    }
    sections = [
        (index, cell)
        for index, cell in enumerate(notebook.cells)
        if cell.source.startswith("## ")
        and cell.cell_type == "markdown"
        and cell.metadata.get("course", {}).get("job") not in written
        and not cell.id.endswith("-submit-text")
    ]
    # A job's figure may follow at the end of the job after it, but two jobs never go without.
    assert len(figures) >= len(sections) - 1


def test_solutions_hold_no_outputs(notebook: nbformat.NotebookNode) -> None:
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)


def test_the_last_section_says_where_it_goes_wrong(notebook: nbformat.NotebookNode) -> None:
    text, progress, *hand_in = notebook.cells[-4:]
    assert "## Where this goes wrong in practice" in text.source
    lab = notebook.metadata.course.lab
    assert progress.source == "progress()"
    assert [cell.id for cell in hand_in] == [f"{lab}-submit-text", f"{lab}-submit"]
    assert f'submit("{lab}")' in hand_in[1].source
