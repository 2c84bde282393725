"""Right answers to lab 5's jobs, in float64, which stand in while a later job is judged.

A later job is worth its points even if an earlier one is wrong or not written yet. Instructors'
side only: a handout goes without this module, and its checks take the student's own methods.
"""

from __future__ import annotations

from typing import Any

import torch

from course_utils.checks.classifier_guidance_probes import Tables, mix, posterior_mean, start_of
from course_utils.checks.classifier_guidance_stand_ins import POSTERIOR, Answers, read
from course_utils.checks.core import Values


def _fields(prediction: Any) -> Values:
    told = read(prediction)
    if isinstance(told, str):
        raise TypeError(f"The prediction handed on {told}; hand on what p_mean_variance returns")
    return told


def jump(tables: Tables, form: Any, x_start: Any, t: Any, noise: Any = None) -> Any:
    noise = torch.randn_like(x_start) if noise is None else noise
    return mix(tables.at("alphas_bar", t, x_start), x_start.double(), noise.double()).to(
        x_start.dtype
    )


def posterior(tables: Tables, form: Any, x_start: Any, x_t: Any, t: Any) -> Any:
    mean = posterior_mean(tables, x_start.double(), x_t.double(), t)
    both = (tables.at(name, t, x_t) for name in ("variances", "log_variances"))
    return POSTERIOR(*(value.to(x_t.dtype) for value in (mean, *both)))


def prediction(
    tables: Tables, form: Any, model: Any, x: Any, t: Any, clip_denoised: bool = True
) -> Any:
    noise = model(x, tables.original[t])
    guess = start_of(tables, noise.double(), x.double(), t)
    guess = guess.clamp(-1, 1) if clip_denoised else guess
    told = posterior(tables, form, guess, x, t)
    return form.make(**told._asdict(), pred_xstart=guess.to(x.dtype))


def steered_mean(
    tables: Tables, form: Any, cond_fn: Any, prediction: Any, x: Any, t: Any, y: Any
) -> Any:
    told = _fields(prediction)
    return told["mean"] + told["variance"] * cond_fn(x, tables.original[t], y)


def steered_score(
    tables: Tables, form: Any, cond_fn: Any, prediction: Any, x: Any, t: Any, y: Any
) -> Any:
    told, bar = _fields(prediction), tables.at("alphas_bar", t, x)
    pull = cond_fn(x, tables.original[t], y).double()
    guess = told["pred_xstart"].double() + (1 - bar) / bar.sqrt() * pull
    mean = posterior(tables, form, guess, x, t).mean
    return form.make(**{**told, "mean": mean, "pred_xstart": guess.to(x.dtype)})


# What stands in while a job is judged: the jobs before it. A question that is sent to a student's
# kernel carries what its probe names, and so not the answer to itself.
WITH_JUMP: Answers = {"q_sample": jump}
WITH_POSTERIOR: Answers = {**WITH_JUMP, "q_posterior_mean_variance": posterior}
WITH_PREDICTION: Answers = {**WITH_POSTERIOR, "p_mean_variance": prediction}
WITH_MEAN: Answers = {**WITH_PREDICTION, "condition_mean": steered_mean}
WITH_SCORE: Answers = {**WITH_MEAN, "condition_score": steered_score}
