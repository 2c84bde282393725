"""Feedback pages: what a student may read, and nothing that runs in a browser."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from nbformat import NotebookNode, reads
from nbformat.v4 import new_code_cell, new_output
from tiny_class import LAB, Lab, cell_of, packed
from tiny_class import lab_fixture as lab_fixture

from grading.engine import CellScore, Result, failed
from grading.feedback import FeedbackPages, notice_page, presentable
from grading.feedback_cells import LIVE
from grading.gradebook import GradebookWriter, default_url
from grading.notebooks import CourseError
from grading.restore import restore

SCORES = (
    CellScore("tiny-1-1-check", 0.0, 2.0),
    CellScore("tiny-1-2-check", 1.0, 1.0),
    CellScore("tiny-1-3-answer", None, 2.0),
)


@pytest.fixture
def executed(lab: Lab) -> NotebookNode:
    """A submission after grading: its first test failed in the hidden part."""
    notebook = restore(lab.honest["solved"], lab.frame).notebook
    check = cell_of(notebook, "tiny-1-1-check")
    hidden = next(line for line in check.source.split("\n") if "hidden root" in line)
    check.outputs = [
        new_output(
            "error",
            ename="AssertionError",
            evalue="hidden",
            traceback=["Traceback", f"\x1b[31m----> 3\x1b[39m {hidden}", "AssertionError: no"],
        )
    ]
    return notebook


@pytest.fixture
def page(lab: Lab, executed: NotebookNode, tmp_path: Path) -> str:
    return make_page(lab, executed, tmp_path)


def make_page(lab: Lab, executed: NotebookNode, folder: Path) -> str:
    folder.mkdir(exist_ok=True)
    url = default_url(folder)
    with GradebookWriter(url) as writer:
        writer.prepare_lab(LAB, lab.master)
        writer.record("ada", LAB, Result("waiting", packed(executed), SCORES))
    source, target = folder / "autograded.ipynb", folder / "feedback" / "tiny.html"
    source.write_bytes(packed(executed))
    assert FeedbackPages(url).write(source, target, "ada", LAB)
    return target.read_text("utf-8")


def test_page_shows_scores_and_answers(page: str) -> None:
    assert "1 of 5 points</strong> so far: 1 answer waits for a human" in page
    assert (
        '<td class="points none">0 of 2</td>' in page
        and '<td class="points full">1 of 1</td>' in page
    )
    assert "Squares are smooth" in page
    assert "AssertionError: no" in page


def test_page_shows_no_hidden_test(page: str) -> None:
    bare = re.sub(r"<[^>]+>", "", page)
    for secret in ("hidden root", "hidden norm", "HIDDEN TESTS"):
        assert secret not in bare
    assert "Line(4, -8)" not in bare.replace(" ", "").replace("Line(4,-8)", "Line(4, -8)")


def test_no_output_quotes_a_hidden_test(lab: Lab, executed: NotebookNode, tmp_path: Path) -> None:
    check = cell_of(executed, "tiny-1-1-check")
    hidden = next(line for line in check.source.split("\n") if "hidden root" in line)
    coloured = hidden.replace("assert", "<b>assert</b>").replace("'", "&#x27;")
    quoting = new_code_cell("import inspect", id="quoting")
    quoting.outputs = [
        new_output("stream", text=f"before\n{hidden}\nafter\n"),
        new_output("display_data", {"text/html": f"<pre>{coloured}</pre>", "text/plain": "plain"}),
        new_output("display_data", {"text/markdown": f"So: `{hidden}`"}),
        new_output("execute_result", {"text/plain": f"    {hidden}  "}),
        new_output("error", ename="E", evalue=hidden, traceback=[f"\x1b[31m{hidden}\x1b[0m"]),
    ]
    executed.cells.append(quoting)
    bare = re.sub(r"<[^>]+>", "", html.unescape(make_page(lab, executed, tmp_path)))
    assert "before" in bare and "after" in bare
    assert "hidden root" not in bare and "Line(4, -8)" not in bare


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)><a href='javascript:alert(3)'>x</a>"


def test_the_rubric_stands_below_the_answer_and_no_model_answer(
    lab: Lab, executed: NotebookNode, tmp_path: Path
) -> None:
    answer = "My own words on squares."
    cell_of(executed, "tiny-1-3-answer").source = answer
    make_page(lab, executed, tmp_path)
    source, target = tmp_path / "autograded.ipynb", tmp_path / "with.html"
    assert FeedbackPages(default_url(tmp_path), lab.folder).write(source, target, "ada", LAB)
    page = target.read_text("utf-8")
    assert page.index(answer) < page.index("<strong>Rubric</strong>") < page.index("Smooth.")
    assert "absolute values are not" not in page


def test_nothing_of_the_students_runs(lab: Lab, executed: NotebookNode, tmp_path: Path) -> None:
    cell_of(executed, "tiny-1-3-answer").source = f"Well. {HOSTILE}"
    loud = new_code_cell("1", id="loud")
    wide = {"image/png": {"width": "1 onload=alert(4)"}}
    loud.outputs = [
        new_output("display_data", {"text/html": HOSTILE, "text/plain": "x"}),
        new_output("display_data", {"text/markdown": HOSTILE}),
        new_output("display_data", {"application/javascript": "alert(5)"}),
        new_output("display_data", {"image/svg+xml": f"<svg>{HOSTILE}</svg>"}),
        new_output("display_data", {"image/png": "iVBORw0="}, metadata=wide),
        new_output("stream", name="stdout", text=HOSTILE),
    ]
    executed.cells.append(loud)
    page = make_page(lab, executed, tmp_path / "hostile")
    assert "<script" not in page.lower()
    tags = re.findall(r"<[a-zA-Z][^>]*>", page)
    assert not [tag for tag in tags if re.search(r"\son\w+\s*=|javascript:", tag)]
    assert "alert(5)" not in page and LIVE in page


def test_presentable_keeps_messages_that_give_nothing_away(executed: NotebookNode) -> None:
    shown = cell_of(presentable(executed), "tiny-1-1-check")
    assert shown.source == "assert Line(2, 1)(3) == 7"
    assert shown.outputs[0].traceback == ["Traceback", "AssertionError: no"]


def test_failed_submission_gets_a_page_with_the_reason(lab: Lab, tmp_path: Path) -> None:
    notebook = failed(lab.master, "The file is <damaged>: send it again.").notebook
    (tmp_path / "tiny.ipynb").write_bytes(notebook)
    pages = FeedbackPages(default_url(tmp_path))
    assert pages.write(tmp_path / "tiny.ipynb", tmp_path / "tiny.html", "ada", LAB)
    page = (tmp_path / "tiny.html").read_text("utf-8")
    assert "The file is &lt;damaged&gt;: send it again." in page
    assert "hidden root" not in page and len(page) < 10_000


def test_a_submission_that_the_gradebook_lacks_gets_no_page(
    executed: NotebookNode, tmp_path: Path
) -> None:
    (tmp_path / "tiny.ipynb").write_bytes(packed(executed))
    pages = FeedbackPages(default_url(tmp_path))
    assert not pages.write(tmp_path / "tiny.ipynb", tmp_path / "tiny.html", "eva", LAB)
    assert not (tmp_path / "tiny.html").exists()


def test_a_gradebook_that_cannot_be_opened_is_explained() -> None:
    with pytest.raises(CourseError, match="unable to open"):
        FeedbackPages("sqlite:////no/such/folder/gradebook.db")


def test_notice_page_escapes_everything() -> None:
    page = notice_page("<i>", "lab", "<script>", ["<u>"])
    assert "<i>" not in page and "<script>" not in page and "<u>" not in page


def test_master_is_not_what_a_student_sees(lab: Lab) -> None:
    shown = presentable(reads(lab.master.decode(), 4))
    assert "hidden" not in packed(shown).decode()
