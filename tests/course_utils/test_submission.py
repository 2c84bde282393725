"""Handing in: the right notebook, one zip, and a word about everything else."""

import json
import os
import sys
import time
import types
import zipfile
from pathlib import Path
from typing import Any

import pytest
from handed_in import code, finished, notebook, save, solved, submit_cell, written

from course_utils.submission import RefusedError, finding, hand_in, handin, submit
from course_utils.submission.__main__ import main
from course_utils.submission.finding import ago, is_behind
from course_utils.submission.handin import write_whole, zip_name
from course_utils.submission.notebook import read
from course_utils.submission.pdf import Pdf


@pytest.fixture(autouse=True)
def _a_students_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("COURSE_BUDGET", "NBGRADER_EXECUTION", "NBGRADER_VALIDATING", "JPY_SESSION_NAME",
                 "COLAB_RELEASE_TAG"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def no_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without the extra: quick."""
    monkeypatch.setattr(handin, "make_pdf", lambda *_: Pdf(None, "it needs more software."))


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """A stand-in for the shell of a notebook's kernel; `history` is what it ran."""
    manager = types.SimpleNamespace(input_hist_raw=["", 'submit("cfg")'])
    shell = types.SimpleNamespace(kernel=object(), user_ns={}, history_manager=manager)
    monkeypatch.setattr(finding, "_shell", lambda: shell)
    return shell


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


# ---------------------------------------------------------------- the zip


def test_the_zip_holds_the_notebook_as_it_was_saved_and_its_pdf(tmp_path: Path) -> None:
    saved = save(finished(), tmp_path / "cfg.ipynb")
    handed = hand_in("cfg", name="Ada Lovelace")
    assert handed.path == tmp_path / "cfg_Ada-Lovelace.zip" and handed.warnings == ()
    with zipfile.ZipFile(handed.path) as archive:
        assert archive.namelist() == ["cfg/cfg.ipynb", "cfg.pdf"]
        assert archive.read("cfg/cfg.ipynb") == saved.read_bytes()
        assert archive.read("cfg.pdf").startswith(b"%PDF") and archive.testzip() is None
    assert "cfg_Ada-Lovelace.zip is ready" in str(handed) and "a PDF of 1 page." in str(handed)
    assert names(tmp_path) == ["cfg.ipynb", "cfg_Ada-Lovelace.zip"]


def test_the_grader_takes_what_the_zip_holds(tmp_path: Path, no_pdf: None) -> None:
    from grading.intake import choose_file, lab_in, read_submission

    save(finished(), tmp_path / "work" / "renamed (1).ipynb")
    handed = hand_in("cfg", tmp_path / "work" / "renamed (1).ipynb")
    assert handed.path is not None
    with zipfile.ZipFile(handed.path) as archive:
        archive.extractall(tmp_path / "submitted" / "ada")
    folder = tmp_path / "submitted" / "ada" / "cfg"
    choice = choose_file(names(folder), "cfg")
    assert choice is not None and (choice.name, choice.note) == ("cfg.ipynb", None)
    data, notes = (folder / "cfg.ipynb").read_bytes(), []
    assert lab_in(data) == "cfg" and len(read_submission(data, notes).cells) == 5 and not notes


def test_without_a_pdf_the_zip_says_why(tmp_path: Path, no_pdf: None) -> None:
    save(finished(), tmp_path / "cfg.ipynb")
    handed = hand_in("cfg")
    assert handed.path is not None
    with zipfile.ZipFile(handed.path) as archive:
        assert archive.namelist() == ["cfg/cfg.ipynb", "cfg-no-pdf.txt"]
        assert b"it needs more software." in archive.read("cfg-no-pdf.txt")
    assert "and no PDF." in str(handed) and "There is no PDF: it needs more" in str(handed)


def test_replacing_a_zip_is_said(tmp_path: Path, no_pdf: None) -> None:
    save(finished(), tmp_path / "cfg.ipynb")
    assert "in place of" not in str(hand_in("cfg"))
    assert "in place of the one that was there" in str(hand_in("cfg"))


def test_a_dry_run_writes_nothing(tmp_path: Path, no_pdf: None) -> None:
    save(finished(), tmp_path / "cfg.ipynb")
    assert str(hand_in("cfg", dry_run=True)).startswith("Nothing was written: the zip would hold")
    assert names(tmp_path) == ["cfg.ipynb"]


def test_what_is_unfinished_is_told_and_handed_in_all_the_same(
    tmp_path: Path, no_pdf: None
) -> None:
    stub = 'raise NotImplementedError("Your job 2.1")'
    save(notebook(solved(stub), written("YOUR ANSWER HERE"), submit_cell()), tmp_path / "cfg.ipynb")
    handed = hand_in("cfg")
    assert handed.path is not None and handed.path.exists()
    assert "Look at this before you hand it in:\n  · Job 2.1 is not done yet." in str(handed)


def test_an_old_file_gets_a_reminder(tmp_path: Path, no_pdf: None) -> None:
    path = save(finished(), tmp_path / "cfg.ipynb")
    assert "saved just now" in str(hand_in("cfg")) and "after that" not in str(hand_in("cfg"))
    age(path, 7_300)
    assert "saved 2 hours ago" in str(hand_in("cfg")) and "after that" in str(hand_in("cfg"))
    assert [ago(s) for s in (3.0, 61.0, 86_401.0)] == ["just now", "1 minute ago", "1 day ago"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", "cfg.zip"),
        ("Ada Lovelace", "cfg_Ada-Lovelace.zip"),
        ("  José Ñandú/../x ", "cfg_Jose-Nandu-x.zip"),
        ("smith_123: a*b?", "cfg_smith-123-a-b.zip"),
        ("王伟", "cfg_王伟.zip"),
        ("///", "cfg.zip"),
        ("x" * 300, f"cfg_{'x' * 60}.zip"),
    ],
)
def test_names_that_every_course_site_takes(name: str, expected: str) -> None:
    assert zip_name("cfg", name) == expected


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "cfg.zip"
    target.write_bytes(b"old")

    def full(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RefusedError, match=r"could not be written \(No space left on device\)"):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old" and names(tmp_path) == ["cfg.zip"]


# ---------------------------------------------------------------- which notebook


def test_refusals_change_nothing(tmp_path: Path) -> None:
    save(finished("mnist"), tmp_path / "cfg.ipynb")
    for lab, why in (("cfg", "lab 'mnist'"), ("../cfg", "no lab's name"), ("dit", "No saved")):
        with pytest.raises(RefusedError, match=why):
            hand_in(lab)
    with pytest.raises(RefusedError, match=r"cannot be read \(No such file"):
        hand_in("cfg", tmp_path / "gone.ipynb")
    assert names(tmp_path) == ["cfg.ipynb"]


def test_a_notebook_under_another_name_is_found_by_what_it_says(
    tmp_path: Path, no_pdf: None
) -> None:
    save(finished("mnist"), tmp_path / "a.ipynb")
    (tmp_path / "broken.ipynb").write_text("{")
    with pytest.raises(RefusedError, match="The notebooks here are of lab mnist"):
        hand_in("cfg")
    age(save(finished(), tmp_path / "cfg-Copy1.ipynb"), 100)
    assert "is called cfg-Copy1.ipynb and not cfg.ipynb" in hand_in("cfg").warnings[0]
    save(finished(), tmp_path / "b.ipynb")
    assert hand_in("cfg").warnings[0] == "2 notebooks here are lab 'cfg'; b.ipynb was saved last."


def test_the_course_folders_own_places_are_looked_at(tmp_path: Path, no_pdf: None) -> None:
    path = save(finished(), tmp_path / "notebooks" / "cfg" / "cfg.ipynb")
    assert hand_in("cfg").path == path.with_name("cfg.zip")
    assert hand_in("cfg", out=tmp_path / "new" / "place").path == tmp_path / "new/place/cfg.zip"


@pytest.mark.parametrize("front_end", ["jupyter", "vscode"])
def test_the_kernels_own_notebook_comes_first(
    front_end: str,
    tmp_path: Path,
    no_pdf: None,
    kernel: types.SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save(finished(), tmp_path / "cfg.ipynb")
    mine = str(save(finished(), tmp_path / "mine" / "my lab.ipynb"))
    if front_end == "jupyter":
        monkeypatch.setenv("JPY_SESSION_NAME", mine)
    else:
        kernel.user_ns["__vsc_ipynb_file__"] = mine
    assert hand_in("cfg").path == tmp_path / "mine" / "cfg.zip"
    Path(mine).unlink()  # renamed since the kernel was started
    assert hand_in("cfg").path == tmp_path / "cfg.zip"


# ---------------------------------------------------------------- saved or not


def saved(*cells: dict[str, Any]) -> Any:
    return read(json.dumps(notebook(*cells)).encode(), "cfg.ipynb")


HISTORY = ["", "a = 1", "b = 2\n", 'submit("cfg")']


@pytest.mark.parametrize(
    ("history", "cells", "behind"),
    [
        (HISTORY, [code("a = 1", 1), code("b = 2", 2)], False),
        (HISTORY, [code("a = 1", 1), code("b = 2", None)], True),
        (HISTORY, [code("a = 1", 1), code("b = 3", 2)], True),
        (HISTORY, [code("a = 1", 1)], True),
        ([*HISTORY, 'submit("cfg")'], [code("b = 2", 2)], False),
        ([*HISTORY[:3], "", 'submit("cfg")'], [code("b = 2", 2)], False),
        (["", 'submit("cfg")'], [code("a = 1", None)], False),
        ([], [], False),
    ],
)
def test_whether_the_file_is_behind_the_kernel(
    history: list[str], cells: list[dict[str, Any]], behind: bool
) -> None:
    assert is_behind(history, saved(*cells), "cfg") is behind


def test_a_file_that_is_behind_is_not_handed_in(
    tmp_path: Path, no_pdf: None, kernel: types.SimpleNamespace
) -> None:
    path = save(finished(), tmp_path / "cfg.ipynb")
    kernel.history_manager.input_hist_raw = ["", "new = 1", 'submit("cfg")']
    assert "does not stand in the saved notebook" in hand_in("cfg").warnings[0]
    age(path, 300)
    with pytest.raises(RefusedError, match=r"last saved 5 minutes ago.*Save it now \(Ctrl\+S"):
        hand_in("cfg")
    assert hand_in("cfg", path).path  # named by hand: somebody means this file


# ---------------------------------------------------------------- Colab


@pytest.fixture
def colab(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """A stand-in for Colab's module: what it hands out, and what was downloaded."""
    state = types.SimpleNamespace(answer={"ipynb": finished()}, downloads=[])

    def blocking_request(kind: str, request: str, timeout_sec: int) -> Any:
        assert kind == "get_ipynb"
        if state.answer is None:
            raise TimeoutError
        return state.answer

    package = types.ModuleType("google.colab")
    package._message = types.SimpleNamespace(blocking_request=blocking_request)  # type: ignore[attr-defined]
    package.files = types.SimpleNamespace(download=state.downloads.append)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", package)
    return state


def test_in_colab_the_page_hands_out_the_notebook(
    tmp_path: Path,
    no_pdf: None,
    kernel: types.SimpleNamespace,
    colab: types.SimpleNamespace,
    capsys: pytest.CaptureFixture[str],
) -> None:
    submit("cfg")
    said = capsys.readouterr().out
    assert "holds the notebook as it stands and no PDF" in said
    assert colab.downloads == [str(tmp_path / "cfg.zip")]
    with zipfile.ZipFile(tmp_path / "cfg.zip") as archive:
        assert json.loads(archive.read("cfg/cfg.ipynb")) == finished()


def test_a_colab_that_hands_out_nothing_says_how_else(
    tmp_path: Path,
    no_pdf: None,
    kernel: types.SimpleNamespace,
    colab: types.SimpleNamespace,
    capsys: pytest.CaptureFixture[str],
) -> None:
    colab.answer = None
    submit("cfg")
    assert "choose File > Download > Download .ipynb" in capsys.readouterr().out
    save(finished(), tmp_path / "cfg.ipynb")  # uploaded by hand
    submit("cfg")
    assert "cfg.zip is ready" in capsys.readouterr().out


# ---------------------------------------------------------------- the cell and the terminal


@pytest.mark.parametrize(
    "setting", ["COURSE_BUDGET=smoke", "NBGRADER_EXECUTION=autograde", "NBGRADER_VALIDATING=1"]
)
def test_graders_and_tests_write_nothing(
    setting: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save(finished(), tmp_path / "cfg.ipynb")
    monkeypatch.setenv(*setting.split("="))
    submit("cfg")
    out, err = capsys.readouterr()
    assert out.startswith("Nothing is handed in") and out.count("\n") == 1 and err == ""
    assert names(tmp_path) == ["cfg.ipynb"]


def test_the_cell_prints_a_refusal_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit("cfg", notebook=str(tmp_path / "gone.ipynb"))
    out, err = capsys.readouterr()
    assert out.startswith("Nothing was written. ") and err == ""


def test_the_cell_takes_a_folder_and_a_name(
    tmp_path: Path, no_pdf: None, capsys: pytest.CaptureFixture[str]
) -> None:
    save(finished(), tmp_path / "cfg.ipynb")
    submit("cfg", out="somewhere", name="Ada")
    assert (tmp_path / "somewhere" / "cfg_Ada.zip").exists()
    assert "is ready" in capsys.readouterr().out


def test_the_terminal_says_by_its_exit_code_what_came_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cfg"]) == 2
    assert capsys.readouterr().err.startswith("Nothing was written. No saved notebook")
    save(finished(), tmp_path / "cfg.ipynb")
    assert main(["cfg", "--dry-run"]) == 0
    assert not (tmp_path / "cfg.zip").exists()
    monkeypatch.setattr(handin, "make_pdf", lambda *_: Pdf(None, "a reason."))
    assert main(["cfg", "--name", "Ada"]) == 1
    assert "cfg_Ada.zip is ready" in capsys.readouterr().out
