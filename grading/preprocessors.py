"""What the course adds to nbgrader's own steps from a solution notebook to a student's.

``nbgrader_config.py`` puts these into nbgrader's lists, so that ``course release`` and a plain
``nbgrader generate_assignment`` write the same bytes, and refuse the same mistakes.
"""

from __future__ import annotations

import copy
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor, OverwriteCells
from traitlets import Unicode

from grading.notebooks import (
    EXPORT,
    CourseError,
    is_answer,
    is_graded,
    is_test,
    job_number,
    normalise,
)
from grading.settings import Settings
from grading.validate import check_release, check_source

# What ClearSolutions puts in a solution's place; NameStubs then adds the number of the job.
STUB = 'raise NotImplementedError("Your job")'
SOURCE = "course_source"


class NormaliseMetadata(NbGraderPreprocessor):
    """Keep of the metadata only what the course gives a meaning to."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        resources[SOURCE] = copy.deepcopy(nb)
        normalise(nb)
        for cell in nb.cells:
            _set_tags(cell, [tag for tag in cell.metadata.get("tags", []) if tag != EXPORT])
        # Who hands the notebook in has nothing else to compare it with (course_utils.submission).
        if "course" in nb.metadata:
            nb.metadata["course"]["graded"] = [
                str(cell.metadata["nbgrader"]["grade_id"])
                for cell in nb.cells
                if is_graded(cell) or is_answer(cell)
            ]
        return nb, resources


class NameStubs(NbGraderPreprocessor):
    """Say in each stub which job it waits for; the checks recognise it by that."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        for cell in nb.cells:
            if cell.cell_type == "code" and is_answer(cell) and job_number(cell):
                named = f'raise NotImplementedError("Your job {job_number(cell)}")'
                cell.source = cell.source.replace(STUB, named)
        return nb, resources


class WriteAddress(NbGraderPreprocessor):
    """Tell the first cell where the lab's wheel is, if the course has an address."""

    address = Unicode(help="The folder of the handouts; see `grading.settings`.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        lab = resources["nbgrader"]["assignment"]
        wheel = Settings(address=self.address).wheel_address(lab)
        for cell in nb.cells:
            if cell.get("id") == f"{lab}-course":
                cell.source = cell.source.replace(f'"{lab}", ""', f'"{lab}", "{wheel}"')
        return nb, resources


class TagChecks(NbGraderPreprocessor):
    """Let Run All go on past the check of a job that is not written yet."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        for cell in nb.cells:
            if is_test(cell):
                _set_tags(cell, [*cell.metadata.get("tags", []), "raises-exception"])
        return nb, resources


def _set_tags(cell: NotebookNode, tags: list[str]) -> None:
    cell.metadata.pop("tags", None)
    if tags:
        cell.metadata["tags"] = sorted(set(tags))


class VerifyRelease(NbGraderPreprocessor):
    """Refuse a source that breaks a rule of the course, and a result that gives something away.

    The last step, before anything is written.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        lab, name = resources["nbgrader"]["assignment"], resources["nbgrader"]["notebook"]
        if name != lab:
            raise CourseError(
                f"solutions/{lab} holds {name}.ipynb; expected {lab}.ipynb and no other notebook, "
                "since nbgrader releases all of them: move it elsewhere."
            )
        check_source(resources[SOURCE], lab)
        check_release(nb, resources[SOURCE], lab)
        return nb, resources


class RestoreCells(OverwriteCells):
    """nbgrader's OverwriteCells, for notebooks with duplicated or foreign graded cells, too.

    nbgrader leaves half of such a cell's metadata behind and then stumbles over it, and with it
    over every submission that is still to come. A cell that is not the lab's is nobody's.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: Any, cell_index: int
    ) -> tuple[NotebookNode, Any]:
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        if "grade_id" not in cell.metadata.get("nbgrader", {}):
            cell.metadata.pop("nbgrader", None)
        return cell, resources
