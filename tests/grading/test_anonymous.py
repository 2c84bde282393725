"""A report without names gives nobody away, and stays the same report."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from odd_class import ENTRIES, REPORT, ROSTER, STANDING

from grading.anonymous import SECRET, anonymous, pseudonym, secret_of
from grading.engine import CellScore
from grading.report import Entry, Report
from grading.roster import Roster
from grading.standing import Standing

KEY = b"a secret"
SAID = (
    "There are 2 notebooks and none is called a.ipynb: Ada Lovelace.ipynb, b.ipynb. Call it so.",
    "The notebook's kernel is Ödön's R; expected Python 3: choose another.",
    "Ada@Example.edu and LOVELACE, number 12, wrote 李 into canada.",
)


def test_no_name_is_left_anywhere() -> None:
    crash = "Your code stopped with KeyError: 'evi' (line 2: ada['Ödön']). Is Ödön there?"
    cell = CellScore("x", 0.0, 1.0, job="1.1", findings=(crash, "yours is the str 'Lovelace'."))
    told = Entry("ada", "a", "failed", None, 5.0, (cell,), reason=SAID[0], notes=SAID[1:])
    report = replace(REPORT, entries=(told, *ENTRIES[2:]), submissions_dir="/home/ada")
    made = anonymous(Standing(report, STANDING.late, ("stranger",), ("absent",)), KEY, ROSTER)
    text = json.dumps([asdict(made.report), made.strangers, made.silent], ensure_ascii=False)
    text = text.replace("canada", "").casefold()
    for name in (
        *("ada", "lovelace", "ada@example.edu", "eva", "evi", "ödön", "liwei", "李", "伟", "hooft"),
        *("stranger", "cmd", "jo.ipynb", "nobody", "/home"),
    ):
        assert name not in text, name
    [entry] = [e for e in made.report.entries if e.reason and "names of files" in e.reason]
    assert entry.notes == (
        "The notebook's kernel is another one; expected Python 3: choose another.",
        "… and …, number …, wrote … into canada.",
    )
    findings = entry.cells[0].findings
    assert findings == ("Your code stopped with KeyError. Is … there?", "yours is the str '…'.")


def test_all_but_names_stays() -> None:
    made = anonymous(STANDING, KEY, ROSTER)
    was = {(pseudonym(e.student, KEY), e.lab): e for e in ENTRIES}
    for entry in made.report.entries:
        old = was.pop((entry.student, entry.lab))
        assert (entry.status, entry.score, entry.seconds) == (old.status, old.score, old.seconds)
        assert made.days_late(entry) == STANDING.days_late(old)
    assert not was
    assert (made.report.created, made.report.labs) == (REPORT.created, REPORT.labs)
    assert made.strangers == (pseudonym("stranger", KEY),)


def test_the_order_tells_nothing() -> None:
    names = [entry.student for entry in anonymous(STANDING, KEY).report.entries]
    assert names == sorted(names)


def test_a_pseudonym_is_stable_and_needs_the_secret() -> None:
    assert pseudonym("ada", KEY) == pseudonym("ada", KEY)
    assert pseudonym("ada", KEY) != pseudonym("ada", b"another secret")
    many = {pseudonym(f"s{number}", KEY) for number in range(5000)}
    assert len(many) == 5000


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    assert secret_of(tmp_path, keep=False) != secret_of(tmp_path, keep=False)
    assert not list(tmp_path.iterdir())
    made = secret_of(tmp_path)
    assert made == secret_of(tmp_path) == secret_of(tmp_path, keep=False) and len(made) == 64
    assert (tmp_path / SECRET).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("roster", [None, Roster()])
def test_it_goes_without_a_roster(roster: Roster | None) -> None:
    report = Report(
        ("a",), "", (Entry("file", "a", "failed", None, 1.0, reason="The file is"),), ""
    )
    [entry] = anonymous(Standing(report), KEY, roster).report.entries
    assert entry.reason == "The … is"
