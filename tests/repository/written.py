"""The course's own texts: Markdown files, and the prose of each lab."""

import re
from functools import cache
from pathlib import Path

import nbformat
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
FILES = ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in ROOT.glob("docs/*.md"))]
FILES += sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("notebooks/**/*.md"))
LABS = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("[ns]*s/*/*.ipynb"))
TEXTS = [*FILES, *LABS]
MATHS = re.compile(r"\$\$(.+?)\$\$|(?<!\\)\$([^$\n]+?)(?<!\\)\$", re.DOTALL)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


@cache
def cells(name: str) -> list[str]:
    """The Markdown of a file, or of each Markdown cell of a notebook."""
    path = ROOT / name
    if path.suffix == ".md":
        return [path.read_text(encoding="utf-8")]
    notebook = nbformat.read(path, 4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def tokens(name: str) -> list[Token]:
    """All parts of a text, those within lines, too, in order."""
    # Links with mathematics in their way are no links: brackets are common in formulas.
    parsed = (
        MarkdownIt("commonmark")
        .enable("table")
        .parse("\n\n".join(MATHS.sub("formula", cell) for cell in cells(name)))
    )
    return [part for token in parsed for part in (token, *(token.children or []))]


def prose(name: str) -> str:
    """The words of a text, without code, formulas and addresses."""
    text = "\n\n".join(cells(name))
    return re.sub(r"\]\([^)]*\)|https?://\S+|<[^>]*>", " ", MATHS.sub(" ", CODE.sub(" ", text)))
