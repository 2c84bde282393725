"""Job 1.1 of lab 1: a schedule on the unit circle, and its derivative."""

from __future__ import annotations

import math
import re
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.core import Crash, Finding, Values
from course_utils.checks.probes import generator
from course_utils.checks.verdicts import close, compare, form_problem

TIMES = (16, 4, 1, 1)

DEGREES = "takes 90° for a right angle; torch counts in radians, where it is π/2."
ENDS = {
    ("α", 0): {1.0: "Your α is the cosine. At t = 0 all is noise, so α(0) = 0: α takes the sine."},
    ("α", 1): {
        math.sin(1): "Your α forgets the factor π/2.",
        0.0: "Your α has the factor π where π/2 belongs: it walks half the circle, and back to 0.",
        math.sin(90): f"Your α {DEGREES}",
    },
    ("β", 0): {0.0: "Your β is the sine. At t = 0 all is noise, so β(0) = 1: β takes the cosine."},
    ("β", 1): {
        math.cos(1): "Your β forgets the factor π/2.",
        -1.0: "Your β has the factor π where π/2 belongs: it walks half the circle.",
        math.cos(90): f"Your β {DEGREES}",
        math.cos(3.14 / 2): "Your π is rounded to 3.14; math.pi has all its digits.",
        math.cos(3.1416 / 2): "Your π is rounded to 3.1416; math.pi has all its digits.",
    },
}
"""What known wrong formulas give at an end point, where the base class stops them."""


def schedule_hint(crash: Crash) -> str | None:
    """Which formula gives the end point that the base class complained of, and other advice."""
    end = re.search(r" is (\S+) at t = ([01]); expected ([01])", crash.message)
    if end:
        symbol = "α" if end[2] == end[3] else "β"
        for value, message in ENDS[symbol, int(end[2])].items():
            if math.isclose(float(end[1]), value, rel_tol=1e-3, abs_tol=2e-6):
                return message
    if "'NoneType'" in crash.message:
        return "Is there a return in __call__?"
    if "require grad" in crash.message or "requires grad" in crash.message:
        return "Autograd cannot follow your __call__: compute it from t with torch's functions."
    if "converted to" in crash.message and "calar" in crash.message:
        return "math.sin takes one number; torch.sin takes a tensor of any shape."
    return None


def schedule_inputs(seed: int) -> Values:
    return {"t": torch.rand(TIMES, generator=generator(seed), dtype=torch.float64)}


def schedule_values(target: Any, inputs: Values) -> Values:
    alpha, beta = target[0](), target[1]()
    return {"alpha": alpha(inputs["t"].clone()), "beta": beta(inputs["t"].clone())}


def schedule_slopes(target: Any, inputs: Values) -> Values:
    alpha, beta, t = target[0](), target[1](), inputs["t"]
    # The truth for the derivative is automatic differentiation of the student's own schedule.
    leaf = t.clone().requires_grad_()
    (exact_alpha,) = torch.autograd.grad(alpha(leaf).sum(), leaf)
    (exact_beta,) = torch.autograd.grad(beta(leaf).sum(), leaf)
    return {
        "alpha": alpha.dt(t.clone()),
        "beta": beta.dt(t.clone()),
        "exact_alpha": exact_alpha,
        "exact_beta": exact_beta,
    }


def schedule_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    t = inputs["t"]
    sine, cosine = torch.sin(math.pi / 2 * t), torch.cos(math.pi / 2 * t)
    return [
        compare("α(t) = sin(πt/2)", outputs["alpha"], sine, {
            "Your α is still linear.": t,
            "Your α is the square of the sine; then α + β = 1, but not α² + β².": sine**2,
            "Your α is √t. It lies on the circle, too, but α(t) = sin(πt/2) is asked for.":
                t.sqrt(),
            "Your α is t²; no power of t is a sine.": t**2,
            "Your α is 1 − β = 1 − cos(πt/2); not α + β is 1 here, but α² + β².": 1 - cosine,
            "Your α is the arc sine, which undoes the sine.": torch.asin(t) * 2 / math.pi,
        }),
        compare("β(t) = cos(πt/2)", outputs["beta"], cosine, {
            "Your β is still linear.": 1 - t,
            "Your β is the square of the cosine; then α + β = 1, but not α² + β².": cosine**2,
            "Your β is √(1 − t). It lies on the circle, too, but β(t) = cos(πt/2) is asked for.":
                (1 - t).sqrt(),
            "Your β is (1 − t)²; no power of 1 − t is a cosine.": (1 - t) ** 2,
            "Your β is 1 − α = 1 − sin(πt/2); not α + β is 1 here, but α² + β².": 1 - sine,
        }),
        _circle(outputs),
    ]  # fmt: skip


def _circle(outputs: Values) -> Finding:
    if form_problem("α", outputs["alpha"], TIMES) or form_problem("β", outputs["beta"], TIMES):
        return Finding(False, "α² + β² cannot be computed yet.")
    total = outputs["alpha"] ** 2 + outputs["beta"] ** 2
    holds = close(total, torch.ones_like(total), 1e-5)
    message = "α² + β² = 1 at every t: the path keeps the variance"
    return Finding(holds, message if holds else f"Not yet: {message}.")


def slope_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    quarter = math.pi / 2 * inputs["t"]
    asked = {"α": math.pi / 2 * torch.cos(quarter), "β": -math.pi / 2 * torch.sin(quarter)}
    names = {"α": "alpha", "β": "beta"}
    findings = []
    for symbol, name in names.items():
        exact = outputs[f"exact_{name}"]
        if not isinstance(exact, Tensor):
            return [Finding(False, f"{symbol}(t) must be a differentiable tensor.")]
        what = f"{symbol}.dt agrees with automatic differentiation"
        mistakes = _slope_mistakes(symbol, exact, asked, inputs["t"])
        if _constant(outputs[name], exact):
            message = f"Your {symbol}.dt is a constant; the slope of a curve changes with t."
            findings.append(Finding(False, message))
        else:
            findings.append(compare(what, outputs[name], exact, mistakes))
    # A wrong schedule with a right derivative of its own has not earned this part.
    if all(finding.ok for finding in findings):
        formulas = {"α": "sin(πt/2)", "β": "cos(πt/2)"}
        findings += [
            Finding(
                False, f"The derivative fits your {symbol}, but your {symbol} is not {formula}."
            )
            for symbol, formula in formulas.items()
            if not close(outputs[names[symbol]], asked[symbol])
        ]
    return findings


def _constant(got: object, exact: Tensor) -> bool:
    return (
        form_problem("The slope", got, tuple(exact.shape)) is None
        and isinstance(got, Tensor)
        and close(got, got.mean())
    )


def _slope_mistakes(
    symbol: str, exact: Tensor, asked: dict[str, Tensor], t: Tensor
) -> dict[str, Tensor]:
    """What wrong derivatives of a right schedule would be."""
    other = "β" if symbol == "α" else "α"
    function, rule, inside = (
        (torch.sin, "the derivative of sin is cos; yours keeps the sine", torch.cos(t))
        if symbol == "α"
        else (torch.cos, "the derivative of cos is −sin; yours keeps the cosine", -torch.sin(t))
    )
    c = math.pi / 2
    quotients = {
        f"Your {symbol}.dt is the difference quotient with h = {h:g}; the formula is exact.":
            (function(c * (t + h)) - function(c * t)) / h
        for h in (0.1, 0.01, 0.001)
    }  # fmt: skip
    return {
        f"Your {symbol}.dt has the opposite sign.": -exact,
        f"Your {symbol}.dt lacks the inner derivative π/2.": exact / c,
        f"Your {symbol}.dt lacks the inner derivative π/2, and has the opposite sign.": -exact / c,
        f"Your {symbol}.dt multiplies by π; the inner derivative is π/2.": 2 * exact,
        f"Your {symbol}.dt divides by π/2, as an integral does; a derivative multiplies.":
            exact / c**2,
        f"Your {symbol}.dt is the derivative of {other}.": asked[other],
        f"Your {symbol}.dt: {rule}.": c * function(c * t),
        f"Your {symbol}.dt is {symbol} itself: {rule}.": function(c * t),
        f"Your {symbol}.dt has lost the π/2 inside the function; only t stands there.": c * inside,
        f"Your {symbol}.dt has no π/2 at all, neither inside the function nor in front.": inside,
    } | quotients  # fmt: skip
