"""Formulas on a page that runs no script: MathML where Pandoc is at hand, and TeX elsewhere.

Every browser of today draws MathML by itself. Pandoc is no part of what grading needs, so a
formula that it does not know, or that takes it too long, stays as it was written.
"""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from xml.etree import ElementTree

MOST, LONGEST, DEEPEST, MOST_BRACES = 400, 2_000, 60, 80
TIMEOUT = 3.0
MATHML = "{http://www.w3.org/1998/Math/MathML}"
# fmt: off
TAGS = frozenset((
    "math", "menclose", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot",
    "mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext",
    "mtr", "munder", "munderover",
))
ATTRIBUTES = frozenset((
    "accent", "columnalign", "display", "displaystyle", "form", "linethickness", "mathvariant",
    "notation", "rowspacing", "scriptlevel", "stretchy",
))
# fmt: on
_KNOWN: dict[tuple[str, bool], str | None] = {}


class Formulas:
    """Holds the formulas of one page; placeholders begin with `mark`."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._held: list[tuple[str, bool]] = []

    def hold(self, tex: str, display: bool) -> str:
        """A placeholder for a formula, which `fill` replaces."""
        self._held.append((tex.replace(self._mark, ""), display))
        return f"{self._mark}f{len(self._held) - 1}e"

    def weight(self, markup: str) -> int:
        """The bytes that the formulas in some markup take as they were written."""
        found = re.findall(rf"{self._mark}f(\d+)e", markup)
        return sum(len(written(*self._held[int(n)]).encode()) for n in found)

    def fill(self, page: str, room: int) -> str:
        """The page with its formulas; drawn as long as that takes no more than `room` bytes."""
        pattern = re.compile(rf"{self._mark}f(\d+)e")
        wanted = [self._held[int(n)] for n in dict.fromkeys(pattern.findall(page))]
        drawn = _drawn(tuple(dict.fromkeys(wanted)))
        left = room

        def filled(match: re.Match[str]) -> str:
            nonlocal left
            one = self._held[int(match[1])]
            made = drawn.get(one)
            if made is None or len(made.encode()) > left:
                return written(*one)
            left -= len(made.encode())
            return made

        return pattern.sub(filled, page)


def _is_simple(tex: str) -> bool:
    """Whether Pandoc is asked at all: what is nested takes it more than a second for each level."""
    return len(tex) <= LONGEST and tex.count("{") <= MOST_BRACES and "^^" not in tex


def written(tex: str, display: bool) -> str:
    """A formula as its author wrote it."""
    name = "div" if display else "span"
    dollars = "$$" if display else "$"
    return f'<{name} class="tex">{dollars}{html.escape(tex)}{dollars}</{name}>'


def _drawn(formulas: Sequence[tuple[str, bool]]) -> dict[tuple[str, bool], str]:
    """MathML of those formulas that have one; a lab's own are drawn once for a whole class."""
    known = {one: _KNOWN[one] for one in formulas if one in _KNOWN}
    new = [one for one in formulas if one not in known and _is_simple(one[0])][:MOST]
    if new and find_spec("pypandoc") is not None:
        try:
            found = _by_pandoc(new)
        except (OSError, subprocess.SubprocessError, ElementTree.ParseError, ValueError):
            new, found = [], {}  # one formula may be what hinders the others: try them again
        if len(_KNOWN) < 10_000:
            _KNOWN.update({one: found.get(one) for one in new})
        known |= found
    return {one: made for one, made in known.items() if made}


def _by_pandoc(formulas: Sequence[tuple[str, bool]]) -> dict[tuple[str, bool], str]:
    blocks = []
    for tex, display in formulas:
        kind = {"t": "DisplayMath" if display else "InlineMath"}
        blocks.append({"t": "Plain", "c": [{"t": "Math", "c": [kind, tex]}]})
        blocks.append({"t": "HorizontalRule"})
    document = {"pandoc-api-version": _api(), "meta": {}, "blocks": blocks}
    page = _pandoc(json.dumps(document), "-f", "json", "-t", "html5", "--mathml", "--wrap=none")
    made = re.split(r"<hr\s*/>", page)
    if len(made) != len(formulas) + 1:
        raise ValueError("not as many as there were")
    found = {}
    for one, text in zip(formulas, made, strict=False):
        if text.strip().startswith("<math") and text.strip().endswith("</math>"):
            found[one] = _rebuilt(ElementTree.fromstring(text.strip()))
    return {one: text for one, text in found.items() if text}


@lru_cache(maxsize=1)
def _api() -> list[int]:
    found: list[int] = json.loads(_pandoc("", "-t", "json"))["pandoc-api-version"]
    return found


def _pandoc(text: str, *arguments: str) -> str:
    import pypandoc

    command = [pypandoc.get_pandoc_path(), "--sandbox", *arguments]
    done = subprocess.run(
        command,
        input=text.encode("utf-8", "replace"),
        capture_output=True,
        timeout=TIMEOUT,
        check=True,
    )
    return done.stdout.decode()


def _rebuilt(element: ElementTree.Element, depth: int = 0) -> str:
    """The markup of what is known to be harmless; no text where anything else is in it."""
    name = element.tag.removeprefix(MATHML)
    if name == "semantics":  # with the TeX beside it
        return _rebuilt(element[0], depth)
    if name not in TAGS or depth > DEEPEST:
        return ""
    parts = [_rebuilt(child, depth + 1) for child in element]
    if not all(parts):
        return ""
    kept = "".join(
        f' {key}="{html.escape(value)}"'
        for key, value in element.attrib.items()
        if key in ATTRIBUTES and re.fullmatch(r"[\w .%+-]{1,40}", value)
    )
    return f"<{name}{kept}>{html.escape(element.text or '')}{''.join(parts)}</{name}>"
