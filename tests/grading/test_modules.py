"""Which modules a notebook needs, read from its imports."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grading.modules import closure, imports_of, notebook_imports


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import a.b, c", {"a.b", "c"}),
        ("from a.b import c as d", {"a.b", "a.b.c"}),
        ("def f():\n    from a import b", {"a", "a.b"}),
        ("from . import sibling", set()),
        ("%matplotlib inline\n!ls\nimport a", {"a"}),
        ("this is no Python", set()),
    ],
)
def test_names_that_are_imported(source: str, names: set[str]) -> None:
    assert set(imports_of(source)) == names


def test_a_notebook_counts_by_its_code_alone() -> None:
    cells = [
        new_code_cell("import torch\nfrom course_utils.paths import Alpha"),
        new_markdown_cell("import course_utils.mnist"),
    ]
    assert notebook_imports(new_notebook(cells=cells)) == {
        "course_utils.paths",
        "course_utils.paths.Alpha",
    }


def test_the_closure_follows_imports_and_stops_where_it_is_told(tmp_path: Path) -> None:
    package = tmp_path / "course_utils"
    for name, text in {
        "__init__": "",
        "a": "def f():\n    from course_utils import b\n",
        "b": "from course_utils.c.d import thing",
        "c/__init__": "",
        "c/d": "import course_utils.a",
        "e": "",
        "barred/__init__": "import course_utils.e",
    }.items():
        path = package / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = closure({"course_utils.a", "course_utils.barred"}, package, {"course_utils.barred"})
    assert {str(path) for path in found} == {
        "__init__.py",
        "a.py",
        "b.py",
        "c/__init__.py",
        "c/d.py",
    }


def test_what_python_m_runs_belongs_to_its_package(tmp_path: Path) -> None:
    package = tmp_path / "course_utils"
    (package / "tool").mkdir(parents=True)
    for name in ("__init__", "tool/__init__", "tool/other", "extra"):
        (package / f"{name}.py").touch()
    (package / "tool" / "__main__.py").write_text("from course_utils.extra import main")
    assert {str(path) for path in closure(["course_utils.tool"], package)} == {
        "__init__.py",
        "tool/__init__.py",
        "tool/__main__.py",
        "extra.py",
    }
