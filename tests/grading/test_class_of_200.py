"""The class of `benchmarks/class_of_200.py`, a small one: from the download to the export."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grading.boxes import BoxError
from grading.sandbox import choose

ROOT = Path(__file__).resolve().parents[2]


def test_a_small_class_gets_the_grades_that_its_answers_imply() -> None:
    try:
        choose("auto", False).close()
    except BoxError as error:
        pytest.skip(str(error))  # strangers' submissions are run in a sandbox or not at all
    command = [sys.executable, "benchmarks/class_of_200.py", "--labs", "mnist", "--students", "5"]
    environment = {k: v for k, v in os.environ.items() if k != "COURSE_DB"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 of 5 grades as the mixture implies." in done.stdout
    for command in ("collect", "grade", "waiting", "score", "feedback", "report", "export canvas"):
        assert f"| `course {command}" in done.stdout
