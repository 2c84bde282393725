"""grading.notebooks: clear errors, one way of writing, comparison, jobs."""

import json
from pathlib import Path

import nbformat
import pytest

from grading.notebooks import (
    CourseError,
    fingerprint,
    job_number,
    jobs_in,
    normalise,
    notebook_text,
    points_of,
    read_notebook,
)


def tiny(root: Path) -> Path:
    return root / "solutions" / "tiny" / "tiny.ipynb"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "JSON is damaged: line 1"),
        (b'{"cells": [', "JSON is damaged: line 1"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[1, 2]", "is not a notebook"),
        (b'{"nbformat": 3, "worksheets": []}', "notebook format 3"),
        (
            b'{"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code"}]}',
            "format 4 with cells",
        ),
        (b'{"nbformat": 4, "metadata": {}, "cells": 7}', "format 4 with cells"),
    ],
)
def test_what_is_no_notebook_is_refused_with_advice(data: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.ipynb"
    path.write_bytes(data)
    with pytest.raises(CourseError, match=said) as error:
        read_notebook(path)
    assert str(path) in str(error.value) and "expected" in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"gone\.ipynb cannot be read \(No such file"):
        read_notebook(tmp_path / "gone.ipynb")


def test_nothing_is_repaired_on_the_way_in(tiny_course: Path, edit_tiny) -> None:
    edit_tiny(lambda notebook: notebook["cells"][2].pop("id"))
    assert "id" not in read_notebook(tiny(tiny_course)).cells[2]


def test_text_is_what_nbformat_writes(tiny_course: Path) -> None:
    notebook = nbformat.read(tiny(tiny_course), 4)
    assert notebook_text(notebook) == nbformat.writes(notebook) + "\n"
    assert notebook_text(read_notebook(tiny(tiny_course))) == notebook_text(notebook)


def test_normalise_leaves_only_what_the_course_gave(tiny_course: Path) -> None:
    clean = normalise(read_notebook(tiny(tiny_course)))
    before = notebook_text(clean)
    noisy = read_notebook(tiny(tiny_course))
    noisy.metadata.language_info = {"name": "python", "version": "3.12.1"}
    noisy.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {}}
    noisy.metadata.kernelspec = {"name": "my-env", "display_name": "mine", "language": "python"}
    noisy.metadata.course.note = "the secret"
    for cell in noisy.cells:
        cell.metadata.update(execution={"iopub.status.busy": "now"}, vscode={}, id="colab")
        cell.metadata.update(editable=True, tags=cell.metadata.get("tags", []))
    assert notebook_text(normalise(noisy)) == before
    assert clean.metadata.kernelspec.name == "python3"


def test_running_and_saving_leaves_the_fingerprint(tiny_course: Path) -> None:
    notebook = normalise(read_notebook(tiny(tiny_course)))
    before = fingerprint(notebook)
    notebook.metadata.language_info = {"name": "python", "version": "3.12.1"}
    for number, cell in enumerate(notebook.cells):
        cell.metadata.update(editable=True, trusted=True, execution={"shell": "now"})
        if cell.cell_type == "code":
            cell.execution_count = number
            cell.outputs = [nbformat.v4.new_output("stream", text="ran")]
    assert fingerprint(notebook) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda nb: nb.cells[3].update(source="pass"),
        lambda nb: nb.cells[3].update(id="other"),
        lambda nb: nb.cells[0].update(attachments={"a.png": {"image/png": ""}}),
        lambda nb: nb.cells[4].metadata.nbgrader.update(points=99),
        lambda nb: nb.cells[4].metadata.update(tags=["raises-exception"]),
        lambda nb: nb.metadata.course.update(points=6),
        lambda nb: nb.cells.pop(),
    ],
)
def test_what_changes_the_lab_changes_the_fingerprint(tiny_course: Path, change) -> None:
    notebook = read_notebook(tiny(tiny_course))
    before = fingerprint(notebook)
    change(notebook)
    assert fingerprint(notebook) != before


def test_jobs_are_read_from_their_statements(tiny_course: Path) -> None:
    jobs = list(jobs_in(read_notebook(tiny(tiny_course))))
    assert [job.number for job in jobs] == ["1.1", "1.2", "1.3"]
    first, second, third = jobs
    assert (first.title, first.kind, first.points) == ("Draw a line", "code", 2)
    assert (first.difficulty, first.minutes, first.statement) == (1, 4, "tiny-1-1")
    assert (first.answers, first.tests) == (("tiny-1-1-answer",), ("tiny-1-1-check",))
    assert (second.difficulty, second.points) == (2, 1)
    assert (third.kind, third.difficulty) == ("written", 3)
    assert (third.answers, third.tests) == (("tiny-1-3-answer",), ())


def test_points_and_job_numbers_of_cells(tiny_course: Path) -> None:
    notebook = read_notebook(tiny(tiny_course))
    assert sum(points_of(cell) for cell in notebook.cells) == 5
    assert [job_number(cell) for cell in notebook.cells[:3]] == [None, None, "1.1"]


@pytest.mark.parametrize(
    "line",
    [
        "**Your job** · 2 points · ●○ · about 4 minutes",
        "**Your job** · 2 points · ○●○ · about 4 minutes",
        "**Your job** · two points · ●○○ · about 4 minutes",
        "**Your job** · 2 points · ●○○",
        "",
    ],
)
def test_a_statement_without_its_job_line_is_named(tiny_course: Path, edit_tiny, line: str) -> None:
    edit_tiny(lambda nb: nb["cells"][2].update(source=f"## 1.1 Draw a line\n{line}\n\ntext"))
    with pytest.raises(CourseError, match=r"cell tiny-1-1 sets job 1\.1"):
        list(jobs_in(read_notebook(tiny(tiny_course))))


def test_sources_may_be_lists_of_lines(tiny_course: Path) -> None:
    tree = json.loads(tiny(tiny_course).read_text("utf-8"))
    for cell in tree["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    path = tiny_course / "lines.ipynb"
    path.write_text(json.dumps(tree), encoding="utf-8")
    assert fingerprint(read_notebook(path)) == fingerprint(read_notebook(tiny(tiny_course)))
