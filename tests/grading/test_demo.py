"""The example class: made from the labs, and still fitting them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from tiny_class import LAB, Lab, cell_of
from tiny_class import lab_fixture as lab_fixture

from grading.demo import (
    MISTAKES,
    STORIES,
    Mistake,
    answer_text,
    empty_place,
    hold_class,
    jobs_of,
    make,
    submissions,
)
from grading.intake import read_submission
from grading.notebooks import CourseError, read_notebook
from grading.release import source_of
from grading.restore import UnreadableError

ROOT = Path(__file__).resolve().parents[2]
SIGN = Mistake(LAB, "tiny-1-1-answer", "rise + self", "rise - self", "the sign of the offset")


def test_each_student_hands_in_what_the_story_says(lab: Lab) -> None:
    blank, solution = lab.honest["untouched"], source_of(lab.folder, LAB)
    files = submissions(LAB, blank, solution, [SIGN])
    assert list(files) == list(STORIES)
    with pytest.raises(UnreadableError):
        read_submission(files.pop("damaged"))
    sources = {
        student: {cell.id: cell.source for cell in read_submission(data).cells}
        for student, data in files.items()
    }
    line, norm, words = "tiny-1-1-answer", "tiny-1-2-answer", "tiny-1-3-answer"
    assert sources["untouched"] == {cell.id: cell.source for cell in blank.cells}
    assert "rise + self" in sources["complete"][line]
    assert sources["complete"][words] == "Squares are smooth at zero, absolute values are not."
    assert sources["half"][norm] == sources["complete"][norm]
    assert sources["half"][words] == sources["untouched"][words]
    assert "rise - self" in sources["mistake"][line]
    assert sources["mistake"] | {line: ""} == sources["complete"] | {line: ""}


def test_no_student_hands_in_hidden_tests_or_markers(lab: Lab) -> None:
    solution = source_of(lab.folder, LAB)
    for data in submissions(LAB, lab.honest["untouched"], solution, [SIGN]).values():
        for secret in (b"HIDDEN", b"hidden", b"SOLUTION", b"Rubric"):
            assert secret not in data


def test_a_lab_without_a_mistake_has_four_students(lab: Lab) -> None:
    files = submissions(LAB, lab.honest["untouched"], source_of(lab.folder, LAB), [])
    assert list(files) == ["complete", "half", "untouched", "damaged"]


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (Mistake(LAB, "tiny-9", "x", "y", ""), "no cell 'tiny-9'"),
        (Mistake(LAB, "tiny-1-1-answer", "nowhere", "y", ""), "no text 'nowhere'"),
    ],
)
def test_a_mistake_that_no_longer_fits_is_explained(lab: Lab, mistake: Mistake, words: str) -> None:
    with pytest.raises(CourseError, match=words):
        make(lab.honest["solved"], mistake)


def test_making_a_mistake_leaves_the_original(lab: Lab) -> None:
    before = cell_of(lab.honest["solved"], "tiny-1-1-answer").source
    assert cell_of(make(lab.honest["solved"], SIGN), "tiny-1-1-answer").source != before
    assert cell_of(lab.honest["solved"], "tiny-1-1-answer").source == before


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.lab)
def test_the_courses_mistakes_fit_its_labs(mistake: Mistake) -> None:
    solution = source_of(ROOT, mistake.lab)
    changed = cell_of(make(solution, mistake), mistake.cell)
    assert answer_text(changed) != answer_text(cell_of(solution, mistake.cell))
    compile(answer_text(changed), mistake.cell, "exec")


def test_every_lab_has_its_mistake() -> None:
    assert [mistake.lab for mistake in MISTAKES] == sorted(
        {path.parent.name for path in (ROOT / "solutions").glob("*/*.ipynb")},
        key=lambda lab: source_of(ROOT, lab).metadata.course.number,
    )


def test_jobs_come_in_the_order_of_the_lab(lab: Lab) -> None:
    assert jobs_of(source_of(lab.folder, LAB)) == ["1.1", "1.2", "1.3"]


def test_the_class_gets_a_whole_course_folder(lab: Lab, tmp_path: Path) -> None:
    place = empty_place(tmp_path / "class")
    assert hold_class(lab.folder, place, [SIGN]) == [LAB]
    assert (place / "nbgrader_config.py").exists()
    released = read_notebook(place / "notebooks" / LAB / f"{LAB}.ipynb")
    assert "the secret way" not in str(released)
    handed_in = sorted(path.parts[-3] for path in place.glob(f"submitted/*/{LAB}/{LAB}.ipynb"))
    assert handed_in == sorted(STORIES)


def test_the_place_must_be_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "something").write_text("")
    with pytest.raises(CourseError, match="not empty; expected a new or empty folder"):
        empty_place(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert empty_place(None).parent == tmp_path
