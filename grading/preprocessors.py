"""What the course adds to nbgrader's own steps from a solution notebook to a student's.

``nbgrader_config.py`` puts these into nbgrader's list, so that ``course release`` and a plain
``nbgrader generate_assignment`` write the same bytes.
"""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from grading.notebooks import is_answer, is_graded, job_number, normalise

STUB = "raise NotImplementedError()"


class NormaliseMetadata(NbGraderPreprocessor):
    """Keep of the metadata only what the course gives a meaning to."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        normalise(nb)
        for cell in nb.cells:
            kept = {
                key: cell.metadata[key] for key in ("nbgrader", "course") if key in cell.metadata
            }
            cell.metadata.clear()
            cell.metadata.update(kept)
        return nb, resources


class NameStubs(NbGraderPreprocessor):
    """Say in each stub which job it waits for; the checks recognise it by that."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        for cell in nb.cells:
            if cell.cell_type == "code" and is_answer(cell) and job_number(cell):
                named = f'raise NotImplementedError("Your job {job_number(cell)}")'
                cell.source = cell.source.replace(STUB, named)
        return nb, resources


class TagChecks(NbGraderPreprocessor):
    """Let Run All go on past the check of a job that is not written yet."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        for cell in nb.cells:
            if cell.cell_type == "code" and is_graded(cell) and not is_answer(cell):
                cell.metadata["tags"] = ["raises-exception"]
        return nb, resources
