"""The parts of a check, and how one is run."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # tells a student nothing, and differs from run to run

Values = dict[str, Any]
"""Tensors and plain numbers by name: all that passes between a probe and a verdict."""


@dataclass(frozen=True)
class Finding:
    """One thing that a verdict found: what holds, or what is wrong and likely why."""

    ok: bool
    message: str


@dataclass(frozen=True)
class Alien:
    """Stands for an output that is not a tensor or a number: only its type's name is kept."""

    type_name: str


@dataclass(frozen=True)
class Crash:
    """An exception from the student's code, as data.

    ``line`` is the line in the student's own cell (None if the exception never passed through it),
    ``stub`` is true where a job has not been written yet.
    """

    type_name: str
    message: str
    line: str | None = None
    stub: bool = False


@dataclass(frozen=True)
class Part:
    """A share of a job's points: inputs → probe → verdict.

    ``inputs(seed)`` is chosen by the side that judges; ``probe(target, inputs)`` calls the
    student's code and returns what it computed; ``verdict(inputs, outputs)`` never sees that code.
    ``hint(crash)`` may turn an exception into advice.
    """

    points: int | float
    inputs: Callable[[int], Values]
    probe: Callable[[Any, Values], Mapping[str, Any]]
    verdict: Callable[[Values, Values], list[Finding]]
    hint: Callable[[Crash], str | None] = lambda crash: None


@dataclass(frozen=True)
class Job:
    """A "Your job" of a lab. ``targets`` are the names of what ``check`` is called with."""

    number: str
    title: str
    difficulty: int
    minutes: int
    targets: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def points(self) -> int | float:
        return sum(part.points for part in self.parts)


@dataclass(frozen=True)
class Report:
    """The result of a check: points earned, and every finding in order."""

    job: Job
    earned: int | float
    findings: list[Finding] = field(default_factory=list)
    crash: Crash | None = None

    @property
    def passed(self) -> bool:
        return self.earned == self.job.points

    @property
    def stub(self) -> bool:
        return self.crash is not None and self.crash.stub


def freeze(value: Any) -> Any:
    """A copy of ``value`` as data: a plain CPU tensor, a number, text, None, or an Alien."""
    if isinstance(value, Tensor):
        # A tensor subclass may redefine comparison; the base class's methods and type do not.
        return torch.Tensor.detach(value).as_subclass(Tensor).to("cpu", copy=True)
    if type(value) in (bool, int, float, str, type(None)):
        return value
    return Alien(type(value).__name__)


def _crash(error: BaseException) -> Crash:
    """Describe an exception by the last line of the student's own cell that it passed through."""
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "ipykernel_" in frame.filename or frame.filename.startswith("<")
    ]
    line = f"line {own[-1].lineno}: {own[-1].line}" if own and own[-1].line else None
    message = [ADDRESS.sub("", text) for text in str(error).strip().splitlines()]
    stub = isinstance(error, NotImplementedError) and str(error).startswith("Your job")
    return Crash(type(error).__name__, message[0] if message else "", line, stub)


@contextmanager
def own_stream(seed: int) -> Iterator[None]:
    """A random stream for a probe, chosen by ``seed``: the student's own must not be disturbed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed + 104729)
        yield


def observe(part: Part, target: Any, inputs: Values) -> Values | Crash:
    """Run a probe beside the student's code; an exception becomes data, too."""
    try:
        return {name: freeze(value) for name, value in part.probe(target, inputs).items()}
    except Exception as error:
        return _crash(error)


def judge(part: Part, inputs: Values, observed: Values | Crash) -> list[Finding]:
    """The verdict on what a probe observed. Pure: it can run in another process."""
    if not isinstance(observed, Crash):
        return part.verdict(inputs, observed)
    if observed.stub:
        return [Finding(False, f"{observed.message} is not written yet.")]
    where = f" ({observed.line})" if observed.line else ""
    advice = part.hint(observed)
    return [
        Finding(
            False,
            f"Your code stopped with {observed.type_name}: {observed.message.rstrip('.')}{where}."
            + (f" {advice}" if advice else ""),
        )
    ]


def run(job: Job, target: Any, seed: int = 0) -> Report:
    """Run every part of ``job`` on ``target`` (a tuple where the job has several targets)."""
    earned, findings, crash = 0.0, [], None
    for index, part in enumerate(job.parts):
        inputs = part.inputs(seed + 7919 * index)
        with own_stream(seed):
            observed = observe(part, target, inputs)
        found = judge(part, inputs, observed)
        findings += [finding for finding in found if finding not in findings]
        earned += part.points if all(finding.ok for finding in found) else 0.0
        if isinstance(observed, Crash):
            crash = crash or observed
    return Report(job, earned, findings, crash)
