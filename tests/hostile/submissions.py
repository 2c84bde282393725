"""Hostile submissions: what an attack's file says, and the notebook that is made of it.

A file `attacks/<name>.py` has a docstring, which says what is tried, then lines `Field: text`:

`Aim:` what is hoped for: `gain` points, `read` a secret, `harm` a neighbour or the grader,
`survive` the end of the run, or `stop` the grader.
`Where:` where the code stands: `before` everything, `answer` (the default) behind the first
answer and ahead of all tests, or `after` all tests.
`Quick: yes` for the telling dozen that `make test` runs.

The code is a cell of its own. `# %% <id of an answer cell>` begins code that replaces that cell's
answer, and `# %% notebook` code that the harness itself runs on the finished `notebook` (JSON as
Python has it), to change it or to set `data`, the bytes to hand in instead.

No attack holds a right answer: every point is a hit.
"""

from __future__ import annotations

import ast
import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
AIMS = ("gain", "read", "harm", "survive", "stop")
PLACES = ("before", "answer", "after")
FIELDS = ("Aim", "Where", "Quick")
SPLIT = re.compile(r"^# %% (\S+)$", re.M)
PRELUDE_CELL, ATTACK_CELL = "hostile-prelude", "hostile-attack"
# What a submission needs to be graded; the lab's demonstrations would only cost time.
SETUP = ("mnist-imports", "mnist-setup", "mnist-linear")


@dataclass(frozen=True)
class Attack:
    """One file. `pieces` maps the ids of answer cells to code that stands there instead."""

    name: str
    what: str
    aim: str
    where: str
    quick: bool
    code: str
    pieces: Mapping[str, str]
    change: str | None = None

    def __str__(self) -> str:
        return self.name


def read(path: Path) -> Attack:
    """Read one attack.

    Raises `ValueError` where its docstring lacks what this module's docstring asks for.
    """
    source = path.read_text("utf-8")
    text = ast.get_docstring(ast.parse(source))
    if not text:
        raise ValueError(f"{path}: expected a docstring that says what the attack tries.")
    lines = [line.partition(": ") for line in text.splitlines()]
    said = {name.lower(): value.strip() for name, _, value in lines if name in FIELDS}
    aim, where = said.get("aim", ""), said.get("where", "answer")
    if aim not in AIMS or where not in PLACES:
        raise ValueError(f"{path}: expected 'Aim: {'|'.join(AIMS)}', 'Where: {'|'.join(PLACES)}'.")
    code, *rest = SPLIT.split(source)
    pieces = dict(zip(rest[::2], rest[1::2], strict=True))
    change = pieces.pop("notebook", None)
    what = " ".join(text.partition("\n\n")[0].split())
    return Attack(path.stem, what, aim, where, "quick" in said, code, pieces, change)


def attacks() -> list[Attack]:
    """Every attack, by name."""
    return [read(path) for path in sorted((HERE / "attacks").glob("*.py"))]


def wrong_answers() -> dict[str, str]:
    """By cell, the wrong answers that attacks stand beside."""
    _, *rest = SPLIT.split((HERE / "wrong.py").read_text("utf-8"))
    return dict(zip(rest[::2], rest[1::2], strict=True))


def submission(
    released: Mapping[str, Any], attack: Attack | None, facts: Mapping[str, Any]
) -> bytes:
    """The lab with wrong answers, and an attack in it.

    Parameters
    ----------
    released : the lab as students get it, a notebook as JSON has it.
    attack : None for the wrong answers alone.
    facts : what the attacker knows; see `prelude.py`.
    """
    notebook = copy.deepcopy(dict(released))
    answers = wrong_answers() | dict(attack.pieces if attack else {})
    unknown = answers.keys() - {cell["id"] for cell in notebook["cells"]}
    if unknown:
        raise ValueError(f"{attack}: the lab has no cell {', '.join(sorted(unknown))}.")
    cells = [c for c in notebook["cells"] if "nbgrader" in c["metadata"] or c["id"] in SETUP]
    for cell in cells:
        cell["source"] = answers.get(cell["id"], cell["source"])
    if attack is not None:
        own = _cell(ATTACK_CELL, attack.code)
        names = [cell["id"] for cell in cells]
        at = {"before": 0, "answer": names.index("mnist-1-1-answer") + 1, "after": len(cells)}
        cells.insert(at[attack.where], own)
        cells.insert(0, _cell(PRELUDE_CELL, prelude(facts)))
    notebook["cells"] = cells
    space = {"notebook": notebook, "data": None, "json": json, "copy": copy}
    if attack is not None and attack.change:
        exec(compile(attack.change, f"{attack.name}.py", "exec"), space)
    data = space["data"]
    return data if isinstance(data, bytes) else json.dumps(space["notebook"]).encode()


def prelude(facts: Mapping[str, Any]) -> str:
    """The text of `prelude.py` with the facts in it."""
    text = (HERE / "prelude.py").read_text("utf-8")
    head, found, tail = text.partition('FACTS = "{}"')
    assert found, "prelude.py has no line FACTS"
    return f"{head}FACTS = {json.dumps(dict(facts))!r}{tail}"


def _cell(name: str, source: str) -> dict[str, Any]:
    return {
        "cell_type": "code", "id": name, "metadata": {}, "source": source, "outputs": [],
        "execution_count": None,
    }  # fmt: skip
