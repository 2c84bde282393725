"""Reading a finished PDF back, with a reader that knows nothing of how it was made."""

from __future__ import annotations

import ctypes
import html
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from course_utils.submission.document import label_of
from course_utils.submission.markdown import PRIVATE, without_math
from course_utils.submission.notebook import answer_of, job_of, name_of, source_of
from course_utils.submission.outputs import CONTROL

# In points; as the template sets them, with a hair of tolerance.
SIDE, TOP, SLACK = 51.0, 68.0, 1.5
Box = tuple[float, float, float, float]
LAST_RESORT = "LastResort"
ORDERLESS = re.compile(r"[\u0300-\u036f\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
BULLET = re.compile(r"^[\s>]*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s)?|^[\s>]*\d+[.)]\s", re.MULTILINE)


@dataclass(frozen=True)
class Reading:
    """What a PDF shows: its text page by page, its pictures, and what is amiss.

    ``outside`` names pages on which something reaches beyond the margins; ``missing`` are the
    characters for which no font had a shape.
    """

    pages: int
    text: str
    pictures: int
    outside: tuple[int, ...]
    missing: str


def read_pdf(data: bytes) -> Reading:
    """Everything that the checks ask of a PDF. Raises ValueError for bytes that are none."""
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        raise ValueError(f"it cannot be opened ({error})") from None
    texts, outside, pictures, missing = [], [], 0, set[str]()
    try:
        for number in range(len(document)):
            page = document[number]
            width, height = page.get_size()
            words = page.get_textpage()
            # Without the head of the page, which would stand amid an answer that goes on.
            texts.append(words.get_text_bounded(0, 0, width, height - TOP + 10))
            boxes = list(_pictures(page))
            pictures += len(boxes)
            boxes += _letters(words, missing)
            if any(b[0] < SIDE - SLACK or b[2] > width - SIDE + SLACK or b[1] < 0 for b in boxes):
                outside.append(number + 1)
            words.close()
            page.close()
        pages = len(document)
    finally:
        document.close()
    return Reading(pages, "\n".join(texts), pictures, tuple(outside), "".join(sorted(missing)))


def _pictures(page: Any) -> Iterator[Box]:
    import pypdfium2.raw as raw

    for picture in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=15):
        yield picture.get_bounds()


def _letters(words: Any, missing: set[str]) -> Iterator[Box]:
    """Where each letter stands; adds to ``missing`` those set in the font of last resort.

    The glyphs of that font are only signs for "a letter of this script".
    """
    import pypdfium2.raw as raw

    name, flags, unknown = ctypes.create_string_buffer(128), ctypes.c_int(), b""
    for index in range(words.count_chars()):
        code = raw.FPDFText_GetUnicode(words, index)
        if code <= 0xFFFF and chr(code).isspace():
            continue  # a line may end with a blank beyond its edge
        yield words.get_charbox(index)
        if code > 0x7F:
            raw.FPDFText_GetFontInfo(words, index, name, 128, flags)
            if LAST_RESORT.encode() in name.value:
                unknown += code.to_bytes(4, "little")[:2]
    signs = set(unknown.decode("utf-16-le", "ignore"))
    missing |= {sign for sign in signs if unicodedata.category(sign) != "Cf"}  # joiners


# ---------------------------------------------------------------- comparing


def flat(text: str) -> str:
    """Letters and digits alone, in one shape: for comparing texts that were set differently."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def pieces_of(source: str) -> Iterator[str]:
    """The runs of words in Markdown that a page must show: what stands between formulas."""
    text = without_math(PRIVATE.sub("", source), lambda formula, display: "\n")
    text = re.sub(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1>|\Z)", "", text, flags=re.DOTALL)
    text = re.sub(r"^\s*\[[^\]]+\]:\s+\S.*$", "", text, flags=re.MULTILINE)  # a link's address
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)|!\[[^\]]*\]\[[^\]]*\]", "\n", text)
    text = re.sub(r"\]\([^()\s]*(?:\([^()]*\)[^()\s]*)?(?:\s+\"[^\"]*\")?\)", " ", text)
    text = re.sub(r"^[\s>]*(?:`{3,}|~{3,}).*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"</?[a-zA-Z][^<>]*>", "\n", text)
    text = html.unescape(BULLET.sub("", CONTROL.sub("", text)))
    yield from re.split(r"[\n|]", text)


def absent(source: str, text: str, markdown: bool) -> str | None:
    """The first piece of an answer that a page's text does not hold; None where it holds all.

    Pieces are looked for in their order. Scripts that run from right to left, and letters with
    marks that have no place of their own, are only looked for letter by letter.
    """
    page, start = flat(text), 0
    for piece in pieces_of(source) if markdown else CONTROL.sub("", source).splitlines():
        wanted = flat(piece)
        if not wanted:
            continue
        if ORDERLESS.search(unicodedata.normalize("NFKC", piece)):
            if set(wanted) - set(page):
                return piece.strip()
            continue
        at = page.find(wanted, start)
        if at < 0:
            return piece.strip()
        start = at + len(wanted)
    return None


def lacking(cells: Sequence[Mapping[str, Any]], text: str) -> dict[int, str]:
    """For each answer that a PDF's text does not hold in full: its cell, and the first words."""
    found: dict[int, str] = {}
    for index, cell in enumerate(cells):
        if not answer_of(cell):
            continue
        label = label_of(cell)
        behind = text.partition(label)[2] or text if job_of(cell) else text
        words = absent(source_of(cell), behind, cell.get("cell_type") != "code")
        if words is not None:
            found[index] = f"{name_of(cell, index)} lacks the words {words[:80]!r}"
    return found
