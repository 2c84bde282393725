"""Job 5.3 accepts any right prediction, in any form, and names the mistake of a wrong one."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusion_answers import (
    Prediction,
    as_dict,
    assert_right,
    assert_wrong,
    namespace,
    noted,
    predict,
    process,
    report,
    stub,
    told,
)
from torch import Tensor

from course_utils.solved.classifier_guidance import GaussianDiffusion


def test_the_reference_earns_full_marks() -> None:
    assert_right("5.3", GaussianDiffusion)
    assert_right("5.3", process())


def twice_asked(self: Any, model: Any, x: Tensor, t: Tensor, clip_denoised: bool = True) -> Any:
    model(x, self.original_steps[t])
    return predict(self, model, x, t, clip_denoised)


@pytest.mark.parametrize("answer", [as_dict, namespace])
def test_other_forms_of_a_prediction(answer: Callable[..., Any]) -> None:
    assert_right("5.3", process(p_mean_variance=answer))


def test_a_wasted_call_is_mentioned() -> None:
    assert "2 times" in noted(report("5.3", process(p_mean_variance=twice_asked)))


def test_it_counts_although_the_posterior_is_a_stub_or_wrong() -> None:
    found = report("5.3", process(q_posterior_mean_variance=stub("5.2")))
    assert found.passed, told(found)
    found = report("5.3", process(q_posterior_mean_variance=lambda s, z, x, t: (z, z, z)))
    assert found.passed, told(found)
    assert report("5.3", process(p_mean_variance=stub("5.3"))).stub


def variant(
    start: Callable[..., Tensor] = lambda x, e, a, p, b: (x - (1 - a).sqrt() * e) / a.sqrt(),
    clip: Callable[[Tensor], Tensor] = lambda z: z.clamp(-1, 1),
    calm: Callable[[Tensor], Tensor] = lambda z: z,
    ask: Callable[..., Tensor] = lambda s, model, x, t: model(x, s.original_steps[t]),
    after: Callable[[Prediction, Tensor, Tensor, bool], Any] = lambda out, x, raw, on: out,
) -> type:
    """The right prediction with one thing done otherwise."""

    def answer(self: Any, model: Any, x: Any, t: Any, clip_denoised: bool = True) -> Any:
        names = ("alphas_bar", "alphas_bar_prev", "betas")
        raw = start(
            x, ask(self, model, x, t), *(self.at(getattr(self, name), t, x) for name in names)
        )
        guess = clip(raw) if clip_denoised else calm(raw)
        out = Prediction(*self.q_posterior_mean_variance(guess, x, t), guess)
        return after(out, x, raw, clip_denoised)

    return process(p_mean_variance=answer)


WRONG_GUESSES = {
    "one and the same t": variant(ask=lambda s, model, x, t: model(x, int(t[0]))),
    "functools.partial": variant(
        ask=lambda s, model, x, t: model(x, s.original_steps[t], torch.zeros_like(t))
    ),
    "not scaled by": variant(lambda x, e, a, p, b: (x - e) / a.sqrt()),
    "You multiply": variant(lambda x, e, a, p, b: (x - (1 - a).sqrt() * e) * a.sqrt()),
    "lacks variance": variant(after=lambda out, x, raw, on: {"mean": 0, "sample": 1}),
    "is x_0; the mean lies": variant(
        after=lambda out, x, raw, on: out._replace(mean=out.pred_xstart)
    ),
}


@pytest.mark.parametrize("words", WRONG_GUESSES)
def test_wrong_guesses(words: str) -> None:
    assert_wrong("5.3", WRONG_GUESSES[words], words)


WRONG_CLIPS = {
    "lower end": variant(clip=lambda z: z.clamp(min=-1)),
    "The mean is clipped, too": variant(
        after=lambda out, x, raw, on: out._replace(mean=out.mean.clamp(-1, 1)) if on else out,
    ),
    "shrunk as a whole": variant(
        clip=lambda z: z / z.abs().flatten(1).amax(1).clamp_min(1).view(-1, *[1] * (z.ndim - 1))
    ),
}


@pytest.mark.parametrize("words", WRONG_CLIPS)
def test_wrong_clips(words: str) -> None:
    assert_wrong("5.3", WRONG_CLIPS[words], words, earned=0 if "mean" in words else 2)
