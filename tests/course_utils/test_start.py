"""The end of the first cell: what it says, what it fetches, and how it says what is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from course_utils import start as module
from course_utils.start import LARGE, SMALL, TORCH, SetupError, start

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names that are taken for missing."""
    names: set[str] = set()
    monkeypatch.setattr(module, "find_spec", lambda name: None if name in names else object())
    return names


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Stands in for pip: keeps the commands, and fails if it is told to."""
    seen = SimpleNamespace(commands=[], code=0, stderr="")

    def run(command: list[str], **options: object) -> SimpleNamespace:
        seen.commands.append(command)
        return SimpleNamespace(returncode=seen.code, stderr=seen.stderr)

    monkeypatch.setattr(subprocess, "run", run)
    return seen


def test_one_line_with_what_was_done_how_long_it_took_and_on_what(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    start("cfg", "course_utils found in here", time.perf_counter())
    out, err = capfd.readouterr()
    assert not err
    line = (
        r"Lab cfg is ready: course_utils found in here \(\d+\.\d s\) · device cpu · budget smoke\n"
    )
    assert re.fullmatch(line, out)


def test_what_is_small_and_missing_goes_beside_the_course(
    lacking: set[str], pip: SimpleNamespace, capfd: pytest.CaptureFixture[str]
) -> None:
    lacking |= {"jaxtyping", "wadler_lindig"}
    start("cfg", "fetched", time.perf_counter(), target="course-cfg")
    (command,) = pip.commands
    assert command[:4] == [sys.executable, "-m", "pip", "install"] and "--no-deps" in command
    assert command[-4:] == ["--target", "course-cfg", *SMALL["jaxtyping"]]
    assert "fetched, and fetched jaxtyping, wadler-lindig (" in capfd.readouterr().out


def test_without_a_folder_pip_chooses_one(lacking: set[str], pip: SimpleNamespace) -> None:
    lacking |= {"einops"}
    start("cfg", "found", time.perf_counter())
    assert "--target" not in pip.commands[0]


def test_nothing_missing_nothing_run(pip: SimpleNamespace) -> None:
    start("cfg", "found", time.perf_counter())
    assert pip.commands == []


def test_torch_is_never_fetched(lacking: set[str], pip: SimpleNamespace) -> None:
    lacking |= {"torch", "sklearn", "einops"}
    with pytest.raises(SetupError) as told:
        start("cfg", "found", time.perf_counter())
    assert pip.commands == []
    assert "lacks scikit-learn, torch. " in str(told.value)
    assert "`pip install scikit-learn torch`" in str(told.value)
    assert not {"torch", "torchvision", "numpy"} & set(SMALL)


def test_no_network_is_one_sentence(lacking: set[str], pip: SimpleNamespace) -> None:
    lacking |= {"einops"}
    pip.code, pip.stderr = 1, "WARNING: Retrying\nERROR: No matching distribution found\n"
    with pytest.raises(SetupError) as told:
        start("cfg", "found", time.perf_counter())
    assert "'einops>=0.7' (No matching distribution found). Is there a network?" in str(told.value)
    assert told.value._render_traceback_() == [str(told.value)]


@pytest.mark.parametrize("version", ["1.13.1", "2.1.2+cu118"])
def test_a_torch_too_old_is_told(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: version)
    with pytest.raises(SetupError, match=f"torch is {re.escape(version)} here, .* 2.2 or newer"):
        start("cfg", "found", time.perf_counter())


@pytest.mark.parametrize("version", ["2.2.0", "2.15.0+cu130", "3.0"])
def test_a_newer_torch_is_fine(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: version)
    start("cfg", "found", time.perf_counter())


def test_a_setting_that_makes_no_sense_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_BUDGET", "huge")
    with pytest.raises(SetupError, match="COURSE_BUDGET='huge'; expected smoke"):
        start("cfg", "found", time.perf_counter())


def test_a_torch_that_does_not_start_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("operator torchvision::nms does not exist\nand much more")

    from course_utils import runtime

    monkeypatch.setattr(runtime, "device", broken)
    with pytest.raises(SetupError, match=r"does not start here .*nms does not exist\)"):
        start("cfg", "found", time.perf_counter())


def test_it_knows_what_the_course_requires() -> None:
    """Each dependency of pyproject.toml is small or large, with the same bounds."""
    lines = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    small = [one for these in SMALL.values() for one in these if one != "wadler-lindig"]
    large = [line for line in lines if re.split("[>=]", line)[0] in LARGE.values()]
    assert sorted([*small, *large]) == sorted(lines) and len(large) == len(LARGE)
    assert f"torch>={'.'.join(map(str, TORCH))}" in lines


@pytest.mark.parametrize(
    ("built_for", "smi", "told"), [(None, "/x", 1), (None, None, 0), ("12", "/x", 0)]
)
def test_a_torch_that_cannot_see_the_gpu_is_told(
    built_for: str | None,
    smi: str | None,
    told: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    monkeypatch.setattr(torch.version, "cuda", built_for)
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setattr(module.shutil, "which", lambda name: smi)
    start("cfg", "found", time.perf_counter())
    assert capsys.readouterr().out.count("torch was built for the CPU alone") == told


@pytest.mark.parametrize("home", ["a folder", "a file", "nowhere"])
def test_a_home_that_cannot_be_written_is_no_trouble(home: str, tmp_path: Path) -> None:
    """No complaint of matplotlib's on stderr; and in a usual home nothing is changed."""
    place = tmp_path / "home"
    if home == "a folder":
        place.mkdir()
    elif home == "a file":  # which refuses even the superuser
        place.write_text("")
    else:
        place = Path("/proc/nobody")
    code = (
        "import os, time; from course_utils.start import start; start('cfg', 'x', time.time());"
        "import matplotlib; print(matplotlib.get_configdir(), 'MPLCONFIGDIR' in os.environ)"
    )
    unset = {"MPLCONFIGDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {"HOME": str(place), "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path
    )
    assert done.returncode == 0 and not done.stderr
    said = done.stdout.splitlines()[1]
    usual = f"{place}/.config/matplotlib False"
    assert said == usual if home == "a folder" else said.startswith(f"{tmp_path}/matplotlib-")
