from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from grading import cli

COMMANDS = ("release", "jobs", "grade", "feedback", "report", "demo", "handout")


def course(*arguments: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run the command in this process: exit code, stdout, stderr."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", ["course", *map(str, arguments)])
        cli.main()
        raise SystemExit(0)
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, shown.err


def test_release_check_tells_stale_from_fresh(
    tiny_course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = course("release", "--check", "--root", tiny_course, capsys=capsys)
    assert code == 1 and "notebooks/tiny/tiny.ipynb is missing" in out and "course release" in out
    code, out, _ = course("release", "--root", tiny_course, capsys=capsys)
    assert code == 0 and "wrote notebooks/tiny/tiny.ipynb (it was missing)" in out
    code, out, _ = course("release", "--check", "--root", tiny_course, capsys=capsys)
    assert code == 0


def test_jobs_as_json_and_as_a_table(tiny_course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = course("jobs", "--json", "--root", tiny_course, capsys=capsys)
    assert code == 0 and [job["number"] for job in json.loads(out)["labs"][0]["jobs"]] == [
        "1.1",
        "1.2",
        "1.3",
    ]
    code, out, _ = course("jobs", "--root", tiny_course, capsys=capsys)
    assert code == 0 and "Draw a line" in out and "●○○" in out


@pytest.mark.parametrize("command", ["release", "jobs"])
def test_an_unknown_lab_is_one_message_and_code_2(
    command: str, tiny_course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = course(command, "tinny", "--root", tiny_course, capsys=capsys)
    assert code == 2 and "Did you mean tiny?" in err and "Traceback" not in err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = course(command, "--help", capsys=capsys)
    assert code == 0 and f"Example: course {command}" in " ".join(out.split())


def test_help_does_not_wait_for_torch_or_nbgrader() -> None:
    script = (
        "import sys; import grading.cli; "
        "print([name for name in ('torch', 'nbgrader', 'nbconvert') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
