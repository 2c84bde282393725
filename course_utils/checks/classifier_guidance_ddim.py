"""The other half of job 5.7: ddim_sample, without noise, with some, and guided."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_utils.checks.classifier_guidance_forms import WITH_SCORE
from course_utils.checks.classifier_guidance_probes import (
    Tables,
    gradient_value,
    noise_of,
    per_item,
    posterior_mean,
    start_of,
)
from course_utils.checks.classifier_guidance_sampling import (
    STRONG,
    Draw,
    Mistakes,
    clipped_guess,
    drawn_findings,
    fresh,
    part_of,
    questions,
    residual_problem,
    strong,
    take_step,
)
from course_utils.checks.classifier_guidance_verdicts import all_of, compare_items
from course_utils.checks.core import Finding, Values


def ddim_probe(target: Any, inputs: Values) -> Values:
    eta, hard = inputs["eta"], strong(inputs)
    return {
        **take_step(target, inputs, "ddim_sample", WITH_SCORE, "sure."),
        **take_step(target, inputs, "ddim_sample", WITH_SCORE, "steered.", guided=True),
        **take_step(target, inputs, "ddim_sample", WITH_SCORE, "some.", eta=eta),
        **take_step(target, inputs, "ddim_sample", WITH_SCORE, "all.", eta=1.0),
        **take_step(target, hard, "ddim_sample", WITH_SCORE, "both.", guided=True, eta=eta),
        **take_step(target, hard, "ddim_sample", WITH_SCORE, "whole.", guided=True, eta=1.0),
    }


def _ddim(tables: Tables, t: Tensor, guess: Tensor, noise: Tensor, sigma: Tensor) -> Draw:
    """Song et al. 2021, eq. 12."""
    prev = tables.at("alphas_bar_prev", t, guess)
    direction = (1 - prev - sigma**2).clamp_min(0).sqrt() * noise
    return Draw(prev.sqrt() * guess + direction, sigma)


def ddim_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    tables, t, x = Tables.of(inputs), inputs["t"], inputs["x"].double()
    guess, came = clipped_guess(tables, inputs)
    noise, raw = noise_of(tables, guess, x, t), noise_of(tables, came, x, t)
    g = gradient_value(inputs, x, tables.original[t], inputs["y"])
    root = (1 - tables.at("alphas_bar", t, x)).sqrt()
    # Eq. 16 by the posterior: its variance is η² times that of q(x_{t−1}|x_t, x_0).
    deviation = tables.at("variances", t, x).sqrt()
    unsteered, some = (guess, noise), inputs["eta"]

    def drawn(name: str, what: str, eta: float, pull: float = 0.0) -> list[Finding]:
        run, sigma = part_of(outputs, name), eta * deviation
        pulled = noise - root * pull * g
        pair = (start_of(tables, pulled, x, t), pulled) if pull else unsteered
        truth = _ddim(tables, t, *pair, sigma)

        def wrong() -> dict[str, Draw]:
            found = _ddim_mistakes(tables, inputs, pair, eta, deviation)
            found |= _unclipped_mistakes(tables, inputs, pair, raw - root * pull * g, sigma)
            more = _steer_mistakes(tables, inputs, unsteered, pair, pull * g, sigma)
            return more | found if pull else found

        return all_of([
            lambda: questions(tables, inputs, run, pull > 0),
            lambda: _sure(tables, inputs, what, run["x"], truth, wrong)
            if eta == 0
            else drawn_findings(what, run["x"], truth, wrong, t, tables.tolerance),
        ])  # fmt: skip

    return all_of([
        lambda: drawn("sure.", "x_{t−1} = √ᾱ_{t−1} x̂_0 + √(1 − ᾱ_{t−1}) ε, no dice at η = 0", 0.0),
        lambda: drawn("steered.", "given cond_fn, x̂_0 and ε are the guided ones", 0.0, 1.0),
        lambda: drawn("some.", "between 0 and 1, η scales the noise", some),
        lambda: drawn("all.", "at η = 1 its variance is that of the posterior", 1.0),
        lambda: fresh(_repeated(tables, t, unsteered, deviation, outputs, some)),
        lambda: drawn("both.", "guidance and noise go together", some, STRONG),
        lambda: drawn("whole.", "at η = 1, too", 1.0, STRONG),
    ])  # fmt: skip


def _repeated(
    tables: Tables, t: Tensor, pair: tuple[Tensor, Tensor], deviation: Tensor, outputs: Values,
    eta: float,
) -> bool:  # fmt: skip
    """Whether the steps of two η, both right by themselves, were drawn with the same noise."""
    truths = [_ddim(tables, t, *pair, share * deviation) for share in (eta, 1.0)]
    drawn = (outputs["some.x"].double(), outputs["all.x"].double())
    some, other = (
        ((x - truth.mean) / truth.sigma)[t > 0] for x, truth in zip(drawn, truths, strict=True)
    )
    return float((some * other).mean()) > 0.5


def _sure(
    tables: Tables, inputs: Values, what: str, x: object, truth: Draw, mistakes: Mistakes
) -> list[Finding]:
    """A step without noise: numbers are compared, and noise is named where it is found."""
    t, start = inputs["t"], inputs["x"].double()
    slack = tables.guess_slack(start, t) * tables.at("alphas_bar_prev", t, start).sqrt()

    def sure() -> dict[str, Tensor]:
        return {m: d.mean for m, d in mistakes().items() if float(d.sigma.abs().max()) < 1e-12}

    found = compare_items(what, x, truth.mean, sure, t, tables.tolerance, slack, name="The step")
    known = not found.message.startswith("Not yet")
    if found.ok or known or not isinstance(x, Tensor) or x.shape != truth.mean.shape:
        return [found]
    rows = t > 0
    for message, draw in mistakes().items():
        noisy = float(draw.sigma.abs().max()) > 1e-12
        if noisy and residual_problem(x.double(), draw, rows) is None:
            return [Finding(False, message)]
    return [found]


def _ddim_mistakes(
    tables: Tables, inputs: Values, pair: tuple[Tensor, Tensor], eta: float, deviation: Tensor
) -> dict[str, Draw]:
    t, x = inputs["t"], inputs["x"].double()
    guess, noise = pair
    names = ("alphas_bar", "alphas_bar_prev", "betas")
    bar, prev, beta = (tables.at(name, t, x) for name in names)
    sigma = eta * deviation
    right = _ddim(tables, t, guess, noise, sigma)
    rest = (1 - prev - sigma**2).clamp_min(0)
    away = rest.sqrt() * noise
    found = {
        "This returns to the noise of x_t itself: the step goes to ᾱ_{t−1}, alphas_bar_prev.":
            Draw(bar.sqrt() * guess + (1 - bar - sigma**2).clamp_min(0).sqrt() * noise, sigma),
        "The square root over ᾱ_{t−1} is missing.": Draw(prev * guess + away, sigma),
        "The square root over 1 − ᾱ_{t−1} − σ² is missing.":
            Draw(prev.sqrt() * guess + rest * noise, sigma),
        "This is pred_xstart; the step mixes it with ε again.": Draw(guess, sigma),
        "pred_xstart is not scaled by √ᾱ_{t−1}.": Draw(guess + away, sigma),
        "The term with ε is missing.": Draw(prev.sqrt() * guess, sigma),
        "The term with ε is subtracted; add it.": Draw(prev.sqrt() * guess - away, sigma),
        "ε is the one of x_{t−1} here; it is (x_t − √ᾱ_t x̂_0)/√(1 − ᾱ_t).":
            _ddim(tables, t, guess, (x - prev.sqrt() * guess) / (1 - prev).sqrt(), sigma),
        "ε is (x_t − √ᾱ_t x̂_0)/√(1 − ᾱ_t); the root over 1 − ᾱ_t is missing.":
            _ddim(tables, t, guess, noise / (1 - bar).sqrt(), sigma),
        "ε lacks the division by √(1 − ᾱ_t).":
            _ddim(tables, t, guess, noise * (1 - bar).sqrt(), sigma),
        "pred_xstart and ε look swapped.":
            Draw(prev.sqrt() * noise + rest.sqrt() * guess, sigma),
        "√ᾱ_{t−1} and √(1 − ᾱ_{t−1}) look swapped.":
            Draw((1 - prev).sqrt() * guess + prev.sqrt() * noise, sigma),
        "This is the posterior mean of job 5.2, the mean of an ancestral step.":
            Draw(posterior_mean(tables, guess, x, t), sigma),
        "x_t takes the place of ε.": _ddim(tables, t, guess, x, sigma),
    }  # fmt: skip
    last = per_item(tables.alphas_bar[t - 1], x)
    wrapped = last.sqrt() * guess + (1 - last - sigma**2).clamp_min(0).sqrt() * noise
    told = "At t = 0 ᾱ_{t−1} is 1; alphas_bar[t − 1] is the last entry there. Use alphas_bar_prev."
    found[told] = Draw(wrapped, sigma)
    if eta != 1:
        found["η has no effect: noise is added as if it were 1, as in an ancestral step."] = _ddim(
            tables, t, guess, noise, deviation
        )
    if eta == 0:
        return found | {
            "At η = 0 there is no noise; yours adds some.": Draw(right.mean, deviation),
            "At η = 0 there is no noise; yours adds noise of standard deviation √(1 − ᾱ_{t−1}).":
                Draw(prev.sqrt() * guess, (1 - prev).sqrt()),
        }  # fmt: skip
    still = _ddim(tables, t, guess, noise, 0 * sigma)
    return found | {
        "η has no effect: no noise is added.": still,
        "The factor of ε is still √(1 − ᾱ_{t−1}): σ² must be taken from under the root.":
            Draw(still.mean, sigma),
        "The noise is scaled by σ²; scale it by σ.": Draw(right.mean, sigma**2),
        "The factor of ε is √(1 − ᾱ_{t−1}) − σ; it is √(1 − ᾱ_{t−1} − σ²).":
            Draw(prev.sqrt() * guess + ((1 - prev).sqrt() - sigma) * noise, sigma),
        "The factor of ε is √(1 − ᾱ_{t−1} − σ); σ stands squared.":
            Draw(prev.sqrt() * guess + (1 - prev - sigma).clamp_min(0).sqrt() * noise, sigma),
        "σ is η √β_t; equation 16 has √((1 − ᾱ_{t−1})/(1 − ᾱ_t)), too.":
            _ddim(tables, t, guess, noise, eta * beta.sqrt()),
        "σ is η² times that of the posterior; η stands by itself.":
            _ddim(tables, t, guess, noise, eta**2 * deviation),
        "σ is √η times that of the posterior: η stands outside the root.":
            _ddim(tables, t, guess, noise, eta**0.5 * deviation),
        "σ lacks its root: σ_t = η √((1 − ᾱ_{t−1})/(1 − ᾱ_t)) √(1 − ᾱ_t/ᾱ_{t−1}).":
            _ddim(tables, t, guess, noise, eta * deviation**2),
        "σ lacks √(1 − ᾱ_t/ᾱ_{t−1}).":
            _ddim(tables, t, guess, noise, eta * ((1 - prev) / (1 - bar)).sqrt()),
        "The noise is scaled by η alone; scale it by σ.": Draw(right.mean, 0 * sigma + eta),
        "The noise is not scaled by σ.": Draw(right.mean, torch.ones_like(sigma)),
    }  # fmt: skip


def _unclipped_mistakes(
    tables: Tables, inputs: Values, pair: tuple[Tensor, Tensor], raw: Tensor, sigma: Tensor
) -> dict[str, Draw]:
    """``raw``: the model's own answer, pushed like ε where there is guidance."""
    t, x = inputs["t"], inputs["x"].double()
    late = start_of(tables, raw, x, t).clamp(-1, 1)
    return {
        "pred_xstart is not clipped, and ε is the model's own answer: take both from "
        "p_mean_variance as it is, which clips.":
            _ddim(tables, t, start_of(tables, raw, x, t), raw, sigma),
        "ε is the model's own answer, which does not know of the clipping: take it anew from "
        "pred_xstart.": _ddim(tables, t, pair[0], raw, sigma),
        "The guess is clipped after it is guided; clip first, as p_mean_variance does, then guide.":
            _ddim(tables, t, late, noise_of(tables, late, x, t), sigma),
        "The guess is clipped after it is guided, and ε is the model's own with the push; clip "
        "first, then guide, and take ε from pred_xstart.": _ddim(tables, t, late, raw, sigma),
        "This is x_t as it came.": Draw(x, 0 * sigma),
        "ε takes the place of the fresh noise z.":
            Draw(_ddim(tables, t, *pair, sigma).mean + sigma * pair[1], 0 * sigma),
        "x_t takes the place of the fresh noise z.":
            Draw(_ddim(tables, t, *pair, sigma).mean + sigma * x, 0 * sigma),
    }  # fmt: skip


def _steer_mistakes(
    tables: Tables, inputs: Values, old: tuple[Tensor, Tensor], new: tuple[Tensor, Tensor],
    g: Tensor, sigma: Tensor,
) -> dict[str, Draw]:  # fmt: skip
    t, x = inputs["t"], inputs["x"].double()
    plain = _ddim(tables, t, *old, sigma)
    var, clipped = tables.at("variances", t, x), new[0].clamp(-1, 1)
    return {
        "cond_fn has no effect: take x̂_0 and ε from condition_score where it is given.": plain,
        "ε is still the unguided one: take it anew from the guided pred_xstart.":
            _ddim(tables, t, new[0], old[1], sigma),
        "pred_xstart is still the unguided one.": _ddim(tables, t, old[0], new[1], sigma),
        "This guides by condition_mean, mean + Σ g, which belongs to p_sample; take x̂_0 and ε "
        "from condition_score.": Draw(plain.mean + var * g, sigma),
        "This is the posterior's mean with Σ g of job 5.6; a DDIM step has its own equation.":
            Draw(posterior_mean(tables, old[0], x, t) + var * g, sigma),
        "Guidance is applied twice.":
            _ddim(tables, t, 2 * new[0] - old[0], 2 * new[1] - old[1], sigma),
        "The guided pred_xstart is clipped; after guidance nothing is clipped again.":
            _ddim(tables, t, clipped, noise_of(tables, clipped, x, t), sigma),
        "The guided pred_xstart is clipped, and its ε is not; nothing is clipped again.":
            _ddim(tables, t, clipped, new[1], sigma),
    }  # fmt: skip
