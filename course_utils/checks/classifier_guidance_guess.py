"""Job 5.3: the step back with a guess of x_0, and what clipping does to it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_utils.checks.classifier_guidance_forms import WITH_POSTERIOR, Form
from course_utils.checks.classifier_guidance_forward import mean_mistakes, variance_findings
from course_utils.checks.classifier_guidance_probes import (
    ProbeModel,
    Tables,
    build,
    cases,
    guess_of,
    model_values,
    noise_guess,
    per_item,
    posterior_mean,
    shape_of,
    start_of,
)
from course_utils.checks.classifier_guidance_stand_ins import FIELDS, read, standing_in
from course_utils.checks.classifier_guidance_verdicts import (
    all_of,
    asked,
    close_items,
    compare_items,
    untouched,
)
from course_utils.checks.core import Finding, Values

IS_THE_MEAN = "This is the mean, one step back; pred_xstart is the guess of x_0, all the way."
MEAN_CLIPPED = "The mean is clipped; clip pred_xstart, from which it is made."


def _inputs(seed: int, gain: float) -> Values:
    def fill(stream: torch.Generator, case: Values) -> Values:
        x = torch.randn(shape_of(case), generator=stream)
        return case | {"x": x} | model_values(stream, gain)

    return cases(seed, fill, long=True)


def guess_inputs(seed: int) -> Values:
    """A model whose guesses stay within ±0.8, so that clipping changes nothing."""
    return _inputs(seed, 0.8)


def clip_inputs(seed: int) -> Values:
    """A model whose guesses leave [−1, 1] by far."""
    return _inputs(seed, 3.0)


def _predict(target: Any, inputs: Values, name: str, *clip: bool) -> Values:
    process, tables = build(target, inputs), Tables.of(inputs)
    model, x = ProbeModel(inputs), inputs["x"].clone()
    with standing_in(target, tables, Form(target, process, tables), WITH_POSTERIOR):
        told = read(process.p_mean_variance(model, x, inputs["t"].clone(), *clip))
    found = {"form": told} if isinstance(told, str) else {**told, "form": None}
    found |= {**model.record.values("model"), "x_after": x}
    return {f"{name}{key}": value for key, value in found.items()}


def guess_probe(target: Any, inputs: Values) -> Values:
    return _predict(target, inputs, "")


def clip_probe(target: Any, inputs: Values) -> Values:
    return {
        **_predict(target, inputs, "default."),
        **_predict(target, inputs, "on.", True),
        **_predict(target, inputs, "off.", False),
    }


def _form(outputs: Values) -> list[Finding]:
    if outputs["form"] is None:
        return []
    told = f"p_mean_variance should return {', '.join(FIELDS)}; what it returns "
    return [Finding(False, f"{told}{outputs['form']}.")]


def guess_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    tables, t, x = Tables.of(inputs), inputs["t"], inputs["x"].double()
    step = tables.original[t]
    guess, slack = guess_of(inputs, x, step), tables.guess_slack(x, t)

    def order() -> list[Finding]:
        mean = posterior_mean(tables, guess, x, t)
        pairs = ((outputs["mean"], guess), (outputs["pred_xstart"], mean))
        if not all(_is(value, other, tables, slack) for value, other in pairs):
            return []
        told = f"pred_xstart and the mean look swapped: the order is {', '.join(FIELDS)}."
        return [Finding(False, told)]

    def start() -> list[Finding]:
        return [
            compare_items(
                "pred_xstart = (x_t − √(1 − ᾱ_t) ε)/√ᾱ_t", outputs["pred_xstart"], guess,
                lambda: _guess_mistakes(tables, inputs, x, t), t, tables.tolerance, slack,
                name="pred_xstart",
            )
        ]  # fmt: skip

    def mistakes(exact: Tensor) -> dict[str, Tensor]:
        clipped = {MEAN_CLIPPED: exact.clamp(-1, 1)}
        return clipped | _made_wrongly(tables, inputs, guess, x, t)

    def mean() -> list[Finding]:
        exact = posterior_mean(tables, guess, x, t)
        return [
            compare_items(
                "the mean is that of the posterior, with pred_xstart in the place of x_0",
                outputs["mean"], exact, lambda: mistakes(exact), t, tables.tolerance,
                slack + tables.mean_slack(exact, x, t),
                name="The mean",
            )
        ]  # fmt: skip

    return all_of([
        lambda: _form(outputs),
        lambda: asked("the model", outputs, "model", step, t),
        lambda: untouched(outputs, inputs, "x"),
        order,
        start,
        mean,
        lambda: variance_findings(tables, outputs, x, t),
    ])  # fmt: skip


def _is(value: object, expected: Tensor, tables: Tables, slack: Tensor) -> bool:
    return isinstance(value, Tensor) and close_items(value, expected, tables.tolerance, slack)


def _made_wrongly(
    tables: Tables, inputs: Values, guess: Tensor, x: Tensor, t: Tensor
) -> dict[str, Tensor]:
    """Means of a posterior that is handed something else, or is wrong itself."""
    noise = noise_guess(inputs, x, tables.original[t])
    return {
        "The mean is taken with x_0 and x_t swapped: q_posterior_mean_variance(x_start, x_t, t).":
            posterior_mean(tables, x, guess, t),
        "The posterior is handed ε in the place of x_0.": posterior_mean(tables, noise, x, t),
        **mean_mistakes(tables, guess, x, t),
    }  # fmt: skip


def _guess_mistakes(tables: Tables, inputs: Values, x: Tensor, t: Tensor) -> dict[str, Tensor]:
    names = ("alphas_bar", "alphas_bar_prev", "alphas")
    bar, prev, alpha = (tables.at(name, t, x) for name in names)
    noise = noise_guess(inputs, x, tables.original[t])
    guess = start_of(tables, noise, x, t)
    mean = posterior_mean(tables, guess, x, t)

    def by(signal: Tensor) -> Tensor:
        return (x - (1 - signal).sqrt() * noise) / signal.sqrt()

    found = {
        "The model tells the noise ε, not x_0: solve x_t = √ᾱ x_0 + √(1 − ᾱ) ε for x_0.": noise,
        "ε is added; to get back to x_0 it is subtracted.":
            (x + (1 - bar).sqrt() * noise) / bar.sqrt(),
        "ε is scaled by 1 − ᾱ_t; its factor is √(1 − ᾱ_t).": (x - (1 - bar) * noise) / bar.sqrt(),
        "ε is not scaled by √(1 − ᾱ_t).": (x - noise) / bar.sqrt(),
        "You divide by ᾱ_t; divide by √ᾱ_t.": (x - (1 - bar).sqrt() * noise) / bar,
        "Both square roots are missing.": (x - (1 - bar) * noise) / bar,
        "The division by √ᾱ_t is missing.": x - (1 - bar).sqrt() * noise,
        "You multiply by √ᾱ_t; divide by it.": (x - (1 - bar).sqrt() * noise) * bar.sqrt(),
        "ᾱ_t and 1 − ᾱ_t look swapped.": by(1 - bar),
        "This uses β_t in the place of 1 − ᾱ_t: it goes back one step, not all the way.": by(alpha),
        "This uses ᾱ_{t−1}; x_t has the noise of ᾱ_t.": by(prev),
        "The bracket is missing: only ε is divided by √ᾱ_t.":
            x - (1 - bar).sqrt() / bar.sqrt() * noise,
        "The bracket is missing: only x_t is divided by √ᾱ_t.":
            x / bar.sqrt() - (1 - bar).sqrt() * noise,
        IS_THE_MEAN: mean,
        "ε is clipped; clip the guess of x_0.": start_of(tables, noise.clamp(-1, 1), x, t),
    }  # fmt: skip
    # The same mistakes hide behind a clip of what came out.
    clipped = {told: value.clamp(-1, 1) for told, value in found.items()}
    both = {f"{told} (Clipped afterwards.)": value for told, value in clipped.items()}
    return (
        found
        | both
        | {
            "The guess is clipped to [0, 1]; images live in [−1, 1].": guess.clamp(0, 1),
            "The guess is bent by tanh; clip it by clamp(−1, 1).": guess.tanh(),
        }
    )


# --- clipping


def clip_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    runs = {
        name: {
            k.removeprefix(f"{name}."): v for k, v in outputs.items() if k.startswith(f"{name}.")
        }
        for name in ("default", "on", "off")
    }
    tables, t = Tables.of(inputs), inputs["t"]
    step = tables.original[t]
    return all_of([
        lambda: [f for run in runs.values() for f in _form(run)],
        lambda: asked("the model", runs["off"], "model", step, t),
        lambda: untouched(runs["off"], inputs, "x"),
        lambda: _when_clipped(tables, inputs, runs),
        lambda: _clipped(tables, inputs, runs["default"], "", on=True),
        lambda: _clipped(tables, inputs, runs["on"], "With clip_denoised=True: ", on=True),
        lambda: _clipped(tables, inputs, runs["off"], "With clip_denoised=False: ", on=False),
    ])  # fmt: skip


def _when_clipped(tables: Tables, inputs: Values, runs: dict[str, Values]) -> list[Finding]:
    """Whether the clip comes at all, but not when it should."""
    t, x = inputs["t"], inputs["x"].double()
    wild, slack = guess_of(inputs, x, tables.original[t]), tables.guess_slack(x, t)
    clipped = {
        name: _is(run["pred_xstart"], wild.clamp(-1, 1), tables, slack)
        for name, run in runs.items()
    }
    if clipped == {"default": False, "on": True, "off": False}:
        return [Finding(False, "Without a word on it nothing is clipped: clip_denoised is True by "
                               "default.")]  # fmt: skip
    if clipped["off"] and not clipped["on"]:
        return [Finding(False, "The guess is clipped where clip_denoised is False, and not where "
                               "it is True.")]  # fmt: skip
    return []


def _clipped(tables: Tables, inputs: Values, outputs: Values, when: str, on: bool) -> list[Finding]:
    t, x = inputs["t"], inputs["x"].double()
    wild, slack = guess_of(inputs, x, tables.original[t]), tables.guess_slack(x, t)
    tame = wild.clamp(-1, 1)
    mean, late = (posterior_mean(tables, value, x, t) for value in (tame, wild))
    if not on:
        mean, late = late, mean
    mean_slack = slack + tables.mean_slack(mean, x, t)

    def of_guess() -> dict[str, Tensor]:
        found = _clip_mistakes(tables, inputs, wild, x, t) | _guess_mistakes(tables, inputs, x, t)
        found |= {IS_THE_MEAN: mean}
        return {f"{when}{message}": value for message, value in found.items()}

    def of_mean() -> dict[str, Tensor]:
        which = "the unclipped guess: clip before the posterior" if on else "the clipped guess"
        return {
            f"{when}{MEAN_CLIPPED}": (late if on else mean).clamp(-1, 1),
            f"{when}The mean is clipped, too; clip pred_xstart alone.": mean.clamp(-1, 1),
            f"{when}The mean is made from {which}.": late,
        } | {
            f"{when}{message}": value
            for message, value in _made_wrongly(tables, inputs, tame if on else wild, x, t).items()
        }  # fmt: skip

    what = "pred_xstart is clipped to [−1, 1]" if on else "clip_denoised=False leaves it"
    made = "the mean is made from the clipped guess" if on else "and so does its mean"
    first = compare_items(
        what, outputs["pred_xstart"], tame if on else wild, of_guess, t, tables.tolerance, slack,
        name="pred_xstart",
    )  # fmt: skip
    second = compare_items(
        made, outputs["mean"], mean, of_mean, t, tables.tolerance, mean_slack, name="The mean"
    )
    if first.ok:
        return [first, second]
    # An unclipped guess beside a clipped mean is one mistake, not two.
    return [second if "The mean is clipped;" in second.message else first]


def _clip_mistakes(
    tables: Tables, inputs: Values, wild: Tensor, x: Tensor, t: Tensor
) -> dict[str, Tensor]:
    noise = noise_guess(inputs, x, tables.original[t]).clamp(-1, 1)
    of_clipped = start_of(tables, noise, x, t)
    largest = per_item(wild.abs().flatten(1).amax(dim=1).clamp_min(1), x)
    return {
        "The guess is not clipped: clamp pred_xstart to [−1, 1].": wild,
        "The guess is clipped although clip_denoised is False.": wild.clamp(-1, 1),
        "The guess is clipped to [0, 1]; images live in [−1, 1].": wild.clamp(0, 1),
        "The guess is bent by tanh; clip it by clamp(−1, 1).": wild.tanh(),
        "The guess is shrunk as a whole; clip each number by clamp(−1, 1).": wild / largest,
        "Only the upper end is clipped.": wild.clamp(max=1),
        "Only the lower end is clipped.": wild.clamp(min=-1),
        "ε is clipped; clip the guess of x_0.": of_clipped,
        "ε is clipped, and the guess again; clip the guess alone.": of_clipped.clamp(-1, 1),
    }
