"""The one writer of the gradebook: what it stores, keeps, refuses, and waits for."""

from __future__ import annotations

import copy
import threading
from pathlib import Path

import nbgrader.api
import pytest
from gradebooks import TABLES, ask, locked, result, score_by_hand, stored
from gradebooks import small_fixture as small_fixture
from gradebooks import url as url
from gradebooks import writer as writer
from nbformat import NotebookNode, reads
from nbgrader.api import Gradebook
from recorder import LAB
from tiny_class import Lab, cell_of, packed, with_source, without_cell
from tiny_class import lab_fixture as lab_fixture

from grading.engine import failed
from grading.gradebook import GradebookWriter, default_url, digest_in, submission_digest
from grading.notebooks import CourseError

pytest_plugins = ["postgres"]  # one server for all files


# ---------------------------------------------------------------- storing


def test_lab_is_created_with_its_points(writer: GradebookWriter, url: str) -> None:
    with Gradebook(url) as book:
        lab = book.find_assignment(LAB)
        assert (lab.max_score, lab.max_code_score, lab.max_written_score) == (5, 3, 2)
        assert lab.course_id == "generative-models"
        source = book.find_source_cell("tiny-1-1-check", LAB, LAB).source
        assert "hidden root" in source


def test_scores_are_stored_as_formgrader_expects(
    writer: GradebookWriter, small: Lab, url: str
) -> None:
    kept = writer.record("ada", LAB, result(small, [2, 0.5, None]))
    assert stored(url) == {
        "tiny-1-1-check": (2, False),
        "tiny-1-2-check": (0.5, False),
        "tiny-1-3-answer": (None, True),
    }
    assert (kept.status, kept.score) == ("waiting", 2.5)
    with Gradebook(url) as book:
        assert book.find_submission(LAB, "ada").score == 2.5


def test_untouched_answers_get_nbgraders_remark(
    writer: GradebookWriter, small: Lab, url: str
) -> None:
    writer.record("ada", LAB, result(small, [0, 0, 0], "untouched"))
    writer.record("eva", LAB, result(small, [2, 1, None]))
    with Gradebook(url) as book:
        for student, said in (("ada", "No response."), ("eva", None)):
            for cell in ("tiny-1-1-answer", "tiny-1-3-answer"):
                assert book.find_comment(cell, LAB, LAB, student).auto_comment == said


def test_failed_submission_waits_for_a_human(writer: GradebookWriter, small: Lab, url: str) -> None:
    kept = writer.record("ada", LAB, failed(small.master, "It broke."))
    assert (kept.status, kept.score, kept.reason) == ("failed", None, "It broke.")
    assert set(stored(url).values()) == {(None, True)}
    with Gradebook(url) as book:
        assert book.find_comment("tiny-1-3-answer", LAB, LAB, "ada").auto_comment is None


def test_timestamp_is_stored(writer: GradebookWriter, small: Lab, url: str) -> None:
    writer.record("ada", LAB, result(small, [2, 1, None]), timestamp="2026-11-20 12:00:00 UTC")
    with Gradebook(url) as book:
        assert book.find_submission(LAB, "ada").timestamp.isoformat() == "2026-11-20T12:00:00"


def test_a_new_gradebook_has_nbgraders_schema_version(writer: GradebookWriter, url: str) -> None:
    """Without it, `nbgrader db upgrade` would not know where to begin."""
    [(version,)] = ask(url, "SELECT version_num FROM alembic_version")
    files = (Path(nbgrader.api.__file__).parent / "alembic" / "versions").glob("*.py")
    assert any(path.name.startswith(version) for path in files)


# ---------------------------------------------------------------- grading again


def test_storing_twice_changes_nothing(writer: GradebookWriter, small: Lab, url: str) -> None:
    def rows() -> dict[str, int]:
        return {name: ask(url, f"SELECT count(*) FROM {name}")[0][0] for name in TABLES}

    writer.record("ada", LAB, result(small, [2, 1, None]))
    before = rows(), stored(url)
    writer.prepare_lab(LAB, small.master)
    writer.record("ada", LAB, result(small, [2, 1, None]))
    assert (rows(), stored(url)) == before
    assert rows() == {
        "student": 1,
        "submitted_assignment": 1,
        "submitted_notebook": 1,
        "grade": 3,
        "comment": 3,
    }


@pytest.mark.parametrize("unchanged", [True, False])
def test_manual_score_and_comment_outlive_a_regrade(
    writer: GradebookWriter, small: Lab, url: str, unchanged: bool
) -> None:
    writer.record("ada", LAB, result(small, [2, 1, None]))
    score_by_hand(url, 1.5)
    writer.prepare_lab(LAB, small.master)
    kept = writer.record("ada", LAB, result(small, [2, 1, None]), unchanged=unchanged)
    assert [cell.score for cell in kept.cells] == [2, 1, 1.5]
    assert (kept.score, kept.status) == (4.5, "graded" if unchanged else "waiting")
    assert stored(url)["tiny-1-3-answer"] == (None, not unchanged)
    with Gradebook(url) as book:
        assert book.find_submission(LAB, "ada").score == 4.5
        comment = book.find_comment("tiny-1-3-answer", LAB, LAB, "ada")
        assert comment.comment == "well said"


def test_a_moved_automatic_score_asks_the_human_again(
    writer: GradebookWriter, small: Lab, url: str
) -> None:
    writer.record("ada", LAB, result(small, [0, 1, 0]))
    score_by_hand(url, 1.0, "tiny-1-1-check")
    same = writer.record("ada", LAB, result(small, [0, 1, 0]), unchanged=True)
    assert same.status == "graded" and same.cells[0].score == 1
    moved = writer.record("ada", LAB, result(small, [2, 1, 0]), unchanged=True)
    assert moved.status == "waiting" and moved.cells[0].score == 1


def test_extra_credit_counts(writer: GradebookWriter, small: Lab, url: str) -> None:
    writer.record("ada", LAB, result(small, [2, 1, 0]))
    with Gradebook(url) as book:
        book.find_grade("tiny-1-1-check", LAB, LAB, "ada").extra_credit = 0.5
        book.db.commit()
    assert writer.record("ada", LAB, result(small, [2, 1, 0])).score == 3.5


def test_a_changed_test_is_taken_over_though_submissions_exist(
    writer: GradebookWriter, small: Lab, url: str
) -> None:
    writer.record("ada", LAB, result(small, [2, 1, None]))
    changed = with_source(small.frame, "tiny-1-1-check", "assert True  # new")
    cell_of(changed, "tiny-1-1-check").metadata.nbgrader.points = 3
    writer.prepare_lab(LAB, packed(changed))
    with Gradebook(url) as book:
        assert book.find_source_cell("tiny-1-1-check", LAB, LAB).source.endswith("# new")
        assert book.find_submission(LAB, "ada").max_score == 6


def framed(notebook: NotebookNode) -> set[str]:
    """Grade ids of a notebook."""
    return {
        cell.metadata.nbgrader.grade_id for cell in notebook.cells if "nbgrader" in cell.metadata
    }


def with_new_test(notebook: NotebookNode) -> NotebookNode:
    """A copy with one more test, of one point."""
    changed = copy.deepcopy(notebook)
    cell = copy.deepcopy(cell_of(changed, "tiny-1-2-check"))
    cell.id = cell.metadata.nbgrader.grade_id = "tiny-1-2-more"
    changed.cells.insert(changed.cells.index(cell_of(changed, "tiny-1-2-check")) + 1, cell)
    return changed


def test_an_added_test_waits_in_every_submission_and_others_keep_theirs(
    writer: GradebookWriter, small: Lab, url: str
) -> None:
    for student in ("ada", "eva"):
        writer.record(student, LAB, result(small, [2, 1, None]))
    score_by_hand(url, 1.5)
    more = packed(with_new_test(small.frame))
    assert [str(one) for one in writer.changes(LAB, more)[0]] == ["job 1.2: new, for 1 point"]
    for _ in range(2):
        writer.prepare_lab(LAB, more)
    assert stored(url) == {
        "tiny-1-1-check": (2, False),
        "tiny-1-2-check": (1, False),
        "tiny-1-2-more": (None, True),
        "tiny-1-3-answer": (None, False),
    }
    with Gradebook(url) as book:
        assert book.find_submission(LAB, "ada").score == 4.5
        assert book.find_submission(LAB, "ada").max_score == 6
        assert book.find_grade("tiny-1-2-more", LAB, LAB, "eva").max_score == 1
    assert writer.changes(LAB, more) == ([], 2)


def test_a_removed_test_takes_its_scores_along_unless_a_human_gave_them(
    writer: GradebookWriter, small: Lab, url: str
) -> None:
    for student in ("ada", "eva"):
        writer.record(student, LAB, result(small, [2, 1, None]))
    score_by_hand(url, 1.5)
    answerless = without_cell(small.frame, "tiny-1-3-answer")
    fewer = without_cell(small.frame, "tiny-1-2-check")
    rows = "SELECT (SELECT count(*) FROM grade), (SELECT count(*) FROM base_cell)"
    before = ask(url, rows)
    with pytest.raises(CourseError, match="a human has scored in 1 submissions"):
        writer.prepare_lab(LAB, packed(without_cell(answerless, "tiny-1-2-check")))
    assert ask(url, rows) == before
    writer.prepare_lab(LAB, packed(fewer))
    assert set(stored(url)) == {"tiny-1-1-check", "tiny-1-3-answer"}
    with Gradebook(url) as book:
        assert book.find_submission(LAB, "ada").score == 3.5
        assert {cell.name for cell in book.find_notebook(LAB, LAB).source_cells} == framed(fewer)


def test_other_points_under_a_humans_score_ask_for_another_look(
    writer: GradebookWriter, small: Lab, url: str
) -> None:
    for student in ("ada", "eva"):
        writer.record(student, LAB, result(small, [2, 1, None]))
    score_by_hand(url, 1.5)
    changed = copy.deepcopy(small.frame)
    cell_of(changed, "tiny-1-3-answer").metadata.nbgrader.points = 1
    writer.prepare_lab(LAB, packed(changed))
    kept = writer.record("ada", LAB, result(small, [2, 1, None]), unchanged=True)
    assert (kept.status, kept.score) == ("waiting", 4.5)
    with Gradebook(url) as book:
        grade = book.find_grade("tiny-1-3-answer", LAB, LAB, "ada")
        assert (grade.manual_score, grade.needs_manual_grade) == (1.5, True)


# ---------------------------------------------------------------- in use, or unusable


def test_a_gradebook_in_use_is_an_error_after_a_while(
    writer: GradebookWriter, small: Lab, url: str
) -> None:
    with locked(url):
        with pytest.raises(CourseError, match=r"is in use.*Close Formgrader.*again") as caught:
            writer.record("ada", LAB, result(small, [2, 1, None]))
        assert "gradebook" in str(caught.value) and "the result of ada" in str(caught.value)
        with pytest.raises(CourseError, match="is in use"), GradebookWriter(url, lock_seconds=0.2):
            pass
    writer.record("ada", LAB, result(small, [2, 1, None]))
    assert len(stored(url)) == 3


def test_a_short_lock_is_waited_for(writer: GradebookWriter, small: Lab, url: str) -> None:
    writer._database.lock_seconds = 30.0
    other = locked(url)
    other.__enter__()
    release = threading.Timer(0.5, other.__exit__, (None, None, None))
    release.start()
    writer.record("ada", LAB, result(small, [2, 1, None]))
    release.join()
    assert len(stored(url)) == 3


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("nonsense", "not a database URL"),
        ("nosuch://x/y", "driver is not installed"),
        ("sqlite:////no/such/folder/gradebook.db", "unable to open"),
    ],
)
def test_an_unusable_url_is_explained(bad: str, words: str) -> None:
    with pytest.raises(CourseError, match=words), GradebookWriter(bad, lock_seconds=0.1):
        pass


def test_a_file_that_is_no_gradebook_is_explained(tmp_path: Path) -> None:
    (tmp_path / "gradebook.db").write_text("not a database at all, but long enough " * 100)
    writer = GradebookWriter(default_url(tmp_path), lock_seconds=0.1)
    with pytest.raises(CourseError, match="not a database"), writer:
        pass


def test_passwords_stay_out_of_messages() -> None:
    writer = GradebookWriter("nosuch://teacher:hunter2@host/course", lock_seconds=0.1)
    with pytest.raises(CourseError) as caught, writer:
        pass
    assert "hunter2" not in str(caught.value) and "teacher" in str(caught.value)


# ---------------------------------------------------------------- what the file remembers


def test_digest_of_the_submission_is_read_back(small: Lab, tmp_path: Path) -> None:
    sealed = failed(small.master, "It broke.", "abc")
    assert digest_in(sealed.notebook) == "abc"
    (tmp_path / "tiny.ipynb").write_bytes(sealed.notebook)
    assert submission_digest(tmp_path / "tiny.ipynb") == "abc"
    assert submission_digest(tmp_path / "none.ipynb") is None
    assert digest_in(b"[]") is None and digest_in(packed(small.honest["solved"])) is None


def test_master_hides_solutions_and_keeps_hidden_tests(small: Lab) -> None:
    text = small.master.decode()
    assert "hidden root" in text and "hidden norm" in text
    assert "the secret way" not in text and "Squares are smooth" not in text
    frame = reads(text, 4)
    assert "NotImplementedError" in cell_of(frame, "tiny-1-2-answer").source
    assert all("checksum" in c.metadata.nbgrader for c in frame.cells if "nbgrader" in c.metadata)
