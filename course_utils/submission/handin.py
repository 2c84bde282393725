"""Handing in: check the notebook, make its PDF, write both into one zip."""

from __future__ import annotations

import contextlib
import os
import re
import time
import unicodedata
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from course_utils.submission.finding import (
    JUST_SAVED,
    Found,
    ago,
    bullets,
    check_saved,
    find,
    labelled_size,
)
from course_utils.submission.notebook import RefusedError, inspect, title_of
from course_utils.submission.pdf import Pdf, make_pdf

LAB = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
LONGEST_NAME = 60


@dataclass(frozen=True)
class Handed:
    """What came of it. ``path`` is the zip, or None after a dry run; ``replaced``: there was one.

    ``warnings`` are what the student should know; ``pdf`` says why there is none, if so.
    """

    lab: str
    found: Found
    path: Path | None
    size: str
    pdf: Pdf
    warnings: tuple[str, ...]
    replaced: bool = False

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        pages = f"a PDF of {self.pdf.pages} page{'s' * (self.pdf.pages != 1)}"
        inside = pages if self.pdf.data else "no PDF"
        if self.path is None:
            lines = [f"Nothing was written: the zip would hold {self._source} and {inside}."]
        else:
            again = ", in place of the one that was there" if self.replaced else ""
            lines = [
                f"{self.path.name} is ready ({self.size}{again}): hand in this file.",
                f"It lies in {self.path.parent} and holds {self._source} and {inside}.",
            ]
        if (self.found.age or 0.0) > JUST_SAVED:
            lines.append("What you wrote after that is not in it: then save, and do this again.")
        if not self.pdf.data:
            lines.append(f"There is no PDF: {self.pdf.reason}")
        if self.warnings:
            lines += ["Look at this before you hand it in:", *bullets(self.warnings)]
        return lines

    @property
    def _source(self) -> str:
        if self.found.path is None:
            return "the notebook as it stands"
        return f"{self.found.path.name} (saved {ago(self.found.age or 0.0)})"


def hand_in(
    lab: str,
    notebook: Path | None = None,
    out: Path | None = None,
    name: str = "",
    dry_run: bool = False,
) -> Handed:
    """Check a lab's notebook and write `<lab>.zip`, or `<lab>_<name>.zip`, into ``out``.

    The zip holds `<lab>/<lab>.ipynb`, byte for byte as it was saved, and `<lab>.pdf`; where no PDF
    could be made, `<lab>-no-pdf.txt` says why. ``notebook`` defaults to the one that runs this, or
    lies in this folder; ``out`` to the notebook's folder.

    Raises RefusedError for a notebook that is damaged, of another lab, or behind what this kernel
    ran, and where the zip cannot be written; nothing is changed then.
    """
    if not LAB.fullmatch(lab):
        raise RefusedError(f"{lab!r} is no lab's name: expected one such as 'cfg'.")
    found = find(lab, notebook)
    warnings = [*found.notes, *inspect(found.notebook, lab)]
    if notebook is None:
        warnings += filter(None, [check_saved(found, lab)])
    title = title_of(found.notebook.tree, lab)
    pdf = make_pdf(found.notebook.tree, title, name, found.folder)
    packed = _packed(lab, found, pdf)
    warnings += pdf.notes
    if dry_run:
        return Handed(lab, found, None, labelled_size(packed), pdf, tuple(warnings))
    target = (out or found.folder).absolute() / zip_name(lab, name)
    replaced = target.exists()
    write_whole(target, packed)
    return Handed(lab, found, target, labelled_size(packed), pdf, tuple(warnings), replaced)


def zip_name(lab: str, name: str = "") -> str:
    """The zip's name; of a person's name only what every course site and file system takes."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    # Of a name in another script nothing is left: then its own letters are better than none.
    letters = plain if re.search(r"[A-Za-z0-9]", plain) else unicodedata.normalize("NFKC", name)
    kept = re.sub(r"[\W_]+", "-", letters).strip("-")[:LONGEST_NAME].strip("-")
    return f"{lab}_{kept}.zip" if kept else f"{lab}.zip"


def _packed(lab: str, found: Found, pdf: Pdf) -> bytes:
    stored = BytesIO()
    now = time.localtime()[:6]
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name: str, data: bytes | str) -> None:
            info = zipfile.ZipInfo(name, now)
            info.external_attr = 0o644 << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)

        add(f"{lab}/{lab}.ipynb", found.notebook.data)
        if pdf.data:
            add(f"{lab}.pdf", pdf.data)
        else:
            add(f"{lab}-no-pdf.txt", f"There is no PDF in this zip: {pdf.reason}\n")
    return stored.getvalue()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file in one step: whoever looks finds all of it, or what was there before.

    Raises RefusedError where that fails.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise RefusedError(
            f"{path} could not be written ({error.strerror}): make room, or name another folder"
            ' with out="…". Nothing was changed.'
        ) from None
