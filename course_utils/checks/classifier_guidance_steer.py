"""Half of jobs 5.6 and 5.7: condition_mean and condition_score, compared number by number."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_utils.checks.classifier_guidance_forms import WITH_MEAN, WITH_PREDICTION, Form
from course_utils.checks.classifier_guidance_probes import (
    ProbeGradient,
    Tables,
    build,
    cases,
    gradient_value,
    gradient_values,
    guess_of,
    model_values,
    noise_of,
    per_item,
    posterior_mean,
    shape_of,
    start_of,
)
from course_utils.checks.classifier_guidance_stand_ins import Answers, read, standing_in
from course_utils.checks.classifier_guidance_verdicts import (
    all_of,
    asked,
    compare_items,
    spread,
    untouched,
)
from course_utils.checks.core import Alien, Finding, Values


def steer_inputs(seed: int) -> Values:
    def fill(stream: torch.Generator, case: Values) -> Values:
        shape = shape_of(case)
        told = model_values(stream, 0.8) | gradient_values(stream, shape[0])
        return case | told | {"x": torch.randn(shape, generator=stream)}

    return cases(seed, fill, long=True)


def _prediction(tables: Tables, inputs: Values) -> dict[str, Tensor]:
    """What a right p_mean_variance makes of the probe's model, in float64."""
    x, t = inputs["x"].double(), inputs["t"]
    guess = guess_of(inputs, x, tables.original[t])
    return {
        "mean": posterior_mean(tables, guess, x, t),
        "variance": tables.at("variances", t, x),
        "log_variance": tables.at("log_variances", t, x),
        "pred_xstart": guess,
    }


def _steer(
    target: Any, inputs: Values, method: str, answers: Answers, flat: bool = False
) -> tuple[Any, Values]:
    """Call a method with a right prediction. ``flat``: with a cond_fn that returns zeros."""
    process, tables = build(target, inputs), Tables.of(inputs)
    form = Form(target, process, tables)
    values = inputs | {"slope": 0.0, "drift": 0.0, "shift": 0 * inputs["shift"]} if flat else inputs
    cond_fn, x = ProbeGradient(values), inputs["x"].clone()
    told = {name: value.to(x.dtype) for name, value in _prediction(tables, inputs).items()}
    with standing_in(target, tables, form, answers):
        found = getattr(process, method)(
            cond_fn, form.make(**told), x, inputs["t"].clone(), inputs["y"].clone()
        )
    return found, {**cond_fn.record.values("cond_fn"), "x_after": x}


# --- condition_mean


def mean_probe(target: Any, inputs: Values) -> Values:
    mean, told = _steer(target, inputs, "condition_mean", WITH_PREDICTION)
    still, _ = _steer(target, inputs, "condition_mean", WITH_PREDICTION, flat=True)
    return {"mean": mean, "still": still, **told}


def _pull(tables: Tables, inputs: Values, at: Tensor | None = None) -> Tensor:
    t, x = inputs["t"], inputs["x"].double()
    return gradient_value(inputs, x if at is None else at, tables.original[t], inputs["y"])


def mean_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    tables, t, x = Tables.of(inputs), inputs["t"], inputs["x"].double()
    told, g = _prediction(tables, inputs), _pull(tables, inputs)
    exact = told["mean"] + told["variance"] * g
    # Mean and Σ are handed over as they are; who takes Σ from the tables rounds it otherwise.
    moved = (told["variance"] * g).abs().flatten(1).amax(dim=1)
    slack = 3 * tables.tolerance * per_item(moved, x)

    def value() -> list[Finding]:
        return [
            compare_items(
                "condition_mean is mean + Σ g", outputs["mean"], exact,
                lambda: _mean_mistakes(tables, inputs, told, g), t, 3e-6, slack,
                name="condition_mean",
            )
        ]  # fmt: skip

    def still() -> list[Finding]:
        same = isinstance(outputs["still"], Tensor) and outputs["still"].shape == exact.shape
        same = same and torch.equal(outputs["still"].float(), told["mean"].float())
        fails = "Where the gradient is 0 the mean must stay what it is, to the last bit."
        return [Finding(same, "without a gradient the mean stays exactly what it is" if same
                        else fails)]  # fmt: skip

    return all_of([
        lambda: _returned_mean(outputs["mean"]),
        lambda: asked("cond_fn", outputs, "cond_fn", tables.original[t], t, inputs["y"]),
        lambda: untouched(outputs, inputs, "x"),
        value,
        still,
    ])  # fmt: skip


def _returned_mean(mean: object) -> list[Finding]:
    if isinstance(mean, Alien) and mean.type_name in ("Prediction", "dict", "tuple"):
        told = f"condition_mean should return the new mean alone; yours returns a {mean.type_name}."
        return [Finding(False, told)]
    return []


def _mean_mistakes(
    tables: Tables, inputs: Values, told: dict[str, Tensor], g: Tensor
) -> dict[str, Tensor]:
    t, x = inputs["t"], inputs["x"].double()
    mean, var, log = told["mean"], told["variance"], told["log_variance"]
    bar, beta = tables.at("alphas_bar", t, x), tables.at("betas", t, x)
    at_mean = gradient_value(inputs, mean, tables.original[t], inputs["y"])
    return {
        "The variance is missing: the gradient is scaled by Σ before it is added.": mean + g,
        "The gradient is scaled by σ; it is scaled by the variance Σ = σ².": mean + var.sqrt() * g,
        "The gradient is scaled by exp(½ log_variance), which is σ; it is scaled by Σ = σ².":
            mean + (log / 2).exp() * g,
        "The gradient is scaled by exp(log_variance), which is not 0 at t = 0. Use the variance.":
            mean + log.exp() * g,
        "The gradient is scaled by log Σ; it is scaled by Σ.": mean + log * g,
        "Σ stands squared.": mean + var**2 * g,
        "The gradient is subtracted; it points towards y, so add it.": mean - var * g,
        "The gradient has no effect: this is the mean as it was.": mean.clone(),
        "The mean is missing: this is Σ g alone.": var * g,
        "The gradient is scaled by √(1 − ᾱ_t), as the noise is in job 5.7; the mean wants Σ.":
            mean + (1 - bar).sqrt() * g,
        "That is the noise ε of job 5.7 with a minus; the mean wants + Σ g.":
            mean - (1 - bar).sqrt() * g,
        "The gradient is scaled by β_t; the variance of the prediction is smaller.":
            mean + beta * g,
        "The gradient is taken at the mean; take it at x_t, where cond_fn(x, t, y) wants it.":
            mean + var * at_mean,
        "This starts from pred_xstart; it starts from the mean.": told["pred_xstart"] + var * g,
        "This starts from x_t; it starts from the mean.": x + var * g,
        "The mean is scaled, too; only g is scaled by Σ.": var * (mean + g),
        "Σ g is added twice.": mean + 2 * var * g,
    }  # fmt: skip


# --- condition_score


def score_probe(target: Any, inputs: Values) -> Values:
    found, told = _steer(target, inputs, "condition_score", WITH_MEAN)
    still, _ = _steer(target, inputs, "condition_score", WITH_MEAN, flat=True)
    fields, calm = read(found), read(still)
    if isinstance(fields, str) or isinstance(calm, str):
        return {"form": fields if isinstance(fields, str) else calm, **told}
    still_start = {"still": calm["pred_xstart"]}
    return {**fields, **still_start, **told, "form": None}


def score_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    tables, t, x = Tables.of(inputs), inputs["t"], inputs["x"].double()
    told, g = _prediction(tables, inputs), _pull(tables, inputs)
    noise = noise_of(tables, told["pred_xstart"], x, t)
    bar, slack = tables.at("alphas_bar", t, x), tables.guess_slack(x, t)
    exact = start_of(tables, noise - (1 - bar).sqrt() * g, x, t)

    def form() -> list[Finding]:
        if outputs["form"] is None:
            return []
        fails = "condition_score should return a prediction as it came, with its mean and "
        return [Finding(False, f"{fails}pred_xstart replaced; what it returns {outputs['form']}.")]

    def start() -> list[Finding]:
        return [
            compare_items(
                "ε̂ = ε − √(1 − ᾱ_t) g, and pred_xstart follows from it", outputs["pred_xstart"],
                exact, lambda: _score_mistakes(tables, inputs, told, noise, g), t,
                tables.tolerance, slack, name="pred_xstart",
            )
        ]  # fmt: skip

    def mean() -> list[Finding]:
        wanted = posterior_mean(tables, exact, x, t)
        clipped = posterior_mean(tables, exact.clamp(-1, 1), x, t)
        mistakes = {
            "The mean is still the old one: take it anew from the new pred_xstart.": told["mean"],
            "The mean is moved by Σ g, as in job 5.6; here it follows from the new pred_xstart.":
                told["mean"] + told["variance"] * g,
            "Both are done: Σ g is added to the new mean. It follows from pred_xstart alone.":
                wanted + told["variance"] * g,
            "The mean is taken with x_0 and x_t swapped: q_posterior_mean_variance(x_start, x_t, "
            "t).": posterior_mean(tables, x, exact, t),
            "The mean is made from a clipped pred_xstart.": clipped,
        }  # fmt: skip
        return [
            compare_items(
                "and so does the mean", outputs["mean"], wanted, lambda: mistakes, t,
                tables.tolerance, slack + tables.mean_slack(wanted, x, t), name="The mean",
            )
        ]  # fmt: skip

    def kept() -> list[Finding]:
        return [
            _kept(name, outputs, told, other, t, x, tables.tolerance)
            for name, other in (("variance", "log_variance"), ("log_variance", "variance"))
        ]

    def still() -> list[Finding]:
        return [
            compare_items(
                "without a gradient nothing changes", outputs["still"], told["pred_xstart"],
                dict, t, tables.tolerance, slack, name="pred_xstart",
            )
        ]  # fmt: skip

    return all_of([
        form,
        lambda: asked("cond_fn", outputs, "cond_fn", tables.original[t], t, inputs["y"]),
        lambda: untouched(outputs, inputs, "x"),
        start,
        mean,
        kept,
        still,
    ])  # fmt: skip


def _kept(
    name: str, outputs: Values, told: dict[str, Tensor], other: str, t: Tensor, x: Tensor,
    tolerance: float,
) -> Finding:  # fmt: skip
    """Whether a variance that was handed over came back."""
    mistakes = {
        "variance and log_variance look swapped: a Prediction is mean, variance, log_variance, "
        "pred_xstart.": told[other].expand_as(x),
        f"The {name} is 0; hand on that of the prediction.": torch.zeros_like(x),
    }
    return compare_items(
        "the variances stay", spread(outputs[name], x), told[name].expand_as(x),
        lambda: mistakes, t, tolerance, name=f"The {name}",
    )  # fmt: skip


def _score_mistakes(
    tables: Tables, inputs: Values, told: dict[str, Tensor], noise: Tensor, g: Tensor
) -> dict[str, Tensor]:
    t, x = inputs["t"], inputs["x"].double()
    bar, prev = tables.at("alphas_bar", t, x), tables.at("alphas_bar_prev", t, x)
    beta, guess = tables.at("betas", t, x), told["pred_xstart"]
    sigma, var = (1 - bar).sqrt(), told["variance"]

    def by(pull: Tensor) -> Tensor:
        return start_of(tables, noise + pull, x, t)

    right = by(-sigma * g)
    return {
        "pred_xstart and mean look swapped: a Prediction is mean, variance, log_variance, "
        "pred_xstart.": posterior_mean(tables, right, x, t),
        "pred_xstart is still the old one: make it anew from ε̂.": guess,
        "√(1 − ᾱ_t) is missing: ε̂ = ε − √(1 − ᾱ_t) g.": by(-g),
        "The gradient is scaled by 1 − ᾱ_t; its factor in ε̂ is √(1 − ᾱ_t).": by(-(sigma**2) * g),
        "The gradient is added to ε; the noise points away from the data, so subtract it.":
            by(sigma * g),
        "The gradient is added to ε, and without √(1 − ᾱ_t): ε̂ = ε − √(1 − ᾱ_t) g.": by(g),
        "The gradient is scaled by Σ, as in job 5.6; ε̂ = ε − √(1 − ᾱ_t) g.": by(-var * g),
        "The gradient is scaled by √ᾱ_t; its factor in ε̂ is √(1 − ᾱ_t).": by(-bar.sqrt() * g),
        "This uses ᾱ_{t−1}; x_t has the noise of ᾱ_t.": by(-(1 - prev).sqrt() * g),
        "This uses β_t in the place of 1 − ᾱ_t.": by(-beta.sqrt() * g),
        "This is ε̂; return the pred_xstart that follows from it.": noise - sigma * g,
        "The gradient is added to pred_xstart as it is; go by ε̂.": guess + g,
        "Σ g is added to pred_xstart; that is what job 5.6 does to the mean. Go by ε̂.":
            guess + var * g,
        "The gradient is added to pred_xstart times 1 − ᾱ_t; the division by √ᾱ_t is missing.":
            guess + sigma**2 * g,
        "pred_xstart is made from ε̂ with ᾱ_t where √ᾱ_t divides.":
            (x - sigma * (noise - sigma * g)) / bar,
        "pred_xstart is made from ε̂ without √(1 − ᾱ_t) in front of it.":
            (x - (noise - sigma * g)) / bar.sqrt(),
        "The division by √ᾱ_t is missing.": x - sigma * (noise - sigma * g),
        "The new pred_xstart is clipped; equation and sampler take it as it is.":
            right.clamp(-1, 1),
    }  # fmt: skip
