"""Jobs 5.1 and 5.2: the jump into the noise, and the step back if one knew the end."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_utils.checks.classifier_guidance_probes import (
    Tables,
    build,
    cases,
    mix,
    per_item,
    posterior_mean,
    shape_of,
)
from course_utils.checks.classifier_guidance_stand_ins import read
from course_utils.checks.classifier_guidance_verdicts import (
    all_of,
    compare_items,
    spread,
    untouched,
)
from course_utils.checks.core import Finding, Values

# 5.1 The jump


def jump_inputs(seed: int) -> Values:
    def fill(stream: torch.Generator, case: Values) -> Values:
        shape = shape_of(case)
        x_start = torch.rand(shape, generator=stream) * 2 - 1
        return case | {"x_start": x_start, "noise": torch.randn(shape, generator=stream)}

    return cases(seed, fill, long=True)


def jump_probe(target: Any, inputs: Values) -> Values:
    process = build(target, inputs)
    x_start, t, noise = (inputs[name].clone() for name in ("x_start", "t", "noise"))
    first = process.q_sample(x_start, t, noise)
    after = {"x_start_after": x_start.clone(), "noise_after": noise.clone()}
    again = process.q_sample(*(inputs[name].clone() for name in ("x_start", "t", "noise")))
    return {"x": first, "again": again, **after}


def jump_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    tables, t = Tables.of(inputs), inputs["t"]
    x_start, noise = inputs["x_start"].double(), inputs["noise"].double()
    exact = mix(tables.at("alphas_bar", t, x_start), x_start, noise)
    found = compare_items(
        "x_t = √ᾱ_t x_0 + √(1 − ᾱ_t) ε", outputs["x"], exact,
        lambda: _jump_mistakes(tables, x_start, t, noise), t, tables.tolerance,
    )  # fmt: skip
    x, again = outputs["x"], outputs["again"]
    both = isinstance(x, Tensor) and isinstance(again, Tensor) and x.shape == again.shape
    if not found.ok and both and not torch.equal(x, again):
        # The reason why a value is wrong.
        return [Finding(False, "Two calls with the same noise differ: use it, draw no other.")]
    return [*untouched(outputs, inputs, "x_start", "noise"), found]


def _jump_mistakes(tables: Tables, x_start: Tensor, t: Tensor, noise: Tensor) -> dict[str, Tensor]:
    names = ("alphas_bar", "alphas_bar_prev", "betas", "alphas")
    bar, prev, beta, alpha = (tables.at(name, t, x_start) for name in names)
    turned = tables.at("alphas_bar", tables.num_steps - 1 - t, x_start)
    whole = per_item(tables.whole_alphas_bar[t], x_start)
    last = per_item(tables.alphas_bar[t - 1], x_start)
    steps = per_item(t / tables.num_steps, x_start)
    first = bar[:1]

    def mixed(signal: Tensor) -> Tensor:
        return mix(signal, x_start, noise)

    return {
        "Both square roots are missing: ᾱ and 1 − ᾱ are squares.":
            bar * x_start + (1 - bar) * noise,
        "The square root over ᾱ_t is missing in front of x_0.":
            bar * x_start + (1 - bar).sqrt() * noise,
        "The noise is scaled by 1 − ᾱ_t, its variance; its standard deviation is √(1 − ᾱ_t).":
            bar.sqrt() * x_start + (1 - bar) * noise,
        "The noise is scaled by 1 − √ᾱ_t; the root belongs over the difference, √(1 − ᾱ_t).":
            bar.sqrt() * x_start + (1 - bar.sqrt()) * noise,
        "The two factors look swapped: √ᾱ_t belongs to x_0, √(1 − ᾱ_t) to ε.": mixed(1 - bar),
        "This takes one step with β_t; ᾱ_t, the product of all 1 − β up to t, jumps there.":
            mixed(alpha),
        "This uses β_t in the place of ᾱ_t.": mixed(beta),
        "This uses ᾱ_{t−1}, the step before t: use alphas_bar, not alphas_bar_prev.": mixed(prev),
        "The index t − 1 is a step too early, and at t = 0 alphas_bar[−1] is the last entry: t "
        "counts from 0.": mixed(last),
        "These are the ᾱ of the whole process at t; self.alphas_bar has those of this one.":
            mixed(whole),
        "Time runs backwards: at t = 0 there is the least noise.": mixed(turned),
        "This mixes linearly in t, as flow matching does; here ᾱ_t tells the mixture.":
            (1 - steps) * x_start + steps * noise,
        "The noise is not scaled.": bar.sqrt() * x_start + noise,
        "x_0 is not scaled by √ᾱ_t.": x_start + (1 - bar).sqrt() * noise,
        "The noise is missing: this is the mean √ᾱ_t x_0.": bar.sqrt() * x_start,
        "This is x_0 as it came.": x_start,
        "This is the noise as it came.": noise,
        "x_0 is missing: this is the noise alone.": (1 - bar).sqrt() * noise,
        "The noise is subtracted; add it.": bar.sqrt() * x_start - (1 - bar).sqrt() * noise,
        "The whole batch is noised at the first item's t; every item has its own.": mixed(first),
    }  # fmt: skip


# 5.2 The posterior


def posterior_inputs(seed: int) -> Values:
    def fill(stream: torch.Generator, case: Values) -> Values:
        shape = shape_of(case)
        x_start = torch.rand(shape, generator=stream) * 2 - 1
        return case | {"x_start": x_start, "x_t": torch.randn(shape, generator=stream)}

    return cases(seed, fill, long=True)


POSTERIOR = ("mean", "variance", "log_variance")


def posterior_probe(target: Any, inputs: Values) -> Values:
    process, t = build(target, inputs), inputs["t"].clone()
    x_start, x_t = inputs["x_start"].clone(), inputs["x_t"].clone()
    told = read(process.q_posterior_mean_variance(x_start, x_t, t), POSTERIOR)
    after = {"x_start_after": x_start, "x_t_after": x_t}
    return {"form": told, **after} if isinstance(told, str) else {**told, **after, "form": None}


def _posterior_form(outputs: Values) -> list[Finding]:
    if outputs["form"] is None:
        return []
    told = "q_posterior_mean_variance should return mean, variance, log_variance; what it returns "
    return [Finding(False, f"{told}{outputs['form']}.")]


def posterior_mean_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    tables, t = Tables.of(inputs), inputs["t"]
    x_start, x_t = inputs["x_start"].double(), inputs["x_t"].double()

    def mean() -> list[Finding]:
        exact = posterior_mean(tables, x_start, x_t, t)
        what = "the mean weighs x_0 and x_t as equation 7 does, at t = 0 it is x_0 itself"
        return [
            compare_items(
                what, outputs["mean"], exact, lambda: mean_mistakes(tables, x_start, x_t, t), t,
                tables.tolerance, tables.mean_slack(exact, x_t, t), name="The mean",
            )
        ]  # fmt: skip

    writes = untouched(outputs, inputs, "x_start", "x_t")
    return all_of([lambda: _posterior_form(outputs), lambda: writes, mean])


def _before_the_first(tables: Tables, t: Tensor, x: Tensor) -> dict[str, Tensor]:
    """What is taken for ᾱ_{t−1} by an index t − 1, which there is none of at t = 0."""
    bar = tables.alphas_bar
    return {
        "At t = 0, alphas_bar[t − 1] is the last entry, for −1 counts from the end; "
        "alphas_bar_prev has a 1 there.": per_item(bar[t - 1], x),
        "At t = 0 you take ᾱ_0 for ᾱ_{t−1}, which is 1 there: use alphas_bar_prev.":
            per_item(bar[(t - 1).clamp_min(0)], x),
    }  # fmt: skip


def mean_mistakes(tables: Tables, x_start: Tensor, x_t: Tensor, t: Tensor) -> dict[str, Tensor]:
    names = ("alphas_bar", "alphas_bar_prev", "betas", "alphas", "variances")
    bar, prev, beta, alpha, var = (tables.at(name, t, x_t) for name in names)
    start, noisy = prev.sqrt() * beta / (1 - bar), alpha.sqrt() * (1 - prev) / (1 - bar)
    exact = start * x_start + noisy * x_t
    shifted = {
        told: (wrong.sqrt() * beta * x_start + alpha.sqrt() * (1 - wrong) * x_t) / (1 - bar)
        for told, wrong in _before_the_first(tables, t, x_t).items()
    }
    return shifted | {
        "x_0 and x_t look swapped: √ᾱ_{t−1} β/(1 − ᾱ) belongs to x_0.":
            start * x_t + noisy * x_start,
        "The factor of x_0 has ᾱ_t under its root; it is ᾱ_{t−1}.":
            bar.sqrt() * beta / (1 - bar) * x_start + noisy * x_t,
        "The factor of x_t has ᾱ_t under its root; it is α_t = 1 − β_t, one step.":
            start * x_start + bar.sqrt() * (1 - prev) / (1 - bar) * x_t,
        "The factor of x_t has ᾱ_{t−1} under its root; it is α_t = 1 − β_t, one step.":
            start * x_start + prev.sqrt() * (1 - prev) / (1 - bar) * x_t,
        "The factor of x_t has β_t under its root; it is α_t = 1 − β_t.":
            start * x_start + beta.sqrt() * (1 - prev) / (1 - bar) * x_t,
        "The square root over ᾱ_{t−1} is missing.": prev * beta / (1 - bar) * x_start + noisy * x_t,
        "The square root over α_t is missing.":
            start * x_start + alpha * (1 - prev) / (1 - bar) * x_t,
        "Both square roots are missing, over ᾱ_{t−1} and over α_t.":
            prev * beta / (1 - bar) * x_start + alpha * (1 - prev) / (1 - bar) * x_t,
        "β_t stands under a root; in the factor of x_0 it does not.":
            prev.sqrt() * beta.sqrt() / (1 - bar) * x_start + noisy * x_t,
        "The factor of x_t has 1 − ᾱ_t in its numerator; it is 1 − ᾱ_{t−1}.":
            start * x_start + alpha.sqrt() * x_t,
        "You divide by 1 − ᾱ_{t−1}; divide by 1 − ᾱ_t.":
            prev.sqrt() * beta / (1 - prev) * x_start + alpha.sqrt() * x_t,
        "You divide by √(1 − ᾱ_t); divide by 1 − ᾱ_t.": exact * (1 - bar).sqrt(),
        "The division by 1 − ᾱ_t is missing.": exact * (1 - bar),
        "The term with x_t is missing.": start * x_start,
        "The term with x_0 is missing.": noisy * x_t,
        "The two terms are subtracted; add them.": start * x_start - noisy * x_t,
        "β_t and α_t look swapped.":
            prev.sqrt() * alpha / (1 - bar) * x_start + beta.sqrt() * (1 - prev) / (1 - bar) * x_t,
        "This takes x_0 for the noise ε; the posterior knows x_0 itself.":
            (x_t - beta / (1 - bar).sqrt() * x_start) / alpha.sqrt(),
        "This is the mean of q(x_{t−1}|x_0); it forgets x_t.": prev.sqrt() * x_start,
        "This is the mean of q(x_t|x_0), one step forward.": bar.sqrt() * x_start,
        "This is x_0; the mean lies between x_0 and x_t.": x_start,
        "This is the variance: the mean comes first.": var.expand_as(x_t),
    }  # fmt: skip


def posterior_spread_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    tables, t, x_t = Tables.of(inputs), inputs["t"], inputs["x_t"].double()
    return all_of([
        lambda: _posterior_form(outputs),
        lambda: variance_findings(tables, outputs, x_t, t),
    ])  # fmt: skip


def variance_findings(tables: Tables, outputs: Values, x: Tensor, t: Tensor) -> list[Finding]:
    """What there is to say of a variance and its logarithm at the steps ``t`` (shape of ``x``)."""
    return all_of([
        lambda: _unshaped(tables, outputs, x),
        lambda: [_variance(tables, outputs, x, t)],
        lambda: [_log_variance(tables, outputs, x, t)],
    ])  # fmt: skip


def _unshaped(tables: Tables, outputs: Values, x: Tensor) -> list[Finding]:
    """Tables that were not looked up, or not shaped."""
    for key, name in (("variance", "The variance"), ("log_variance", "The log variance")):
        value = outputs[key]
        if isinstance(value, Tensor) and value.shape == (tables.num_steps,):
            return [Finding(False, f"{name}: This is the whole table; look it up at t by self.at.")]
        if isinstance(value, Tensor) and value.shape == (len(x),):
            told = f"{name} has shape (b,); as b 1 1 1 it multiplies images: look it up by self.at."
            return [Finding(False, told)]
    return []


def _variance(tables: Tables, outputs: Values, x: Tensor, t: Tensor) -> Finding:
    names = ("alphas_bar", "alphas_bar_prev", "betas", "variances", "log_variances")
    bar, prev, beta, exact, log = (tables.at(name, t, x) for name in names)
    mistakes = {
        "This is β_t, the variance of a step forward; knowing x_0, less is open: times "
        "(1 − ᾱ_{t−1})/(1 − ᾱ_t).": beta,
        "The fraction is upside down: (1 − ᾱ_{t−1})/(1 − ᾱ_t).": beta * (1 - bar) / (1 - prev),
        "At t = 0 the variance is 0, for x_0 is known; only the logarithm takes the second entry.":
            log.exp(),
        **{told: beta * (1 - wrong) / (1 - bar)
           for told, wrong in _before_the_first(tables, t, x).items()},
        "This is the standard deviation; the variance is its square.": exact.sqrt(),
        "The standard deviation, with the second entry at t = 0: the variance is its square.":
            (log / 2).exp(),
        "This is the variance squared.": exact**2,
        "This is the logarithm: the order is mean, variance, log_variance.": log,
        "This is 1 − ᾱ_t, the variance of q(x_t|x_0).": 1 - bar,
        "This is 1 − ᾱ_{t−1}, the variance of q(x_{t−1}|x_0).": 1 - prev,
        "The factor β_t is missing.": (1 - prev) / (1 - bar),
        "β_t stands squared.": beta * exact,
        "The fraction is ᾱ_{t−1}/ᾱ_t here; it is (1 − ᾱ_{t−1})/(1 − ᾱ_t).": beta * prev / bar,
        "The division by 1 − ᾱ_t is missing.": beta * (1 - prev),
    }  # fmt: skip
    what = "the variance is β_t (1 − ᾱ_{t−1})/(1 − ᾱ_t), and 0 at t = 0"
    got = spread(outputs["variance"], x)
    exact, mistakes = exact.expand_as(x), {k: v.expand_as(x) for k, v in mistakes.items()}
    rounding = tables.tolerance * 0.01 * float(tables.variances[1:2].max())
    return compare_items(
        what, got, exact, lambda: mistakes, t, 3 * tables.tolerance, rounding, name="The variance"
    )


def _log_variance(tables: Tables, outputs: Values, x: Tensor, t: Tensor) -> Finding:
    names = ("betas", "variances", "log_variances")
    beta, var, exact = (tables.at(name, t, x) for name in names)
    at_zero = per_item(t == 0, x)
    earlier, later = (
        tables.at("log_variances", (t + by).clamp(0, tables.num_steps - 1), x) for by in (-1, 1)
    )
    mistakes = {
        "At t = 0 the logarithm is −∞, for the variance is 0 there. Put the second entry of the "
        "table in the place of the first.": var.log(),
        "At t = 0 the logarithm is 0, which promises the variance 1. Put the second entry of the "
        "table in the place of the first.": exact.masked_fill(at_zero, 0),
        "The logarithms are shifted by one step: they show the step before t.": earlier,
        "The logarithms are shifted by one step: they show the step after t.": later,
        "This is the variance; take its logarithm.": var,
        "This is log σ, half of log σ².": exact / 2,
        "This is the logarithm of β_t.": beta.log(),
        "The logarithm has base 2; use the natural one.": exact / torch.tensor(2.0).log(),
        "The logarithm has base 10; use the natural one.": exact / torch.tensor(10.0).log(),
        "The logarithm has the opposite sign.": -exact,
        "This is log(1 + variance).": var.log1p(),
        "This is the variance with its second entry first; take its logarithm.": exact.exp(),
    }  # fmt: skip
    what = "log_variance is its logarithm, and finite at t = 0"
    got = spread(outputs["log_variance"], x)
    exact, mistakes = exact.expand_as(x), {k: v.expand_as(x) for k, v in mistakes.items()}
    first = at_zero.expand_as(x)

    def settled(value: Tensor) -> Tensor:
        # At t = 0 any finite logarithm that promises no more noise than t = 1 does no harm.
        harmless = first & value.isfinite() & (value <= exact + 0.01)
        return torch.where(harmless, exact, value.double())

    if isinstance(got, Tensor) and got.shape == exact.shape and got.is_floating_point():
        got, mistakes = settled(got), {k: settled(v) for k, v in mistakes.items()}
    return compare_items(
        what, got, exact, lambda: mistakes, t, tables.tolerance, 3 * tables.tolerance,
        name="The log variance",
    )  # fmt: skip
