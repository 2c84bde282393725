"""What a handout holds and what it does not, and that the same sources give the same bytes."""

from __future__ import annotations

import ast
import base64
import csv
import functools
import hashlib
import io
import os
import re
import shutil
import zipfile
from pathlib import Path

import pytest
from likeness import answers, likenesses

from grading import handout as module
from grading.cli_handout import handout as command
from grading.handout import contents, write
from grading.handout_check import try_handout
from grading.notebooks import CourseError
from grading.release import all_labs, source_of
from grading.settings import wheel_name

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "course_utils"
LABS = all_labs(ROOT)
WEIGHTS = {
    "mnist": set(),
    "cfg": set(),
    "unet": {"classifier", "unet"},
    "dit": {"classifier", "unet", "dit"},
    "classifier_guidance": {"classifier", "unet", "diffusion", "noisy_classifier"},
}
EVERYTHING = os.environ.get("COURSE_HANDOUTS") == "1"
"""Run every handout to its end, as `course handout --check` does; without it, this one:"""
SOLVED = ("mnist",)


@pytest.fixture(scope="module")
def handouts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("handouts")


@functools.cache
def packed_files(lab: str) -> tuple[Path, ...]:
    return contents(ROOT, lab).modules


def packed(lab: str) -> set[str]:
    return {path.as_posix() for path in packed_files(lab)}


# ---------------------------------------------------------------- what is in it


@pytest.mark.parametrize("lab", LABS)
def test_no_finished_job_of_this_lab_or_a_later_one(lab: str) -> None:
    found = packed(lab)
    later = LABS[LABS.index(lab) :]
    assert not {f"solved/{name}.py" for name in later} & found
    assert not [name for name in found if name.endswith("_answers.py")]
    assert f"checks/{lab}.py" in found
    others = [f"checks/{name}.py" for name in LABS if name != lab]
    assert not found.intersection(others)


@pytest.mark.parametrize("lab", LABS)
def test_the_weights_that_the_lab_loads_and_no_others(lab: str) -> None:
    files = contents(ROOT, lab).weights
    assert {path.stem for path in files} == WEIGHTS[lab]
    assert {path.suffix for path in files} <= {".safetensors", ".md"}
    assert len(files) == 2 * len(WEIGHTS[lab])


def test_no_module_holds_an_answer_of_this_lab_or_a_later_one() -> None:
    packs = {lab: set(packed_files(lab)) for lab in LABS}
    for later in LABS:
        # Each module once, though several handouts hold it.
        modules = set().union(*(packs[lab] for lab in LABS[: LABS.index(later) + 1]))
        finished = {Path("solved") / f"{lab}.py" for lab in LABS}
        found = likenesses(source_of(ROOT, later), PACKAGE, sorted(modules - finished))
        assert found == []


def test_the_likeness_of_answers_is_seen_under_other_names() -> None:
    for lab in LABS:
        found = likenesses(source_of(ROOT, lab), PACKAGE, [Path("solved") / f"{lab}.py"])
        assert len(found) >= 3, lab
    found = likenesses(source_of(ROOT, "mnist"), PACKAGE, [Path("checks/probe_path.py")])
    assert any("conditional_vector_field in mnist-1-3-answer" in one for one in found)


PLAIN = {"__init__", "__call__", "forward", "dt", "cond_fn"}
# By what a name stands for in a module that a handout holds, where it is no answer.
SAME_NAME = {
    # said to be missing by the base class, or the base class of what is asked for
    *(("paths.py", n) for n in ("sample_conditional_path", "conditional_vector_field")),
    *(("paths.py", "conditional_score"), ("dynamics.py", "drift_coefficient")),
    ("training.py", "get_train_loss"),
    # trains the judge of finished images, which sees no noise
    ("evaluation/classifier.py", "get_train_loss"),
}


def _defined(module: Path) -> set[str]:
    tree = ast.parse((PACKAGE / module).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_no_module_defines_what_students_write() -> None:
    """By name: a function that is called like an answer of this lab or a later one."""
    written = {lab: {one.name for one in answers(source_of(ROOT, lab))} - PLAIN for lab in LABS}
    for number, lab in enumerate(LABS):
        wanted = set().union(*(written[later] for later in LABS[number:]))
        ours = [path for path in packed_files(lab) if path.parts[0] != "solved"]
        found = {(path.as_posix(), name) for path in ours for name in _defined(path) & wanted}
        assert found <= SAME_NAME, lab


def test_a_module_that_needs_finished_jobs_is_refused(
    tmp_path: Path,
) -> None:
    for name in ("course_utils", "notebooks", "solutions"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("weights"))
    guilty = tmp_path / "course_utils" / "dynamics.py"
    guilty.write_text(guilty.read_text("utf-8") + "\nimport course_utils.solved.cfg\n")
    with pytest.raises(CourseError, match=r"dynamics.py imports course_utils.solved.cfg, which"):
        contents(tmp_path, "mnist")
    contents(tmp_path, "unet")  # there it is an earlier lab's


# ---------------------------------------------------------------- the files


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    first, again = write(ROOT, "mnist", tmp_path / "a"), write(ROOT, "mnist", tmp_path / "b")
    assert [path.name for path in first] == ["mnist.zip", wheel_name("mnist")]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


def test_the_zip_has_notebook_wheel_readme_and_pins(handouts: Path) -> None:
    archive, wheel = write(ROOT, "mnist", handouts)
    with zipfile.ZipFile(archive) as opened:
        files = {info.filename: opened.read(info) for info in opened.infolist()}
    names = ("README.md", wheel.name, "mnist.ipynb", "requirements.txt")
    assert set(files) == {f"mnist/{name}" for name in names}
    assert files["mnist/mnist.ipynb"] == (ROOT / "notebooks/mnist/mnist.ipynb").read_bytes()
    assert files[f"mnist/{wheel.name}"] == wheel.read_bytes()
    readme = files["mnist/README.md"].decode()
    for word in ("JupyterLab on your machine", "Google Colab", "Any other Jupyter", wheel.name):
        assert word in readme
    pins = files["mnist/requirements.txt"].decode().splitlines()[1:]
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)?", pin) for pin in pins), pins
    assert {"torch", "torchvision", "jupyterlab", "numpy"} <= {pin.split("==")[0] for pin in pins}


def test_the_wheel_is_sound(handouts: Path) -> None:
    wheel = write(ROOT, "mnist", handouts)[1]
    with zipfile.ZipFile(wheel) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    (record,) = (name for name in files if name.endswith(".dist-info/RECORD"))
    told = {row[0]: row[1] for row in csv.reader(io.StringIO(files[record].decode()))}
    assert set(told) == set(files)
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        assert told[name] in (f"sha256={digest}", "") and (told[name] or name == record)
    modules = {name.removeprefix("course_utils/") for name in files if name.endswith(".py")}
    assert modules == packed("mnist")
    assert any(name.endswith("/LICENSE") for name in files)


def test_a_lock_file_that_lacks_a_package_is_told() -> None:
    project = {"dependencies": ["torch>=2"], "optional-dependencies": {"lab": ["no-such-one"]}}
    with pytest.raises(CourseError, match=r"lacks no-such-one; .* run `make lock`"):
        module.requirements(ROOT, project)


# ---------------------------------------------------------------- the command


def test_dry_run_lists_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(["cfg"], out=tmp_path / "out", root=ROOT, dry_run=True)
    out = capsys.readouterr().out
    assert "cfg: " in out and "  course_utils/checks/cfg.py\n" in out
    assert not (tmp_path / "out").exists()


def test_a_stale_notebook_is_not_packed(tiny_course: Path, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"tiny.ipynb is missing; .* `course release`"):
        command(["tiny"], out=tmp_path / "out", root=tiny_course)
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- does it work


@pytest.mark.parametrize("lab", [lab for lab in LABS if EVERYTHING or lab == "mnist"])
def test_it_runs_to_its_first_job_in_an_empty_folder(lab: str, handouts: Path) -> None:
    tried = try_handout(write(ROOT, lab, handouts)[0])
    assert tried.problems == () and tried.cells >= 5


@pytest.mark.parametrize("lab", [] if EVERYTHING else [lab for lab in LABS if lab not in SOLVED])
def test_it_finds_all_that_it_imports_in_an_empty_folder(lab: str, handouts: Path) -> None:
    tried = try_handout(write(ROOT, lab, handouts)[0], until="setup")
    assert tried.problems == () and tried.cells == 4


@pytest.mark.parametrize("lab", LABS if EVERYTHING else SOLVED)
def test_it_runs_to_its_end_with_the_jobs_solved(lab: str, handouts: Path) -> None:
    source = source_of(ROOT, lab)
    tried = try_handout(write(ROOT, lab, handouts)[0], source, until="end")
    assert tried.problems == () and tried.cells == len(source.cells)


def _without(origin: Path, target: Path, left_out: str, replaced: Path | None = None) -> Path:
    """A copy of a zip without the files that end so, or with another's bytes in their place."""
    with zipfile.ZipFile(origin) as whole, zipfile.ZipFile(target, "w") as other:
        for info in whole.infolist():
            if not info.filename.endswith(left_out):
                other.writestr(info, whole.read(info))
            elif replaced is not None:
                other.writestr(info, replaced.read_bytes())
    return target


def test_a_handout_that_lacks_a_module_is_noticed(tmp_path: Path) -> None:
    archive, wheel = write(ROOT, "cfg", tmp_path)
    poorer = _without(wheel, tmp_path / "poorer.whl", "/paths.py")
    (tmp_path / "poorer").mkdir()
    tried = try_handout(
        _without(archive, tmp_path / "poorer" / "cfg.zip", ".whl", poorer), until="setup"
    )
    assert any("cfg-imports stops with ModuleNotFoundError" in one for one in tried.problems)
