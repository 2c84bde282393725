"""The jobs of lab 5, "DDPM, DDIM and classifier guidance"."""

from __future__ import annotations

from course_utils.checks import display
from course_utils.checks.classifier_guidance_classifier import (
    train_hint,
    train_inputs,
    train_probe,
    train_verdict,
)
from course_utils.checks.classifier_guidance_ddim import ddim_probe, ddim_verdict
from course_utils.checks.classifier_guidance_forms import builds_on_others
from course_utils.checks.classifier_guidance_forward import (
    jump_inputs,
    jump_probe,
    jump_verdict,
    posterior_inputs,
    posterior_mean_verdict,
    posterior_probe,
    posterior_spread_verdict,
)
from course_utils.checks.classifier_guidance_gradient import (
    gradient_hint,
    gradient_inputs,
    scale_probe,
    scale_verdict,
    value_probe,
    value_verdict,
)
from course_utils.checks.classifier_guidance_guess import (
    clip_inputs,
    clip_probe,
    clip_verdict,
    guess_inputs,
    guess_probe,
    guess_verdict,
)
from course_utils.checks.classifier_guidance_probes import Probe, each_case
from course_utils.checks.classifier_guidance_sampling import (
    sample_inputs,
    step_probe,
    step_verdict,
)
from course_utils.checks.classifier_guidance_steer import (
    mean_probe,
    mean_verdict,
    score_probe,
    score_verdict,
    steer_inputs,
)
from course_utils.checks.classifier_guidance_verdicts import Verdict, hint, over_cases
from course_utils.checks.core import Job, Part


def _part(
    points: int | float, inputs: object, probe: Probe, verdict: Verdict, advice: object = hint
) -> Part:
    """A part that is tried on a linear, a cosine and a respaced process."""
    return Part(points, inputs, each_case(probe), over_cases(verdict), advice)  # type: ignore[arg-type]


def _later(points: int | float, inputs: object, probe: Probe, verdict: Verdict) -> Part:
    """The same for a job that calls the ones before it."""
    told = builds_on_others(over_cases(verdict))
    return Part(points, inputs, each_case(probe), told, hint)  # type: ignore[arg-type]


PROCESS = ("GaussianDiffusion",)

JOBS = (
    Job("5.1", "A jump into the noise", 1, 5, PROCESS, (
        _part(2, jump_inputs, jump_probe, jump_verdict),
    )),
    Job("5.2", "One step back, if you knew the end", 2, 10, PROCESS, (
        _part(2, posterior_inputs, posterior_probe, posterior_mean_verdict),
        _part(1, posterior_inputs, posterior_probe, posterior_spread_verdict),
    )),
    Job("5.3", "One step back, with a guess", 2, 10, PROCESS, (
        _later(2, guess_inputs, guess_probe, guess_verdict),
        _later(1, clip_inputs, clip_probe, clip_verdict),
    )),
    Job("5.4", "A reader of noise", 1, 8, ("NoisyClassifierTrainer",), (
        Part(2, train_inputs, train_probe, builds_on_others(train_verdict), train_hint),
    )),
    Job("5.5", "Which way to a seven?", 2, 10, ("classifier_guidance",), (
        _part(2, gradient_inputs, value_probe, value_verdict, gradient_hint),
        _part(1, gradient_inputs, scale_probe, scale_verdict, gradient_hint),
    )),
    Job("5.6", "Roll the dice uphill", 2, 12, PROCESS, (
        _later(1.5, steer_inputs, mean_probe, mean_verdict),
        _later(1.5, sample_inputs, step_probe, step_verdict),
    )),
    Job("5.7", "Fewer steps, and no dice", 3, 15, PROCESS, (
        _later(1.5, steer_inputs, score_probe, score_verdict),
        _later(1.5, sample_inputs, ddim_probe, ddim_verdict),
    )),
)  # fmt: skip

QUESTIONS = (
    display.Question("5.8", "Why it must know the time", 1),
    display.Question("5.9", "Where the chain is only nearly right", 1),
    display.Question("5.10", "With a classifier, or without", 1),
)

LAB, check, ready, progress = display.lab("classifier_guidance", JOBS, QUESTIONS)
