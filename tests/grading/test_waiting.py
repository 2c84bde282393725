"""What waits for a human: counted, read beside its rubric, and written down for a table."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import pytest
from gradebooks import result, score_by_hand
from gradebooks import small_fixture as small_fixture
from recorder import LAB
from tiny_class import Lab, packed, with_source
from tiny_class import lab_fixture as lab_fixture

from grading import cli
from grading.engine import failed
from grading.gradebook import GradebookWriter, default_url
from grading.report import write_whole
from grading.rubrics import rubrics
from grading.waiting import LONGEST, as_csv, as_page, waiting

QUESTION = "tiny-1-3-answer"
HOSTILE = '=1+1 <script>alert(1)</script><b onclick="x()">bold</b> [me](javascript:x)'


@pytest.fixture
def place(small: Lab, tiny_course: Path) -> Path:
    """A class of four: one is scored, one wrote something nasty, one failed, one wrote much."""
    said = {"ada": "Scored.", "eva": HOSTILE, "ivo": "long " * LONGEST, "ugo": "never run"}
    with GradebookWriter(default_url(tiny_course)) as writer:
        writer.prepare_lab(LAB, small.master)
        for student, text in said.items():
            notebook = packed(with_source(small.solved, QUESTION, text))
            outcome = result(small, [2, 1, None])
            if student == "ugo":
                outcome = failed(small.master, "It ended itself.")
                notebook = outcome.notebook
            writer.record(student, LAB, outcome)
            write_whole(tiny_course / "autograded" / student / LAB / f"{LAB}.ipynb", notebook)
    score_by_hand(default_url(tiny_course), 2)
    return tiny_course


def test_rubrics_come_from_the_source(tiny_course: Path) -> None:
    [rubric] = rubrics(tiny_course, LAB).values()
    assert (rubric.question, rubric.job, rubric.max) == (QUESTION, "1.3", 2)
    assert rubric.points.startswith("**Rubric** (2 points)") and "Smooth" in rubric.points
    assert rubric.model == "Squares are smooth at zero, absolute values are not."


def test_what_is_scored_or_failed_is_not_among_the_answers(place: Path) -> None:
    found = waiting(place, [LAB], default_url(place))
    [question] = found.questions
    assert [one.student for one in question.answers] == ["eva", "ivo"] and found.count == 2
    assert (question.settled, found.failed) == (1, {LAB: 1})
    assert question.answers[0].text == HOSTILE
    long = question.answers[1].text
    assert len(long) < LONGEST + 200 and f"{5 * LONGEST:,} characters in all" in long


def test_the_page_runs_nothing_and_shows_the_rubric(place: Path) -> None:
    page = as_page(waiting(place, [LAB], default_url(place), "student-{}".format), True)
    assert "Smooth" in page and "<b>bold</b>" in page and "student-eva" in page
    assert "<script" not in page and "onclick" not in page and "javascript:" not in page
    assert "default-src 'none'" in page and "Without names" in page


def test_the_table_holds_no_formula(place: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(waiting(place, [LAB], default_url(place)))[1:])))
    assert [row["student"] for row in rows] == ["eva", "ivo"]
    assert rows[0]["answer"].startswith("'=1+1") and rows[0]["points"] == ""
    assert (rows[0]["question"], rows[0]["max_points"]) == (QUESTION, "2")


def test_a_table_with_pseudonyms_is_filled_in_and_stored(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COURSE_DB", raising=False)
    table = place / "answers.csv"

    def course(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["course", *map(str, words), "--course-dir", str(place)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    assert not course("waiting", "--csv", table, "--anonymous", "--dry-run")[0]
    assert not table.exists() and not (place / ".grades").exists()
    code, said = course("waiting", LAB, "--csv", table, "--anonymous")
    assert code == 0 and "1 more submissions could not be run" in said
    code, said = course("waiting", "--csv", table)
    assert code == 2 and "may hold scores" in said
    text = table.read_text(encoding="utf-8-sig")
    assert "eva" not in text and text.count("student-") == 2
    table.write_text(text.replace(f"{QUESTION},,,", f"{QUESTION},1,read,"), encoding="utf-8")
    assert course("score", table) == (0, f"2 lines of {table}: 2 stored, 0 known already.\n")
    assert waiting(place, [LAB], default_url(place)).count == 0
