"""Preflight: what a handed-in file is, before anything of it runs.

A file is only read here, as data. What is damaged and can be mended without a doubt is mended, and
a note says so; the rest is refused with one sentence that its author can act on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import nbformat
from nbformat import NotebookNode

from grading.restore import (
    MAX_SUBMISSION_BYTES,
    SUBMIT_AGAIN,
    UnreadableError,
    clean_notebook,
    restore,
)

MAX_CELLS = 2_000
MAX_CELL_CHARACTERS = 1_000_000
MAX_ATTACHMENT_CHARACTERS = 8_000_000
SUBMIT_IPYNB = "submit the lab's .ipynb file itself"
# How files begin that are handed in instead of a notebook.
BEGINNINGS = {
    b"PK\x03\x04": "a zip archive or an office document",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x1f\x8b": "a compressed archive",
    b"Rar!": "an archive",
    b"7z\xbc\xaf": "an archive",
    b"{\\rtf": "a text document",
    b"\xd0\xcf\x11\xe0": "an office document",
}
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SCRIPT = re.compile(r"\s*(#|import |from \w+ import |def |class |\"\"\"|%)")


@dataclass(frozen=True)
class Verdict:
    """What preflight found: a notebook that can be run, or the reason why there is none.

    `notebook` has the lab's own test cells; `notes` say what was mended, a sentence each.
    """

    notebook: NotebookNode | None
    reason: str | None
    notes: tuple[str, ...] = ()


def inspect(data: bytes, master: NotebookNode) -> Verdict:
    """The verdict on a file's bytes, whatever they are; raises nothing.

    `master` is the lab as it grades (`grading.gradebook.master_notebook`).
    """
    notes: list[str] = []
    try:
        submission = read_submission(data, notes)
        restored = restore(submission, master)
    except UnreadableError as error:
        return Verdict(None, str(error), tuple(notes))
    except Exception as error:  # nobody's file may stop the grader
        kind = type(error).__name__
        return Verdict(None, f"The file is damaged ({kind}): {SUBMIT_AGAIN}.", tuple(notes))
    return Verdict(restored.notebook, None, (*notes, *restored.notes))


def read_submission(data: bytes, notes: list[str] | None = None) -> NotebookNode:
    """A submitted file as a clean notebook without outputs; adds to `notes` what it mended.

    Raises `UnreadableError` for what is no notebook, of another language, or too large.
    """
    notes = [] if notes is None else notes
    tree = _parsed(_text(data, notes), notes)
    if "worksheets" in tree:
        tree = _converted(tree, notes)
    if not isinstance(tree.get("cells"), list):
        raise UnreadableError(
            f"The file is not a Jupyter notebook (it has no list of cells): {SUBMIT_IPYNB}."
        )
    _check_kernel(tree.get("metadata"))
    _check_sizes(tree["cells"], notes)
    return clean_notebook(tree)


# ---------------------------------------------------------------- from bytes to a table


def _text(data: bytes, notes: list[str]) -> str:
    if not data.strip(b"\0 \t\r\n"):
        raise UnreadableError(f"The file is empty: {SUBMIT_AGAIN}.")
    if len(data) > MAX_SUBMISSION_BYTES:
        raise UnreadableError(
            f"The file has {len(data) / 2**20:.0f} MB and {MAX_SUBMISSION_BYTES // 2**20} MB are"
            " accepted: clear all outputs in JupyterLab, save, and submit again."
        )
    for beginning, kind in BEGINNINGS.items():
        if data.startswith(beginning):
            raise UnreadableError(f"The file is {kind}, not a notebook: {SUBMIT_IPYNB}.")
    try:
        if data.startswith(UTF_16):
            text = data.decode("utf-16")
            notes.append(
                "The file was UTF-16 text, as some editors save it; it was read all the same."
            )
            return text
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError(
            f"The file is not UTF-8 text, as notebooks are: {SUBMIT_AGAIN}."
        ) from None


def _parsed(text: str, notes: list[str]) -> dict[str, Any]:
    start = text.lstrip()
    _check_kind(start)
    try:
        tree, end = json.JSONDecoder().raw_decode(start)
    except json.JSONDecodeError as error:
        ended = error.pos >= len(start.rstrip()) - 1 or error.msg.startswith("Unterminated")
        where = "breaks off" if ended else "is damaged"
        raise UnreadableError(
            f"The file is damaged (its JSON {where} at line {error.lineno}): {SUBMIT_AGAIN}."
        ) from None
    except (ValueError, RecursionError):
        raise UnreadableError(
            f"The file is damaged (its JSON is not sound): {SUBMIT_AGAIN}."
        ) from None
    if start[end:].strip():
        notes.append("Something stood behind the notebook's end in the file and was left out.")
    if not isinstance(tree, dict):
        raise UnreadableError(
            f"The file is not a Jupyter notebook (it has no list of cells): {SUBMIT_IPYNB}."
        )
    return tree


def _check_kind(text: str) -> None:
    head = text[:200].lower()
    if head.startswith(("<!doctype", "<html", "<?xml", "<head")):
        raise UnreadableError(
            "The file is a web page, such as a login page or a preview, not a notebook: download"
            " the .ipynb file itself and submit that one."
        )
    if not head.startswith(("{", "[", '"')) and SCRIPT.match(text):
        raise UnreadableError(f"The file is a script, not a notebook: {SUBMIT_IPYNB}.")


def _converted(tree: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    """A notebook in the format of 2014, in today's."""
    try:
        newer = nbformat.convert(nbformat.from_dict({"nbformat": 3, "nbformat_minor": 0} | tree), 4)
    except Exception:
        raise UnreadableError(
            f"The notebook is in a format that Jupyter left behind in 2015: {SUBMIT_AGAIN}."
        ) from None
    notes.append("The notebook was in a format of before 2015 and was converted.")
    return dict(newer)


# ---------------------------------------------------------------- what it holds


def _check_kernel(metadata: Any) -> None:
    """Raises where the notebook says that it is of another language than Python 3."""
    known = metadata if isinstance(metadata, dict) else {}
    spec, info = (_table(known.get(name)) for name in ("kernelspec", "language_info"))
    language = str(spec.get("language") or info.get("name") or "python").lower()
    old = str(spec.get("name", "")).lower() == "python2" or str(
        info.get("version", "3")
    ).startswith("2")
    if "python" in language and not old:
        return
    found = "Python 2" if "python" in language else str(spec.get("display_name") or language)[:40]
    raise UnreadableError(
        f"The notebook's kernel is {found}; expected Python 3: choose Kernel > Change Kernel >"
        " Python 3 in JupyterLab, run all cells, save, and submit again."
    )


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _check_sizes(cells: list[Any], notes: list[str]) -> None:
    if len(cells) > MAX_CELLS:
        raise UnreadableError(
            f"The notebook has {len(cells):,} cells and {MAX_CELLS:,} are accepted: {SUBMIT_AGAIN},"
            " with the lab's own cells."
        )
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict):
            continue
        source = cell.get("source")
        length = sum(map(_length, source)) if isinstance(source, list) else _length(source)
        if length > MAX_CELL_CHARACTERS:
            raise UnreadableError(
                f"Cell {number} holds {length:,} characters and {MAX_CELL_CHARACTERS:,} are"
                " accepted: remove what does not belong there, save, and submit again."
            )
        if len(json.dumps(cell.get("attachments", {}))) > MAX_ATTACHMENT_CHARACTERS:
            del cell["attachments"]
            notes.append(f"The attachments of cell {number} were too large and were left out.")


def _length(text: Any) -> int:
    return len(text) if isinstance(text, str) else 0


# ---------------------------------------------------------------- file names


@dataclass(frozen=True)
class Choice:
    """The file that was meant for a lab, with a note if its name was off; or a reason."""

    name: str | None
    note: str | None = None
    reason: str | None = None


def choose_file(names: Iterable[str], lab: str) -> Choice | None:
    """Which of a folder's files is the submission of `lab`; None where none looks like one.

    The exact name wins. Else the one file is taken whose name has the lab's name in it, as
    browsers, file managers and learning systems change names ("cfg (1).ipynb", "Copy of
    CFG.ipynb", "smith_123_cfg-Copy1.ipynb", "cfg.ipynb.txt"), or the only notebook there is.
    """
    found = sorted(name for name in names if not name.startswith((".", "~$", "__")))
    if f"{lab}.ipynb" in found:
        return Choice(f"{lab}.ipynb")
    notebooks = [name for name in found if ".ipynb" in name.lower()]
    near = [name for name in notebooks if means(name, lab)] or notebooks
    if not near:
        return None
    if len(near) > 1:
        return Choice(
            None,
            reason=f"There are {len(near)} notebooks and none is called {lab}.ipynb:"
            f" {', '.join(near[:3])}. Call the right one {lab}.ipynb, and grade again.",
        )
    return Choice(near[0], note=f"The file was called '{near[0][:80]}' and not '{lab}.ipynb'.")


def means(name: str, lab: str) -> bool:
    """Whether a file's name holds the lab's, as words of their own."""
    words = re.sub(r"[^a-z0-9]+", " ", PurePath(name).name.lower().split(".ipynb")[0])
    wanted = re.sub(r"[^a-z0-9]+", " ", lab.lower())
    return f" {wanted} " in f" {words} "


def lab_in(data: bytes) -> str | None:
    """The lab that a notebook says it is, in its metadata; None where it does not."""
    try:
        named = json.loads(data)["metadata"]["course"]["lab"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return named if isinstance(named, str) else None
