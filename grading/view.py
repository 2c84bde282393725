"""The `course_utils` that a submission may see: nothing that answers its own lab or a later one.

A *view* is a folder with a copy of the modules that the lab imports. It lacks `solved/` from the
lab on and the checks of every lab, which hold expected values: inside a box a check is only a word
("Checked by the grader."), and the grader asks what it wants to know itself (`grading.judge`).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from nbformat import NotebookNode

import course_utils
from grading.modules import PACKAGE, closure, imports_of, notebook_imports

STAND_IN = '''"""Stands in for the checks of lab {lab} while a submission is graded."""

from typing import Any

from course_utils.checks import exchange


def check(*targets: Any, job: str | None = None, seed: int = 0) -> None:
    """Says that the grader checks this itself."""
    print("Checked by the grader.")


def ready(*numbers: str) -> bool:
    """Whether the jobs that a cell needs are written, as far as the grader has asked."""
    waiting = [number for number in numbers if not exchange.written.get(number, False)]
    if waiting:
        print(f"This cell waits for your job {{', '.join(waiting)}}.")
    return not waiting


def progress() -> None:
    """Says that the grader keeps the points itself."""
    print("Checked by the grader.")
'''
# What a probe's answer stands on: neither expected values nor verdicts.
EXCHANGE = ("__init__.py", "core.py", "exchange.py")
PRELOAD = "preload.json"
# What costs labs that import a module seconds at its first call, and gives the same to everybody.
CALLED = {
    f"{PACKAGE}.mnist": (f"{PACKAGE}.mnist:MNISTSampler",),
    f"{PACKAGE}.pretrained": tuple(
        f"{PACKAGE}.evaluation:reference:{x}" for x in ("mnist", "digits")
    ),
}
BARRED = (f"{PACKAGE}.checks", f"{PACKAGE}.solved")


def make_view(target: Path, lab: str, notebook: NotebookNode) -> Path:
    """Write the view of `lab` into `target`, a new folder, and return it.

    `notebook` is the lab's own notebook: the labs before it are those whose solved jobs it imports.
    """
    source = Path(course_utils.__file__).parent
    names = notebook_imports(notebook)
    seen = _solved_seen(names, source, lab)
    wanted = names | {name for path in _checks_of(lab, source) for name in _imported(path)}
    files = closure(wanted, source, without=BARRED)
    files |= closure((f"{PACKAGE}.solved.{one}" for one in seen), source, (f"{PACKAGE}.checks",))
    files |= {Path("checks") / name for name in EXCHANGE}
    files |= closure(
        {n for e in EXCHANGE for n in _imported(source / "checks" / e)}, source, BARRED
    )
    for file in sorted(files):
        _copy(source / file, target / PACKAGE / file)
    if Path("pretrained.py") in files:
        shutil.copytree(source / "weights", target / PACKAGE / "weights")
    stand_in = target / PACKAGE / "checks" / f"{lab}.py"
    stand_in.write_text(STAND_IN.format(lab=lab), encoding="utf-8")
    loaded = sorted(name for name in names | {f"{PACKAGE}.checks.exchange"} if _is_in(target, name))
    used = [call for module, calls in CALLED.items() if module in loaded for call in calls]
    (target / PRELOAD).write_text(json.dumps([*loaded, *used]), encoding="utf-8")
    return target


def preload_of(view: Path) -> tuple[str, ...]:
    """What every kernel of a view will import or call; see `grading.boxes.Start`."""
    try:
        return tuple(json.loads((view / PRELOAD).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return ()


def _is_in(view: Path, name: str) -> bool:
    place = view.joinpath(*name.split("."))
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _imported(path: Path) -> set[str]:
    return {n for n in imports_of(path.read_text("utf-8")) if n.split(".")[0] == PACKAGE}


def _solved_seen(names: set[str], source: Path, lab: str) -> set[str]:
    """The solved labs that the notebook builds on; never its own."""
    stem = f"{PACKAGE}.solved."
    named = {name[len(stem) :].split(".")[0] for name in names if name.startswith(stem)} - {lab}
    files = closure((stem + name for name in named), source, (f"{PACKAGE}.checks",))
    found = {path.stem for path in files if path.parts[0] == "solved"} - {"__init__"}
    return found - {lab}


def _checks_of(lab: str, source: Path) -> set[Path]:
    """The files of the lab's own checks: what their probes stand on must be there, too."""
    files = closure({f"{PACKAGE}.checks.{lab}"}, source, without=(f"{PACKAGE}.solved",))
    return {source / path for path in files if path.parts[0] == "checks"}
