"""How like two functions are, whatever their names: do a handout's modules hold a lab's answers?

A function is read as its row of operations: kinds of nodes, the attributes and methods that it
names, and its numbers. Names of variables, annotations, docstrings and decorators do not count.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode

from grading.notebooks import is_answer

ALIKE = 0.75
"""The share of two rows that agrees, in order, from which on one is held to be the other."""
SHORT = 12
"""Rows shorter than this (``return self.net(x)``) are alike by chance."""
WHOLE = 20
"""An answer of at least this length may stand in no longer function as it is, either."""

IGNORED = ("annotation", "returns", "type_comment", "decorator_list", "ctx")


class Function(NamedTuple):
    """A function's place, its name and its row of operations."""

    where: str
    name: str
    row: tuple[str, ...]


def functions(source: str, where: str, lines: set[int] | None = None) -> Iterator[Function]:
    """Functions and methods of some code; with ``lines``, their statements on these alone."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            body = [s for s in _body(node) if lines is None or s.lineno in lines]
            row = tuple(word for statement in body for word in _row(statement))
            if row:
                yield Function(where, node.name, row)


def _body(function: ast.FunctionDef) -> list[ast.stmt]:
    first, rest = function.body[0], function.body[1:]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return rest if is_docstring else [first, *rest]


def _row(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name | ast.Constant):
        number = isinstance(node, ast.Constant) and isinstance(node.value, int | float)
        yield repr(node.value) if number else "·"
        return
    yield f".{node.attr}" if isinstance(node, ast.Attribute) else type(node).__name__
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if field not in IGNORED and isinstance(child, ast.AST):
                yield from _row(child)


def answers(solution: NotebookNode) -> list[Function]:
    """The functions that students write, by the lines between a solution's markers."""
    found = []
    for cell in solution.cells:
        if cell.cell_type == "code" and is_answer(cell):
            lines, inside = set(), False
            for number, line in enumerate(cell.source.split("\n"), start=1):
                inside = inside if not (mark := re.search(r"(BEGIN|END) SOLUTION", line)) else (
                    mark[1] == "BEGIN"
                )  # fmt: skip
                lines |= {number} if inside else set()
            found += functions(cell.source, cell.id, lines)
    return found


def alike(answer: Function, other: Function) -> float:
    """How like the answer another function is, from 0 to 1."""
    if len(answer.row) < SHORT:
        return 0.0
    if len(answer.row) >= WHOLE and f" {' '.join(answer.row)} " in f" {' '.join(other.row)} ":
        return 1.0
    matcher = SequenceMatcher(None, answer.row, other.row, autojunk=False)
    if matcher.real_quick_ratio() < ALIKE or matcher.quick_ratio() < ALIKE:
        return 0.0
    return matcher.ratio()


def likenesses(solution: NotebookNode, package: Path, modules: list[Path]) -> list[str]:
    """What of some modules is held to be an answer of a lab, as sentences."""
    theirs = [
        function
        for module in modules
        for function in functions((package / module).read_text("utf-8"), module.as_posix())
    ]
    return [
        f"{other.where}: {other.name} does what {answer.name} in {answer.where} does ({share:.0%})"
        for answer in answers(solution)
        for other in theirs
        if (share := alike(answer, other)) >= ALIKE
    ]
