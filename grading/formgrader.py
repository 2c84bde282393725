"""What `nbgrader_config.py` adds to Formgrader: rubrics beside answers, and no strangers' scripts.

Formgrader shows submissions as they are, in pages that may write the gradebook. So whatever a
submission holds is cleaned on its way there, as in feedback pages.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_markdown_cell
from traitlets import Unicode

from grading.markup import Quotes
from grading.notebooks import CourseError
from grading.rubrics import Rubric, rubrics

# MathJax, which sets these pages' formulas, would make links and elements of these.
_TEX = re.compile(r"\\(href|require|class|cssId|style|data|includegraphics)\b")
# Stands before what is ours and needs no cleaning; no submission can know it.
OURS = secrets.token_hex(16)
PICTURE_BYTES = 3_000_000  # of pictures in one cell
PANEL = """<div class="panel panel-info"><div class="panel-heading">How job {job} is scored</div>
<div class="panel-body">

{points}

<details><summary>An answer that earns {max:g} points</summary>

{model}

</details>

</div></div>"""


@pass_context
def markdown2html(context: Mapping[str, Any], source: str) -> str:
    """Markdown as nbconvert draws it, with harmless elements only."""
    attachments = context.get("cell", {}).get("attachments", {})
    renderer = IPythonRenderer(escape=False, attachments=attachments)
    if source.startswith(OURS):
        return str(MarkdownWithMath(renderer=renderer).render(source.removeprefix(OURS)))
    made = MarkdownWithMath(renderer=renderer).render(plain_tex(source))
    return _shown(str(made), attachments)


def clean_html(markup: Any) -> str:
    """Markup that a submission displayed, with harmless elements only."""
    return _shown(markup.decode("utf-8", "replace") if isinstance(markup, bytes) else str(markup))


def _shown(markup: str, attachments: Mapping[str, Any] | None = None) -> str:
    quotes = Quotes()
    return quotes.fill(quotes.cleaned(markup, attachments), PICTURE_BYTES)


def plain_tex(text: str) -> str:
    """The text without TeX commands that reach out of a formula; they stand there as words."""
    return _TEX.sub(r"\\text{\1}", text)


class GradingView(Preprocessor):
    """The notebook as Formgrader shows it.

    Before each answer in words stands its rubric, with the model answer folded below it. It is in
    no file: it comes from the lab's source when the page is opened.
    """

    course_dir = Unicode(help="The course folder, whose solutions/ hold the rubrics.").tag(
        config=True
    )

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """A changed copy of the notebook; see the class."""
        lab = resources.get("assignment_id")  # as Formgrader says it; nbgrader's commands do not
        found = self._rubrics(str(lab)) if lab else {}
        cells = []
        for cell in nb.cells:
            rubric = found.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
            if rubric is not None:
                cells.append(new_markdown_cell(OURS + panel(rubric)))
            cells.append(_harmless(cell))
        return from_dict({**nb, "cells": cells}), resources

    def _rubrics(self, lab: str) -> Mapping[str, Rubric]:
        try:
            return rubrics(Path(self.course_dir or "."), lab)
        except CourseError as error:
            self.log.warning("Formgrader shows no rubrics: %s", error)
            return {}


def panel(rubric: Rubric) -> str:
    """A rubric as Formgrader draws it, in Markdown."""
    return PANEL.format(**vars(rubric))


def _harmless(cell: NotebookNode) -> NotebookNode:
    for output in cell.get("outputs", []):
        if output.output_type in ("display_data", "execute_result"):
            # Sizes stand unquoted in the page's markup, and isolated HTML gets a frame of its own.
            output.metadata = from_dict({})
            if "text/latex" in output.data:
                output.data["text/latex"] = plain_tex(str(output.data["text/latex"]))
    return cell
