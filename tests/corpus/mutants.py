"""Mutants of the reference answers: each differs from a right answer in one small thing.

Operators and constants are changed by Cosmic Ray's operators; calls, their arguments and the axes
of einops patterns by those below, which it does not have.
"""

from __future__ import annotations

import ast
import re
import signal
import tomllib
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from types import FrameType

from answers import HERE, LABS, Cell, cells, hidden_seeds, notebook_with, report
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.provider import OperatorProvider

SURVIVORS = HERE / "survivors.toml"
MODULES = {"torch", "nn", "math", "einops", "F", "self", "super"}
BITS = re.compile("Shift|Bit")  # no arithmetic of tensors; nearly all of them crash
OTHERS = ("RemoveDecorator", "VariableReplacer", "VariableInserter", "ExceptionReplacer")
SECONDS = 20

Span = tuple[int, int]
Edit = tuple[Span, str]


@dataclass(frozen=True)
class Mutant:
    """A reference cell with one change."""

    lab: str
    job: str
    cell: str
    source: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.lab}/{self.job}: {self.was} → {self.now}"


def mutants(lab: str, job: str) -> list[Mutant]:
    """Every mutant of a job's reference answer, each text once."""
    found: dict[str, Mutant] = {}
    for cell in cells(lab):
        if cell.job == job:
            for source in _mutated(cell):
                was, now = _difference(cell.source, source)
                if was != now:
                    found.setdefault(source, Mutant(lab, job, cell.name, source, was, now))
    return list(found.values())


def _mutated(cell: Cell) -> Iterator[str]:
    """The cell's source with one change in the lines that a student writes."""
    tree = ast.parse(cell.source)
    data = _Text(cell.source, [0, *(match.end() for match in re.finditer("\n", cell.source))])
    skipped = [data.span(node) for node in _no_behaviour(tree)]
    edits = [
        *_by_cosmic_ray(cell.source, data),
        *(
            (start, cell.source[:start] + text + cell.source[end:])
            for (start, end), text in _call_edits(tree, data)
        ),
    ]
    for start, mutated in edits:
        written = cell.source.count("\n", 0, start) + 1 in cell.solution
        if written and not _within(start, skipped) and _compiles(mutated):
            yield mutated


@dataclass(frozen=True)
class _Text:
    """Places in a source: ast counts bytes of a line, we count characters of the whole."""

    source: str
    lines: list[int]

    def offset(self, line: int, column: int) -> int:
        return self.lines[line - 1] + column

    def span(self, node: ast.expr | ast.stmt) -> Span:
        return self._place(node.lineno, node.col_offset), self._place(
            node.end_lineno or 0, node.end_col_offset or 0
        )

    def _place(self, line: int, column: int) -> int:
        text = self.source[self.lines[line - 1] :].encode()[:column].decode()
        return self.lines[line - 1] + len(text)

    def of(self, node: ast.expr) -> str:
        start, end = self.span(node)
        return self.source[start:end]


def _within(place: int, spans: Iterable[Span]) -> bool:
    return any(start <= place < end for start, end in spans)


def _compiles(source: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as `x is 1`: that is what mutants are
        try:
            compile(source, "<mutant>", "exec")
        except SyntaxError:
            return False
    return True


def _no_behaviour(tree: ast.Module) -> Iterator[ast.expr]:
    """Annotations, docstrings, decorators: nothing there changes what the answer computes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield from node.decorator_list
            yield from [node.returns] if node.returns else []
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            yield node.annotation
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _by_cosmic_ray(source: str, data: _Text) -> Iterator[tuple[int, str]]:
    """Each change of an operator or a constant, and where it starts."""
    provider, nodes = OperatorProvider(), list(ast_nodes(get_ast(source)))
    for name in provider:
        if name in OTHERS or BITS.search(name):
            continue
        operator = provider[name]()
        places = [
            start for node in nodes
            for start, _ in operator.mutation_positions(node)
        ]  # fmt: skip
        for occurrence, start in enumerate(places):
            mutated = mutate_code(source, operator, occurrence)
            if mutated is not None:
                yield data.offset(*start), mutated


def _call_edits(tree: ast.Module, data: _Text) -> Iterator[Edit]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _without_call(node, data)
            yield from _other_arguments(node, data)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "->" in node.value:
            yield from _other_axes(node, data)


def _without_call(call: ast.Call, data: _Text) -> Iterator[Edit]:
    """``x.f(…)`` becomes ``x``, and ``f(x, …)`` becomes ``x``."""
    method = call.func.value if isinstance(call.func, ast.Attribute) else None
    root = method
    while isinstance(root, ast.Attribute):
        root = root.value
    of_module = isinstance(root, ast.Name) and root.id in MODULES
    if method is not None and not of_module and not isinstance(root, ast.Call | None):
        yield data.span(call), f"({data.of(method)})"
    elif call.args and not isinstance(call.args[0], ast.Starred):
        yield data.span(call), f"({data.of(call.args[0])})"


def _other_arguments(call: ast.Call, data: _Text) -> Iterator[Edit]:
    """Two neighbours change places, and each keyword is left out."""
    arguments = [data.of(argument) for argument in call.args]
    keywords = [
        f"{word.arg}={data.of(word.value)}" if word.arg else f"**{data.of(word.value)}"
        for word in call.keywords
    ]

    def called_with(arguments: list[str], keywords: list[str]) -> Edit:
        return data.span(call), f"{data.of(call.func)}({', '.join([*arguments, *keywords])})"

    for index in range(len(arguments) - 1):
        left, right = arguments[index : index + 2]
        yield called_with([*arguments[:index], right, left, *arguments[index + 2 :]], keywords)
    for index in range(len(keywords)):
        yield called_with(arguments, keywords[:index] + keywords[index + 1 :])


def _other_axes(node: ast.Constant, data: _Text) -> Iterator[Edit]:
    """Neighbouring names of an einops pattern's right side change places."""
    left, right = node.value.split("->")
    names = list(re.finditer(r"[a-z]\w*", right))
    for one, other in pairwise(names):
        swapped = (
            right[: one.start()] + other[0] + right[one.end() : other.start()] + one[0]
            + right[other.end() :]
        )  # fmt: skip
        yield data.span(node), repr(f"{left}->{swapped}")


def _difference(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, as one line each."""
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return tuple(" ".join(" ".join(lines).split()) for lines in (old, new))  # type: ignore[return-value]


class Endless(BaseException):
    """A mutant did not come to an end."""


def _stop(number: int, frame: FrameType | None) -> None:
    raise Endless


def killed(mutant: Mutant) -> bool:
    """Whether the job's visible or hidden test takes points from the mutant."""
    job = LABS[mutant.lab].jobs[mutant.job]
    before = signal.signal(signal.SIGALRM, _stop)
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            space = notebook_with(
                mutant.lab, mutant.job, mutant.source, "mutant", instead_of=mutant.cell
            )
            seeds = (0, hidden_seeds(mutant.lab)[mutant.job])
            return not all(report(job, space, seed).passed for seed in seeds)
    except (Exception, Endless):
        return True
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True)
class Survivor:
    """Mutants that pass: which, of what kind, and why.

    ``now`` is the changed line, or ``*`` for any change of the line ``was``. ``kind`` is "same"
    where nothing else is computed, "right" where the mutant is another right answer by what the lab
    asks for, and "missed" where the checks should have noticed.
    """

    job: str
    was: str
    now: str
    kind: str
    why: str

    def __post_init__(self) -> None:
        if self.kind not in ("same", "right", "missed") or not self.why:
            raise ValueError(f"{SURVIVORS}: expected a kind (same, right, missed) and why: {self}")


@cache
def survivors() -> tuple[Survivor, ...]:
    """The known survivors."""
    listed = tomllib.loads(SURVIVORS.read_text("utf-8"))["survivor"] if SURVIVORS.exists() else []
    return tuple(Survivor(**entry) for entry in listed)


def known(mutant: Mutant) -> Survivor | None:
    """What is known of a mutant; what is said of it alone goes before what is said of its line."""
    of_line = [
        one for one in survivors()
        if one.job == f"{mutant.lab}/{mutant.job}" and one.was == mutant.was
    ]  # fmt: skip
    exact = [one for one in of_line if one.now == mutant.now]
    return next(iter([*exact, *(one for one in of_line if one.now == "*")]), None)
