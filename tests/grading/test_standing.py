"""A report counts what humans did since, who was late, and who handed in nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from gradebooks import result, score_by_hand
from gradebooks import small_fixture as small_fixture
from tiny_class import LAB, Lab
from tiny_class import lab_fixture as lab_fixture

from grading.gradebook import GradebookWriter, default_url
from grading.notebooks import CourseError
from grading.report import Entry, Report
from grading.roster import Roster, Student
from grading.standing import standing
from grading.stored import StoredGrade, stored_grades

TABLE = """student,lab,when,number,counts,days_late,digest,source
ada,tiny,2026-11-23T12:00:00+00:00,0,no,0,aa,x
ada,tiny,2026-11-25T12:00:00+00:00,0,yes,2,bb,y
"""


@pytest.fixture
def report(small: Lab, tmp_path: Path) -> Report:
    """Two submissions that wait for a human, in a gradebook; one is missing."""
    entries = [Entry("eva", LAB, "missing", None, 5.0)]
    with GradebookWriter(default_url(tmp_path), lock_seconds=5.0) as writer:
        writer.prepare_lab(LAB, small.master)
        for student in ("ada", "bob"):
            kept = writer.record(student, LAB, result(small, (2.0, 1.0, None)))
            entries.append(Entry.of(student, LAB, kept))
    return Report.now([LAB], tmp_path, entries)


def test_a_humans_points_count_at_once(report: Report, tmp_path: Path) -> None:
    url = default_url(tmp_path)
    score_by_hand(url, 1.5)
    now = {entry.student: entry for entry in standing(report, tmp_path).report.entries}
    assert (now["ada"].status, now["ada"].score) == ("graded", 4.5)
    assert (now["bob"].status, now["bob"].score) == ("waiting", 3.0)
    assert (now["eva"].status, now["eva"].score) == ("missing", None)
    assert stored_grades(url)["ada", LAB]["tiny-1-3-answer"] == StoredGrade(None, 1.5, None, False)
    # And what a human takes back again, too.
    score_by_hand(url, 0.0)
    assert standing(report, tmp_path, url).report.entries[0].score == 3.0


def test_a_failed_submission_is_graded_once_a_human_has_scored_it(
    report: Report, tmp_path: Path
) -> None:
    failed = Entry("bob", LAB, "failed", None, 5.0, report.entries[1].cells, reason="It ended.")
    changed = Report.now([LAB], tmp_path, [failed])
    [entry] = standing(changed, tmp_path).report.entries
    assert (entry.status, entry.score) == ("failed", None)
    score_by_hand(default_url(tmp_path), 2.0, student="bob")
    [entry] = standing(changed, tmp_path).report.entries
    assert (entry.status, entry.score) == ("graded", 5.0)


def test_without_a_gradebook_the_record_stands(tmp_path: Path) -> None:
    report = Report.now([LAB], tmp_path, [Entry("ada", LAB, "graded", 1.0, 5.0)])
    assert standing(report, tmp_path).report == report
    assert not list(tmp_path.iterdir())
    (tmp_path / "gradebook.db").touch()  # empty: nobody wrote to it yet
    assert standing(report, tmp_path).report == report


def test_the_roster_and_the_deadlines(tmp_path: Path) -> None:
    report = Report.now([LAB], tmp_path, [Entry("ada", LAB, "graded", 1.0, 5.0)])
    (tmp_path / "collected").mkdir()
    (tmp_path / "collected" / "attempts.csv").write_text(TABLE)
    roster = Roster([Student("zoe"), Student("bob")])
    by_hand = Roster([Student("ada-x", login="ada")])  # a folder that was not collected
    assert standing(report, tmp_path, roster=by_hand).report == report
    now = standing(report, tmp_path, roster=roster)
    assert now.strangers == ("ada",) and now.silent == ("bob", "zoe")
    assert [(e.student, e.status, e.max_score) for e in now.report.entries] == [
        ("ada", "graded", 5.0), ("bob", "missing", 5.0), ("zoe", "missing", 5.0),
    ]  # fmt: skip
    assert [now.days_late(entry) for entry in now.report.entries] == [2, 0, 0]
    assert now.report.created == report.created


def test_a_gradebook_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "gradebook.db").write_bytes(b"no database" * 100)
    with pytest.raises(CourseError, match="cannot be used"):
        standing(Report.now([LAB], tmp_path, []), tmp_path)
