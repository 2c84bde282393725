"""course_utils.runtime: device, seed, budget, the setup line, progress bars, the MPS notices."""

import importlib
import os
import random
import sys
import threading
import types
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

import course_utils
from course_utils import runtime


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr(runtime, "_said", set())
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # put back afterwards


def on_a_machine_with(monkeypatch, *kinds, cuda_devices=1):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in kinds)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda_devices)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in kinds)


@pytest.mark.parametrize(
    ("kinds", "expected"), [(("cuda", "mps"), "cuda"), (("mps",), "mps"), ((), "cpu")]
)
def test_device_is_the_fastest_one_present(monkeypatch, kinds, expected):
    on_a_machine_with(monkeypatch, *kinds)
    assert runtime.device().type == expected


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:1", " CUDA "])
def test_course_device_overrides(monkeypatch, name):
    on_a_machine_with(monkeypatch, "cuda", cuda_devices=2)
    monkeypatch.setenv("COURSE_DEVICE", name)
    assert runtime.device() == torch.device(name.strip().lower())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tpu", "Unknown device: COURSE_DEVICE='tpu'; expected one of cuda, cpu"),
        ("cuda:x", "Unknown device"),
        ("cuda:", "Unknown device"),
        ("mps", "no mps"),
        ("cuda:2", "2 device"),
        ("cpu:1", "1 device"),
    ],
)
def test_a_wrong_course_device_says_what_this_machine_has(monkeypatch, name, message):
    on_a_machine_with(monkeypatch, "cuda", cuda_devices=2)
    monkeypatch.setenv("COURSE_DEVICE", name)
    with pytest.raises(ValueError, match=message):
        runtime.device()


def draws():
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_set_seed_seeds_every_generator():
    runtime.set_seed(3)
    first = draws()
    draws()
    runtime.set_seed(3)
    assert draws() == first
    runtime.set_seed(4)
    assert all(a != b for a, b in zip(draws(), first, strict=True))


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_set_seed_refuses_what_numpy_would(seed):
    with pytest.raises(ValueError, match=f"seed={seed}; expected"):
        runtime.set_seed(seed)


@pytest.mark.parametrize(
    ("given", "expected"), [("smoke", 1), ("laptop", 2), ("FULL", 3), ("", 2), (None, 2)]
)
def test_budget(monkeypatch, given, expected):
    monkeypatch.delenv("COURSE_BUDGET")
    if given is not None:
        monkeypatch.setenv("COURSE_BUDGET", given)
    assert runtime.by_budget(smoke=1, laptop=2, full=3) == expected
    assert runtime.budget() == ("smoke", "laptop", "full")[expected - 1]


def test_an_unknown_budget_names_the_three(monkeypatch):
    monkeypatch.setenv("COURSE_BUDGET", "huge")
    with pytest.raises(ValueError, match=r"'huge'; expected smoke .*laptop .*full"):
        runtime.budget()


def test_in_colab(monkeypatch):
    monkeypatch.delenv("COLAB_RELEASE_TAG", raising=False)
    assert not runtime.in_colab()
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    assert runtime.in_colab()


def test_setup_seeds_and_prints_one_line(capfd, monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    assert runtime.setup("cfg", seed=7) == torch.device("cpu")
    after_setup = draws()
    out, err = capfd.readouterr()
    assert err == "" and out.count("\n") == 1
    for part in ("cfg", "seed 7", torch.__version__):
        assert part in out
    runtime.set_seed(7)
    assert draws() == after_setup


# -------------------------------------------------------------------------------------- progress


def test_progress_is_silent_under_the_smoke_budget(capfd):
    assert list(runtime.progress([3, 4], "steps")) == [3, 4]
    bar = runtime.progress(2, "steps")
    bar.update()
    bar.set_postfix_str("loss 1")
    bar.close()
    assert list(bar) == [0, 1]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("budget", "wish"), [("laptop", ""), ("smoke", "1")])
def test_progress_goes_to_stdout(capfd, monkeypatch, budget, wish):
    monkeypatch.setenv("COURSE_BUDGET", budget)
    monkeypatch.setenv("COURSE_PROGRESS", wish)
    assert list(runtime.progress([3, 4], "steps")) == [3, 4]
    out, err = capfd.readouterr()
    assert "steps" in out and "2/2" in out and err == ""


def test_course_progress_0_silences_it(capfd, monkeypatch):
    monkeypatch.setenv("COURSE_BUDGET", "full")
    monkeypatch.setenv("COURSE_PROGRESS", "0")
    assert list(runtime.progress(2, "steps")) == [0, 1]
    assert capfd.readouterr() == ("", "")


def test_progress_counts_from_initial_and_starts_no_thread(capfd, monkeypatch):
    monkeypatch.setenv("COURSE_BUDGET", "laptop")
    before = threading.active_count()
    bar = runtime.progress(10, "steps", initial=6)
    bar.set_postfix_str("loss 0.5", refresh=False)
    bar.update(2)
    assert threading.active_count() == before
    bar.close()
    out, err = capfd.readouterr()
    assert "8/10" in out and "loss 0.5" in out and err == ""


def test_progress_is_a_widget_in_a_notebook_kernel(capfd, monkeypatch):
    notebook = types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace(kernel=object()))
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    assert runtime._has_widgets()
    terminal = types.SimpleNamespace(get_ipython=lambda: object())
    monkeypatch.setitem(sys.modules, "IPython", terminal)
    assert not runtime._has_widgets()


# ------------------------------------------------------------------------------------------- MPS

FALLBACK = (
    "The operator 'aten::nonzero' is not currently supported on the MPS backend and will fall "
    "back to run on the CPU. This may have performance implications."
)


def test_the_mps_fallback_becomes_one_notice_on_stdout(capfd, monkeypatch):
    on_a_machine_with(monkeypatch, "mps")
    monkeypatch.setattr(course_utils, "torch_was_first", False)
    monkeypatch.setattr(warnings, "filters", [("always", None, Warning, None, 0)])
    runtime.device()
    runtime.device()  # a second call must not wrap the wrapper
    warnings.warn(FALLBACK, UserWarning, stacklevel=1)
    warnings.warn(FALLBACK.replace("nonzero", "sort"), UserWarning, stacklevel=1)
    out, err = capfd.readouterr()
    assert out.count("\n") == 1 and "runs on the CPU instead" in out and err == ""


def test_other_warnings_pass_unchanged(monkeypatch):
    shown = []
    monkeypatch.setattr(warnings, "showwarning", lambda *args, **kwargs: shown.append(args[0]))
    on_a_machine_with(monkeypatch, "mps")
    runtime.device()
    warnings.showwarning(UserWarning("something else"), UserWarning, "file.py", 1)
    assert [str(message) for message in shown] == ["something else"]


def test_on_mps_a_torch_imported_first_is_said_once(capfd, monkeypatch):
    on_a_machine_with(monkeypatch, "mps")
    monkeypatch.setattr(course_utils, "torch_was_first", True)
    runtime.device()
    runtime.device()
    assert capfd.readouterr().out.count("import course_utils first") == 1


@pytest.mark.parametrize(
    ("platform", "before", "torch_first", "after", "told"),
    [
        ("darwin", None, False, "1", False),
        ("darwin", None, True, "1", True),
        ("darwin", "0", True, "0", False),  # the student's own choice stands
        ("linux", None, True, None, False),
    ],
)
def test_importing_course_utils_sets_the_fallback(
    monkeypatch, platform, before, torch_first, after, told
):
    monkeypatch.setattr(course_utils, "torch_was_first", course_utils.torch_was_first)
    name = "PYTORCH_ENABLE_MPS_FALLBACK"
    monkeypatch.setenv(name, "to be restored")
    monkeypatch.delenv(name)
    if before is not None:
        monkeypatch.setenv(name, before)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", platform)
        if not torch_first:
            patch.delitem(sys.modules, "torch")
        importlib.reload(course_utils)
    assert os.environ.get(name) == after
    assert course_utils.torch_was_first is told


def test_fast_precision_is_the_faster_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for fast in ("float32", "bfloat16"):
        seconds = {torch.float32: 1.0, torch.bfloat16: 0.5 if fast == "bfloat16" else 80.0}
        monkeypatch.setattr(runtime, "_matmul_seconds", seconds.__getitem__)
        assert runtime.fast_precision(torch.device("cpu")) == fast
    assert runtime.fast_precision(torch.device("mps")) == "float32"


def test_fast_precision_tries_on_this_machine() -> None:
    assert runtime.fast_precision(torch.device("cpu")) in ("float32", "bfloat16")


def test_the_machine_has_cores_and_a_name() -> None:
    told = runtime.machine(torch.device("cpu"))
    assert told.startswith(f"{os.cpu_count()} cores of ") and len(told) > len("2 cores of ")


class TestWhereRunsGo:
    def test_beside_the_notebook_or_where_one_says(self, monkeypatch):
        monkeypatch.delenv("COLAB_RELEASE_TAG", raising=False)
        monkeypatch.delenv("COURSE_RUNS", raising=False)
        assert runtime.runs_dir() == Path("runs")
        monkeypatch.setenv("COURSE_RUNS", "/elsewhere")
        assert runtime.runs_dir() == Path("/elsewhere")

    def test_on_colab_into_the_drive_that_is_mounted(self, monkeypatch, tmp_path, capsys):
        monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
        monkeypatch.delenv("COURSE_RUNS", raising=False)
        monkeypatch.setattr(runtime, "DRIVE", tmp_path)
        assert runtime.runs_dir() == tmp_path / "generative-models" / "runs"
        assert not capsys.readouterr().out

    def test_on_colab_without_a_drive_it_is_said_once_how_to_keep_them(
        self, monkeypatch, tmp_path, capsys
    ):
        monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
        monkeypatch.delenv("COURSE_RUNS", raising=False)
        monkeypatch.setattr(runtime, "DRIVE", tmp_path / "absent")
        monkeypatch.setattr(runtime, "_said", set())
        assert runtime.runs_dir() == runtime.runs_dir() == Path("runs")
        assert capsys.readouterr().out.count("drive.mount(") == 1
