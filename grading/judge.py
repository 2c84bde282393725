"""Scores what a submission computed, from outside it.

A test cell is a list of `check(...)` calls. Nothing of it is sent to the student's kernel. For each
call the judge chooses inputs of its own, sends the *probe* there, which calls the student's code,
takes back bytes, and computes the verdict here, with the same code that the notebook's check runs.
What a submission prints, raises or patches cannot reach that.

The inputs follow from a run's salt, the submission and the cell: nobody can know them before, and a
recorded salt gives the same verdict again.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import functools
import hashlib
import importlib
import io
import json
import re
import types
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import cloudpickle  # type: ignore[import-untyped]
from nbformat import NotebookNode
from nbformat.v4 import new_output

import course_utils.checks
from course_utils.checks import core
from course_utils.checks.core import Crash, Finding, Job, Part, Report, Values
from course_utils.checks.display import Lab, NotYet, Points, as_html, as_text, stub_error
from course_utils.checks.exchange import ExchangeError, unpack
from grading.boxes import Limits
from grading.client import Unanswered
from grading.notebooks import CourseError, is_test
from grading.restore import grade_id

MALFORMED = "What came back was not what the probe sends."
NO_ANSWER = "The check got no answer from your code"
TRUST = "--i-trust-these-notebooks"


# ---------------------------------------------------------------- what a test cell asks for


@dataclass(frozen=True)
class Call:
    """One `check(A, B, job="1.2", seed=9)` of a test cell."""

    names: tuple[str, ...]
    job: str | None = None
    seed: int = 0


def calls_in(source: str, cell: str = "?") -> list[Call]:
    """The calls of a test cell, whose name is `cell`.

    Raises `CourseError` where the cell holds anything else than calls of check, and comments.
    """
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise _unjudged(cell, f"is no Python ({error.msg}, line {error.lineno})") from None
    if not statements:
        raise _unjudged(cell, "is empty")
    return [_call(statement, cell) for statement in statements]


def _call(statement: ast.stmt, cell: str) -> Call:
    call = statement.value if isinstance(statement, ast.Expr) else None
    if (
        not isinstance(call, ast.Call)
        or not isinstance(call.func, ast.Name)
        or call.func.id != "check"
        or not call.args
    ):
        raise _unjudged(cell, f"holds {_first_line(statement)!r}")
    names = [argument.id for argument in call.args if isinstance(argument, ast.Name)]
    options: dict[Any, Any] = {
        word.arg: word.value.value
        for word in call.keywords
        if word.arg in ("job", "seed") and isinstance(word.value, ast.Constant)
    }
    found = Call(tuple(names), **options)
    sound = isinstance(found.job, str | None) and type(found.seed) is int
    if not sound or len(names) < len(call.args) or len(options) < len(call.keywords):
        raise _unjudged(cell, f"holds {_first_line(statement)!r}")
    return found


def _first_line(statement: ast.stmt) -> str:
    return ast.unparse(statement).split("\n")[0][:80]


def _unjudged(cell: str, what: str) -> CourseError:
    return CourseError(
        f"Test cell '{cell}' {what}; expected nothing but calls like check(Name, job=\"1.2\","
        " seed=7), which are judged from outside a submission. Write the test with check(...), or"
        f" grade with {TRUST}, which runs the cell inside."
    )


def find_job(lab: Lab, call: Call, cell: str = "?") -> Job:
    """The job that a call means, by its number or by the names that it is called with.

    Raises `CourseError` where the lab has no such job, or several.
    """
    if call.job is not None:
        fitting = [job for job in lab.jobs.values() if job.number == call.job]
    else:
        fitting = [job for job in lab.jobs.values() if job.targets == call.names]
    if len(fitting) == 1 and len(fitting[0].targets) == len(call.names):
        return fitting[0]
    known = "; ".join(f"{job.number}: {', '.join(job.targets)}" for job in lab.jobs.values())
    given = ", ".join([*call.names, *([f'job="{call.job}"'] if call.job is not None else [])])
    raise CourseError(
        f"Test cell '{cell}' calls check({given}), which names none of lab {lab.name}'s jobs, or"
        f' several; expected one of {known}. Name it by its targets, or by job="…".'
    )


def put_in_order(notebook: NotebookNode, names: Sequence[str]) -> list[str]:
    """Put test cells back into the lab's order, as few of them as possible; returns notes.

    names : the test cells' grade ids, in the lab's order.

    A question about one job may carry right answers to the jobs before it, so that it can be
    answered where these are wrong. Those must have been asked by then.
    """
    tests = [c for c in notebook.cells if is_test(c) and grade_id(c) in names]
    ranks = [list(names).index(grade_id(cell)) for cell in tests]
    kept = _longest_rising(ranks)
    moved = [cell for cell, rank in zip(tests, ranks, strict=True) if rank not in kept]
    for cell in sorted(moved, key=lambda cell: names.index(grade_id(cell)), reverse=True):
        rank = names.index(grade_id(cell))
        notebook.cells = [other for other in notebook.cells if other is not cell]
        behind = [
            place
            for place, other in enumerate(notebook.cells)
            if is_test(other) and grade_id(other) in names[rank + 1 :]
        ]
        notebook.cells.insert(behind[0] if behind else len(notebook.cells), cell)
    return [
        f"Test cell '{grade_id(cell)}' stood out of order and was put back into it."
        for cell in moved
    ]


def _longest_rising(ranks: Sequence[int]) -> set[int]:
    best: list[list[int]] = []
    for rank in ranks:
        before = [run for run in best if run[-1] < rank]
        best.append([*_longest(before), rank])
    return set(_longest(best))


def _longest(runs: Sequence[list[int]]) -> list[int]:
    return max(runs, key=lambda run: len(run), default=[])


# ---------------------------------------------------------------- what is sent


class _Pickler(cloudpickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        # Before Python 3.12 a cached_property holds a lock, which cannot be pickled.
        if isinstance(obj, functools.cached_property):
            return functools.cached_property, (obj.func,), {"attrname": obj.attrname}
        if isinstance(obj, types.FunctionType):
            obj = _bare(obj)
        return super().reducer_override(obj)


def _bare(function: Any) -> Any:
    """A function without the type checker that jaxtyping's import hook may have put around it."""
    while function.__code__.co_filename.endswith("jaxtyping/_decorator.py"):
        function = function.__wrapped__
    return function


def pickled(question: Any) -> bytes:
    """`question` with all that it needs of `course_utils.checks` by value.

    The kernel has none of these modules: a function takes along the globals that it names, and no
    verdict, hint or expected value.
    """
    cloudpickle.register_pickle_by_value(course_utils.checks)
    try:
        buffer = io.BytesIO()
        _Pickler(buffer).dump(question)
        return buffer.getvalue()
    finally:
        cloudpickle.unregister_pickle_by_value(course_utils.checks)


# ---------------------------------------------------------------- what is concluded


def opened(answer: bytes | Unanswered) -> Values | Crash | Unanswered:
    """What an answer's bytes hold; an `Unanswered` without a reason where they are malformed."""
    if isinstance(answer, Unanswered):
        return answer
    try:
        return unpack(answer)
    except ExchangeError:
        return Unanswered("")


def verdict(part: Part, inputs: Values, observed: Values | Crash | Unanswered) -> list[Finding]:
    """The findings on what came back, whatever it is; where it is malformed, one bad finding."""
    found: list[Finding] = []
    if not isinstance(observed, Unanswered):
        # Keys that are missing, other shapes: a verdict may stumble, for no probe sends that.
        with contextlib.suppress(Exception):
            found = core.judge(part, inputs, observed)
    elif observed.why:
        found = [Finding(False, f"{NO_ANSWER}: {_plain(observed.why)}.")]
    return found or [Finding(False, MALFORMED)]


def _plain(text: object) -> str:
    """Somebody's words on one line of printable characters, at most 300 of them."""
    line = " ".join(str(text).split())
    return "".join(c if c.isprintable() else "?" for c in line)[:300]


class Judge:
    """Judges the test cells of one submission; an `Examiner` of `grading.client`.

    Parameters
    ----------
    notebook : the lab as it grades, whose test cells are calls of check.
    lab : its name; `course_utils.checks.<lab>` holds its jobs.
    salt, digest : what the inputs follow from, a run's secret and the submission's own.
    most : bytes that one answer may have.

    After a run, `findings` holds the messages of what was wrong by grade id.

    Raises `CourseError` where the lab has no checks, or a test cell cannot be judged.
    """

    def __init__(
        self,
        notebook: NotebookNode,
        lab: str,
        salt: str,
        digest: str,
        most: int = Limits.answer_bytes,
    ) -> None:
        self.lab, self.salt, self.digest, self.most = lab_of(lab), salt, digest, most
        self.plan = {grade_id(c): self._jobs(c) for c in notebook.cells if is_test(c)}
        self.findings: dict[str, tuple[str, ...]] = {}

    def _jobs(self, cell: NotebookNode) -> list[tuple[Call, Job]]:
        name = grade_id(cell)
        calls = calls_in(cell.source, name)
        found = [(call, find_job(self.lab, call, name)) for call in calls]
        # Calls that differ in their seeds alone are one: seeds are chosen here.
        return list({(call.names, job.number): (call, job) for call, job in found}.values())

    def seed(self, cell: str, call: int, part: int, what: str = "inputs") -> int:
        """A secret number below 2³¹ for a part of a call of a cell."""
        key = json.dumps([self.salt, self.digest, cell, call, part, what]).encode()
        return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big") % 2**31

    def question(self, cell: str, call: int, part: int) -> tuple[Values, str]:
        """A part's secret inputs, and what is sent to the kernel, as base64."""
        asked, job = self.plan[cell][call]
        inputs = job.parts[part].inputs(self.seed(cell, call, part))
        table = {
            "probe": job.parts[part].probe,
            "inputs": inputs,
            "names": asked.names,
            "seed": self.seed(cell, call, part, "stream"),
            "job": job.number,
            "most": self.most,
        }
        return inputs, base64.b64encode(pickled(table)).decode()

    # ------------------------------------------------------------ an Examiner

    def judges(self, cell: NotebookNode) -> bool:
        """Whether the cell is one of the lab's test cells."""
        return is_test(cell) and grade_id(cell) in self.plan

    def examine(self, cell: NotebookNode) -> Generator[str, bytes | Unanswered, None]:
        """Yields the cell's questions, takes the answers, and writes the cell's outputs."""
        name, reports = grade_id(cell), []
        for call in range(len(self.plan[name])):
            report = yield from self._report(name, call)
            reports.append(report)
            if not report.earned:  # in a notebook, NotYet stops the cell
                break
        cell.outputs, cell.execution_count = rendered(reports), None
        wrong = [f.message for report in reports for f in report.findings if not f.ok]
        self.findings[name] = tuple(dict.fromkeys(wrong))

    def _report(self, cell: str, call: int) -> Generator[str, bytes | Unanswered, Report]:
        """As `core.run`, with the probes elsewhere."""
        _, job = self.plan[cell][call]
        earned: float = 0
        findings: list[Finding] = []
        crash: Crash | None = None
        for index, part in enumerate(job.parts):
            inputs, question = self.question(cell, call, index)
            observed = opened((yield question))
            found = verdict(part, inputs, observed)
            findings += [finding for finding in found if finding not in findings]
            earned += part.points if all(finding.ok for finding in found) else 0
            if isinstance(observed, Crash):
                crash = crash or observed
        return Report(job, earned, findings, crash)


def lab_of(name: str) -> Lab:
    """The jobs of a lab.

    Raises `CourseError` where `course_utils.checks` has none of that name.
    """
    try:
        if re.fullmatch(r"[a-z_][a-z0-9_]*", name):
            found = importlib.import_module(f"course_utils.checks.{name}").LAB
            if isinstance(found, Lab):
                return found
    except (ModuleNotFoundError, AttributeError):
        pass
    raise CourseError(
        f"Lab '{name}' has no checks; expected course_utils/checks/{name}.py with LAB, check and"
        f" ready. Write them, or grade with {TRUST}, which runs the test cells inside."
    )


# ---------------------------------------------------------------- what is shown


def rendered(reports: Sequence[Report]) -> list[NotebookNode]:
    """A test cell's outputs, as a notebook would have made them of its calls' results.

    nbgrader reads the points from them: an error earns none, a number is partial credit, and
    anything else full marks.
    """
    outputs: list[NotebookNode] = []
    for report in reports:
        if not report.earned:
            return [*outputs, _error(report)]
        data = {"text/plain": as_text(report), "text/html": as_html(report)}
        outputs.append(new_output("display_data", data=data))
    if not reports[-1].passed:
        data = {"text/plain": repr(Points(reports[-1].earned))}
        outputs.append(new_output("execute_result", data=data))
    return outputs


def _error(report: Report) -> NotebookNode:
    error: Any = stub_error(report) if report.stub else NotYet(report)
    return new_output(
        "error",
        ename=type(error).__name__,
        evalue=str(error),
        traceback=error._render_traceback_(),
    )
