"""The commands as an instructor types them."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from tiny_class import LAB, Lab, packed
from tiny_class import lab_fixture as lab_fixture

from grading import cli, cluster, demo
from grading.demo import Mistake

TRUST = "--i-trust-these-notebooks"  # the tiny lab's tests are bare asserts


@pytest.fixture
def course(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
    """Runs `course …`: returns the exit code and what it printed."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("COURSE_DB", raising=False)

    def run(*words: object) -> tuple[int, str]:
        # What is tested here needs no box, which would prove itself first, and one worker.
        asked = words[0] == "grade" and TRUST in words and "--backend" not in words
        plain = ("--backend", "plain", "--jobs", "1") if asked else ()
        monkeypatch.setattr(sys, "argv", ["course", *map(str, (*words, *plain))])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        captured = capsys.readouterr()
        code = exit_.value.code
        return (code if isinstance(code, int) else 0), captured.out + captured.err

    return run


@pytest.fixture
def class_dir(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course folder with submissions of an example class, nothing graded yet."""
    sign = Mistake(LAB, "tiny-1-1-answer", "rise + self", "rise - self", "a sign")
    monkeypatch.setattr(demo, "MISTAKES", (sign,))
    place = tmp_path / "class"
    place.mkdir()
    demo.hold_class(lab.folder, place, (sign,))
    return place


def test_the_example_class_from_start_to_report(
    course, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = Mistake(LAB, "tiny-1-1-answer", "rise + self", "rise - self", "a sign")
    monkeypatch.setattr(demo, "MISTAKES", (sign,))
    place = tmp_path / "class"
    code, said = course("demo", "--keep", place, "--course-dir", lab.folder, "--jobs", 2)
    assert code == 0, said
    report = json.loads((place / "grades.json").read_text())
    assert report["engine"] and report["created"] and report["labs"] == [LAB]
    assert report["submissions_dir"] == str(place / "submitted")
    scores = {e["student"]: (e["status"], e["score"], e["max_score"]) for e in report["entries"]}
    assert scores == {
        "complete": ("waiting", 3, 5),
        "half": ("graded", 3, 5),
        "mistake": ("waiting", 1, 5),
        "untouched": ("graded", 0, 5),
        "damaged": ("failed", None, 5),
    }
    cell = next(e for e in report["entries"] if e["student"] == "complete")["cells"][0]
    assert {"id", "score", "max", "seconds", "job", "manual", "findings"} == set(cell)
    pages = {path.parts[-3] for path in place.glob(f"feedback/*/{LAB}/{LAB}.html")}
    assert pages == set(scores)
    assert (place / "gradebook.db").exists() and (place / "report.html").exists()
    for words in ("3 / 5 so far", "0 / 5", "failed", "damaged, tiny: The file is damaged"):
        assert words in said
    again_into_the_same_folder(course, place)


def again_into_the_same_folder(course, place: Path) -> None:
    """Feedback and report from what lies there; a changed score by hand shows up."""
    csv, html = place / "report.csv", place / "page.html"
    code, said = course("report", "--course-dir", place, "--csv", csv, "--html", html)
    assert code == 0 and "3 / 5 so far" in said
    assert "complete,tiny,waiting,3,5," in csv.read_text() and "3 / 5" in html.read_text()
    with closing(sqlite3.connect(place / "gradebook.db")) as base:
        base.execute(
            "UPDATE grade SET manual_score = 2, needs_manual_grade = 0"
            " WHERE auto_score IS NULL AND notebook_id IN (SELECT n.id FROM submitted_notebook n"
            " JOIN submitted_assignment a ON a.id = n.assignment_id WHERE a.student_id='complete')"
        )
        base.commit()
    code, said = course("feedback", LAB, "--course-dir", place)
    assert code == 0 and "5 pages" in said
    page = (place / "feedback" / "complete" / LAB / f"{LAB}.html").read_text("utf-8")
    assert "<strong>5 of 5 points</strong>" in page
    out = place / "again.json"
    words = ("--course-dir", place, "--student", "complete", "--json", out)
    code, said = course("grade", *words, TRUST)
    assert code == 0, said
    [entry] = json.loads(out.read_text())["entries"]
    assert (entry["status"], entry["score"]) == ("graded", 5)


def test_what_was_graded_is_not_run_again(course, class_dir: Path) -> None:
    words = ["grade", "--course-dir", class_dir, TRUST]
    code, said = course(*words, "--student", "untouched", "--student", "damaged")
    assert code == 0, said
    kept = {path: path.stat().st_mtime_ns for path in class_dir.glob(".grades/*/*.gz")}
    assert len(kept) == 2
    code, said = course(*words, "--student", "untouched", "--student", "half")
    assert code == 0, said
    now = {path: path.stat().st_mtime_ns for path in class_dir.glob(".grades/*/*.gz")}
    assert len(now) == 3 and kept.items() < now.items()
    course(*words, "--student", "damaged", "--regrade")
    again = {path: path.stat().st_mtime_ns for path in class_dir.glob(".grades/*/*.gz")}
    assert len(again) == 3 and len(again.items() - now.items()) == 1


def test_ctrl_c_keeps_what_was_graded(course, class_dir: Path) -> None:
    solved = class_dir / "submitted" / "complete" / LAB / f"{LAB}.ipynb"
    for number in range(4):
        path = class_dir / "submitted" / f"s{number}" / LAB / f"{LAB}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(solved.read_bytes() + b"\n" * (number + 1))
    words = ["grade", "--course-dir", str(class_dir), TRUST]
    command = [sys.executable, "-m", "grading.cli", *words, "--backend", "plain", "--jobs", "1"]
    started = subprocess.Popen(command, cwd=class_dir)
    deadline = time.monotonic() + 240
    while len(list(class_dir.glob(".grades/*/*.gz"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    assert started.wait(30) == 130
    kept = {path: path.stat().st_mtime_ns for path in class_dir.glob(".grades/*/*.gz")}
    assert 2 <= len(kept) < 9
    code, said = course(*words)
    assert code == 0, said
    now = {path: path.stat().st_mtime_ns for path in class_dir.glob(".grades/*/*.gz")}
    assert len(now) == 9 and kept.items() < now.items()
    with closing(sqlite3.connect(class_dir / "gradebook.db")) as base:
        [(count,)] = base.execute("SELECT count(*) FROM submitted_assignment")
    assert count == 9


# ---------------------------------------------------------------- without running a notebook


def test_dry_run_says_and_changes_nothing(course, class_dir: Path) -> None:
    (class_dir / "submitted" / "absent").mkdir()
    before = sorted(class_dir.rglob("*"))
    code, said = course("grade", LAB, "--course-dir", class_dir, "--dry-run")
    assert code == 0
    assert "complete" in said and "graded" in said and "missing" in said
    assert sorted(class_dir.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["grade", "tinny"], "There is no lab 'tinny'"),
        (["grade", "--submissions", "nowhere"], "is not a folder"),
        (["grade", "--student", "nobody"], "nobody"),
        (["grade", "--db", "nonsense", TRUST], "not a database URL"),
        (["grade"], "Lab 'tiny' has no checks"),
        (["grade", "--backend", "bars", TRUST], "there is no backend 'bars'"),
        (["grade", "--scheduler", "tcp://127.0.0.1:9", TRUST], "no Dask scheduler answers"),
        (["feedback", "tinny"], "There is no lab 'tinny'"),
        (["feedback"], "nothing graded"),
        (["report"], "could not be read"),
        (["demo", "--keep", "{class_dir}"], "not empty"),
    ],
)
def test_mistakes_of_the_user_are_one_message(
    course, class_dir: Path, words: list[str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    filled = [word.format(class_dir=class_dir) for word in words]
    code, said = course(*filled, "--course-dir", class_dir)
    assert code == 2
    assert expected in said
    assert "Traceback" not in said


def test_a_damaged_lab_is_one_message(course, class_dir: Path) -> None:
    (class_dir / "solutions" / LAB / f"{LAB}.ipynb").write_text("{")
    code, said = course("grade", "--course-dir", class_dir)
    assert code == 2 and "is not a notebook" in said and "Traceback" not in said


def test_a_gradebook_in_use_stops_before_anything_runs(course, class_dir: Path) -> None:
    book = class_dir / "gradebook.db"
    with closing(sqlite3.connect(book)) as other:
        other.execute("CREATE TABLE t (x)")
        other.execute("BEGIN EXCLUSIVE")
        code, said = course("grade", "--course-dir", class_dir, "--lock-wait", "0.2", TRUST)
    assert code == 2 and "is in use" in said and "Close Formgrader" in said
    assert not (class_dir / "autograded").exists()


@pytest.mark.parametrize("command", ["grade", "feedback", "report", "demo"])
def test_help_has_an_example(course, command: str) -> None:
    code, said = course(command, "--help")
    assert code == 0 and f"Example: course {command}" in said


def test_collect_sorts_a_download_and_says_what_it_did(course, lab: Lab, tmp_path: Path) -> None:
    root = lab.folder
    files = {"doejane_12_3_tiny.ipynb": packed(lab.honest["solved"]), "who_1_2_tiny.ipynb": b"{}"}
    with zipfile.ZipFile(tmp_path / "canvas.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    (tmp_path / "roster.csv").write_text("student,name\njdoe,Jane Doe\n")
    words = ("--course-dir", root, "--roster", tmp_path / "roster.csv")
    code, said = course("collect", tmp_path / "canvas.zip", *words, "--dry-run")
    assert code == 0 and "1 would be new" in said and not (root / "collected").exists()
    code, said = course("collect", tmp_path / "canvas.zip", *words)
    assert code == 0 and "1 attempts, 1 new; 1 files not placed" in said
    assert "who_1_2_tiny.ipynb: nobody in the roster fits" in said
    handed_in = root / "submitted/jdoe/tiny/tiny.ipynb"
    assert handed_in.read_bytes() == files["doejane_12_3_tiny.ipynb"]
    code, said = course("collect", tmp_path / "absent.zip", *words)
    assert code == 2 and "not there" in said
