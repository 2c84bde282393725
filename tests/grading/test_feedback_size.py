"""Whatever a submission holds, its page has a bounded size, takes a bounded time, and says what it
left out; scores, comments and the student's own words stay."""

from __future__ import annotations

import base64
import io
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from grading.feedback import MOST_BYTES, Grades, Score, full_page

NBGRADER = {"schema_version": 3, "grade": True, "locked": False, "task": False}
WORDS = "In my own words: the noise goes."
GRADES = Grades({"answer": Score(1.0, 2.0, False)}, {"answer": "Which noise?"}, 0.0)


def png(side: int, seed: int) -> str:
    """A picture that cannot be compressed, as base64."""
    values = np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(values).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def shown(data: dict[str, Any]) -> NotebookNode:
    return new_output("display_data", data=data)


def printed() -> list[NotebookNode]:
    return [new_code_cell("loop", outputs=[new_output("stream", text="x" * 12_000_000)])]


def many_outputs() -> list[NotebookNode]:
    outputs = [shown({"text/html": f"<b>{n}</b>" + "y" * 3000}) for n in range(5000)]
    return [new_code_cell("loop", outputs=outputs)]


def many_pictures() -> list[NotebookNode]:
    return [new_code_cell("p", outputs=[shown({"image/png": png(500, n)})]) for n in range(16)]


def large_vector() -> list[NotebookNode]:
    shapes = "".join(f'<path d="M{n} {n} L{n} 0"/>' for n in range(300_000))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg">{shapes}</svg>'
    return [new_code_cell("s", outputs=[shown({"image/svg+xml": svg})])]


def large_source() -> list[NotebookNode]:
    return [new_code_cell("value = 1  # " + "z" * 9_000_000)]


def attachments() -> list[NotebookNode]:
    held = {f"{n}.png": {"image/png": png(700, n)} for n in range(6)}
    text = "\n\n".join(f"![{name}](attachment:{name})" for name in held)
    return [new_markdown_cell(text, attachments=held)]


def traceback() -> list[NotebookNode]:
    lines = ["\x1b[31mError\x1b[0m " + "t" * 1000] * 8000
    return [new_code_cell("e", outputs=[new_output("error", ename="E", evalue="v" * 10**6,
                                                   traceback=lines)])]  # fmt: skip


def deep_markdown() -> list[NotebookNode]:
    return [new_markdown_cell(text) for text in (
        "> " * 20_000 + "deep", "[" * 60_000, "*a_" * 60_000, "<div>" * 60_000, "`" * 99_999,
        "$" + "{" * 5_000 + "$", "<a " + "b " * 90_000 + ">", "- " * 9_000, "|a" * 20_000,
    )]  # fmt: skip


def deep_html() -> list[NotebookNode]:
    nested = [shown({"text/html": f"<{tag}>" * 50_000}) for tag in ("b", "table", "li", "p", "a")]
    return [new_code_cell("h", outputs=nested)]


def many_cells() -> list[NotebookNode]:
    stream = random.Random(0)
    return [new_code_cell(f"x = {stream.random()}  # " + "c" * 400) for _ in range(20_000)]


@pytest.mark.timeout(120)  # what took hours would be an attack
@pytest.mark.parametrize(
    "flood",
    [printed, many_outputs, many_pictures, large_vector, large_source, attachments, traceback,
     deep_markdown, deep_html, many_cells],
)  # fmt: skip
def test_a_page_is_bounded_and_keeps_what_matters(flood: Callable[[], list[NotebookNode]]) -> None:
    own = new_markdown_cell(WORDS)
    own.metadata = {"nbgrader": {"grade_id": "answer", "solution": True, **NBGRADER},
                    "course": {"job": "1.1"}}  # fmt: skip
    notebook = new_notebook(cells=[*flood(), own])
    page = full_page(notebook, GRADES, "ada", "mnist")
    assert len(page.encode()) < MOST_BYTES
    for kept in ("1 of 2 points", "Which noise?", WORDS):
        assert kept in page
    if flood in (many_pictures, attachments):
        assert page.count("<img") == {many_pictures: 16, attachments: 6}[flood], "scaled down"
    elif flood not in (deep_markdown, deep_html):
        assert "left out" in page


def test_small_things_stand_on_the_page_in_full() -> None:
    picture = png(40, 0)
    cells = [
        new_markdown_cell("# A title\n\n*Words* and $\\alpha_t$."),
        new_code_cell("print(1)", outputs=[new_output("stream", text="all of it\n")]),
        new_code_cell("p", outputs=[shown({"image/png": picture, "text/plain": "Figure"})]),
    ]
    page = full_page(new_notebook(cells=cells), Grades({}, {}, 0.0), "ada", "mnist")
    assert "left out" not in page and "all of it" in page and "<em>Words</em>" in page
    assert f"data:image/png;base64,{picture}" in page
