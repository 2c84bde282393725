"""Every solution notebook runs through nbval: on the embedded digits, and on MNIST where it is."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
LABS = sorted(path.parent.name for path in ROOT.glob("solutions/*/*.ipynb"))
DATA = os.environ.get("COURSE_DATA")
HAS_MNIST = bool(DATA) and Path(DATA, "MNIST", "raw").is_dir()


def run_nbval(
    notebook: Path, settings: dict[str, str], folder: Path
) -> subprocess.CompletedProcess:
    """nbval in a process of its own: its cells must not meet this run's pytest options."""
    command = [
        *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--noconftest"),
        *("--rootdir", str(folder), "-c", os.devnull),
        *("--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", "120"),
        *("--nbval-kernel-name", "python3", str(notebook)),
    ]
    environment = {key: value for key, value in os.environ.items() if key != "COURSE_DATA"}
    # One thread: two kernels on two cores would otherwise wait for each other.
    environment |= {"COURSE_BUDGET": "smoke", "COURSE_PROGRESS": "0", "OMP_NUM_THREADS": "1"}
    environment |= settings
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)


@pytest.mark.parametrize("lab", LABS)
@pytest.mark.parametrize(
    "data",
    [
        "digits",
        pytest.param(
            "mnist",
            marks=[
                pytest.mark.mnist,
                pytest.mark.skipif(not HAS_MNIST, reason="COURSE_DATA has no MNIST"),
            ],
        ),
    ],
)
def test_every_cell_of_a_solution_runs(lab: str, data: str, tmp_path: Path) -> None:
    settings = {"COURSE_OFFLINE": "1"} if data == "digits" else {"COURSE_DATA": str(DATA)}
    done = run_nbval(ROOT / f"solutions/{lab}/{lab}.ipynb", settings, tmp_path)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout and "failed" not in done.stdout


def test_nbval_notices_a_failing_check(tmp_path: Path) -> None:
    """A wrong solution must fail the run above: checks raise, and solutions are not excused."""
    notebook = nbformat.read(ROOT / "solutions/mnist/mnist.ipynb", 4)
    last = next(i for i, cell in enumerate(notebook.cells) if cell.id == "mnist-1-1-check")
    notebook.cells = notebook.cells[: last + 1]
    answer = next(cell for cell in notebook.cells if cell.id == "mnist-1-1-answer")
    assert "torch.sin(math.pi / 2 * t)" in answer.source
    answer.source = answer.source.replace("torch.sin(math.pi / 2 * t)", "t**2")
    target = tmp_path / "mnist.ipynb"
    nbformat.write(notebook, target)
    done = run_nbval(target, {"COURSE_OFFLINE": "1"}, tmp_path)
    assert done.returncode == 1 and "1 failed" in done.stdout and "Bend the schedule" in done.stdout
