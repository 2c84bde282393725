"""How far from every tolerance right answers stay: `python tests/corpus/margins.py`.

A check is a few comparisons with tolerances. Here each comparison of floating numbers in
`course_utils/checks` is measured while right answers are checked on many seeds: by what factor
its two sides differ. A tolerance that rounding or chance could cross one day shows as a factor
near 1; exit status 1 where one has no reason to be (REASONS below), or a right answer is refused.

    python tests/corpus/margins.py                  # the reference answers, 100 seeds
    python tests/corpus/margins.py --all --seeds 5  # every right answer of the corpus
"""

from __future__ import annotations

import argparse
import ast
import importlib.abc
import importlib.machinery
import linecache
import math
import operator
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

PACKAGE = "course_utils.checks"
NEAR = 5
"""Sides that come closer than this factor need a reason to."""
CHOICE = "chooses what is looked at, judges nothing"
SHARE = "a share: at most 1, so never further than this from its limit"
CHANCE = "a false alarm is bounded in tests/course_utils/checks/test_false_alarms.py"
LEARNS = "measured over draws of weights, beside the limit"
REASONS = {
    "early = t < 0.9": CHOICE,
    "weight = torch.where(prev < 1": CHOICE,
    "harmless = ": CHOICE,
    "not all(_is(value, other, tables, slack)": CHOICE,
    "return isinstance(value, Tensor) and close_items": CHOICE,
    "if float(t.min()) < 0 or float(t.max()) > 1": "the range of t itself",
    "message = _known_layout(": "wrong layouts differ in many pixels at once",
    "best[:, 0] > 1.3 * best[:, 1]": SHARE,
    "ok = float(seen.min()) > 0.5 and": SHARE,
    "(own > MOVED).float().mean()": SHARE,
    "float(noticed.float().mean()) > 0.5": SHARE,
    "if float(gap) > math.sqrt(math.log(": CHANCE,
    "if gap > math.sqrt(math.log(": CHANCE,
    "if abs(share - ETA) <= allowed": CHANCE,
    "abs(errors[": CHANCE,
    "max(abs(float(rows))": CHANCE,
    "abs(share) * math.sqrt(residual.numel()) > 8": CHANCE,
    "* math.sqrt(noise.numel()) > 8": CHANCE,
    "if left < LEARNED": LEARNS,
    "if _left(found": LEARNS,
    "LEARNED * float(losses[0])": LEARNS,
}
"""Why a comparison may come close, by a piece of its line."""

Site = tuple[str, int, str]
Margins = dict[tuple[Site, bool], float]
found: Margins = {}
HELPERS = {"close", "same_items", "close_items", "compare", "compare_items"}
"""Functions that compare on behalf of others: the tolerance belongs to the line that calls."""
OPERATORS: dict[type, tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Lt: ("lt", operator.lt),
    ast.LtE: ("le", operator.le),
    ast.Gt: ("gt", operator.gt),
    ast.GtE: ("ge", operator.ge),
}
NAMED = dict(OPERATORS.values())


class Measured(ast.NodeTransformer):
    """Hands both sides of each comparison by size to :func:`measure`."""

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) != 1 or type(node.ops[0]) not in OPERATORS:
            return node
        name = OPERATORS[type(node.ops[0])][0]
        call = ast.Call(
            ast.Name("__measure__", ast.Load()),
            [ast.Constant(name), node.left, node.comparators[0]],
            [],
        )
        return ast.copy_location(call, node)


class Loader(importlib.machinery.SourceFileLoader):
    """Compiles a module of the checks with its comparisons measured; never from a cache."""

    def get_code(self, fullname: str) -> CodeType:
        tree = Measured().visit(ast.parse(self.get_data(self.path)))
        return compile(ast.fix_missing_locations(tree), self.path, "exec")

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__measure__"] = measure
        super().exec_module(module)


class Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of the checks, for :class:`Loader`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(PACKAGE):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = Loader(fullname, spec.loader.path)
        return spec


def measure(name: str, left: Any, right: Any) -> Any:
    """The comparison itself; its margins, one for each outcome, are kept on the way."""
    outcome = NAMED[name](left, right)
    if any(_floating(side) for side in (left, right)):
        site = _site(sys._getframe(1))
        for result, factor in _factors(left, right, outcome).items():
            key = (site, result)
            found[key] = min(found.get(key, math.inf), factor)
    return outcome


def _floating(side: Any) -> bool:
    return isinstance(side, float) or (isinstance(side, torch.Tensor) and side.is_floating_point())


def _factors(left: Any, right: Any, outcome: Any) -> dict[bool, float]:
    """By how much the sides differ where the comparison holds and where not: the closest pair."""
    one, other, held = torch.broadcast_tensors(
        torch.as_tensor(left, dtype=torch.float64),
        torch.as_tensor(right, dtype=torch.float64),
        torch.as_tensor(outcome),
    )
    # A sign, or nothing at all on one side, is at no finite factor from the other side.
    apart = (one.abs().log() - other.abs().log()).abs().nan_to_num(math.inf)
    apart = apart.masked_fill((one * other) <= 0, math.inf)
    return {
        result: float(apart[held == result].min().exp())
        for result in (False, True)
        if bool((held == result).any())
    }


def _site(frame: FrameType | None) -> Site:
    while frame and frame.f_back and frame.f_code.co_name in HELPERS:
        frame = frame.f_back
    assert frame
    path, line = frame.f_code.co_filename, frame.f_lineno
    return Path(path).stem, line, linecache.getline(path, line).strip()


def try_job(lab: str, number: str, seeds: int, everything: bool) -> tuple[Margins, list[str]]:
    """The margins of one job over its right answers and seeds, and what was refused."""
    sys.meta_path.insert(0, Finder())
    from answers import LABS, corpus, notebook_with, report, told

    refused = []
    sources = {"the reference": ""}
    if everything:
        sources |= {str(answer): answer.source for answer in corpus(lab, number, "right")}
    for name, source in sources.items():
        space = notebook_with(lab, number, source)
        for seed in range(1000, 1000 + seeds):
            result = report(LABS[lab].jobs[number], space, seed)
            if not result.passed:
                refused.append(f"{lab}/{number}, {name}, seed {seed}: {told(result)}")
    return found, refused


def all_jobs(lab: str | None, seeds: int, everything: bool) -> tuple[Margins, list[str]]:
    """The margins of every job (of one lab), each job in a fresh process."""
    folders = sorted(Path(__file__).parent.glob(f"{lab or '*'}/[0-9]*"))
    margins: Margins = {}
    refused: list[str] = []
    with ProcessPoolExecutor(max_tasks_per_child=1) as pool:
        work = [
            pool.submit(try_job, one.parent.name, one.name, seeds, everything) for one in folders
        ]
        for future in work:
            one, wrong = future.result()
            refused += wrong
            for key, factor in one.items():
                margins[key] = min(margins.get(key, math.inf), factor)
    return margins, refused


def reason(line: str) -> str | None:
    return next((why for piece, why in REASONS.items() if piece in line), None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--all", action="store_true", help="every right answer of the corpus")
    parser.add_argument("--lab", help="one lab (default: all)")
    chosen = parser.parse_args()
    margins, refused = all_jobs(chosen.lab, chosen.seeds, chosen.all)
    unexplained = 0
    for ((module, number, line), held), factor in sorted(margins.items(), key=lambda one: one[1]):
        why = reason(line) if factor < NEAR else ""
        unexplained += why is None
        if math.isfinite(factor):
            print(f"{factor:9.3g} {'held' if held else 'not '} {module}:{number}  {line}")
            if factor < NEAR:
                print(f"{'':15}{why or 'WITHOUT A REASON'}")
    print("\n".join(refused))
    print(f"{len(margins)} margins, {unexplained} near without a reason, {len(refused)} refusals")
    return 1 if unexplained or refused else 0


if __name__ == "__main__":
    sys.exit(main())
