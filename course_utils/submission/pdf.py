"""A notebook as a PDF that was read back and compared, or the reason why there is none."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from course_utils.submission.document import Pages, pages_of
from course_utils.submission.markdown import PandocError
from course_utils.submission.reader import LAST_RESORT, Reading, lacking, read_pdf

# Import names, and the names under which pip knows them.
NEEDED = {"typst": "typst", "pypandoc": "pypandoc_binary", "pypdfium2": "pypdfium2"}
FONTS = ("DejaVuSans", "DejaVuSansMono", LAST_RESORT)


@dataclass(frozen=True)
class Pdf:
    """A PDF that holds what it should, or None and the reason. ``notes`` tell what is odd in it."""

    data: bytes | None
    reason: str | None = None
    notes: tuple[str, ...] = ()
    pages: int = 0


def make_pdf(
    notebook: Mapping[str, Any], title: str, name: str = "", folder: Path | None = None
) -> Pdf:
    """The PDF of a notebook, checked; never raises for anything that a notebook may hold.

    ``folder`` is where the notebook lies, for pictures that its text names.
    """
    absent = [package for module, package in NEEDED.items() if find_spec(module) is None]
    if absent:
        return Pdf(None, f"it needs more software. Run: pip install {' '.join(absent)}")
    try:
        return _Press(notebook, title, name, folder or Path.cwd()).run()
    except PandocError as error:
        return Pdf(None, f"Pandoc could not read the text of the notebook ({error}).")
    except Exception as error:  # the student hands in all the same
        return Pdf(None, f"an unexpected error stopped it ({type(error).__name__}: {error}).")


class _Press:
    """Makes, reads back and mends: what cannot be set as it should is shown as it was typed."""

    def __init__(self, notebook: Mapping[str, Any], title: str, name: str, folder: Path) -> None:
        self.notebook, self.title, self.name, self.folder = notebook, title, name, folder
        self.plain: set[int] = set()
        self.others: list[str] = []
        self.tight = False

    def run(self) -> Pdf:
        with tempfile.TemporaryDirectory(prefix="course-pdf-") as place:
            self.place = Path(place)
            self._fonts()
            data, pages = self._set()
            reading = read_pdf(data)
            if self._mended(reading):
                data, pages = self._set()
                reading = read_pdf(data)
        return self._judged(data, pages, reading)

    def _mended(self, reading: Reading) -> bool:
        """Whether something can be done about what was found amiss; notes down what."""
        lost = set(lacking(self.notebook["cells"], reading.text)) - self.plain
        typed = {i for i in lost if self.notebook["cells"][i].get("cell_type") != "code"}
        self.plain |= typed
        self.tight = bool(reading.outside)
        if reading.missing:
            self.others = _system_fonts()
        return bool(typed or self.tight or self.others)

    def _judged(self, data: bytes, pages: Pages, reading: Reading) -> Pdf:
        reason = _trouble(self.notebook["cells"], pages, reading)
        if reason:
            return Pdf(None, reason)
        notes = []
        if self.plain:
            notes.append(
                f"The text of {len(self.plain)} cell{'s' * (len(self.plain) > 1)} could not be set"
                " as Jupyter shows it and stands in the PDF as it was typed."
            )
        if reading.missing:
            notes.append(
                f"This machine has no font for {len(reading.missing)} characters"
                f" ({reading.missing[:20]}): the PDF shows signs in their place, the notebook is"
                " not affected."
            )
        return Pdf(data, None, tuple(notes), reading.pages)

    # ------------------------------------------------------------ Typst

    def _fonts(self) -> None:
        """Of matplotlib's fonts only those with many characters, and the one of last resort."""
        import matplotlib

        (self.place / "fonts").mkdir()
        for path in Path(matplotlib.get_data_path(), "fonts", "ttf").glob("*.ttf"):
            if path.stem.partition("-")[0].removesuffix("HE") in FONTS:
                shutil.copy(path, self.place / "fonts")

    def _set(self) -> tuple[bytes, Pages]:
        """The PDF; cells that Typst does not take are added to ``plain``."""
        import typst

        pages = pages_of(self.notebook, self.folder, self.plain)
        self._store(pages)
        try:
            return self._compiled(pages), pages
        except typst.TypstError:
            broken = self._broken(pages)
            if not broken - self.plain:
                raise
        self.plain |= broken
        pages = pages_of(self.notebook, self.folder, self.plain)
        self._store(pages)
        return self._compiled(pages), pages

    def _broken(self, pages: Pages) -> set[int]:
        import typst

        found = set()
        for index, cell in enumerate(self.notebook["cells"]):
            if cell.get("cell_type") != "code":
                try:
                    self._compiled(pages.only(index))
                except typst.TypstError:
                    found.add(index)
        return found

    def _store(self, pages: Pages) -> None:
        for name, data in pages.files.items():
            (self.place / name).write_bytes(data)

    def _compiled(self, pages: Pages) -> bytes:
        import typst

        source = self.place / "notebook.typ"
        source.write_text(
            pages.text(self.title, self.name, self.others, self.tight), encoding="utf-8"
        )
        made = typst.compile(
            source,
            root=self.place,
            font_paths=[self.place / "fonts"],
            ignore_system_fonts=not self.others,
        )
        return bytes(made)


def _system_fonts() -> list[str]:
    """Families that this machine has, for characters that the course's own fonts lack."""
    import typst

    found = typst.Fonts(include_system_fonts=True, include_embedded_fonts=False, font_paths=[])
    return [name for name in found.families() if LAST_RESORT not in name.replace(" ", "")]


def _trouble(cells: Sequence[Mapping[str, Any]], pages: Pages, reading: Reading) -> str | None:
    """Why a PDF is not good enough to be handed in."""
    if not reading.pages:
        return "it came out without a page."
    lost = lacking(cells, reading.text)
    if lost:
        return f"its text is not whole: {next(iter(lost.values()))}."
    if reading.pictures != sum(pages.figures):
        return f"it shows {reading.pictures} of {sum(pages.figures)} pictures."
    if reading.outside:
        return f"something is cut off on page {reading.outside[0]}."
    return None
