"""Steps that draw: how they are judged, and p_sample of job 5.6.

Each step of a case is drawn for many copies of an item. Whichever way a solution draws its noise,
(x − mean)/σ must be standard normal; a wrong formula is named by the one whose residual is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from course_utils.checks.classifier_guidance_forms import WITH_MEAN, Form
from course_utils.checks.classifier_guidance_probes import (
    ProbeGradient,
    ProbeModel,
    Tables,
    build,
    cases,
    gradient_value,
    gradient_values,
    guess_of,
    model_values,
    per_item,
    posterior_mean,
)
from course_utils.checks.classifier_guidance_stand_ins import Answers, standing_in
from course_utils.checks.classifier_guidance_verdicts import (
    all_of,
    asked,
    close_items,
    untouched,
)
from course_utils.checks.core import Finding, Values
from course_utils.checks.verdicts import form_problem, normal_problem

COPIES = 32
"""Few rows of many numbers: where a mask is broadcast against the batch, memory is its square."""

GAIN = 1.5
"""Of the model's guesses of x_0: many lie outside [−1, 1], where p_mean_variance clips them."""

PULL = ("slope", "drift", "shift")
STRONG = 50.0
"""How many times harder a step with dice is pulled, or σ would hide a wrong factor of g."""


class Draw(NamedTuple):
    """A normal distribution for each item; σ = 0 where nothing is left to chance."""

    mean: Tensor
    sigma: Tensor


Mistakes = Callable[[], dict[str, Draw]]


def sample_inputs(seed: int) -> Values:
    """Items that fill a case's steps many times over, in no order."""

    def fill(stream: torch.Generator, case: Values) -> Values:
        batch = COPIES * len(case["t"])
        t = case["t"].repeat(COPIES)[torch.randperm(batch, generator=stream)]
        sides = (64,) if len(case["shape"]) == 2 else (1, 8, 8)
        # Not of variance 1, or x itself might pass for noise.
        x = 1.3 * torch.randn(batch, *sides, generator=stream)
        told = model_values(stream, GAIN) | gradient_values(stream, batch)
        eta = float(0.3 + 0.4 * torch.rand((), generator=stream))
        return case | told | {"t": t, "x": x, "shape": torch.tensor(x.shape), "eta": eta}

    return cases(seed, fill, long=False)


def take_step(
    target: Any, inputs: Values, method: str, answers: Answers, name: str, **options: Any
) -> Values:
    """One call of a student's step, and what it asked the model and cond_fn for."""
    process, tables = build(target, inputs), Tables.of(inputs)
    form, model, x = Form(target, process, tables), ProbeModel(inputs), inputs["x"].clone()
    if options.pop("guided", False):
        options |= {"cond_fn": ProbeGradient(inputs), "y": inputs["y"].clone()}
    with standing_in(target, tables, form, answers):
        found = getattr(process, method)(model, x, inputs["t"].clone(), **options)
    record = model.record.values("model")
    if "cond_fn" in options:
        record |= options["cond_fn"].record.values("cond_fn")
    return {f"{name}{key}": v for key, v in ({"x": found, "x_after": x} | record).items()}


def part_of(outputs: Values, name: str) -> Values:
    return {k.removeprefix(name): v for k, v in outputs.items() if k.startswith(name)}


def questions(tables: Tables, inputs: Values, outputs: Values, guided: bool) -> list[Finding]:
    """Whether model and cond_fn were asked as they should be."""
    t = inputs["t"]
    original = tables.original[t]
    findings = untouched(outputs, inputs, "x") + asked("the model", outputs, "model", original, t)
    if guided and all(finding.ok for finding in findings):
        if not outputs["cond_fn_calls"]:
            told = "cond_fn is never called: where it is given, it must steer the step."
            return [*findings, Finding(False, told)]
        findings += asked("cond_fn", outputs, "cond_fn", original, t, inputs["y"])
    return findings


def clipped_guess(tables: Tables, inputs: Values) -> tuple[Tensor, Tensor]:
    """The model's guess of x_0 as p_mean_variance hands it on, and as it came."""
    came = guess_of(inputs, inputs["x"].double(), tables.original[inputs["t"]])
    return came.clamp(-1, 1), came


def residual_problem(x: Tensor, draw: Draw, rows: Tensor) -> str | None:
    """Why the residual of some rows is not standard normal; None if it is."""
    return normal_problem(((x - draw.mean) / draw.sigma.expand_as(x))[rows])


def drawn_findings(
    what: str, x: object, truth: Draw, mistakes: Mistakes, t: Tensor, tolerance: float
) -> list[Finding]:
    """Compare draws with their distribution; steps of σ = 0 must give the mean itself."""
    problem = form_problem("The step", x, tuple(truth.mean.shape))
    if problem or not isinstance(x, Tensor):
        return [Finding(False, problem or "The step should be a tensor.")]
    x, moving = x.double(), t > 0
    told = residual_problem(x, truth, moving)
    if told is not None:
        if close_items(x[moving], truth.mean[moving], tolerance):
            return [Finding(False, _no_noise(x, truth, t, tolerance))]
        for message, draw in mistakes().items():
            sure = float(draw.sigma.abs().max()) < 1e-12
            if sure and close_items(x[moving], draw.mean[moving], tolerance):
                return [Finding(False, message)]
            if not sure and residual_problem(x, draw, moving) is None:
                return [Finding(False, message)]
        told = f"Not yet: {what}. (x − mean)/σ should be standard normal noise; yours {told}."
        return [Finding(False, _odd_noise(x, truth, t, tolerance) or told)]
    if not close_items(x[~moving], truth.mean[~moving], tolerance):
        for message, draw in mistakes().items():
            if close_items(x[~moving], draw.mean[~moving], tolerance):
                return [Finding(False, message)]
        gap = (x - truth.mean)[~moving]
        noisy = float(gap.std()) > 10 * abs(float(gap.mean()))
        told = (
            "At t = 0 noise is added; the last step returns the mean itself."
            if noisy
            else "At t = 0 the step should return the mean itself, without noise."
        )
        return [Finding(False, told)]
    return [Finding(True, what)]


def _no_noise(x: Tensor, truth: Draw, t: Tensor, tolerance: float) -> str:
    if close_items(x[t == 0], truth.mean[t == 0], tolerance):
        return "The noise is missing: this is the mean; add σ ε where t > 0."
    return "The mask is inverted: noise is added at t = 0 and nowhere else."


def _odd_noise(x: Tensor, truth: Draw, t: Tensor, tolerance: float) -> str | None:
    """What is odd about noise that no known formula explains."""
    if bool((x == x.flatten()[0]).all()):
        return f"The step is {float(x.flatten()[0]):g} everywhere, whatever x is."
    moving, last = t > 0, int(t.max())
    uniform = ((x - truth.mean) / truth.sigma.expand_as(x))[moving]
    if float(uniform.min()) > -0.1 and float(uniform.max()) < 1.1:
        return "Your noise is uniform: torch.rand instead of torch.randn."
    places = {
        1: "At t = 1 the noise is missing; only t = 0, the last step, goes without.",
        last: f"At t = {last} the noise is missing; the last step, which goes without, is t = 0.",
    }
    for number, told in places.items():
        rows = t == number
        if close_items(x[rows], truth.mean[rows], tolerance):
            others = residual_problem(x, truth, moving & ~rows)
            return told if others is None else None
    return None


# --- p_sample


def step_probe(target: Any, inputs: Values) -> Values:
    return {
        **take_step(target, inputs, "p_sample", WITH_MEAN, "plain."),
        **take_step(target, inputs, "p_sample", WITH_MEAN, "again."),
        **take_step(target, strong(inputs), "p_sample", WITH_MEAN, "guided.", guided=True),
    }


def strong(inputs: Values) -> Values:
    """The same inputs, with a cond_fn that pulls harder."""
    return inputs | {name: STRONG * inputs[name] for name in PULL}


def step_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    tables, t, x = Tables.of(inputs), inputs["t"], inputs["x"].double()
    guess, came = clipped_guess(tables, inputs)
    mean, var = posterior_mean(tables, guess, x, t), tables.at("variances", t, x)
    g = gradient_value(strong(inputs), x, tables.original[t], inputs["y"])
    plain, guided = Draw(mean, var.sqrt()), Draw(mean + var * g, var.sqrt())
    bar = tables.at("alphas_bar", t, x)
    scored = posterior_mean(tables, guess + (1 - bar) / bar.sqrt() * g, x, t)
    steering = {
        "cond_fn has no effect: start from condition_mean where it is given.": plain,
        "The variance is missing: guidance moves the mean by Σ g.": Draw(mean + g, plain.sigma),
        "Guidance moves the mean by σ g; it moves by Σ g.":
            Draw(mean + var.sqrt() * g, plain.sigma),
        "Guidance moves the mean twice.": Draw(mean + 2 * var * g, plain.sigma),
        "Guidance moves the mean away from y.": Draw(mean - var * g, plain.sigma),
        "This guides by condition_score, which belongs to DDIM; here the mean moves by Σ g.":
            Draw(scored, plain.sigma),
        "The mean is replaced by Σ g; add them.": Draw(var * g, plain.sigma),
        "The mean is added twice: condition_mean returns mean + Σ g.":
            Draw(2 * mean + var * g, plain.sigma),
    }  # fmt: skip

    def drawn(name: str, what: str, draw: Draw, more: dict[str, Draw]) -> list[Finding]:
        run = part_of(outputs, name)

        def wrong() -> dict[str, Draw]:
            return more | _step_mistakes(tables, inputs, guess, came, draw)

        return all_of([
            lambda: questions(tables, inputs, run, draw is guided),
            lambda: drawn_findings(what, run["x"], draw, wrong, t, tables.tolerance),
        ])  # fmt: skip

    return all_of([
        lambda: drawn("plain.", "x_{t−1} = mean + σ ε, and the mean itself at t = 0", plain, {}),
        lambda: _fresh(outputs),
        lambda: drawn("guided.", "where cond_fn is given, the mean moves by Σ g", guided, steering),
    ])  # fmt: skip


def _fresh(outputs: Values) -> list[Finding]:
    first, second = outputs["plain.x"], outputs["again.x"]
    return fresh(isinstance(second, Tensor) and torch.equal(first, second))


def fresh(same: bool) -> list[Finding]:
    told = "Two calls drew the same noise: draw it anew in each call."
    return [Finding(not same, told if same else "each call draws new noise")]


def _step_mistakes(
    tables: Tables, inputs: Values, guess: Tensor, came: Tensor, draw: Draw
) -> dict[str, Draw]:
    """Known wrong distributions of a step whose right one is ``draw``."""
    t, x = inputs["t"], inputs["x"].double()
    mean, sigma = draw
    log, beta = tables.at("log_variances", t, x), tables.at("betas", t, x)
    bar, prev = tables.at("alphas_bar", t, x), tables.at("alphas_bar_prev", t, x)
    one = torch.ones_like(sigma)
    unclipped = posterior_mean(tables, came, x, t) - posterior_mean(tables, guess, x, t)
    return {
        "The noise is scaled by the variance σ²; its standard deviation is σ, exp(½ log_variance).":
            Draw(mean, sigma**2),
        "The noise is scaled by log σ²; take exp(½ log_variance).": Draw(mean, log),
        "The noise is scaled by ½ log σ²; take exp of it.": Draw(mean, log / 2),
        "The noise is scaled by √σ; take exp(½ log_variance) of log σ², or √ of the variance.":
            Draw(mean, sigma.sqrt()),
        "The noise is scaled by √β_t; the lab's variance is the posterior's.":
            Draw(mean, beta.sqrt()),
        "The noise is scaled by √(1 − ᾱ_t): that is all the noise in x_t, not that of one step.":
            Draw(mean, (1 - bar).sqrt()),
        "The noise is scaled by √(1 − ᾱ_{t−1}): that noises pred_xstart anew.":
            Draw(mean, (1 - prev).sqrt()),
        "The noise is not scaled by σ.": Draw(mean, one),
        "This starts from pred_xstart; start from the mean.": Draw(guess, sigma),
        "This starts from x_t; start from the mean.": Draw(x, sigma),
        "This is pred_xstart, without noise; the step is mean + σ ε.": Draw(guess, 0 * sigma),
        "At t = 0 the mean is lost: the mask belongs to the noise alone.":
            Draw(mean * per_item(t > 0, x), sigma),
        "The mean is missing: this is the noise alone.": Draw(0 * mean, sigma),
        "pred_xstart is not clipped: leave clip_denoised as it is, True.":
            Draw(mean + unclipped, sigma),
        "This is x_t as it came.": Draw(x, 0 * sigma),
        "x_t takes the place of the noise; draw it anew.": Draw(mean + sigma * x, 0 * sigma),
        "The noise is scaled by the second step's σ whatever t is.":
            Draw(mean, sigma * 0 + tables.variances[1].sqrt()),
    }  # fmt: skip
