"""How lab 5's verdicts compare: item by item, case by case, and against a record of calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from course_utils.checks.classifier_guidance_probes import VECTORS, Tables, case_of, per_item
from course_utils.checks.core import Crash, Finding, Values
from course_utils.checks.verdicts import form_problem

Verdict = Callable[[Values, Values], list[Finding]]


def close_items(
    got: Tensor, expected: Tensor, tolerance: float, slack: Tensor | float = 0.0
) -> bool:
    """Whether two batches agree in each item, relative to the size of that item.

    ``slack`` (``b 1 … 1``) is allowed on top. NaN and infinity must stand in the same places.
    """
    if got.shape != expected.shape:
        return False
    got, expected = got.double(), expected.double()
    odd = ~expected.isfinite()
    if not torch.equal(odd, ~got.isfinite()):
        return False
    got, expected = got.masked_fill(odd, 0), expected.masked_fill(odd, 0)
    size = per_item(expected.abs().flatten(1).amax(dim=1), expected)
    allowed = (tolerance * size + slack).clamp_min(1e-9)
    return bool(((got - expected).abs() <= allowed).all())


def compare_items(
    what: str,
    got: object,
    expected: Tensor,
    mistakes: Callable[[], Mapping[str, Tensor]],
    t: Tensor,
    tolerance: float,
    slack: Tensor | float = 0.0,
    name: str = "The result",
) -> Finding:
    """Like ``verdicts.compare``, but each item counts by itself: at t = 0 numbers are small.

    Args:
        what: what holds when the value is right, as a sentence without a full stop.
        mistakes: from the message of a misconception to the value that it produces; only asked
            for where the value is wrong.
        t: ``b``, to say at which step the two differ most.
    """
    problem = form_problem(name, got, tuple(expected.shape))
    if not isinstance(got, Tensor) or (problem and "NaN" not in problem):
        return Finding(False, problem or f"{name} should be a tensor.")
    if close_items(got, expected, tolerance, slack):
        return Finding(True, what)
    for message, wrong in mistakes().items():
        if close_items(got, wrong.expand_as(expected), tolerance, slack):
            return Finding(False, message)
    if problem:
        steps = t[(~got.isfinite()).flatten(1).any(dim=1)]
        where = "" if bool(steps.any()) else " at t = 0"
        return Finding(False, f"{name} holds NaN or infinity{where}. Look for a division by zero.")
    return Finding(False, f"Not yet: {what}. {_worst(got, expected, t)}")


def _worst(got: Tensor, expected: Tensor, t: Tensor) -> str:
    """The item that is furthest off for its size, in numbers that a student can recompute."""
    size = per_item(expected.double().abs().flatten(1).amax(dim=1), expected)
    gap = (got.double() - expected.double()).abs() / size.clamp_min(1e-9)
    index = tuple(int(i) for i in torch.unravel_index(gap.argmax(), gap.shape))
    return (
        f"At index {list(index)}, where t = {int(t[index[0]])}, the check expected "
        f"{float(expected[index]):.4g} and got {float(got[index]):.4g}."
    )


def spread(value: object, x: Tensor) -> object:
    """A value that may be ``b 1 … 1``, as ``b …``; anything else stays as it is."""
    if not isinstance(value, Tensor) or value.ndim != x.ndim or len(value) != len(x):
        return value
    fits = all(a in (1, b) for a, b in zip(value.shape, x.shape, strict=True))
    return value.expand_as(x) if fits else value


def asked(
    who: str, outputs: Values, name: str, expected_t: Tensor, t: Tensor, y: Tensor | None = None
) -> list[Finding]:
    """What a record says of the steps and labels that a callable was asked for.

    Args:
        who: what to call it.
        expected_t: ``b``, numbers in the whole process; ``t``: in the process at hand.
        y: ``b``, the labels that must have arrived; None where none must.
    """
    told, labels = outputs[f"{name}_t"], outputs[f"{name}_y"]
    if not outputs[f"{name}_calls"]:
        return [Finding(False, f"{who} is never called.")]
    if told is None:
        return [Finding(False, f"{who} is not told t: call {who}(x, t).")]
    if not _same(told, expected_t):
        return [Finding(False, _step_mistake(who, told, expected_t, t))]
    if y is None and labels is not None:
        note = f"{who} is handed y, too; only cond_fn wants it. A model for one class gets its y "
        return [Finding(False, note + "beforehand, by functools.partial(model, y=y).")]
    if y is not None and (labels is None or not _same(labels, y)):
        none = "no y at all" if labels is None else "other labels than y"
        return [Finding(False, f"{who} is handed {none}: pass y on, {who}(x, t, y).")]
    again = outputs[f"{name}_calls"] > 1
    note = f"works, but calls {who} {outputs[f'{name}_calls']} times where once is enough"
    return [Finding(True, note)] if again else []


def _same(told: Tensor, expected: Tensor) -> bool:
    """Whether every item was told its number, in each call."""
    if len(told) % len(expected):
        return False
    return bool((told.reshape(-1, len(expected)) == expected.double()).all())


def _step_mistake(who: str, told: Tensor, expected: Tensor, t: Tensor) -> str:
    if len(told) == len(t) and _same(told, t):
        return (
            f"{who} is asked at t as this process counts it. It was trained on the steps of the "
            "whole process: ask it at self.original_steps[t]."
        )
    if len(told) == 1 or len(told.unique()) == 1:
        return f"{who} is asked at one and the same t for the whole batch; every item has its own."
    if bool((told != told.round()).any()) or float(told.abs().max()) <= 1:
        return f"{who} is asked at fractions; it wants whole step numbers, self.original_steps[t]."
    shift = told[: len(t)] - expected if len(told) >= len(t) else None
    if shift is not None and bool((shift == shift[0]).all()):
        return f"{who} is asked at t {float(shift[0]):+.0f}; it should be t itself."
    return f"{who} is asked at other steps than self.original_steps[t]."


# --- cases


def label(case: Values) -> str:
    """What a case is, for a student who got the others right."""
    tables = Tables.of(case)
    if tables.num_steps < tables.whole:
        return f"a process of {tables.num_steps} of {tables.whole:,} steps"
    return f"a process of {tables.num_steps} steps"


def over_cases(verdict: Verdict) -> Verdict:
    """A verdict on all cases: what holds in each, and what the first wrong one has to say."""

    def judged(inputs: Values, outputs: Values) -> list[Finding]:
        found = [
            verdict(case_of(inputs, number), case_of(outputs, number)) for number in range(VECTORS)
        ]
        wrong = [n for n, findings in enumerate(found) if not all(f.ok for f in findings)]
        held = [f for f in found[0] if f.ok and all(f in findings for findings in found)]
        everywhere = list(dict.fromkeys(held))
        if not wrong:
            notes = [f for findings in found for f in findings if f not in everywhere]
            return [*everywhere, *dict.fromkeys(notes), *_on_vectors(verdict, inputs, outputs)]
        first = [f for f in found[wrong[0]] if not f.ok]
        # Which process it takes to see the mistake is a part of the answer.
        rare = len(wrong) < VECTORS
        where = f" (Seen with {label(case_of(inputs, wrong[0]))}.)" if rare else ""
        return [*everywhere, *[Finding(False, f.message + where) for f in first]]

    return judged


def _on_vectors(verdict: Verdict, inputs: Values, outputs: Values) -> list[Finding]:
    """Not graded: what is right for images may stop at vectors, which ``b ...`` promises, too."""
    inputs, outputs = case_of(inputs, VECTORS), case_of(outputs, VECTORS)
    if "crash" in outputs:
        return [Finding(True, f"for images; x of shape (b, d) stops it with {outputs['crash']}")]
    if all(finding.ok for finding in verdict(inputs, outputs)):
        return []
    return [Finding(True, "for images; where x has shape (b, d) it is not right yet")]


def all_of(checks: list[Callable[[], list[Finding]]]) -> list[Finding]:
    """Findings of one check after the other, up to the first that fails."""
    findings: list[Finding] = []
    for check in checks:
        findings += check()
        if not all(finding.ok for finding in findings):
            break
    return findings


def untouched(outputs: Values, inputs: Values, *names: str) -> list[Finding]:
    """Whether the caller's tensors are what they were."""
    changed = [name for name in names if not torch.equal(outputs[f"{name}_after"], inputs[name])]
    told = f"Your code writes into {' and '.join(changed)}: the caller's tensor has changed."
    return [Finding(False, told)] if changed else []


# --- crashes


def hint(crash: Crash) -> str | None:
    """Advice for the errors that everybody meets."""
    message = crash.message
    if "must match the size" in message or "broadcast" in message or "must match except" in message:
        return "t has shape (b,) and x is b …: self.at(table, t, x) gives numbers that line up."
    if "has no attribute" in message and "GaussianDiffusion" in message:
        return "Run the cell of the job that adds it to the class, and those before it."
    if "out of bounds" in message or "out of range" in message:
        return (
            "t counts the steps of this process, 0 … self.num_steps − 1; only the model and "
            "cond_fn are asked at self.original_steps[t]."
        )
    if "NoneType" in message and "callable" in message:
        return "Without guidance cond_fn is None: use it only where it is given."
    if "tuple indices must be" in message:
        return "A Prediction is read by name, prediction.mean, or unpacked; it is no dict."
    if "tensors used as indices" in message:
        return "Tables are indexed by t as it is: whole numbers."
    if "value of Tensor with more than one" in message:
        return "Each item has a t of its own: a mask such as (t > 0), not an if."
    return None
