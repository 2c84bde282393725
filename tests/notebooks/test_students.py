"""An unsolved notebook runs to its end: only the checks fail, each with its own stub's message."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
LABS = sorted(path.parent.name for path in ROOT.glob("notebooks/*/*.ipynb"))


@pytest.fixture(scope="module", params=LABS)
def run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> nbformat.NotebookNode:
    """A student's notebook after Run All, executed once for the tests below."""
    notebook = nbformat.read(ROOT / f"notebooks/{request.param}/{request.param}.ipynb", 4)
    folder = tmp_path_factory.mktemp(request.param)
    client = NotebookClient(
        notebook, timeout=120, allow_errors=True, resources={"metadata": {"path": str(folder)}}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_BUDGET", "smoke")
        patch.setenv("COURSE_OFFLINE", "1")
        patch.delenv("COURSE_DATA", raising=False)
        return client.execute()


def outputs(cell: nbformat.NotebookNode, kind: str) -> list[nbformat.NotebookNode]:
    return [output for output in cell.get("outputs", []) if output.output_type == kind]


def is_check(cell: nbformat.NotebookNode) -> bool:
    return cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade", False)


def test_exactly_the_unfinished_checks_fail(run: nbformat.NotebookNode) -> None:
    assert any(is_check(cell) for cell in run.cells)
    for cell in run.cells:
        found = outputs(cell, "error")
        if not is_check(cell):
            assert not found, (cell.id, found)
            continue
        assert [error.ename for error in found] == ["NotImplementedError"], cell.id
        assert found[0].evalue == f"Your job {cell.metadata.course.job}"
        assert len(found[0].traceback) == 1, (
            "a stub shows one line, not the way through the package"
        )
        # JupyterLab's Run All goes on past a cell with this tag.
        assert "raises-exception" in cell.metadata.tags


def test_nothing_is_written_to_stderr(run: nbformat.NotebookNode) -> None:
    for cell in run.cells:
        assert not [out for out in outputs(cell, "stream") if out.name == "stderr"], cell.id


def test_cells_that_wait_say_for_which_job(run: nbformat.NotebookNode) -> None:
    waiting = [cell for cell in run.cells if "if ready(" in cell.source]
    assert waiting
    for cell in waiting:
        said = "".join(out.text for out in outputs(cell, "stream"))
        assert "This cell waits for your job" in said, cell.id
