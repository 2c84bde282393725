"""Running one notebook: its surroundings, its limits, and its end."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from grading.execute import Limits, kernel_environment, limit_lines, run_notebook


def test_kernel_environment_is_chosen_not_inherited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("COURSE_DB", "postgresql://teacher:password@host/course")
    environment = kernel_environment(tmp_path, "mark", {"COURSE_BUDGET": "smoke"})
    assert not {"PYTHONPATH", "AWS_SECRET_ACCESS_KEY", "COURSE_DB"} & set(environment)
    assert environment["COURSE_BUDGET"] == "smoke"
    assert environment["OMP_NUM_THREADS"] == "1"
    assert "PATH" in environment


def test_nothing_that_a_notebook_started_survives() -> None:
    source = (
        "import psutil, subprocess, sys\n"
        "late = [sys.executable, '-c', 'import time; time.sleep(300)']\n"
        "subprocess.Popen(late)\n"
        "subprocess.Popen(late, start_new_session=True)\n"
        "print(*[p.pid for p in psutil.Process().children()])\n"
    )
    notebook = new_notebook(cells=[new_code_cell(source)])
    run = run_notebook(notebook, Limits(), {})
    assert run.stopped is None and run.finished == {0}
    pids = [int(pid) for pid in notebook.cells[0].outputs[0].text.split()]
    assert len(pids) == 2
    assert not any(_runs(pid) for pid in pids)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_wall_limit_ends_a_notebook_of_many_slow_cells() -> None:
    cells = [new_code_cell("import time; time.sleep(2)") for _ in range(10)]
    run = run_notebook(new_notebook(cells=cells), Limits(cell_seconds=60, wall_seconds=6), {})
    assert run.stopped is not None and "longer than 6 s in all" in run.stopped
    assert len(run.finished) < 10


def test_lines_are_limited_in_each_cell() -> None:
    cell = new_code_cell("")
    text = "\n".join(str(line) for line in range(100))
    cell.outputs = [
        new_output("stream", name="stdout", text=text),
        new_output("error", ename="E", evalue="", traceback=["x"] * 300),
    ]
    notebook = new_notebook(cells=[cell])
    limit_lines(notebook, Limits(cell_lines=10))
    kept = notebook.cells[0].outputs
    assert kept[0].text.split("\n") == [*map(str, range(10)), "... output cut here ..."]
    assert len(kept[1].traceback) == 101
