"""What a submission may see of `course_utils`: enough to run its lab, and no answer to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grading.notebooks import read_notebook
from grading.view import make_view, preload_of

ROOT = Path(__file__).parents[2]
LABS = ("mnist", "cfg", "unet", "dit", "classifier_guidance")
ANSWERS_OF_5 = {f"diffusion/{n}.py" for n in ("conditioning", "losses", "process", "sampling")}


def _view(lab: str, folder: Path) -> set[str]:
    notebook = read_notebook(ROOT / "notebooks" / lab / f"{lab}.ipynb")
    made = make_view(folder / "view", lab, notebook) / "course_utils"
    return {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()}


@pytest.mark.parametrize("lab", LABS)
def test_no_answer_to_this_lab_or_a_later_one(lab: str, tmp_path: Path) -> None:
    seen = _view(lab, tmp_path)
    later = LABS[LABS.index(lab) :]
    assert not {f"solved/{name}.py" for name in later} & seen
    assert not ANSWERS_OF_5 & seen
    checks = {name for name in seen if name.startswith("checks/")}
    assert checks == {f"checks/{n}.py" for n in ("__init__", "core", "exchange", lab)}


def test_what_every_kernel_imports_is_told(tmp_path: Path) -> None:
    _view("cfg", tmp_path)
    told = preload_of(tmp_path / "view")
    assert {"course_utils.checks.cfg", "course_utils.solved.mnist", "course_utils.dynamics"} < set(
        told
    )
    assert not any(":" in name for name in told)  # a lab without images
    assert preload_of(tmp_path) == ()
    view = make_view(tmp_path / "unet", "unet", read_notebook(ROOT / "notebooks/unet/unet.ipynb"))
    called = {name for name in preload_of(view) if ":" in name}
    assert called == {
        "course_utils.mnist:MNISTSampler",
        "course_utils.evaluation:reference:mnist",
        "course_utils.evaluation:reference:digits",
    }


@pytest.mark.parametrize("lab", LABS)
def test_the_lab_finds_all_that_it_imports(lab: str, tmp_path: Path) -> None:
    _view(lab, tmp_path)
    notebook = read_notebook(ROOT / "notebooks" / lab / f"{lab}.ipynb")
    lines = "\n".join(c.source for c in notebook.cells if c.cell_type == "code").split("\n")
    wanted = [
        line for line in lines if line.startswith(("from course_utils", "import course_utils"))
    ]
    code = "\n".join([*wanted, "check(1)", "assert course_utils.__file__.startswith(HERE)"])
    run = subprocess.run(
        [sys.executable, "-c", f"import course_utils; HERE = {str(tmp_path)!r}\n{code}"],
        env={"PYTHONPATH": str(tmp_path / "view"), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=120, cwd=tmp_path,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.strip() == "Checked by the grader."
