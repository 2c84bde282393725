"""`course new`: a tiny lab that works, to be written over."""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from pathlib import Path

from nbformat import reads

from grading.notebooks import CourseError, notebook_text
from grading.release import all_labs, describe, source_of

NAME = re.compile(r"[a-z][a-z0-9_]*")


def new_lab(root: Path, lab: str, title: str, dry_run: bool = False) -> list[Path]:
    """Write the source notebook and the check of a new lab, the last of the course.

    Both work as they are: one job, one written question, a check that names three mistakes.

    Returns: the two files.

    Raises:
        CourseError: the name is none for a Python module, or the lab or its check exists.
    """
    if not NAME.fullmatch(lab) or keyword.iskeyword(lab):
        raise CourseError(
            f"A lab cannot be called {lab!r}: expected a name of small letters, digits and "
            "underscores, such as latent_models, since course_utils.checks.<lab> is a module."
        )
    labs = all_labs(root)
    number = 1 + max(int(found["number"] or 0) for found in describe(root))
    checks = root / "course_utils" / "checks"
    texts = {
        root / "solutions" / lab / f"{lab}.ipynb": _notebook(root, lab, number, title, labs[0]),
        checks / f"{lab}.py": _filled("checks.py.txt", lab, number),
    }
    for path in texts:
        if path.exists():
            raise CourseError(
                f"{path} exists; expected a new name. Choose another one, or move it away. "
                "Nothing was written."
            )
    for path, text in texts.items() if not dry_run else ():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(texts)


def _filled(name: str, lab: str, number: int) -> str:
    text = (files("grading") / "template" / name).read_text("utf-8")
    return text.replace("__LAB__", lab).replace("__NUMBER__", str(number))


def _notebook(root: Path, lab: str, number: int, title: str, other: str) -> str:
    """The source notebook; the cell that finds the course comes from another lab."""
    notebook = reads(_filled("lab.ipynb", lab, number), as_version=4)
    notebook.metadata["course"] |= {"number": number, "title": title}
    # Not in the file's text, where a quote in the title would end a string.
    notebook.cells[0].source = notebook.cells[0].source.replace("__TITLE__", title)
    own = {cell.id: cell for cell in notebook.cells}
    theirs = {cell.id: cell for cell in source_of(root, other).cells}
    found = theirs.get(f"{other}-course")
    if found is None:
        raise CourseError(f"Lab {other} has no cell {other}-course, which each lab begins with.")
    own[f"{lab}-course"].source = found.source.replace(f'"{other}"', f'"{lab}"')
    return notebook_text(notebook)
