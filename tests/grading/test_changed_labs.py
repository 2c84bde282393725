"""A lab changes after its release, with submissions present: as an instructor lives through it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gradebooks import score_by_hand
from tiny_class import LAB, Lab, packed, with_source
from tiny_class import lab_fixture as lab_fixture

from grading import cli
from grading.changes import Change, Framed, changes
from grading.demo import hold_class
from grading.gradebook import default_url

GRADE = ("grade", "--i-trust-these-notebooks", "--backend", "plain", "--jobs", "2")
ONE = Framed(2.0, False, True, "code", "assert f(1)\n### BEGIN HIDDEN TESTS\nassert f(2)\n"
             "### END HIDDEN TESTS", None, "1.1")  # fmt: skip


@pytest.fixture
def course(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs `course …`: returns the exit code and what it printed."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("COURSE_DB", raising=False)

    def run(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["course", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return run


@pytest.fixture
def place(lab: Lab, tmp_path: Path) -> Path:
    """A class of three: one solved all, one half, and one norm is right for positive numbers."""
    place = tmp_path / "class"
    place.mkdir()
    hold_class(lab.folder, place, ())
    sloppy = "def norm(values):\n    return math.sqrt(sum(v * abs(v) for v in values))"
    for name in ("untouched", "damaged"):
        (place / "submitted" / name / LAB / f"{LAB}.ipynb").unlink()
        (place / "submitted" / name / LAB).rmdir()
        (place / "submitted" / name).rmdir()
    path = place / "submitted" / "sloppy" / LAB / f"{LAB}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(packed(with_source(lab.solved, "tiny-1-2-answer", sloppy)))
    return place


def edit(place: Path, change: Callable[[dict[str, dict[str, Any]], dict[str, Any]], None]) -> None:
    """Change the lab's source: a function gets its cells by id, and the whole."""
    path = place / "solutions" / LAB / f"{LAB}.ipynb"
    tree = json.loads(path.read_text(encoding="utf-8"))
    change({cell["id"]: cell for cell in tree["cells"]}, tree)
    path.write_text(json.dumps(tree), encoding="utf-8")


def entries(place: Path) -> dict[str, dict[str, Any]]:
    return {e["student"]: e for e in json.loads((place / "grades.json").read_text())["entries"]}


def test_points_hidden_and_added_tests_change_with_submissions_present(
    course: Callable[..., tuple[int, str]], place: Path
) -> None:
    run = (*GRADE, "--course-dir", place)
    code, said = course(*run)
    assert code == 0 and "that moved" not in said, said
    before = entries(place)
    assert {s: e["score"] for s, e in before.items()} == {"complete": 3, "half": 3, "sloppy": 2.5}
    score_by_hand(default_url(place), 1.5, student="complete")

    def change(cells: dict[str, dict[str, Any]], tree: dict[str, Any]) -> None:
        def put(name: str, old: str, new: str) -> None:
            assert "".join(cells[name]["source"]).count(old) == 1, old
            cells[name]["source"] = "".join(cells[name]["source"]).replace(old, new)

        put("tiny-1-2-check", "norm([-5, 12]) == 13", "norm([3, 4]) == 5")
        cells["tiny-1-1-check"]["metadata"]["nbgrader"]["points"] = 3
        put("tiny-1-1", "2 points", "3 points")
        more = json.loads(json.dumps(cells["tiny-1-2-check"]))
        more["id"] = more["metadata"]["nbgrader"]["grade_id"] = "tiny-1-2-more"
        hidden = "### BEGIN HIDDEN TESTS\nassert norm([0, -2]) == 2\n### END HIDDEN TESTS"
        more["source"] = f"assert norm([-3, -4]) == 5\n{hidden}"
        put("tiny-1-2", "1 point ", "2 points ")
        tree["cells"].insert(tree["cells"].index(cells["tiny-1-2-check"]) + 1, more)
        tree["metadata"]["course"]["points"] = 7
        put("tiny-title", "5 points", "7 points")
        put("tiny-title", "Draw a line | 2", "Draw a line | 3")
        put("tiny-title", "How long | 1", "How long | 2")

    edit(place, change)
    code, said = course("release", "--root", place)
    assert code == 0, said
    for told in (
        "tiny: 3 submissions were graded by another version of it",
        "job 1.1: points 2 → 3", "job 1.2: its hidden test changed", "job 1.2: new, for 1 point",
        "`course grade tiny` grades them again",
    ):  # fmt: skip
        assert told in said
    code, said = course(*run)
    assert code == 0, said
    after = entries(place)
    assert {s: e["score"] for s, e in after.items()} == {"complete": 6.5, "half": 5, "sloppy": 4}
    assert after["complete"]["max_score"] == 7 and after["complete"]["status"] == "graded"
    assert {m["cell"]: (m["before"], m["after"], m["why"]) for m in after["sloppy"]["moved"]} == {
        "tiny-1-1-check": (2, 3, "points 2 → 3"),
        "tiny-1-2-check": (0.5, 1, "its hidden test changed"),
        "tiny-1-2-more": (None, 0, "new, for 1 point"),
    }
    assert "sloppy, tiny: tiny-1-1-check 2 → 3 (points 2 → 3); tiny-1-2-check 0.5 → 1 (its" in said
    stamps = {path: path.stat().st_mtime_ns for path in place.glob(".grades/*/*.gz")}
    code, said = course(*run, "--student", "sloppy")
    assert code == 0 and "that moved" not in said
    assert {path: path.stat().st_mtime_ns for path in place.glob(".grades/*/*.gz")} == stamps
    assert set(entries(place)) == set(before), "one student's run kept the others' record"
    code, said = course("release", "--root", place, "--check")
    assert code == 0 and "another version" not in said


def test_a_file_that_is_no_record_is_not_written_over(
    course: Callable[..., tuple[int, str]], place: Path
) -> None:
    (place / "grades.json").write_text("my notes")
    code, said = course(*GRADE, "--course-dir", place)
    assert code == 2 and "is not a report" in said
    assert (place / "grades.json").read_text() == "my notes"
    assert not (place / "autograded").exists()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, {"a": ONE}, [Change("a", "new, for 2 points", True, "1.1")]),
        ({"a": ONE}, {}, [Change("a", "removed", True, "1.1")]),
        ({"a": ONE}, {"a": ONE}, []),
        (
            {"a": ONE},
            {"a": Framed(1.5, False, True, "code", "assert f(3)", None, "1.1")},
            [
                Change("a", "points 2 → 1.5", True, "1.1"),
                Change("a", "its test changed", True, "1.1"),
            ],
        ),
        (
            {"a": Framed(None, False, True, "markdown", "Read this.")},
            {"a": Framed(None, False, True, "markdown", "Read that.")},
            [Change("a", "its text changed", False)],
        ),
        (
            {"a": Framed(None, True, False, "code", "a student's")},
            {"a": Framed(None, True, False, "code", "a stub")},
            [],
        ),
    ],
)
def test_each_kind_of_change_has_its_words(
    old: dict[str, Framed], new: dict[str, Framed], expected: list[Change]
) -> None:
    assert changes(old, new) == expected
