"""Markdown cells as Typst, by way of Pandoc: formulas, tables, lists, pictures, HTML.

Formulas are taken out before Markdown is parsed and put back behind it, as Jupyter itself does: so
``$p(x|y)$`` in a table and ``$ a_i * b_i $`` with blanks mean here what the student saw there.
"""

from __future__ import annotations

import html
import json
import re
import secrets
import subprocess
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Node = Any
"""A part of Pandoc's document tree: nested lists, and tables with a type "t" and contents "c"."""

# What Jupyter knows beyond plain Markdown.
READER = "commonmark+pipe_tables+strikeout+task_lists+autolink_bare_uris"
OPEN, CLOSE = "\ue000", "\ue001"
PRIVATE = re.compile(f"[{OPEN}{CLOSE}]")
HELD = re.compile(f"{OPEN}(\\d+){CLOSE}")
MATH = re.compile(
    r"(?P<code>^ {0,3}(?P<fence>`{3,}|~{3,}).*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)"
    r"|(?<![`\\])(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n).)*?(?<!`)(?P=ticks)(?!`)"
    r"|\\\$)"
    r"|(?P<block>\$\$(?P<inside>(?:(?!\$\$|\n[ \t]*\n).)+?)\$\$"
    r"|\\begin\{(?P<name>[a-zA-Z]+\*?)\}(?:(?!\n[ \t]*\n).)*?\\end\{(?P=name)\})"
    r"|(?<!\$)\$(?!\s*\$)(?P<line>(?:\\.|[^$\\\n]|\n(?![ \t]*\n))+?)\$",
    re.DOTALL | re.MULTILINE,
)
# What Pandoc 3.9 sets badly: sizes of brackets, and widths that it rounds to whole ems.
SPACING = re.compile(r"\\\\|\\[;!]|\\[bB]igg?[lrm]?(?![a-zA-Z])\s*")
SPACES = {"\\\\": "\\\\", "\\;": "\\ "}
# Symbols that Pandoc 3.9 calls by a name that Typst gave up.
RENAMED = re.compile(r"(?<![\w.])(dot|minus|plus|times)\.circle(?!\w)")
# Letters that no line break divides; longer runs get places where a line may break.
LONGEST_WORD = 28
SUMMARY = re.compile(
    r"(?:\s*</details>)?\s*<details[^>]*>\s*<summary[^>]*>((?:(?!</summary>).)*)</summary>\s*",
    re.DOTALL,
)
ZERO_WIDTH = "\u200b"
TIMEOUT = 120.0

Picture = Callable[[str, str], str]
"""From an address and a text alternative to Typst's markup for the picture, or for its absence."""


class PandocError(Exception):
    """Pandoc could not be run, or did not understand."""


def breakable(text: str, longest: int = LONGEST_WORD) -> str:
    """The text with a place to break the line at each letter of a word that is too long."""
    run = re.compile(rf"[^\s{ZERO_WIDTH}]{{{longest + 1},}}")
    return run.sub(lambda match: ZERO_WIDTH.join(match[0]), text)


def typst_string(text: str) -> str:
    """A text as a string of Typst."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


# ---------------------------------------------------------------- formulas


def without_math(source: str, put: Callable[[str, bool], str]) -> str:
    """The Markdown with each formula replaced by ``put(formula, display)``; code stays."""

    def replaced(match: re.Match[str]) -> str:
        if match["code"] is not None:
            return match[0]
        if match["block"] is not None:
            return put(match["inside"] or match[0], True)
        return put(match["line"], False)

    return MATH.sub(replaced, source)


# ---------------------------------------------------------------- Pandoc


def pandoc(text: str, *arguments: str) -> str:
    """What Pandoc makes of a text; it may read no file and no network address.

    Raises PandocError where it cannot be run or refuses the text.
    """
    import pypandoc

    command = [pypandoc.get_pandoc_path(), "--sandbox", "--wrap=none", *arguments]
    try:
        done = subprocess.run(
            command, input=text.encode(), capture_output=True, timeout=TIMEOUT, check=True
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise PandocError(said[-1] if said else f"exit code {error.returncode}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PandocError(str(error)) from None
    return done.stdout.decode()


def _parsed(sources: Sequence[str]) -> list[list[Node]]:
    """The blocks of each source, from one run of Pandoc where that is possible."""
    mark = f"CELL{secrets.token_hex(6)}N"
    joined = "".join(f"\n\n{mark}{index}\n\n{text}" for index, text in enumerate(sources))
    blocks = json.loads(pandoc(joined, "-f", READER, "-t", "json"))["blocks"]
    found: list[list[Node]] = []
    for block in blocks:
        if block == {"t": "Para", "c": [{"t": "Str", "c": f"{mark}{len(found)}"}]}:
            found.append([])
        elif found:
            found[-1].append(block)
    if len(found) == len(sources):
        return found
    # A cell with a fence or a comment that never ends has swallowed those behind it.
    return [json.loads(pandoc(text, "-f", READER, "-t", "json"))["blocks"] for text in sources]


class Converter:
    """Turns Markdown into Typst; ``picture`` is asked for each picture in it."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.formulas: list[tuple[str, bool]] = []

    def convert(self, sources: Sequence[str], pictures: Sequence[Picture]) -> list[str]:
        """Each source as Typst markup. Raises PandocError as :func:`pandoc` does."""
        held = [without_math(PRIVATE.sub("", source), self._hold) for source in sources]
        trees = []
        for blocks, picture in zip(_parsed(held), pictures, strict=True):
            self.picture = picture
            trees.append(self._blocks(blocks))
        return _written(trees)

    def _hold(self, formula: str, display: bool) -> str:
        self.formulas.append((formula.strip(), display))
        return f"{OPEN}{len(self.formulas) - 1}{CLOSE}"

    def _restored(self, text: str) -> str:
        """A text in which formulas are words after all, such as code that quotes one."""

        def source(match: re.Match[str]) -> str:
            formula, display = self.formulas[int(match[1])]
            fence = "$$" if display else "$"
            return formula if formula.startswith(r"\begin") else f"{fence}{formula}{fence}"

        return HELD.sub(source, text)

    # ------------------------------------------------------------ the tree

    def _blocks(self, blocks: list[Node], longest: int = LONGEST_WORD) -> list[Node]:
        found: list[Node] = []
        for block in blocks:
            if block["t"] == "RawBlock":
                found += self._html(self._restored(block["c"][1]), longest)
            elif block["t"] == "CodeBlock":
                (_, classes, _), text = block["c"]
                language = typst_string(classes[0]) if classes else "none"
                shown = typst_string(breakable(self._restored(text).rstrip()))
                found.append(_raw(f"#program({shown}, {language})"))
            elif block["t"] == "Table":
                columns = max(1, len(block["c"][2]))
                narrow = max(3, min(longest, 60 // columns))
                found.append({"t": "Table", "c": self._any(_left(block["c"]), narrow)})
            elif block["t"] == "Header":
                level, _, words = block["c"]  # no identifier: two cells may have the same heading
                found.append(
                    {"t": "Header", "c": [level, ["", [], []], self._inlines(words, longest)]}
                )
            else:
                found.append({**block, **self._content(block, longest)})
        return found

    def _content(self, node: Node, longest: int) -> dict[str, Any]:
        return {"c": self._any(node["c"], longest)} if "c" in node else {}

    def _any(self, value: Any, longest: int) -> Any:
        if isinstance(value, list):
            if value and all(isinstance(item, dict) and "t" in item for item in value):
                if any(item["t"] in BLOCKS for item in value):
                    return self._blocks(value, longest)
                return self._inlines(value, longest)
            return [self._any(item, longest) for item in value]
        if isinstance(value, dict) and "t" in value:
            return {**value, **self._content(value, longest)}
        return value

    def _inlines(self, inlines: list[Node], longest: int) -> list[Node]:
        return [new for node in inlines for new in self._inline(node, longest)]

    def _inline(self, node: Node, longest: int) -> list[Node]:
        kind, content = node["t"], node.get("c")
        if kind == "Str":
            return list(self._words(content, longest))
        if kind == "Code":
            shown = breakable(self._restored(content[1]), longest)
            return [_raw_inline(f"#raw({typst_string(shown)})")]
        if kind == "Image":
            return [_raw_inline(self.picture(content[2][0], _plain(content[1])))]
        if kind == "RawInline":
            return self._inline_html(content[1])
        if kind == "Link":
            words, (address, _) = self._inlines(content[1], longest), content[2]
            if not address.startswith(("http://", "https://", "mailto:")):
                return words  # a place in the notebook, which the page does not have
            return [{"t": "Link", "c": [["", [], []], words, [self._restored(address), ""]]}]
        if kind == "Span":
            return self._inlines(content[1], longest)
        return [{**node, **self._content(node, longest)}]

    def _words(self, text: str, longest: int) -> Iterator[Node]:
        for index, piece in enumerate(HELD.split(text)):
            if index % 2:
                formula, display = self.formulas[int(piece)]
                kind = "DisplayMath" if display else "InlineMath"
                tidy = SPACING.sub(lambda match: SPACES.get(match[0], ""), formula)
                yield {"t": "Math", "c": [{"t": kind}, tidy]}
            elif piece:
                yield {"t": "Str", "c": breakable(piece, longest)}

    # ------------------------------------------------------------ HTML

    def _html(self, text: str, longest: int) -> list[Node]:
        text = re.sub(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1>|\Z)", "", text, flags=re.S)
        summary = SUMMARY.fullmatch(text)
        if summary:
            words = html.unescape(re.sub(r"<[^>]*>", "", summary[1])).split()
            strung = [{"t": "Str", "c": breakable(f"{word} ", longest)} for word in words]
            return [{"t": "Para", "c": [{"t": "Strong", "c": strung}]}]
        if not re.search(r"<img\b", text) and not re.sub(r"<[^>]*>", "", text).strip():
            return []
        blocks = json.loads(pandoc(text, "-f", "html-auto_identifiers", "-t", "json"))["blocks"]
        return self._blocks([block for block in blocks if block["t"] != "RawBlock"], longest)

    def _inline_html(self, text: str) -> list[Node]:
        if re.match(r"<br\b", text):
            return [{"t": "LineBreak"}]
        if re.match(r"<img\b", text):
            parts = dict(re.findall(r"""\b(src|alt)\s*=\s*["']([^"']*)["']""", text))
            return [_raw_inline(self.picture(parts.get("src", ""), parts.get("alt", "")))]
        return []


BLOCKS = {
    *("Plain", "Para", "LineBlock", "CodeBlock", "RawBlock", "BlockQuote", "OrderedList"),
    *("BulletList", "DefinitionList", "Header", "HorizontalRule", "Table", "Figure", "Div"),
}


def _left(table: list[Any]) -> list[Any]:
    """A table's contents with columns to the left that name no side; a figure would centre them."""
    sides = [
        [{"t": "AlignLeft"} if side["t"] == "AlignDefault" else side, width]
        for side, width in table[2]
    ]
    return [*table[:2], sides, *table[3:]]


def _raw(markup: str) -> Node:
    return {"t": "RawBlock", "c": ["typst", markup]}


def _raw_inline(markup: str) -> Node:
    # The semicolon ends the expression: what follows is text, whatever it begins with.
    return {"t": "RawInline", "c": ["typst", markup + ";"]}


def _plain(node: Node) -> str:
    """The words of a picture's text alternative."""
    if isinstance(node, list):
        return " ".join("".join(_plain(part) or " " for part in node).split())
    if not isinstance(node, dict):
        return ""
    content = node.get("c", "")
    return HELD.sub("", content) if node["t"] == "Str" else _plain(content)


def _written(trees: Sequence[list[Node]]) -> list[str]:
    """Typst markup for each tree, from one run of Pandoc."""
    mark = f"// cell {secrets.token_hex(6)}"
    blocks = [node for tree in trees for node in (_raw(mark), *tree)]
    whole = {"pandoc-api-version": [1, 23, 1], "meta": {}, "blocks": blocks}
    parts = pandoc(json.dumps(whole), "-f", "json", "-t", "typst").split(mark)
    return [RENAMED.sub(r"\1.o", part).strip("\n") for part in parts[1:]]
