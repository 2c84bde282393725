"""Every command has help with an example, and says what it would write before it writes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import pytest
import typer
from odd_class import REPORT, ROSTER

from grading import class_figures, cli, doctor
from grading.doctor import Line
from grading.report import write_json

WRITES = {"release", "handout", "new", "collect", "grade", "feedback", "report", "export", "demo",
          "train", "submit", "score", "waiting"}  # fmt: skip
READS = {"jobs", "doctor"}
COMMANDS: dict[str, click.Command] = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]


@pytest.fixture
def course(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
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
def graded(tiny_course: Path) -> Path:
    """A course folder with a record of grades, and a roster that a spreadsheet could choke on."""
    write_json(REPORT, tiny_course / "grades.json")
    lines = [f'{one.login},"{one.name.replace(chr(34), chr(34) * 2)}"' for one in ROSTER.students]
    text = "\n".join(["student,name", *lines])
    (tiny_course / "roster.csv").write_text(text, encoding="utf-8")
    return tiny_course


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures take seconds, and have their own tests."""
    monkeypatch.setattr(class_figures, "scores", lambda *given: None)
    monkeypatch.setattr(class_figures, "times", lambda *given: None)


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_is_known_of_every_command_whether_it_writes() -> None:
    assert set(COMMANDS) == WRITES | READS and not WRITES & READS


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_has_an_example_and_a_dry_run(name: str) -> None:
    command = COMMANDS[name]
    assert f"Example: course {name}" in str(command.help)
    options = {option for one in command.params for option in one.opts}
    assert ("--dry-run" in options) == (name in WRITES)
    # What the example names is there.
    example = str(command.help).partition(f"Example: course {name}")[2].partition("\n\n")[0]
    assert {word for word in example.split() if word.startswith("--")} <= options


@pytest.mark.parametrize(
    "words",
    [
        ("report",),
        ("report", "--anonymous"),
        ("report", "--roster", "{}/roster.csv"),
        ("export", "canvas"),
        ("export", "moodle", "--roster", "{}/roster.csv"),
        ("export", "gradescope"),
        ("demo", "--keep", "{}/new"),
        ("demo",),
    ],
)
def test_a_dry_run_changes_nothing(course, graded: Path, words: tuple[str, ...]) -> None:
    before = files(graded)
    filled = [word.format(graded) for word in words]
    code, said = course(*filled, "--course-dir", graded, "--dry-run")
    assert code == 0 and "would be" in said.lower(), said
    assert files(graded) == before and not (graded / "new").exists()


def test_a_training_that_would_be(course, tmp_path: Path) -> None:
    words = ("train", "unet", "--budget", "smoke", "--run-dir", tmp_path, "--dry-run")
    code, said = course(*words)
    assert code == 0 and f"Would be begun: {tmp_path / 'unet-smoke'}" in said
    (tmp_path / "unet-smoke").mkdir()
    assert "Would be resumed" in course(*words)[1]
    assert "Would be begun" in course(*words, "--restart")[1]
    assert not list((tmp_path / "unet-smoke").iterdir())


# ---------------------------------------------------------------- report


def test_a_report_is_a_page_and_two_tables(course, graded: Path) -> None:
    code, said = course("report", "--course-dir", graded, "--roster", graded / "roster.csv")
    assert code == 0 and "not in the roster: stranger" in said and "so missing: absent" in said
    assert "Class report" in (graded / "report.html").read_text("utf-8")
    assert "liwei,b,graded,3,4," in (graded / "report.csv").read_text("utf-8")
    assert "a,1.1," in (graded / "report-jobs.csv").read_text("utf-8")


def test_a_report_without_names_has_none_in_any_file(course, graded: Path) -> None:
    before = set(files(graded))
    words = ("report", "--anonymous", "--course-dir", graded, "--roster", graded / "roster.csv")
    code, said = course(*words)
    made = {path: data for path, data in files(graded).items() if path not in before}
    assert code == 0
    assert {path.name for path in made} == {
        "report-anonymous.html", "report-anonymous.csv", "report-anonymous-jobs.csv",
        "pseudonyms.key",
    }  # fmt: skip
    told = said.replace(str(graded), "") + b"".join(made.values()).decode()
    for name in ("liwei", "stranger", "hook", "absent", "Lovelace", "Ödön", "Jo.ipynb"):
        assert name not in told
    course(*words)
    assert {path: files(graded)[path] for path in made} == made  # pseudonyms stay


# ---------------------------------------------------------------- export


@pytest.mark.parametrize("system", ["canvas", "moodle", "gradescope"])
def test_an_export_is_written_once_and_over_only_by_force(
    course, graded: Path, system: str
) -> None:
    words = ("export", system, "--course-dir", graded, "--roster", graded / "roster.csv")
    code, said = course(*words)
    assert code == 0 and "Written and read back" in said and "in the roster: stranger" in said
    made = files(graded / "exports")
    assert made
    code, said = course(*words, "--lab", "a")
    assert code == 2 and "is there already" in said and "--force" in said
    assert files(graded / "exports") == made
    code, said = course(*words, "--lab", "a", "--force")
    assert code == 0 and files(graded / "exports") != made


def test_an_export_names_canvas_assignments(course, graded: Path) -> None:
    words = ("export", "canvas", "--course-dir", graded, "--out", graded / "x.csv")
    code, _ = course(*words, "--assignment", "a=4711", "--assignment", "b=Lab 2 (12)")
    assert code == 0 and ",a (4711)," in (graded / "x.csv").read_text("utf-8-sig")
    assert ",Lab 2 (12)," in (graded / "x.csv").read_text("utf-8-sig")
    for given in ("c=1", "a", "a="):
        code, said = course(*words, "--force", "--assignment", given)
        assert code == 2 and "expected LAB=ID" in said


def test_an_export_says_when_gradescope_shows_it(course, graded: Path) -> None:
    words = ("export", "gradescope", "--course-dir", graded, "--visibility", "hidden")
    assert course(*words)[0] == 0
    path = graded / "exports" / "gradescope" / "a" / "eva" / "results.json"
    assert json.loads(path.read_text("utf-8"))["visibility"] == "hidden"


def test_what_does_not_read_back_is_said(
    course, graded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grading.export.exact", lambda value: "" if value is None else "1")
    code, said = course("export", "canvas", "--course-dir", graded)
    assert code == 2 and "does not read as the grades that were written" in said


# ---------------------------------------------------------------- doctor


@pytest.mark.parametrize(("vital", "code"), [(True, 1), (False, 0)])
def test_a_doctor_stops_only_for_what_grading_needs(
    course, tiny_course: Path, monkeypatch: pytest.MonkeyPatch, vital: bool, code: int
) -> None:
    lines = [Line("one", "ok", "fine"), Line("two", "attention", "hm", "Look at it.", vital=True),
             Line("three", "missing", "gone", "Get it.", vital)]  # fmt: skip
    monkeypatch.setattr(doctor, "examine", lambda root, url: iter(lines))
    ended, said = course("doctor", "--course-dir", tiny_course)
    assert ended == code
    for words in ("ok        one: fine", "→ Look at it.", "missing   three: gone", "→ Get it."):
        assert words in said
    assert ("Grading cannot work here: three." in said) is vital


def test_a_doctor_looks_at_everything(tiny_course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = iter([Line("sandbox", "ok", "held")])
    monkeypatch.setattr(doctor, "sandboxes", lambda: boxes)
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    parts = {line.part for line in doctor.examine(tiny_course)}
    assert {"Python", "torch", "lock", "MNIST", "digits", "sandbox", "gradebook", "disk",
            "scratch disk", "memory", "typst", "browser"} <= parts  # fmt: skip
