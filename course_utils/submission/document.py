"""A notebook as one Typst document, cell by cell, and what the page must show in the end."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from course_utils.submission.markdown import Converter, Picture, breakable, typst_string
from course_utils.submission.notebook import answer_of, job_of
from course_utils.submission.outputs import (
    CONTROL,
    Figure,
    Remark,
    Text,
    figure_from,
    items_of,
    joined,
)
from course_utils.submission.template import TEMPLATE

MOST_PICTURE_BYTES = 20_000_000
# The tallest picture that stands on a page with its label, in points.
TALLEST = 590.0


@dataclass
class Pages:
    """A document in the making: a part for each cell, pictures by file name.

    ``figures`` counts the raster pictures that the page must show.
    """

    parts: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    figures: list[int] = field(default_factory=list)

    def text(self, title: str, name: str, others: Sequence[str], tight: bool) -> str:
        """The whole document for Typst."""
        families = "".join(f"{typst_string(family)}, " for family in others)
        settings = (
            f"#let title = {typst_string(title)}\n#let name = {typst_string(name)}\n"
            f"#let others = ({families})\n#let tight = {str(tight).lower()}\n"
        )
        return settings + TEMPLATE + "\n" + "\n\n".join(self.parts)

    def only(self, index: int) -> Pages:
        """The document of a single cell."""
        return Pages([self.parts[index]], self.files, [self.figures[index]])


def pages_of(notebook: Mapping[str, Any], folder: Path, plain: Collection[int] = ()) -> Pages:
    """The document of a notebook; Markdown cells in ``plain`` are shown as they were typed.

    ``folder`` is where the notebook lies, for the pictures that its text names. Raises
    PandocError where Markdown cannot be converted at all.
    """
    pages = Pages()
    cells = notebook["cells"]
    pages.figures = [0] * len(cells)
    texts = {
        index: CONTROL.sub("", joined(cell.get("source")))
        for index, cell in enumerate(cells)
        if cell.get("cell_type") == "markdown" and index not in plain
    }
    pictures = [_picture_maker(pages, index, cells[index], folder) for index in texts]
    markup = dict(
        zip(texts, Converter(_no_picture).convert(list(texts.values()), pictures), strict=True)
    )
    for index, cell in enumerate(cells):
        if cell.get("cell_type") == "code":
            pages.parts.append(_code(pages, index, cell))
        else:
            typed = breakable(CONTROL.sub("", joined(cell.get("source"))))
            body = markup.get(index, f"#plain({typst_string(typed)})")
            pages.parts.append(_prose(cell, body))
    return pages


def _prose(cell: Mapping[str, Any], body: str) -> str:
    if answer_of(cell):
        return f"#answer({typst_string(label_of(cell))})[\n{body}\n]"
    return body


def label_of(cell: Mapping[str, Any]) -> str:
    """What stands above a cell on the page."""
    job = job_of(cell)
    if cell.get("cell_type") != "code":
        return f"WRITTEN ANSWER {job or ''}".strip()
    count = cell.get("execution_count")
    ran = f"[{count}]" if isinstance(count, int) else "[ ]"
    if answer_of(cell):
        return f"{ran} ANSWER {job or ''}".strip()
    graded = (cell.get("metadata") or {}).get("nbgrader", {})
    if isinstance(graded, dict) and graded.get("grade"):
        return f"{ran} CHECK {job or ''}".strip()
    return ran


def _code(pages: Pages, index: int, cell: Mapping[str, Any]) -> str:
    source = CONTROL.sub("", joined(cell.get("source"))).expandtabs(4).strip("\n")
    colour = "ink" if answer_of(cell) else "none"
    parts = []
    if source.strip():
        words = typst_string(breakable(source))
        parts.append(f"#cell({typst_string(label_of(cell))}, {words}, {colour})")
    for item in items_of(cell):
        if isinstance(item, Text):
            words = typst_string(breakable(item.text))
            parts.append(f"#printed({words}, {str(item.error).lower()})")
        elif isinstance(item, Remark):
            parts.append(f"#remark({typst_string(item.text)})")
        else:
            path, width = _stored(pages, index, item)
            label = f"figure {len(pages.files)}"
            alt = typst_string(item.alt)
            parts.append(f"#figured({path}, {width}, {alt}, {typst_string(label)})")
    return "\n".join(parts)


def _stored(pages: Pages, index: int, figure: Figure) -> tuple[str, str]:
    """Keep a picture's bytes; its path and its width as Typst writes them."""
    name = f"picture-{len(pages.files) + 1}.{figure.kind}"
    pages.files[name] = figure.data
    pages.figures[index] += figure.kind != "svg"
    width = "none" if figure.width is None else f"{_width(figure):.1f}pt"
    return typst_string(name), width


def _width(figure: Figure) -> float:
    """A picture's width on the page, less where it would be taller than a page."""
    import io

    from PIL import Image

    width = figure.width or 100.0
    with Image.open(io.BytesIO(figure.data)) as picture:
        ratio = picture.height / max(1, picture.width)
    return max(1.0, min(width, 480.0, TALLEST / ratio if ratio else width))


# ---------------------------------------------------------------- pictures in text


def _no_picture(address: str, alt: str) -> str:
    return ""


def _picture_maker(pages: Pages, index: int, cell: Mapping[str, Any], folder: Path) -> Picture:
    attachments = cell.get("attachments")
    attached = attachments if isinstance(attachments, dict) else {}

    def picture(address: str, alt: str) -> str:
        figure = _named_picture(address, alt, attached, folder)
        if isinstance(figure, Remark):
            shown = f"[{figure.text}]" + (f" {alt}" if alt else "")
            return f"#emph({typst_string(breakable(shown))})"
        path, width = _stored(pages, index, figure)
        return f"#pic({path}, {width}, {typst_string(alt)})"

    return picture


def _named_picture(
    address: str, alt: str, attached: Mapping[str, Any], folder: Path
) -> Figure | Remark:
    if address.startswith("attachment:"):
        bundle = attached.get(unquote(address[len("attachment:") :]))
        data = next(iter(bundle.values()), "") if isinstance(bundle, dict) else ""
        return _from_base64(joined(data), alt, "A picture that was attached here is missing")
    if address.startswith("data:image/"):
        return _from_base64(address.partition(",")[2], alt, "A picture here is damaged")
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+:", address):
        return Remark(f"A picture from the net: {address[:200]}")
    return _from_file(folder, unquote(address), alt)


def _from_base64(text: str, alt: str, trouble: str) -> Figure | Remark:
    try:
        data = base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        data = b""
    return figure_from(data, None, alt) if data else Remark(trouble)


def _from_file(folder: Path, name: str, alt: str) -> Figure | Remark:
    """A picture that lies beside the notebook, or below it."""
    missing = Remark(f"The picture {name[:200]} was not found beside the notebook")
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()) or not path.is_file():
            return missing
        if path.stat().st_size > MOST_PICTURE_BYTES:
            return Remark(f"The picture {name[:200]} is too large for this page")
        if path.suffix.lower() == ".svg":
            return Figure(path.read_bytes(), "svg", None, alt)
        return figure_from(path.read_bytes(), None, alt)
    except (OSError, ValueError):
        return missing
