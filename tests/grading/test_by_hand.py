"""Scores from a table: stored as Formgrader stores them, all or none, and nobody's overwritten."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from gradebooks import result, score_by_hand
from gradebooks import small_fixture as small_fixture
from gradebooks import url as url
from gradebooks import writer as writer
from nbgrader.api import Gradebook
from recorder import LAB
from tiny_class import Lab
from tiny_class import lab_fixture as lab_fixture

from grading import cli
from grading.by_hand import Mark, Stored, read_marks
from grading.gradebook import GradebookWriter, default_url
from grading.notebooks import CourseError

pytest_plugins = ["postgres"]  # one server for all files

QUESTION = "tiny-1-3-answer"
HEAD = "student,lab,question,points,comment\n"


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a table."""

    def write(text: str) -> Path:
        path = tmp_path / "answers.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def given(url: str, student: str = "ada") -> tuple[float | None, bool, str | None]:
    """A human's points, whether one is still asked, and the comment."""
    with Gradebook(url) as book:
        grade = book.find_grade(QUESTION, LAB, LAB, student)
        comment = book.find_comment(QUESTION, LAB, LAB, student)
        return grade.manual_score, grade.needs_manual_grade, comment.manual_comment


def mark(points: float | None, comment: str = "", student: str = "ada", line: int = 2) -> Mark:
    return Mark(student, LAB, QUESTION, points, comment, line)


# ---------------------------------------------------------------- reading


def test_a_table_is_read_as_spreadsheets_write_it(table: Callable[[str], Path]) -> None:
    expected = [mark(1.5, "=well, said"), mark(None, "later", "eva", 4)]
    commas = table(
        f'\ufeff{HEAD}ada,tiny,{QUESTION},1.5,"\'=well, said"\r\nivo,tiny,{QUESTION},,\r\n'
        f"eva,tiny,{QUESTION},,later\r\n"
    )
    assert read_marks(commas) == expected
    quoted = table(
        f'{HEAD[:-1]},answer\nada,tiny,{QUESTION},1.5,"\'=well, said","a ""word"", and\n1,2,3"\n'
        f"eva,tiny,{QUESTION},,later,\n"
    )
    assert [mark.comment for mark in read_marks(quoted)] == ["=well, said", "later"]
    semicolons = table(
        "answer;question;lab;student;comment;points\n"
        f"long;{QUESTION};tiny;ada;'=well, said;1,5\n;{QUESTION};tiny;ivo;;\n"
        f";{QUESTION};tiny;eva;later;\n"
    )
    assert read_marks(semicolons) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("student,lab,points\n", "no column question"),
        ("", "no column lab, points, question, student"),
        (f"{HEAD}ada,tiny,{QUESTION},two,\n", "points 'two' in line 2"),
        (f"{HEAD}ada,tiny,q,1,\nada,tiny,q,2,\n", r"line 2 and line 3 \(ada, tiny, q\)"),
        (f"{HEAD}ada,tiny,q,1,{'x' * 140_000}\n", "damaged near line"),
    ],
)
def test_what_is_no_table_is_refused(table: Callable[[str], Path], text: str, said: str) -> None:
    with pytest.raises(CourseError, match=said):
        read_marks(table(text))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "scores.csv", tmp_path / "absent.csv", tmp_path):
        with pytest.raises(CourseError, match="cannot be read"):
            read_marks(path)


# ---------------------------------------------------------------- storing


def test_scores_are_stored_as_formgrader_stores_them(
    writer: GradebookWriter, small: Lab, url: str
) -> None:
    for student in ("ada", "eva"):
        writer.record(student, LAB, result(small, [2, 1, None]))
    marks = [mark(1.5, "well said"), mark(None, "where is the root?", "eva")]
    assert writer.score(marks, dry_run=True) == Stored(2, 0)
    assert given(url) == (None, True, None)
    assert writer.score(marks) == Stored(2, 0)
    assert given(url) == (1.5, False, "well said")
    assert given(url, "eva") == (None, True, "where is the root?")
    with Gradebook(url) as book:
        assert book.find_submission(LAB, "ada").score == 4.5
    assert writer.score(marks) == Stored(0, 2)
    again = writer.record("ada", LAB, result(small, [2, 1, None]), unchanged=True)
    assert (again.status, again.score) == ("graded", 4.5)


def test_a_humans_points_give_way_only_by_force(
    writer: GradebookWriter, small: Lab, url: str
) -> None:
    writer.record("ada", LAB, result(small, [2, 1, None]))
    score_by_hand(url, 2)
    for other in (mark(1), mark(2, "no")):
        with pytest.raises(CourseError, match=r"a human gave .*add --force"):
            writer.score([other])
    assert given(url) == (2, False, "well said")
    assert writer.score([mark(2)]) == Stored(0, 1)
    assert writer.score([mark(1, "on second thoughts")], force=True) == Stored(1, 0)
    assert given(url) == (1, False, "on second thoughts")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (mark(3), r"line 2 \(ada, tiny, tiny-1-3-answer\): 3 points; expected 0 to 2"),
        (mark(-1), "-1 points"),
        (mark(float("nan")), "nan points"),
        (mark(1, student="eve"), "no such submission"),
        (Mark("ada", LAB, "tiny-9", 1, "", 2), "no such question; expected one of .*tiny-1-3"),
        (Mark("ada", LAB, "tiny-1-1-check", 1, "x", 2), "no place for a comment"),
    ],
)
def test_one_line_that_cannot_be_stored_keeps_all_out(
    writer: GradebookWriter, small: Lab, url: str, wrong: Mark, said: str
) -> None:
    for student in ("ada", "eva"):
        writer.record(student, LAB, result(small, [2, 1, None]))
    with pytest.raises(CourseError, match=f"Nothing was stored(.|\n)*{said}"):
        writer.score([mark(2, student="eva", line=1), wrong])
    assert given(url, "eva") == (None, True, None)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_many_wrong_lines_are_counted(writer: GradebookWriter, small: Lab) -> None:
    writer.record("ada", LAB, result(small, [2, 1, None]))
    with pytest.raises(CourseError, match=r"line 9 (.|\n)*and 15 more lines$"):
        writer.score([mark(9, line=line) for line in range(25)])


def test_the_command_stores_and_tells(
    tiny_course: Path,
    small: Lab,
    table: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("COURSE_DB", raising=False)
    url = default_url(tiny_course)
    with GradebookWriter(url) as writer:
        writer.prepare_lab(LAB, small.master)
        writer.record("ada", LAB, result(small, [2, 1, None]))
    path = table(f"{HEAD}ada,tiny,{QUESTION},2,good\n")
    words = ["course", "score", str(path), "--course-dir", str(tiny_course)]
    for more, said in ((["--dry-run"], "1 would be stored"), ([], "1 stored"), ([], "1 known")):
        monkeypatch.setattr(sys, "argv", [*words, *more])
        with pytest.raises(SystemExit, match="0"):
            cli.main()
        assert said in capsys.readouterr().out
    assert given(url) == (2, False, "good")
