"""`course submit`: the same as the last cell of a lab."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from course_utils.submission import handin
from course_utils.submission.pdf import Pdf
from grading import cli
from grading.notebooks import CourseError

NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"course": {"lab": "cfg"}},
    "cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# A lab"}],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cfg.ipynb").write_text(json.dumps(NOTEBOOK))
    return tmp_path


def test_a_zip_with_a_pdf(folder: Path) -> None:
    done = CliRunner().invoke(cli.app, ["submit", "cfg", "--name", "Ada", "--out", "to"])
    assert done.exit_code == 0 and "cfg_Ada.zip is ready" in done.stdout
    assert (folder / "to" / "cfg_Ada.zip").is_file()


def test_a_zip_without_one_is_exit_code_1(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handin, "make_pdf", lambda *_: Pdf(None, "a reason."))
    done = CliRunner().invoke(cli.app, ["submit", "cfg", "--dry-run"])
    assert done.exit_code == 1 and "There is no PDF: a reason." in done.stdout
    assert not list(folder.glob("*.zip"))


def test_a_refusal_is_an_error_that_the_user_can_mend(folder: Path) -> None:
    done = CliRunner().invoke(cli.app, ["submit", "dit"])
    assert isinstance(done.exception, CourseError) and "of lab cfg" in str(done.exception)
