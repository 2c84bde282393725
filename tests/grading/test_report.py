"""The record of a run, and the tables that are made from it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from rich.console import Console

from grading.engine import CellScore, Result
from grading.notebooks import CourseError
from grading.report import (
    Entry,
    Report,
    as_csv,
    class_table,
    mean_score,
    read_json,
    told,
    verdict,
    write_json,
    write_whole,
)

CELL = CellScore("a-1-1-check", 1.5, 2.0, 0.25, "1.1")
ENTRIES = (
    Entry("ada", "a", "graded", 1.5, 2.0, (CELL,), 3.0),
    Entry("ada", "b", "waiting", 4.0, 9.0),
    Entry("<b>eva</b>", "a", "failed", None, 2.0, reason="It ended: mend it."),
    Entry("<b>eva</b>", "b", "missing", None, 9.0),
    Entry("zoe", "a", "graded", 0.0, 2.0, notes=("Cell 'x' was put back.",)),
    Entry("=cmd()", "b", "graded", 9.0, 9.0),
)


@pytest.fixture
def report() -> Report:
    return Report.now(["a", "b"], Path("submitted"), ENTRIES)


def test_json_comes_back_as_it_was(report: Report, tmp_path: Path) -> None:
    write_json(report, tmp_path / "new" / "grades.json")
    assert read_json(tmp_path / "new" / "grades.json") == report
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["grades.json"]


def test_entries_are_sorted_by_student_then_lab() -> None:
    mixed = [Entry("b", "y", "missing", None, 1), Entry("b", "x", "missing", None, 1)]
    report = Report.now(["x", "y"], Path(), [*mixed, Entry("a", "y", "missing", None, 1)])
    assert [(e.student, e.lab) for e in report.entries] == [("a", "y"), ("b", "x"), ("b", "y")]


def test_an_interrupted_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "grades.json"
    path.write_text("old")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"labs": 3}'])
def test_a_file_that_is_no_report_is_explained(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(CourseError, match="is not a report; expected the JSON"):
        read_json(tmp_path / "x.json")


def test_a_missing_report_is_explained(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="could not be read"):
        read_json(tmp_path / "none.json")


def test_an_entry_of_a_result_forgets_a_reason_that_was_dealt_with() -> None:
    by_hand = Result("graded", b"", (CELL,), 1.0, "It ended: mend it.")
    entry = Entry.of("ada", "a", by_hand)
    assert (entry.score, entry.max_score, entry.reason) == (1.5, 2.0, None)
    assert Entry.of("ada", "a", Result("failed", b"", (CELL,), 1.0, "Why.")).reason == "Why."


def test_failed_missing_waiting_and_zero_read_differently(report: Report) -> None:
    words = {(e.student, e.lab): verdict(e) for e in report.entries}
    assert words["ada", "a"] == "1.5 / 2"
    assert words["ada", "b"] == "4 / 9 so far"
    assert words["<b>eva</b>", "a"] == "failed"
    assert words["<b>eva</b>", "b"] == "missing"
    assert words["zoe", "a"] == "0 / 2"
    assert len(set(words.values())) == len(words)


def test_means_leave_out_those_without_a_score(report: Report) -> None:
    assert mean_score(report, "a") == pytest.approx(0.75)
    assert mean_score(report, "b") == pytest.approx(6.5)
    assert mean_score(Report.now(["c"], Path(), []), "c") is None


def test_terminal_table_shows_every_student(report: Report) -> None:
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(class_table(report))
    text = console.export_text()
    for words in ("ada", "<b>eva</b>", "zoe", "4 / 9 so far", "failed", "missing", "0.75"):
        assert words in text


def test_reasons_and_repairs_are_told(report: Report) -> None:
    assert told(report) == [
        "<b>eva</b>, a: It ended: mend it.",
        "zoe, a: Cell 'x' was put back.",
    ]


def test_csv_keeps_status_beside_score_and_disarms_formulas(report: Report) -> None:
    rows = {(r["student"], r["lab"]): r for r in csv.DictReader(io.StringIO(as_csv(report)))}
    assert rows["ada", "b"]["status"] == "waiting" and rows["ada", "b"]["score"] == "4"
    assert rows["<b>eva</b>", "a"]["score"] == "" and rows["zoe", "a"]["score"] == "0"
    assert ("'=cmd()", "b") in rows
