"""grading.preprocessors: what nbgrader_config.py adds to grading by plain nbgrader."""

import copy
import os
import sys
from pathlib import Path

import pytest
from traitlets.config.loader import PyFileConfigLoader

from grading.notebooks import notebook_text, read_notebook


def test_doubled_and_foreign_cells_do_not_stop_autograding(
    tiny_course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """nbgrader's steps before it runs a submission, on cells that it would stumble over."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory

    config = PyFileConfigLoader("nbgrader_config.py", str(tiny_course)).load_config()
    config.CourseDirectory.root = str(tiny_course)
    config.CourseDirectory.assignment_id = "tiny"
    folder = CourseDirectory(config=config)
    # nbgrader asks the program `alembic` for the version of a new gradebook.
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    GenerateAssignment(coursedir=folder, config=config).start()

    submission = read_notebook(tiny_course / "notebooks" / "tiny" / "tiny.ipynb")
    by_id = {cell.id: cell for cell in submission.cells}
    foreign = copy.deepcopy(by_id["tiny-1-2-check"])
    foreign.metadata.nbgrader.grade_id = foreign.id = "from-elsewhere"
    twice = copy.deepcopy(by_id["tiny-1-1-check"])
    twice.id = "copied"
    submission.cells = [c for c in submission.cells if c.id != "tiny-1-2-check"]
    submission.cells += [foreign, twice]

    resources = {"nbgrader": {"notebook": "tiny", "assignment": "tiny", "db_url": folder.db_url}}
    for step in config.Autograde.sanitize_preprocessors:
        submission, _ = step(config=config).preprocess(submission, dict(resources))
    graded = [
        cell.metadata["nbgrader"]["grade_id"]
        for cell in submission.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    ]
    assert sorted(graded) == ["tiny-1-1-check", "tiny-1-2-check", "tiny-1-3-answer"]
    assert "hidden norm" in notebook_text(submission)
