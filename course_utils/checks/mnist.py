"""The jobs of lab 1, "Getting a feel for MNIST"."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course_utils.checks import display
from course_utils.checks.core import Crash, Finding, Job, Part, Values
from course_utils.checks.mnist_schedule import (
    schedule_hint,
    schedule_inputs,
    schedule_slopes,
    schedule_values,
    schedule_verdict,
    slope_verdict,
)
from course_utils.checks.probes import ProbeAlpha, ProbeBeta, ProbeData, generator, schedule
from course_utils.checks.stand_ins import alone, with_method
from course_utils.checks.verdicts import (
    close,
    compare,
    form_problem,
    noise_problem,
    sample_mistake,
)
from course_utils.shapes import expand_time

SHAPE = (1, 8, 8)


def _path(target: Any) -> Any:
    """The student's path over the probe's own schedule, which no hard-coded α and β fit."""
    return target(ProbeData(SHAPE, 10), list(SHAPE), ProbeAlpha(), ProbeBeta())


def time_hint(crash: Crash) -> str | None:
    """Advice for the error that everybody meets first."""
    if "must match the size" in crash.message or "broadcast" in crash.message:
        return "t has shape (b,) and z has shape (b, c, h, w): expand_time(t, z) lines them up."
    return None


def score_hint(crash: Crash) -> str | None:
    """Advice for those who differentiate, and for everybody."""
    if "require grad" in crash.message or "have been used in the graph" in crash.message:
        return "Differentiate by the tensor that stands in the formula: x has to be in the graph."
    return time_hint(crash)


# 1.2 to 1.4 The conditional path


def _path_inputs(seed: int) -> Values:
    # Far from the seeds that people choose: noise from manual_seed(0) must not be equal to z.
    stream = generator(seed + 610_612_741)
    return {
        "z": torch.randn(256, *SHAPE, generator=stream),
        "t": 0.05 + 0.85 * torch.rand(256, generator=stream),
    }


def _problem(name: str, value: object, z: Tensor) -> str | None:
    """What is wrong with the form of a result that should be like ``z``."""
    problem = form_problem(name, value, tuple(z.shape))
    if problem and isinstance(value, Tensor) and value.shape == (len(z), *z.shape[:1], *SHAPE[1:]):
        return f"{problem} Your t has shape (b, 1, 1), and so lies along the channels."
    return problem


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
        problem = _problem("The sample", outputs[name], z)
        if problem:
            return [Finding(False, problem)]
    x, again, end = (outputs[name].double() for name in ("x", "again", "end"))
    alpha, beta, _, _ = schedule(inputs["t"], z)
    problem = noise_problem((x - alpha * z) / beta, z)
    if problem:
        return [Finding(False, _sample_mistake(x, z, inputs["t"], problem))]
    findings = [Finding(True, "x = α z + β ε: mean α z, standard deviation β")]
    fresh = not close(x, again, 1e-3)
    findings.append(
        Finding(fresh, "each call draws new noise" if fresh else
                "Two calls gave the same x: the noise ε must be drawn anew in each call.")
    )  # fmt: skip
    arrives = close(end, z)
    findings.append(
        Finding(arrives, "at t = 1 the path has arrived at z" if arrives else
                "At t = 1 the sample should be z itself: β(1) = 0 leaves no noise.")
    )  # fmt: skip
    return findings


def _sample_mistake(x: Tensor, z: Tensor, t: Tensor, problem: str) -> str:
    """Which known wrong formula explains ``x``: the one whose residual is standard normal."""
    found = schedule(t, z)
    alpha, beta, _, _ = found
    t = expand_time(t.double(), z)
    mistake = sample_mistake(x, z, t, found)
    if mistake:
        return mistake
    quarter = math.pi / 2 * t
    candidates = {
        "α is hard-coded as t: ask the path's own schedule, self.alpha(t).": (x - t * z) / beta,
        "β is hard-coded as 1 − t: ask the path's own schedule, self.beta(t).":
            (x - alpha * z) / (1 - t),
        "The cosine schedule is hard-coded: ask the path's own, self.alpha(t) and self.beta(t).":
            (x - quarter.sin() * z) / quarter.cos(),
        "Both terms have the factor α; the noise is scaled by β.": (x - alpha * z) / alpha,
        "This is α (z + β ε): α multiplies the data alone.": (x / alpha - z) / beta,
        "β scales the data as well: this is β (α z + ε).": x / beta - alpha * z,
    }  # fmt: skip
    for message, residual in candidates.items():
        if noise_problem(residual, z) is None:
            return message
    return f"(x − α z)/β should be standard normal noise; yours {problem}."


def _field_inputs(seed: int) -> Values:
    inputs = _path_inputs(seed)
    noise = torch.randn(256, *SHAPE, generator=generator(seed + 982_451_653))
    alpha, beta, _, _ = schedule(inputs["t"], inputs["z"])
    return inputs | {"x": (alpha * inputs["z"] + beta * 1.3 * noise).to(inputs["z"].dtype)}


def _drawn_anew(residual: Tensor, x: Tensor, z: Tensor) -> bool:
    """Whether ``residual`` is standard normal noise that knows neither ``x`` nor ``z``."""
    return noise_problem(residual, z) is None and noise_problem(residual, x) is None


def _velocity_probe(target: Any, inputs: Values) -> Values:
    x, z, t = (inputs[name].clone() for name in ("x", "z", "t"))
    return {"u": _path(target).conditional_vector_field(x, z, t)}


def _velocity_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    x, z = inputs["x"].double(), inputs["z"].double()
    alpha, beta, alpha_dt, beta_dt = schedule(inputs["t"], z)
    exact = alpha_dt * z + beta_dt * (x - alpha * z) / beta
    problem = _problem("The velocity", outputs["u"], z)
    if problem:
        return [Finding(False, problem)]
    if _drawn_anew((outputs["u"] - alpha_dt * z) / beta_dt, x, z):
        return [Finding(False, "The noise here is drawn anew; that in x is ε = (x − α z)/β.")]
    mistakes = _velocity_mistakes(x, z, inputs["t"])
    return [compare("u = (α̇ − (β̇/β) α) z + (β̇/β) x", outputs["u"], exact, mistakes)]


def _velocity_mistakes(x: Tensor, z: Tensor, t: Tensor) -> dict[str, Tensor]:
    """What wrong formulas give in the place of the velocity."""
    alpha, beta, alpha_dt, beta_dt = schedule(t, z)
    noise, t = (x - alpha * z) / beta, expand_time(t.double(), z)
    exact = alpha_dt * z + beta_dt * noise
    quarter = math.pi / 2 * t
    return {
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
        "This is (z − x)/(1 − t), which fits the linear schedule only. Use the path's own α and β.":
            (z - x) / (1 - t),
        "The division by β is missing: the noise is ε = (x − α z)/β.":
            alpha_dt * z + beta_dt * (x - alpha * z),
        "This is α̇ z + β̇ x: x stands where the noise belongs, ε = (x − α z)/β.":
            alpha_dt * z + beta_dt * x,
        "In your noise z is not scaled by α: it is (x − α z)/β.":
            alpha_dt * z + beta_dt * (x - z) / beta,
        "The sign of the noise is off: the velocity is α̇ z + β̇ ε, and β̇ is negative already.":
            alpha_dt * z - beta_dt * noise,
        "The derivatives are swapped: α̇ belongs to z and β̇ to ε.":
            beta_dt * z + alpha_dt * noise,
        "The derivatives α̇ and β̇ are missing: this is z − x, from where you are to where you go.":
            z - x,
        "Only the noise moves here; the term α̇ z is missing.": beta_dt * noise,
        "The cosine schedule is hard-coded: ask the path's own self.alpha and self.beta.":
            quarter.cos() * math.pi / 2 * z
            - math.pi / 2 * quarter.tan() * (x - quarter.sin() * z),
        "All items are at the time of the first one: each item has a t of its own.":
            alpha_dt[:1] * z + beta_dt[:1] * (x - alpha[:1] * z) / beta[:1],
        "You divide by β²; in the velocity it is β̇/β.":
            alpha_dt * z + beta_dt * (x - alpha * z) / beta**2,
        "This is the velocity with β/β̇ where β̇/β belongs.":
            (alpha_dt - beta / beta_dt * alpha) * z + beta / beta_dt * x,
        "This is the score. The velocity is α̇ z + β̇ (x − α z)/β.": -noise / beta,
    }  # fmt: skip


def _score_inputs(seed: int) -> Values:
    inputs = _field_inputs(seed)
    alpha, beta, alpha_dt, beta_dt = schedule(inputs["t"], inputs["z"])
    of_x = beta_dt / beta
    rates = torch.stack((alpha_dt - of_x * alpha, of_x))
    return inputs | {"rates": rates.to(inputs["z"].dtype)}


def _velocity(inputs: Values) -> Callable[..., Tensor]:
    """A right velocity, in numbers, for those whose score is made of their own velocity."""

    def by_rates(self: Any, x: Tensor, z: Tensor, t: Tensor) -> Tensor:
        of_z, of_x = inputs["rates"]
        return of_z * z + of_x * x

    return by_rates


def _score_probe(target: Any, inputs: Values) -> Values:
    x, z, t = (inputs[name].clone() for name in ("x", "z", "t"))
    return {"s": _path(target).conditional_score(x, z, t)}


def _score_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    x, z = inputs["x"].double(), inputs["z"].double()
    alpha, beta, _, _ = schedule(inputs["t"], z)
    exact = (alpha * z - x) / beta**2
    problem = _problem("The score", outputs["s"], z)
    if problem:
        return [Finding(False, problem)]
    if _drawn_anew(outputs["s"] * beta, x, z):
        return [Finding(False, "The noise here is drawn anew; that in x is ε = (x − α z)/β.")]
    mistakes = _score_mistakes(x, z, inputs["t"])
    return [compare("∇ log p(x|z) = (α z − x)/β²", outputs["s"], exact, mistakes)]


def _score_mistakes(x: Tensor, z: Tensor, t: Tensor) -> dict[str, Tensor]:
    """What wrong formulas give in the place of the score."""
    alpha, beta, alpha_dt, beta_dt = schedule(t, z)
    noise, t = (x - alpha * z) / beta, expand_time(t.double(), z)
    exact = -noise / beta
    return {
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
        "This is the noise, (x − α z)/β. The score is −ε/β.": noise,
        "This is x − α z, from the mean to x: the sign is wrong, and the division by β² missing.":
            x - alpha * z,
        "This is the velocity. The score needs neither α̇ nor β̇.": alpha_dt * z + beta_dt * noise,
        "This is the log-density itself; its derivative by x is asked for.": -(noise**2) / 2,
        "This is the log-density with all its constants; its derivative by x is asked for.":
            -(noise**2) / 2 - beta.log() - math.log(2 * math.pi) / 2,
        "This is the density, up to its factor; its logarithm's derivative is asked for.":
            torch.exp(-(noise**2) / 2),
        "This is the derivative by z; the score is the derivative by x.": alpha * noise / beta,
        "The mean of the log-density was differentiated; a log-density is a sum over all pixels.":
            exact / z.numel(),
        "The log-density was averaged over the pixels; it is a sum over them.":
            exact / math.prod(SHAPE),
        "The log-density was averaged over the batch; each item has one of its own.":
            exact / len(z),
        "α is hard-coded as t: ask the path's own schedule, self.alpha(t).": (t * z - x) / beta**2,
        "β is hard-coded as 1 − t: ask the path's own schedule, self.beta(t).":
            (alpha * z - x) / (1 - t) ** 2,
        "This is (t z − x)/(1 − t)², which fits the linear schedule only. Use self.alpha and "
        "self.beta.": (t * z - x) / (1 - t) ** 2,
        "The variance of the path is β²; here it is 1 − α².": (alpha * z - x) / (1 - alpha**2),
        "All items are at the time of the first one: each item has a t of its own.":
            (alpha[:1] * z - x) / beta[:1] ** 2,
        "Only −x/β²: the mean of the path is α z, not 0.": -x / beta**2,
        "Only the mean counts here: the score is (α z − x)/β².": alpha * z / beta**2,
    }  # fmt: skip


PATH = ("GaussianConditionalProbabilityPath",)

JOBS = (
    Job("1.1", "Bend the schedule", 1, 8, ("CosineAlpha", "CosineBeta"), (
        Part(1, schedule_inputs, schedule_values, schedule_verdict, schedule_hint),
        Part(1, schedule_inputs, schedule_slopes, slope_verdict, schedule_hint),
    )),
    Job("1.2", "Walk the path", 1, 8, PATH, (
        Part(3, _path_inputs, _sample_probe, _sample_verdict, time_hint),
    )),
    Job("1.3", "Find the velocity", 2, 12, PATH, (
        Part(3, _field_inputs, _velocity_probe, _velocity_verdict, time_hint),
    )),
    Job("1.4", "Find the score", 2, 8, PATH, (
        Part(
            2, _score_inputs,
            with_method("1.4", _score_probe, "conditional_vector_field", _velocity),
            alone(_score_verdict), score_hint,
        ),
    )),
)  # fmt: skip

QUESTIONS = (display.Question("1.5", "At the end of the road", 2),)

LAB, check, ready, progress = display.lab("mnist", JOBS, QUESTIONS)
