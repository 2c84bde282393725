from pathlib import Path

import nbformat
import pytest

from grading.notebooks import (
    CourseError,
    fingerprint,
    jobs_in,
    normalise,
    notebook_text,
    points_of,
    read_notebook,
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("", "is not a notebook"),
        ("{", "is not a notebook"),
        ("[1, 2]", "is not a notebook"),
        ('{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []}', "format 3"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_path(
    content: str | None, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "lab.ipynb"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CourseError, match=words) as caught:
        read_notebook(path)
    assert str(path) in str(caught.value)


def test_writing_is_stable(tiny_course: Path, tmp_path: Path) -> None:
    path = tiny_course / "solutions/tiny/tiny.ipynb"
    text = notebook_text(read_notebook(path))
    again = tmp_path / "again.ipynb"
    again.write_text(text)
    assert notebook_text(read_notebook(again)) == text and text.endswith("}\n")


def test_normalise_keeps_the_course_and_drops_the_visitor(tiny_course: Path) -> None:
    notebook = read_notebook(tiny_course / "solutions/tiny/tiny.ipynb")
    notebook.metadata["widgets"] = {"state": {}}
    notebook.metadata["kernelspec"] = {"name": "my-env", "display_name": "Mine"}
    metadata = normalise(notebook).metadata
    assert set(metadata) == {"course", "kernelspec", "language_info"}
    assert metadata.kernelspec.name == "python3" and metadata.course.lab == "tiny"


def test_a_fingerprint_sees_sources_ids_and_grading_only(tiny_course: Path) -> None:
    path = tiny_course / "solutions/tiny/tiny.ipynb"
    one, two = read_notebook(path), read_notebook(path)
    two.cells[1].execution_count = 7
    two.metadata["kernelspec"] = {"name": "x", "display_name": "x"}
    assert fingerprint(one) == fingerprint(two)
    two.cells[4].metadata.nbgrader.points = 9
    assert fingerprint(one) != fingerprint(two)


def test_jobs_and_points(tiny_course: Path) -> None:
    notebook = read_notebook(tiny_course / "solutions/tiny/tiny.ipynb")
    assert [(job.number, job.difficulty, job.minutes) for job in jobs_in(notebook)] == [
        ("1.1", 1, 4),
        ("1.2", 2, 3),
        ("1.3", 3, 5),
    ]
    assert sum(points_of(cell) for cell in notebook.cells) == 5
    assert isinstance(notebook, nbformat.NotebookNode)
