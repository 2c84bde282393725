"""A submission's cells as parts of a page: what is shown of each, and what comes first."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from nbformat import NotebookNode

from grading.markup import Writer, plain
from grading.notebooks import is_answer, is_graded, is_test, job_number
from grading.page_room import Part, cut, left_out
from grading.pictures import SVG, TYPES, Gallery
from grading.restore import grade_id, without_hidden

# The order in which parts are served: what the reader came for, and then the rest.
MESSAGE, ANSWER, SOURCE, OUTPUT = range(4)
MOST_CELLS, MOST_OUTPUTS = 500, 60
LIVE = "<em>Here the notebook shows something that moves; this page does not run it.</em>"
HIDDEN = "(A line of a hidden test stood here.)"
TYPE_CHARACTERS = 200_000  # of a text of any type: more is cut before anything looks at it
WORDS_OF_PLAYER = re.compile(r'<img alt="([^"<>]{1,1000})" id="_anim')


@dataclass
class Section:
    """A cell on the page. `kind` is "answer", "check" or "other"; `name` its grade id, if any."""

    kind: str
    name: str | None = None
    job: str | None = None
    parts: list[Part] = field(default_factory=list)


class Cells:
    """Makes sections of cells.

    Parameters
    ----------
    hidden : lines of hidden tests, as `hidden_lines` finds them; no output shows one.
    """

    def __init__(self, writer: Writer, gallery: Gallery, hidden: Sequence[str] = ()) -> None:
        self._writer, self._gallery = writer, gallery
        self._hidden = [_squeezed(line) for line in hidden]

    def sections(self, notebook: NotebookNode) -> tuple[list[Section], int]:
        """The sections of a notebook, and how many cells are none."""
        made: list[Section] = []
        missing = 0
        for cell in notebook.cells:
            framed = is_graded(cell) or is_answer(cell)
            if framed or len(made) < MOST_CELLS:
                made.append(self._section(cell, framed))
            else:
                missing += 1
        return made, missing

    def said(self, cell: NotebookNode) -> str:
        """What a check said, in plain text."""
        texts = []
        for output in cell.get("outputs", ()) if is_test(cell) else ():
            if output.get("output_type") == "error":
                texts.append(traceback_of(output))
            elif output.get("output_type") == "display_data":
                texts.append(_string(output.data.get("text/plain")))
        text = cut("\n".join(texts), TYPE_CHARACTERS)[0]
        return self._redacted(re.sub(r"\x1b\[[0-9;]*m", "", text))

    def _section(self, cell: NotebookNode, framed: bool) -> Section:
        kind = "check" if is_test(cell) else "answer" if is_answer(cell) else "other"
        section = Section(kind, grade_id(cell) if framed else None, job_number(cell))
        rank = ANSWER if kind == "answer" else SOURCE
        section.parts.append(Part(rank, _size(cell.source), partial(self._source, cell)))
        outputs = _merged(cell.get("outputs", ()))
        for output in outputs[:MOST_OUTPUTS]:
            rank = MESSAGE if kind == "check" else OUTPUT
            what = "text" if output.get("output_type") in ("stream", "error") else "outputs"
            part = Part(rank, _size(output), partial(self._output, output), what)
            section.parts.append(part)
        for output in outputs[MOST_OUTPUTS:]:
            section.parts.append(Part(OUTPUT, _size(output), None, "outputs"))
        return section

    def _source(self, cell: NotebookNode) -> str:
        if cell.cell_type == "markdown":
            attachments = cell.get("attachments")
            return self._writer.markdown(
                cell.source, attachments if isinstance(attachments, dict) else {}
            )
        return self._writer.code(cell.source) if cell.cell_type == "code" else plain(cell.source)

    def _output(self, output: NotebookNode) -> str:
        kind = output.get("output_type")
        if kind == "stream":
            return self._text(output.get("text"))
        if kind == "error":
            return self._text(traceback_of(output))
        data = output.get("data")
        return self._data(data if isinstance(data, dict) else {}, output.get("metadata"))

    def _text(self, value: Any) -> str:
        head, missing, tail = cut(_string(value), TYPE_CHARACTERS // 2, TYPE_CHARACTERS // 2)
        return self._writer.terminal(self._redacted(head), missing, self._redacted(tail))

    def _data(self, data: Mapping[str, Any], metadata: Any) -> str:
        page = _string(data.get("text/html"))
        if page and "<script" in page.lower():
            told = WORDS_OF_PLAYER.search(page)
            return LIVE + (f"<p>{html.escape(html.unescape(told[1]))}</p>" if told else "")
        if page and not self._shows_hidden(page):
            made = self._writer.page(page)
            if made is not None:
                return made
            note = left_out(_size(page), "formatted output")
            rest = {kind: value for kind, value in data.items() if kind != "text/html"}
            return note + (self._data(rest, metadata) if rest else "")
        if "text/markdown" in data:
            return self._writer.markdown(self._redacted(_string(data["text/markdown"])))
        for kind in TYPES:
            if kind in data:
                return self._gallery.show(
                    kind, _encoded(kind, data[kind]), _words(data, metadata, kind)
                )
        if "text/latex" in data:
            return self._writer.markdown(self._redacted(_string(data["text/latex"])))
        if "text/plain" in data:
            return self._text(data["text/plain"])
        return LIVE

    def _shows_hidden(self, text: str) -> bool:
        if not self._hidden:
            return False
        seen = _squeezed(html.unescape(re.sub(r"<[^<>]*>", "", text[: 5 * TYPE_CHARACTERS])))
        return any(line in seen for line in self._hidden)

    def _redacted(self, text: str) -> str:
        if not self._hidden or not self._shows_hidden(text):
            return text
        return "\n".join(HIDDEN if self._shows_hidden(line) else line for line in text.split("\n"))


def hidden_lines(notebook: NotebookNode) -> list[str]:
    """Lines of hidden tests that stand nowhere else in the notebook."""
    seen, hidden = set(), set()
    for cell in notebook.cells:
        shown = without_hidden(cell.source)
        seen |= {line.strip() for line in shown.splitlines()}
        if shown != cell.source and is_graded(cell):
            hidden |= {line.strip() for line in cell.source.splitlines()}
    return sorted(line for line in hidden - seen if len(_squeezed(line)) > 5)


def traceback_of(output: Mapping[str, Any]) -> str:
    """What an error says: its traceback, or its name and message where there is none."""
    lines = [_string(line) for line in output.get("traceback") or ()]
    told = f"{_string(output.get('ename'))}: {_string(output.get('evalue'))}"
    return "\n".join(lines) or told


def _merged(outputs: Sequence[NotebookNode]) -> list[NotebookNode]:
    """Outputs, with what was printed in one go as one."""
    made: list[NotebookNode] = []
    texts: list[list[str]] = []
    for output in outputs:
        name = output.get("name") if output.get("output_type") == "stream" else None
        if name and made and made[-1].get("name") == name:
            texts[-1].append(_string(output.get("text")))
        else:
            made.append(NotebookNode(output))
            texts.append([_string(output.get("text"))] if name else [])
    for output, text in zip(made, texts, strict=True):
        if text:
            output["text"] = "".join(text)
    return made


def _strings(value: Any) -> Iterator[str]:
    """All strings in what JSON may hold, without going down more than a few steps."""
    waiting = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, (dict, list, tuple)) and depth < 6:
            inside = one.values() if isinstance(one, dict) else one
            waiting += [(part, depth + 1) for part in inside]


def _size(value: Any) -> int:
    return sum(len(text.encode("utf-8", "replace")) for text in _strings(value))


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return "" if value is None else json.dumps(value)[:TYPE_CHARACTERS]


def _encoded(kind: str, value: Any) -> str:
    """A picture in base64; of them all, SVG alone is kept as text."""
    text = _string(value)
    return base64.b64encode(text.encode("utf-8", "replace")).decode() if kind == SVG else text


def _words(data: Mapping[str, Any], metadata: Any, kind: str) -> str:
    """A picture's text alternative: the course's figures bring one; others say what they are."""
    own = metadata.get(kind) if isinstance(metadata, dict) else None
    told = own.get("alt") if isinstance(own, dict) else None
    return str(told) if isinstance(told, str) else _string(data.get("text/plain"))[:300]


def _squeezed(text: str) -> str:
    """Letters alone: neither blanks, quotes, backslashes nor a terminal's colours."""
    return re.sub(r"[\s\\\"']+", "", re.sub(r"\x1b\[[0-9;]*m", "", text))
