"""Which modules of `course_utils` a notebook needs: the closure of its imports, read not run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbformat import NotebookNode

PACKAGE = "course_utils"


def imports_of(source: str) -> Iterator[str]:
    """The dotted names that a piece of Python imports anywhere, functions included.

    `from a.b import c` gives both "a.b" and "a.b.c": c may be a module. Lines of a notebook that
    are no Python (magics) are passed over.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        kept = [line for line in source.split("\n") if not line.lstrip().startswith(("%", "!"))]
        try:
            tree = ast.parse("\n".join(kept))
        except SyntaxError:
            return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def notebook_imports(notebook: NotebookNode) -> set[str]:
    """The names that a notebook's code cells import from the package."""
    found = {
        name
        for cell in notebook.cells
        if cell.cell_type == "code"
        for name in imports_of(cell.source)
    }
    return {name for name in found if name.split(".")[0] == PACKAGE}


def closure(names: Iterable[str], package: Path, without: Iterable[str] = ()) -> set[Path]:
    """Files of `package` that are read where `names` are imported, relative to it.

    names : dotted names such as "course_utils.training"; names of functions are passed over.
    package : the folder of `course_utils`.
    without : subpackages or modules that are not entered, such as "course_utils.checks".
    """
    barred = tuple(without)
    waiting, found, seen = list(names), set(), set()
    while waiting:
        name = waiting.pop()
        if name in seen or any(name == b or name.startswith(f"{b}.") for b in barred):
            continue
        seen.add(name)
        if "." in name:
            waiting.append(name.rpartition(".")[0])
        path = _file_of(name, package)
        if path is not None:
            found.add(path.relative_to(package))
            if path.name == "__init__.py" and path.with_name("__main__.py").is_file():
                waiting.append(f"{name}.__main__")  # `python -m` finds it, and no import names it
            waiting += [
                other
                for other in imports_of(path.read_text(encoding="utf-8"))
                if other.split(".")[0] == PACKAGE
            ]
    return found


def _file_of(name: str, package: Path) -> Path | None:
    place = package.joinpath(*name.split(".")[1:])
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if path.is_file():
            return path
    return None
