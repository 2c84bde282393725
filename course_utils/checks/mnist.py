"""The jobs of lab 1, "Getting a feel for MNIST"."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from course_utils.checks import display
from course_utils.checks.core import Crash, Finding, Job, Part, Values
from course_utils.checks.probes import ProbeAlpha, ProbeBeta, ProbeData, generator, schedule
from course_utils.checks.verdicts import close, compare, form_problem, normal_problem

SHAPE = (1, 8, 8)


def _path(target: Any) -> Any:
    """The student's path over the probe's own schedule, which no hard-coded α and β fit."""
    return target(ProbeData(SHAPE, 10), list(SHAPE), ProbeAlpha(), ProbeBeta())


def time_hint(crash: Crash) -> str | None:
    """Advice for the error that everybody meets first."""
    if "must match the size" in crash.message or "broadcast" in crash.message:
        return "t has shape (b,) and z has shape (b, c, h, w): expand_time(t, z) lines them up."
    return None


# 1.1 A curved schedule


def _schedule_inputs(seed: int) -> Values:
    return {"t": torch.rand(64, generator=generator(seed)).double()}


def _schedule_values(target: Any, inputs: Values) -> Values:
    alpha, beta = target[0](), target[1]()
    return {"alpha": alpha(inputs["t"]), "beta": beta(inputs["t"])}


def _schedule_slopes(target: Any, inputs: Values) -> Values:
    alpha, beta, t = target[0](), target[1](), inputs["t"]
    # The truth for the derivative is automatic differentiation of the student's own schedule.
    leaf = t.clone().requires_grad_()
    (exact_alpha,) = torch.autograd.grad(alpha(leaf).sum(), leaf)
    (exact_beta,) = torch.autograd.grad(beta(leaf).sum(), leaf)
    return {
        "alpha": alpha.dt(t),
        "beta": beta.dt(t),
        "exact_alpha": exact_alpha,
        "exact_beta": exact_beta,
    }


def _schedule_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    quarter = math.pi / 2 * inputs["t"]
    sine, cosine = torch.sin(quarter), torch.cos(quarter)
    return [
        compare("α(t) = sin(πt/2)", outputs["alpha"], sine, {
            "Your α is the cosine. At t = 0 all is noise, so α(0) = 0: α takes the sine.": cosine,
            "Your α forgets the factor π/2.": torch.sin(inputs["t"]),
            "Your α is still linear.": inputs["t"],
        }),
        compare("β(t) = cos(πt/2)", outputs["beta"], cosine, {
            "Your β is the sine; α and β look swapped.": sine,
            "Your β forgets the factor π/2.": torch.cos(inputs["t"]),
            "Your β is still linear.": 1 - inputs["t"],
        }),
        _circle(outputs),
    ]  # fmt: skip


def _circle(outputs: Values) -> Finding:
    if form_problem("α", outputs["alpha"], (64,)) or form_problem("β", outputs["beta"], (64,)):
        return Finding(False, "α² + β² cannot be computed yet.")
    total = outputs["alpha"] ** 2 + outputs["beta"] ** 2
    holds = close(total, torch.ones_like(total), 1e-5)
    message = "α² + β² = 1 at every t: the path keeps the variance"
    return Finding(holds, message if holds else f"Not yet: {message}.")


def _slope_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    findings = []
    for name, symbol in (("alpha", "α"), ("beta", "β")):
        exact = outputs[f"exact_{name}"]
        if not isinstance(exact, Tensor):
            return [Finding(False, f"{symbol}(t) must be a differentiable tensor.")]
        findings.append(
            compare(f"{symbol}.dt agrees with automatic differentiation", outputs[name], exact, {
                f"Your {symbol}.dt has the opposite sign.": -exact,
                f"Your {symbol}.dt lacks the inner derivative π/2.": exact * 2 / math.pi,
            })
        )  # fmt: skip
    # A wrong schedule with a right derivative of its own has not earned this part.
    sine = torch.sin(math.pi / 2 * inputs["t"]) * math.pi / 2
    beta = outputs["beta"]
    if all(finding.ok for finding in findings) and not close(beta, -sine):
        findings.append(Finding(False, "The derivative fits your β, but your β is not cos(πt/2)."))
    return findings


# 1.2 to 1.4 The conditional path


def _path_inputs(seed: int) -> Values:
    stream = generator(seed)
    return {
        "z": torch.randn(256, *SHAPE, generator=stream),
        "t": 0.05 + 0.85 * torch.rand(256, generator=stream),
    }


def _sample_probe(target: Any, inputs: Values) -> Values:
    path, z, t = _path(target), inputs["z"], inputs["t"]
    return {
        "x": path.sample_conditional_path(z.clone(), t.clone()),
        "again": path.sample_conditional_path(z.clone(), t.clone()),
        "end": path.sample_conditional_path(z.clone(), torch.ones_like(t)),
    }


def _sample_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    z = inputs["z"].double()
    for name in ("x", "again", "end"):
        problem = form_problem("The sample", outputs[name], tuple(z.shape))
        if problem:
            return [Finding(False, problem)]
    x, again, end = (outputs[name].double() for name in ("x", "again", "end"))
    alpha, beta, _, _ = schedule(inputs["t"], z)
    problem = normal_problem((x - alpha * z) / beta)
    if problem:
        return [Finding(False, _sample_mistake(x, z, alpha, beta, problem))]
    findings = [Finding(True, "x = α z + β ε: mean α z, standard deviation β")]
    fresh = not close(x, again, 1e-3)
    findings.append(
        Finding(fresh, "each call draws new noise" if fresh else
                "Two calls gave the same x: the noise ε must be drawn anew in each call.")
    )  # fmt: skip
    arrives = close(end, z)
    findings.append(
        Finding(arrives, "at t = 1 the path has arrived at z" if arrives else
                "At t = 1 the sample should be z itself.")
    )  # fmt: skip
    return findings


def _sample_mistake(x: Tensor, z: Tensor, alpha: Tensor, beta: Tensor, problem: str) -> str:
    """Which known wrong formula explains ``x``: the one whose residual is standard normal."""
    if float((x - alpha * z).abs().max()) < 1e-4:
        return "This is only the mean α z. The noise β ε is missing."
    uniform = ((x - alpha * z) / beta - 0.5) * math.sqrt(12)
    if float((uniform.abs() <= math.sqrt(3) * 1.01).double().mean()) > 0.9999:
        return "Your noise is uniform on [0, 1): torch.rand instead of torch.randn."
    candidates = {
        "α and β look swapped: α(t) multiplies the data z, β(t) the noise.": (x - beta * z) / alpha,
        "Your noise has variance β instead of β²: no square root is needed, β is a standard "
        "deviation.": (x - alpha * z) / beta.sqrt(),
        "Your noise is scaled by β²; β itself is the standard deviation.": (x - alpha * z)
        / beta**2,
        "Your noise is not scaled by β.": x - alpha * z,
        "Your z is not scaled by α.": (x - z) / beta,
    }
    for message, residual in candidates.items():
        if normal_problem(residual) is None:
            return message
    return f"(x − α z)/β should be standard normal noise; yours {problem}."


def _field_inputs(seed: int) -> Values:
    inputs = _path_inputs(seed)
    noise = torch.randn(256, *SHAPE, generator=generator(seed + 1))
    alpha, beta, _, _ = schedule(inputs["t"], inputs["z"])
    return inputs | {"x": (alpha * inputs["z"] + beta * 1.3 * noise).float()}


def _velocity_probe(target: Any, inputs: Values) -> Values:
    x, z, t = (inputs[name].clone() for name in ("x", "z", "t"))
    return {"u": _path(target).conditional_vector_field(x, z, t)}


def _velocity_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    x, z = inputs["x"].double(), inputs["z"].double()
    alpha, beta, alpha_dt, beta_dt = schedule(inputs["t"], z)
    noise = (x - alpha * z) / beta
    exact = alpha_dt * z + beta_dt * noise
    mistakes = {
        "Your velocity has the opposite sign.": -exact,
        "The derivatives are missing: this combines α and β themselves, not α̇ and β̇.":
            alpha * z + beta * noise,
        "α̇ is missing: the first coefficient is α̇ − (β̇/β) α.": (alpha - beta_dt / beta * alpha) * z
            + beta_dt / beta * x,
        "This is α̇ z + (β̇/β) x: subtract what the data contribute to x, (β̇/β) α z.":
            alpha_dt * z + beta_dt / beta * x,
        "The sign inside the bracket is off: it is α̇ − (β̇/β) α.":
            (alpha_dt + beta_dt / beta * alpha) * z + beta_dt / beta * x,
        "The term β̇ ε is missing: this is only α̇ z.": alpha_dt * z,
        "This is z − ε, which fits the linear schedule only. Use self.alpha.dt and self.beta.dt.":
            z - noise,
        "α and β look swapped.": beta_dt * z + alpha_dt * (x - beta * z) / alpha,
        "This is the velocity with β/β̇ where β̇/β belongs.":
            (alpha_dt - beta / beta_dt * alpha) * z + beta / beta_dt * x,
        "This is the score. The velocity is α̇ z + β̇ (x − α z)/β.": -noise / beta,
    }  # fmt: skip
    return [compare("u = (α̇ − (β̇/β) α) z + (β̇/β) x", outputs["u"], exact, mistakes)]


def _score_probe(target: Any, inputs: Values) -> Values:
    x, z, t = (inputs[name].clone() for name in ("x", "z", "t"))
    return {"s": _path(target).conditional_score(x, z, t)}


def _score_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    x, z = inputs["x"].double(), inputs["z"].double()
    alpha, beta, _, _ = schedule(inputs["t"], z)
    exact = (alpha * z - x) / beta**2
    mistakes = {
        "Your score has the opposite sign: it points from x towards α z.": -exact,
        "You divide by β; the variance of the path is β², so divide by β².": exact * beta,
        "The division by β² is missing.": exact * beta**2,
        "You divide by β⁴: β is a standard deviation, its square already is the variance.":
            exact / beta**2,
        "There is a factor of 2 too many: the 2 of the square cancels the 1/2 of the Gaussian.":
            2 * exact,
        "There is a factor of 1/2 too many: the 2 of the square cancels the 1/2 of the Gaussian.":
            exact / 2,
        "z is not scaled by α: the mean of the path is α z.": (z - x) / beta**2,
        "α and β look swapped.": (beta * z - x) / alpha**2,
    }  # fmt: skip
    return [compare("∇ log p(x|z) = (α z − x)/β²", outputs["s"], exact, mistakes)]


PATH = ("GaussianConditionalProbabilityPath",)

JOBS = (
    Job("1.1", "Bend the schedule", 1, 8, ("CosineAlpha", "CosineBeta"), (
        Part(1, _schedule_inputs, _schedule_values, _schedule_verdict),
        Part(1, _schedule_inputs, _schedule_slopes, _slope_verdict),
    )),
    Job("1.2", "Walk the path", 1, 8, PATH, (
        Part(3, _path_inputs, _sample_probe, _sample_verdict, time_hint),
    )),
    Job("1.3", "Find the velocity", 2, 12, PATH, (
        Part(3, _field_inputs, _velocity_probe, _velocity_verdict, time_hint),
    )),
    Job("1.4", "Find the score", 2, 8, PATH, (
        Part(2, _field_inputs, _score_probe, _score_verdict, time_hint),
    )),
)  # fmt: skip

LAB, check, ready = display.lab("mnist", JOBS)
