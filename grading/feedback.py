"""One HTML page for each graded submission: nbgrader's feedback page, made safe to hand out.

Two things differ from `nbgrader generate_feedback`: hidden tests are not on the page, and
nothing that a student wrote can run in the reader's browser.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bleach  # type: ignore[import-untyped]
from bleach.css_sanitizer import CSSSanitizer  # type: ignore[import-untyped]
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode, from_dict, reads
from nbgrader.api import MissingEntry
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import GetGrades
from sqlalchemy.exc import SQLAlchemyError
from traitlets.config import Config

from grading.gradebook import GradebookWriter
from grading.notebooks import CourseError
from grading.restore import without_hidden

# fmt: off
TAGS = frozenset((
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "details", "div",
    "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "kbd", "li",
    "mark", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "summary", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var",
))
# fmt: on
STYLES = CSSSanitizer(
    allowed_css_properties=[
        *("background-color", "border", "border-left", "border-bottom", "color", "display"),
        *("font-size", "font-style", "font-weight", "margin", "max-width", "padding"),
        *("text-align", "text-decoration", "vertical-align", "white-space", "width"),
    ]
)
LIVE = "<em>Here the notebook shows something that moves; this page does not run it.</em>"
EMBEDDED_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*")


def clean_html(markup: Any) -> str:
    """Markup with only harmless elements left: no scripts, no forms, no outside images."""
    text = markup.decode() if isinstance(markup, bytes) else str(markup)
    # Scripts and styles go with their content; other unknown elements leave their text.
    text = re.sub(r"(?is)<(script|style)\b.*?(</\1\s*>|\Z)", "", text)
    return bleach.clean(
        text,
        tags=TAGS,
        attributes=_allowed,
        protocols=("http", "https", "mailto", "data"),
        css_sanitizer=STYLES,
        strip=True,
        strip_comments=True,
    )


def _allowed(tag: str, name: str, value: str) -> bool:
    if name in ("class", "style", "title", "alt", "colspan", "rowspan", "align"):
        return True
    if name == "href":
        return tag == "a" and not value.strip().lower().startswith("data:")
    return tag == "img" and name == "src" and EMBEDDED_IMAGE.fullmatch(value) is not None


class _SafeHTMLExporter(HTMLExporter):
    """nbconvert's HTML, with all that came from the student cleaned."""

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        return clean_html(super().markdown2html(context, source))

    def default_filters(self) -> Any:
        yield from super().default_filters()
        yield "clean_html", clean_html


class FeedbackPages:
    """Writes feedback pages from autograded notebooks and the gradebook.

    Parameters
    ----------
    url : the gradebook's SQLAlchemy URL; grades are only read.

    Raises `CourseError` where the gradebook cannot be opened.
    """

    def __init__(self, url: str) -> None:
        with GradebookWriter(url):
            self._url = url  # it can be opened: said in our words if not
        config = Config()
        config.HTMLExporter.sanitize_html = True
        config.Exporter.default_preprocessors = []
        # nbgrader knows where its feedback template lies; its converter is not run.
        nbgrader = GenerateFeedback(coursedir=CourseDirectory(), config=config)
        self._exporter = _SafeHTMLExporter(config=nbgrader.config)
        for step in (GetGrades, CSSHTMLHeaderPreprocessor):
            self._exporter.register_preprocessor(step, enabled=True)

    def page(self, notebook: bytes, student: str, lab: str) -> str:
        """The page of one autograded notebook.

        A submission that failed gets a small page with the reason and what to do. Raises
        nbgrader's `MissingEntry` where the gradebook does not hold the submission.
        """
        tree = reads(notebook.decode(), as_version=4)
        record = tree.metadata.get("course", {}).get("grading", {})
        if record.get("status") == "failed":
            return notice_page(student, lab, str(record.get("reason")), record.get("notes", ()))
        resources = {
            "unique_key": lab,
            "metadata": {"name": lab, "path": ""},
            "nbgrader": {
                "student": student,
                "assignment": lab,
                "notebook": lab,
                "db_url": self._url,
            },
        }
        page, _ = self._exporter.from_notebook_node(presentable(tree), resources)
        return str(page)

    def write(self, autograded: Path, target: Path, student: str, lab: str) -> bool:
        """Write the page of an autograded notebook to `target`; False where none is possible.

        None is possible for a notebook that the gradebook does not know.
        """
        try:
            page = self.page(autograded.read_bytes(), student, lab)
        except MissingEntry:
            return False
        except SQLAlchemyError as error:
            raise CourseError(
                f"The gradebook could not be read ({str(error).splitlines()[0]}); expected the"
                f" grades of {student}. If it is in use, close Formgrader and run this again."
            ) from error
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page, encoding="utf-8")
        return True


def presentable(notebook: NotebookNode) -> NotebookNode:
    """The notebook as its student may see it: without hidden tests.

    Hidden lines also show in the traceback of a test that raised; where a hidden test failed,
    only the error's own message is kept.
    """
    for cell in notebook.cells:
        shown = without_hidden(cell.source)
        hidden = _hidden_lines(cell.source) if shown != cell.source else []
        for output in cell.get("outputs", []):
            if hidden and output.output_type == "error":
                output.traceback = _own_message(output.traceback, hidden)
            # Sizes stand unquoted in the page's markup, so only numbers may pass.
            output.pop("metadata", None)
            if output.output_type in ("display_data", "execute_result"):
                output.metadata = from_dict({})
                if "<script" in str(output.data.get("text/html", "")).lower():
                    output.data["text/html"] = LIVE
        cell.source = shown
    return notebook


def _hidden_lines(source: str) -> list[str]:
    seen = {line.strip() for line in without_hidden(source).splitlines()}
    lines = {line.strip() for line in source.splitlines()} - seen
    return [line for line in lines if len(line) > 3]


def _own_message(traceback: Sequence[str], hidden: Sequence[str]) -> list[str]:
    kept = []
    for block in traceback:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", block)
        if not any(line in plain for line in hidden):
            kept.append(block)
    return kept


PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title>
<style>body {{ font: 16px/1.5 sans-serif; max-width: 46em; margin: 3em auto; padding: 0 1em }}
.reason {{ border-left: 4px solid #b35900; padding: .2em 1em }}</style></head>
<body><h1>{title}</h1>
<p class="reason">{reason}</p>{notes}
<p>No score has been given yet.</p></body></html>
"""


def notice_page(student: str, lab: str, reason: str, notes: Sequence[str] = ()) -> str:
    """A small page for a submission without an executed notebook."""
    items = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    return PAGE.format(
        title=html.escape(f"{lab}: the submission of {student} could not be graded"),
        reason=html.escape(reason),
        notes=f"<ul>{items}</ul>" if items else "",
    )
