"""What learning systems give away arrives in nbgrader's folders, each attempt once."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from grading import arrivals
from grading.collect import Collection, collect, read_table
from grading.deadlines import Policy, read_policy
from grading.notebooks import CourseError
from grading.roster import Roster, Student

LABS = ("mnist", "cfg", "classifier_guidance")
ROSTER = Roster(
    [
        Student("jdoe", "Jane Doe", "jane.doe@example.edu", ("1234",)),
        Student("amueller", "Müller, Ana", "ana@example.edu", ("9876",)),
        Student("liwei", "李 伟", "liwei@example.edu"),
    ]
)
MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)


def notebook(text: str = "", lab: str | None = "cfg") -> bytes:
    metadata = {"course": {"lab": lab}} if lab else {}
    return json.dumps({"cells": [text], "metadata": metadata, "nbformat": 4}).encode()


def archive(files: Mapping[str, bytes], when: datetime = MONDAY) -> bytes:
    """A zip file; its times are local, as zip files have them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, when.astimezone().timetuple()[:6])
            made.writestr(info, data)
    return out.getvalue()


def given(tmp_path: Path, files: Mapping[str, bytes], when: datetime = MONDAY) -> Path:
    path = tmp_path / "download.zip"
    path.write_bytes(archive(files, when))
    return path


def took(tmp_path: Path, files: Mapping[str, bytes], **options: object) -> Collection:
    options = {"roster": ROSTER} | options
    return collect(given(tmp_path, files), tmp_path, LABS, **options)


def handed_in(root: Path) -> dict[str, bytes]:
    found = sorted((root / "submitted").glob("*/*/*.ipynb"))
    return {f"{path.parts[-3]}/{path.parts[-2]}": path.read_bytes() for path in found}


@pytest.mark.parametrize(
    "name",
    [
        "doejane_1234_567890_cfg.ipynb",  # Canvas
        "doejane_LATE_1234_567890_cfg-2.ipynb",
        "somebody_1234_567890_cfg.ipynb",  # renamed since: the number tells
        "Jane Doe_123456_assignsubmission_file_/cfg.ipynb",  # Moodle
        "Lab 2/Jane Doe_123456_assignsubmission_file_cfg.ipynb",
        "jdoe/cfg/cfg.ipynb",  # nbgrader
        "submitted/jdoe/cfg/cfg.ipynb",
        "jane.doe@example.edu/cfg.ipynb",  # mail
        "Mail from Jane Doe <jane.doe@example.edu>/cfg (1).ipynb",
        "jdoe_cfg.ipynb",
        "cfg_jdoe.ipynb",
        "Doe, Jane/solution.ipynb",
        "C:\\Users\\x\\jdoe\\cfg.ipynb",
        "../../jdoe/cfg.ipynb",
        "/jdoe/cfg.ipynb",
    ],
)
def test_each_system_names_its_students(tmp_path: Path, name: str) -> None:
    done = took(tmp_path, {name: notebook()})
    assert not done.unplaced
    assert handed_in(tmp_path) == {"jdoe/cfg": notebook()}
    stamp = (tmp_path / "submitted/jdoe/cfg/timestamp.txt").read_text()
    assert stamp == "2026-11-23 12:00:00.000000 UTC"


def test_gradescope_says_in_its_metadata_who_and_when(tmp_path: Path) -> None:
    metadata = """
submission_11:
  :submitters:
  - :name: Jane Doe
    :sid: '1234'
    :email: other@example.edu
  - :name: Ana Müller
  :created_at: 2026-11-20 10:00:00 Z
submission_12: broken
"""
    files = {
        "assignment_1/submission_11/cfg.ipynb": notebook("a pair"),
        "assignment_1/submission_12/cfg.ipynb": notebook("nobody's"),
        "assignment_1/submission_metadata.yml": metadata.encode(),
    }
    done = took(tmp_path, files)
    assert handed_in(tmp_path) == dict.fromkeys(("amueller/cfg", "jdoe/cfg"), notebook("a pair"))
    assert {one.when for one in done.attempts} == {datetime(2026, 11, 20, 10, tzinfo=UTC)}
    assert list(done.unplaced) == ["assignment_1/submission_12/cfg.ipynb"]


def test_names_have_accents_and_other_letters(tmp_path: Path) -> None:
    took(tmp_path, {"muellerana_1_2_cfg.ipynb": notebook()})
    assert not handed_in(tmp_path)  # ue is not ü, and nobody guesses  # codespell:ignore
    took(tmp_path, {
        "müllerana_1_2_cfg.ipynb": notebook("a"),
        "李伟_77_assignsubmission_file_/cfg.ipynb": notebook("b"),
    })  # fmt: skip
    assert handed_in(tmp_path) == {"amueller/cfg": notebook("a"), "liwei/cfg": notebook("b")}


def test_the_students_own_archive_inside_the_systems(tmp_path: Path) -> None:
    inner = archive({"cfg/cfg.ipynb": notebook(), "cfg.pdf": b"%PDF"})
    took(tmp_path, {"doejane_1234_5_cfg_jane.zip": inner})
    assert handed_in(tmp_path) == {"jdoe/cfg": notebook()}


def test_what_cannot_be_placed_is_said_and_the_rest_goes_on(tmp_path: Path) -> None:
    deep = archive({"x.zip": archive({"cfg.ipynb": notebook()})})
    files = {
        "cfg.ipynb": notebook(),
        "stranger_1_2_cfg.ipynb": notebook(),
        "jdoe/homework.ipynb": notebook(lab=None),
        "jdoe/thesis.ipynb": notebook(lab="biology"),
        "jdoe/damaged.zip": b"PK not really",
        "jdoe/deep.zip": deep,
        "ana/mnist.ipynb": notebook(lab="mnist"),
        "readme.txt": b"not a submission",
        "__MACOSX/jdoe/._cfg.ipynb": b"",
    }
    done = took(tmp_path, files)
    assert handed_in(tmp_path) == {"amueller/mnist": notebook(lab="mnist")}
    reasons = done.unplaced
    assert set(reasons) == set(files) - {
        "ana/mnist.ipynb", "readme.txt", "__MACOSX/jdoe/._cfg.ipynb", "jdoe/deep.zip",
    } | {"jdoe/deep.zip/x.zip"}  # fmt: skip
    assert "says whose it is" in reasons["cfg.ipynb"]
    assert "nobody in the roster fits 'stranger' or '1'" in reasons["stranger_1_2_cfg.ipynb"]
    assert "--lab" in reasons["jdoe/homework.ipynb"]
    assert "'biology'" in reasons["jdoe/thesis.ipynb"]
    assert "damaged" in reasons["jdoe/damaged.zip"]
    assert "archive in an archive" in reasons["jdoe/deep.zip/x.zip"]
    done = took(tmp_path, {"jdoe/homework.ipynb": notebook(lab=None)}, lab="mnist")
    assert "jdoe/mnist" in handed_in(tmp_path)


def test_a_name_that_fits_two_students_is_not_guessed(tmp_path: Path) -> None:
    twins = Roster([Student("a1", "Kim Lee"), Student("a2", "Lee Kim")])
    done = took(tmp_path, {"Kim Lee_1_assignsubmission_file_/cfg.ipynb": notebook()}, roster=twins)
    assert "fits several students: a1, a2" in next(iter(done.unplaced.values()))


def test_namesakes_are_told_apart_by_their_numbers(tmp_path: Path) -> None:
    twins = Roster(
        [Student("a1", "Kim Lee", numbers=("11",)), Student("a2", "Lee Kim", "", ("12",))]
    )
    files = {
        "kimlee_12_90_cfg.ipynb": notebook("cfg"),
        "kimlee_13_91_mnist.ipynb": notebook("mnist"),
    }
    done = took(tmp_path, files, roster=twins)
    assert [(one.student, one.lab) for one in done.attempts] == [("a2", "cfg")]
    assert "'kimlee' and '13' fits several" in next(iter(done.unplaced.values()))


def test_without_a_roster_everybody_is_let_in(tmp_path: Path) -> None:
    files = {"doejane_1_2_cfg.ipynb": notebook(), "Ana M_3_assignsubmission_file_/cfg.ipynb": b"{}"}
    took(tmp_path, files, roster=Roster())
    assert set(handed_in(tmp_path)) == {"doejane/cfg", "ana-m/cfg"}


# ---------------------------------------------------------------- attempts


def test_every_attempt_is_kept_and_collecting_again_changes_nothing(tmp_path: Path) -> None:
    files = {
        "doejane_1234_1_cfg.ipynb": notebook("first"),
        "doejane_1234_2_cfg-1.ipynb": notebook("second"),
        "doejane_1234_3_cfg-10.ipynb": notebook("third"),
        "doejane_1234_4_cfg-9.ipynb": notebook("before it"),
    }
    assert took(tmp_path, files).new == 4
    assert handed_in(tmp_path) == {"jdoe/cfg": notebook("third")}
    kept = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.glob("collected/*/*/*")}
    assert {data for data, _ in kept.values()} == set(files.values())
    again = took(tmp_path, files)
    assert (again.new, len(again.attempts)) == (0, 4)
    now = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.glob("collected/*/*/*")}
    assert now == kept


def test_a_submission_that_was_put_there_by_hand_stays(tmp_path: Path) -> None:
    path = tmp_path / "submitted/jdoe/cfg/cfg.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"by hand")
    done = took(tmp_path, {"jdoe/cfg/cfg.ipynb": notebook()})
    assert path.read_bytes() == b"by hand" and len(done.left) == 1
    assert [p.read_bytes() for p in tmp_path.glob("collected/jdoe/cfg/*")] == [notebook()]


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    done = took(tmp_path, {"jdoe/cfg.ipynb": notebook()}, dry_run=True)
    assert done.new == 1 and set(tmp_path.rglob("*")) - before == {tmp_path / "download.zip"}


def test_a_damaged_table_is_no_reason_to_lose_what_it_says(tmp_path: Path) -> None:
    took(tmp_path, {"jdoe/cfg.ipynb": notebook()})
    table = tmp_path / "collected/attempts.csv"
    rows = list(csv.DictReader(table.open()))
    assert (rows[0]["student"], rows[0]["counts"]) == ("jdoe", "yes")
    table.write_text("student,lab\njdoe,cfg\n")
    with pytest.raises(CourseError, match="backup"):
        read_table(table)


# ---------------------------------------------------------------- deadlines


def on(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def test_the_last_attempt_in_time_counts(tmp_path: Path) -> None:
    policy = Policy({"cfg": on(24)}, grace_minutes=30, days_in_all=3, days_per_lab=2)
    for day, text in ((22, "early"), (23, "in time"), (25, "late")):
        source = given(tmp_path, {"jdoe/cfg.ipynb": notebook(text)}, on(day))
        done = collect(source, tmp_path, LABS, roster=ROSTER, policy=policy)
    assert handed_in(tmp_path) == {"jdoe/cfg": notebook("in time")}
    assert [(one.counts, one.days_late) for one in done.attempts] == [
        (False, 0),
        (True, 0),
        (False, 1),
    ]


@pytest.mark.parametrize(
    ("cfg", "mnist", "counts"),
    [
        ([25], [26], {"cfg": 0, "mnist": 0}),  # two days, then one: all three are used
        ([26], [27], {"cfg": 0, "mnist": None}),  # the other would be the fourth day
        ([25, 26, 27], [], {"cfg": 1}),  # three days are more than a lab may take
        ([28], [25], {"cfg": None, "mnist": 0}),
    ],
)
def test_late_days_are_counted_over_the_course(
    cfg: list[int], mnist: list[int], counts: dict[str, int | None]
) -> None:
    policy = Policy({"mnist": on(25), "cfg": on(24)}, days_in_all=3, days_per_lab=2)
    made = {"cfg": [on(day, 13) for day in cfg], "mnist": [on(day, 11) for day in mnist]}
    made["cfg"] = [on(day, 11) for day in cfg]
    assert policy.choose({lab: times for lab, times in made.items() if times}) == counts


def test_minutes_of_grace_and_unknown_times_are_in_time() -> None:
    policy = Policy({"cfg": on(24)}, grace_minutes=10)
    assert policy.days_late("cfg", datetime(2026, 11, 24, 12, 10, tzinfo=UTC)) == 0
    assert policy.days_late("cfg", datetime(2026, 11, 24, 12, 11, tzinfo=UTC)) == 1
    assert policy.days_late("cfg", None) == policy.days_late("mnist", on(30)) == 0


def test_too_late_is_kept_and_said(tmp_path: Path) -> None:
    done = took(tmp_path, {"jdoe/cfg.ipynb": notebook()}, policy=Policy({"cfg": on(20)}))
    assert done.too_late == ["jdoe, cfg: 3 days late, and no late days are left"]
    assert not handed_in(tmp_path) and len(list(tmp_path.glob("collected/jdoe/cfg/*"))) == 1


def test_the_policy_is_written_down(tmp_path: Path) -> None:
    assert read_policy(tmp_path) == Policy()
    (tmp_path / "course.toml").write_text(
        "[due]\ncfg = 2026-11-24T12:00:00Z\nmnist = 2026-11-24T12:00:00\n"
        "[late]\ndays_in_all = 4\ndays_per_lab = 2\n"
    )
    policy = read_policy(tmp_path)
    assert policy.due["cfg"] == on(24) and policy.due["mnist"].tzinfo is not None
    assert (policy.days_in_all, policy.days_per_lab, policy.grace_minutes) == (4, 2, 0)
    (tmp_path / "course.toml").write_text("[due]\ncfg = 'soon'\n[late]\ndays = 3\n")
    with pytest.raises(CourseError, match=r"'soon'.*days is 3"):
        read_policy(tmp_path)


# ---------------------------------------------------------------- archives that mean harm


def test_an_archive_that_swells_up_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "MAX_SUBMISSION_BYTES", 10_000)
    monkeypatch.setattr(arrivals, "MAX_NESTED_BYTES", 20_000)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("jdoe/cfg.ipynb", bytes(10**6))
        made.writestr("jdoe/inner.zip", bytes(10**6))
        made.writestr("ana/cfg.ipynb", notebook())
    (tmp_path / "bomb.zip").write_bytes(bomb.getvalue())
    done = collect(tmp_path / "bomb.zip", tmp_path, LABS, roster=ROSTER)
    assert set(done.unplaced) == {"jdoe/cfg.ipynb", "jdoe/inner.zip"}
    assert handed_in(tmp_path) == {"amueller/cfg": notebook()}


def test_too_many_files_and_links_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "MAX_FILES", 3)
    done = took(tmp_path, {f"{n}/cfg.ipynb": notebook() for n in range(4)})
    assert "4 files" in next(iter(done.unplaced.values()))
    folder = tmp_path / "mail" / "jdoe"
    folder.mkdir(parents=True)
    (tmp_path / "secret").write_bytes(notebook("secret"))
    (folder / "cfg.ipynb").symlink_to(tmp_path / "secret")
    done = collect(tmp_path / "mail", tmp_path, LABS, roster=ROSTER)
    assert "link" in done.unplaced["jdoe/cfg.ipynb"] and not handed_in(tmp_path)


def test_what_is_no_download_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(b"%PDF")
    for path, what in ((tmp_path / "x.pdf", "neither"), (tmp_path / "absent", "not there")):
        with pytest.raises(CourseError, match=what):
            collect(path, tmp_path, LABS)


FORMULAS = ["=HYPERLINK(A1)", "+1", "-x", "@SUM(A1)", "\t=1", "\r=1", "'=1"]


@pytest.mark.parametrize("folder", FORMULAS)
def test_a_files_name_runs_nothing_in_a_spreadsheet_and_comes_back(
    tmp_path: Path, folder: str
) -> None:
    name = f"{folder}/jdoe_1234_77_cfg.ipynb"
    [attempt] = took(tmp_path, {name: notebook()}).attempts
    table = tmp_path / "collected" / "attempts.csv"
    with table.open(encoding="utf-8", newline="") as file:
        [row] = csv.DictReader(file)
    assert row["source"].startswith("'") and row["source"][1:] == attempt.source
    assert read_table(table) == [attempt]
    assert took(tmp_path, {name: notebook()}).new == 0


def test_a_students_name_runs_nothing_in_a_spreadsheet(tmp_path: Path) -> None:
    roster = Roster([Student("=jdoe", "Jane Doe", "", ("1234",))])
    took(tmp_path, {"jdoe_1234_77_cfg.ipynb": notebook()}, roster=roster)
    table = tmp_path / "collected" / "attempts.csv"
    assert "\n'=jdoe," in table.read_text("utf-8")
    assert [one.student for one in read_table(table)] == ["=jdoe"]
