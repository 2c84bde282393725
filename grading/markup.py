"""What a submission holds, as markup that does nothing but show it: bounded in size and in time.

nbconvert's own filters make the markup, so that a page reads as the notebook does; what they make
is cleaned, and what would take them long is shown as it was written.
"""

from __future__ import annotations

import html
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import unquote

import bleach  # type: ignore[import-untyped]
from bleach.css_sanitizer import CSSSanitizer  # type: ignore[import-untyped]
from bleach.html5lib_shim import Filter  # type: ignore[import-untyped]
from nbconvert.filters import ansi2html
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from grading.formulas import Formulas
from grading.page_room import cut, left_out
from grading.pictures import Gallery

# fmt: off
TAGS = frozenset((
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "details", "div",
    "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "kbd", "li",
    "mark", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "summary", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var",
))
# Nothing that moves a box: whoever could, would cover what is not theirs.
STYLES = CSSSanitizer(
    allowed_css_properties=[
        *("background-color", "border", "border-left", "border-bottom", "color", "font-style"),
        *("font-weight", "padding", "text-align", "text-decoration", "white-space"),
    ]
)
# fmt: on
# HTML's rules on wrong nesting cost the square of the tags, those on repeated attributes the square
# of the words: each more than a second, where there are twice as many.
MOST_TAGS, MOST_WORDS = 5_000, 8_000
WORD_ENDS = re.compile(r"[\s/\"']+")
PLAIN_STYLE = re.compile(r"[\w\s:;.,#%()+-]{0,500}")
MARKUP_CHARACTERS = 150_000
MARKDOWN_CHARACTERS, CODE_CHARACTERS, PLAIN_CHARACTERS = 20_000, 20_000, 100_000
TEXT_HEAD, TEXT_TAIL = 20_000, 10_000
SECONDS = 3.0


class Writer:
    """Makes markup of what one submission holds.

    After `SECONDS` of processor time whatever is left is shown as it was written.
    """

    def __init__(self, gallery: Gallery, formulas: Formulas, mark: str) -> None:
        self._gallery, self._formulas, self._mark = gallery, formulas, mark
        self._until = time.process_time() + SECONDS
        self._code = Highlight2HTML(pygments_lexer="ipython3")

    def page(self, markup: str, attachments: Mapping[str, Any] | None = None) -> str | None:
        """Markup with only harmless elements left, and its pictures held.

        None where it is too large or too deep, or time has run out.
        """
        text = self._gallery.lift(markup)
        if self._late() or _is_costly(text):
            return None
        # Scripts and styles go with their content; other unknown elements leave their text.
        text = re.sub(r"(?is)<(script|style)\b.*?(</\1\s*>|\Z)", "", text)
        pictures = partial(_Pictures, gallery=self._gallery, attachments=attachments or {})
        cleaner = bleach.Cleaner(
            tags=TAGS,
            attributes=self._allowed,
            protocols=("http", "https", "mailto", "data", "held", "attachment"),
            css_sanitizer=STYLES,
            strip=True,
            strip_comments=True,
            filters=[pictures],
        )
        try:
            return str(cleaner.clean(text))
        except Exception:  # whatever a hostile text makes of the parser
            return None

    def markdown(self, source: str, attachments: Mapping[str, Any] | None = None) -> str:
        """Markdown as a notebook shows it, its formulas and pictures held."""
        text = self._gallery.lift(source)
        head, _, _ = cut(text, MARKDOWN_CHARACTERS)
        rest = text[len(head) :]
        made = None if self._late() else self._rendered(head)
        made = None if made is None else self.page(made, attachments)
        if made is None:
            return plain(text)
        return made + (plain(rest) if rest else "")

    def _rendered(self, text: str) -> str | None:
        renderer = _Renderer(self._formulas, escape=False, exclude_anchor_links=True)
        try:
            return str(MarkdownWithMath(renderer=renderer).render(text))
        except Exception:  # whatever a hostile text makes of the parser
            return None

    def code(self, source: str) -> str:
        """Python in colours; a long text without them."""
        if len(source) > CODE_CHARACTERS or self._late():
            return plain(source)
        return str(self._code(source))

    def terminal(self, text: str, lost: int = 0, last: str = "") -> str:
        """What was printed, in a terminal's colours: its beginning and its end.

        `lost` bytes behind `text` and before `last` are not shown, whatever room there is.
        """
        text, last = _overwritten(text), _overwritten(last)
        if not lost:
            head, missing, tail = cut(text + last, TEXT_HEAD, TEXT_TAIL)
        else:
            head, first, _ = cut(text, TEXT_HEAD)
            tail = last[-TEXT_TAIL:]
            missing = first + lost + len(last[:-TEXT_TAIL].encode("utf-8", "replace"))
        made = self._coloured(head)
        return made + left_out(missing) + self._coloured(tail) if missing else made

    def _coloured(self, text: str) -> str:
        made = html.escape(_without_codes(text)) if self._late() else ansi2html(text)
        return f"<pre>{made}</pre>"

    def _late(self) -> bool:
        return time.process_time() > self._until

    def _allowed(self, tag: str, name: str, value: str) -> bool:
        if tag == "img":
            return name in ("alt", "src")
        if self._mark in value:  # a placeholder is no part of an address
            return False
        if name == "href":
            return tag == "a" and re.match(r"(?i)\s*(https?:|mailto:|#)", value) is not None
        if name in ("colspan", "rowspan"):
            return re.fullmatch(r"\d{1,3}", value) is not None
        if name == "style":  # the parser of styles calls itself at each bracket
            return PLAIN_STYLE.fullmatch(value) is not None and value.count("(") < 10
        return name == "align" and value in ("left", "center", "right")


class Quotes:
    """Markup of what several strangers wrote, for one page of ours.

    What `markdown` and `cleaned` return holds placeholders, for the page to be put together of;
    `fill` puts formulas and pictures into it.
    """

    def __init__(self) -> None:
        self._mark = f"x{secrets.token_hex(12)}"  # unknown to whoever wrote what is quoted
        self._gallery, self._formulas = Gallery(self._mark), Formulas(self._mark)

    def markdown(self, source: str) -> str:
        """One stranger's Markdown, as a notebook shows it."""
        return Writer(self._gallery, self._formulas, self._mark).markdown(source)

    def cleaned(self, markup: str, attachments: Mapping[str, Any] | None = None) -> str:
        """Markup with only harmless elements left; as it was written, where it is too large."""
        made = Writer(self._gallery, self._formulas, self._mark).page(markup, attachments)
        return plain(markup) if made is None else made

    def fill(self, page: str, room: int) -> str:
        """The page with its formulas and its pictures, as far as `room` bytes hold them."""
        return self._gallery.fill(self._formulas.fill(page, room), room)


def _is_costly(text: str) -> bool:
    return (
        len(text) > MARKUP_CHARACTERS
        or text.count("<") > MOST_TAGS
        or ("<" in text and sum(1 for _ in WORD_ENDS.finditer(text)) > MOST_WORDS)
    )


def plain(text: str) -> str:
    """A text as it was written, as far as a page has room for it."""
    head, missing, _ = cut(text, PLAIN_CHARACTERS)
    note = left_out(missing) if missing else ""
    return f'<pre class="plain">{html.escape(head)}</pre>{note}'


def _overwritten(text: str) -> str:
    """Text as a terminal leaves it: of a line that was written over, the last state."""
    lines = (line.removesuffix("\r").rpartition("\r")[2] for line in text.split("\n"))
    return "\n".join(lines)


def _without_codes(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[@-~]?", "", text)


class _Pictures(Filter):
    """Puts a held picture's placeholder in place of each `img`."""

    def __init__(self, source: Any, gallery: Gallery, attachments: Mapping[str, Any]) -> None:
        super().__init__(source)
        self._gallery, self._attachments = gallery, attachments

    def __iter__(self) -> Iterator[Any]:
        for token in super().__iter__():
            if token.get("name") != "img":
                yield token
            elif token["type"] != "EndTag":
                values = {name: value for (_, name), value in token["data"].items()}
                address = unquote(values.get("src", ""))
                found = self._gallery.at(address, values.get("alt", ""), self._attachments)
                yield {"type": "Characters", "data": found}


class _Renderer(IPythonRenderer):
    """nbconvert's, with formulas held and pictures left to the cleaning."""

    def __init__(self, formulas: Formulas, **options: Any) -> None:
        super().__init__(**options)
        self._formulas = formulas

    def _embed_image_or_attachment(self, src: str) -> str:
        return src

    def block_math(self, body: str) -> str:
        return self._formulas.hold(body, True)

    def inline_math(self, body: str) -> str:
        return self._formulas.hold(body, False)

    def latex_environment(self, name: str, body: str) -> str:
        return self._formulas.hold(f"\\begin{{{name}}}{body}\\end{{{name}}}", True)
