"""Does a handout work where nothing of the course is? It is unpacked and run, unsolved and solved.

The kernel starts without the site module: packages are found by PYTHONPATH, whose `.pth` files
nobody reads. So an editable install of the course is out of reach, and what is not in the handout
is missing.
"""

from __future__ import annotations

import os
import sysconfig
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, from_dict

from grading.demo import fill_in, jobs_of
from grading.notebooks import is_test, job_number, read_notebook

WHERE = "import course_utils\n\nprint('course_utils:', course_utils.__file__)"
OURS = "COURSE_"
Until = Literal["setup", "first job", "end"]


@dataclass(frozen=True)
class Tried:
    """What came of running a handout. ``problems`` are sentences; none if all went well."""

    lab: str
    cells: int
    seconds: float
    problems: tuple[str, ...]


class _BareKernel(AsyncKernelManager):
    """A kernel of this Python that sees packages, but no editable install."""

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        python, *rest = super().format_kernel_cmd(extra_arguments)
        return [python, "-S", *rest, "--log-level=ERROR"]


def environment() -> dict[str, str]:
    """What the kernel finds: this Python's packages, no network, and the smoke budget."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(OURS)}
    places = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    ours = {"BUDGET": "smoke", "OFFLINE": "1", "PROGRESS": "0", "DEVICE": "cpu"}
    return (
        kept
        | {f"{OURS}{name}": value for name, value in ours.items()}
        | {"PYTHONPATH": os.pathsep.join(places), "MPLBACKEND": "Agg"}
    )


def try_handout(
    archive: Path, solution: NotebookNode | None = None, until: Until = "first job"
) -> Tried:
    """Unpack a handout's zip into an empty folder and run its notebook there.

    Args:
        solution: the lab's source, whose answers are filled in; default: nothing is solved.
        until: where to stop: behind the setup cell, behind the check of the first job, or nowhere.
    """
    began = time.perf_counter()
    lab = archive.stem
    with tempfile.TemporaryDirectory(prefix="course-handout-") as name:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(name)
        folder = Path(name).resolve() / lab
        notebook = read_notebook(folder / f"{lab}.ipynb")
        if solution is not None:
            notebook = fill_in(notebook, solution, jobs_of(solution))
        if until != "end":
            notebook.cells = notebook.cells[: _last(notebook, lab, until) + 1]
        notebook.cells.append(_code_cell(WHERE))
        problems = [*_run(notebook, folder), *_problems(notebook, folder, solution is not None)]
    seconds = time.perf_counter() - began
    return Tried(lab, len(notebook.cells) - 1, seconds, tuple(problems))


def _last(notebook: NotebookNode, lab: str, until: Until) -> int:
    cells = enumerate(notebook.cells)
    if until == "setup":
        return next(i for i, cell in cells if cell.get("id") == f"{lab}-setup")
    return next(i for i, cell in cells if is_test(cell))


def _code_cell(source: str) -> NotebookNode:
    cell: dict[str, Any] = {"cell_type": "code", "id": "where", "source": source, "metadata": {}}
    return from_dict({**cell, "execution_count": None, "outputs": []})


def _run(notebook: NotebookNode, folder: Path) -> Iterator[str]:
    client = NotebookClient(
        notebook,
        timeout=300,
        allow_errors=True,
        kernel_manager_class=_BareKernel,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute(env=environment())
    except (CellTimeoutError, DeadKernelError) as error:
        yield str(error).splitlines()[0]


def _problems(notebook: NotebookNode, folder: Path, solved: bool) -> Iterator[str]:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                yield f"cell {cell.id} writes to stderr: {output.text.strip()[:300]}"
            if output.output_type == "error" and (solved or not _is_stub(cell, output)):
                yield f"cell {cell.id} stops with {output.ename}: {output.evalue[:300]}"
    where = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    if not where.startswith(f"course_utils: {folder}{os.sep}"):
        yield f"course_utils did not come from the handout: {where.strip() or 'it is not there'}"


def _is_stub(cell: NotebookNode, output: NotebookNode) -> bool:
    told = (output.ename, output.evalue)
    return is_test(cell) and told == ("NotImplementedError", f"Your job {job_number(cell)}")
