"""Job 5.3 accepts any right prediction, in any form, and names the mistake of a wrong one."""

from collections.abc import Callable
from types import SimpleNamespace
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


def plain_tuple(self: Any, *args: Any, **options: Any) -> tuple[Tensor, ...]:
    return tuple(predict(self, *args, **options))


def by_keywords(
    self: Any, model: Any, x: Tensor, t: Tensor, clip_denoised: bool = True
) -> Prediction:
    steps = torch.gather(self.original_steps, 0, t)
    bar = self.at(self.alphas_bar, t=t, x=x)
    start = torch.addcmul(x, -torch.sqrt(1 - bar), model(x, steps)).div(torch.sqrt(bar))
    if clip_denoised:
        start = torch.where(start.abs() > 1, start.sign(), start)
    mean, variance, log_variance = self.q_posterior_mean_variance(x_start=start, x_t=x, t=t)
    return Prediction(pred_xstart=start, log_variance=log_variance, variance=variance, mean=mean)


def by_keys(self: Any, model: Any, x: Tensor, t: Tensor, clip_denoised: bool = True) -> Any:
    """Half precision tables are read in float64, the posterior like a dict."""
    bar = self.at(self.alphas_bar.double(), t, x)
    start = (x - (1 - bar) ** 0.5 * model(x, self.original_steps[t]).double()) / bar**0.5
    if clip_denoised:
        start = torch.minimum(torch.maximum(start, -torch.ones_like(start)), torch.ones(()))
    out = self.q_posterior_mean_variance(start.float(), x, t)
    return SimpleNamespace(
        mean=out[0], variance=out[1], log_variance=out[2], pred_xstart=start.float()
    )


def without_the_posterior(
    self: Any, model: Any, x: Tensor, t: Tensor, clip_denoised: bool = True
) -> Prediction:
    """Everything from the tables, for images."""
    bar, prev, beta = (
        table[t][:, None, None, None]
        for table in (self.alphas_bar, self.alphas_bar_prev, self.betas)
    )
    start = (x - (1 - bar).sqrt() * model(x, self.original_steps[t])) / bar.sqrt()
    start = start.clamp(min=-1, max=1) if clip_denoised else start
    mean = (prev.sqrt() * beta * start + (1 - beta).sqrt() * (1 - prev) * x) / (1 - bar)
    variance = (1 - prev) / (1 - bar) * beta
    first = (1 - self.alphas_bar[0]) / (1 - self.alphas_bar[1]) * self.betas[1]
    return Prediction(mean, variance, variance.clamp_min(float(first)).log(), start)


def twice_asked(self: Any, model: Any, x: Tensor, t: Tensor, clip_denoised: bool = True) -> Any:
    model(x, self.original_steps[t])
    return predict(self, model, x, t, clip_denoised)


RIGHT_GUESSES = [
    plain_tuple, as_dict, namespace, by_keywords, by_keys, without_the_posterior, twice_asked,
]  # fmt: skip


@pytest.mark.parametrize("answer", RIGHT_GUESSES)
def test_other_right_guesses(answer: Callable[..., Any]) -> None:
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


def swapped(self: Any, model: Any, x: Any, t: Any, clip_denoised: bool = True) -> Prediction:
    start = predict(self, model, x, t, clip_denoised).pred_xstart
    return Prediction(*self.q_posterior_mean_variance(x, start, t), start)


def of_the_noise(self: Any, model: Any, x: Any, t: Any, clip_denoised: bool = True) -> Prediction:
    out = predict(self, model, x, t, clip_denoised)
    noise = model(x, self.original_steps[t])
    return Prediction(*self.q_posterior_mean_variance(noise, x, t), out.pred_xstart)


WRONG_GUESSES = {
    "self.original_steps[t]": variant(ask=lambda s, model, x, t: model(x, t)),
    "fractions": variant(ask=lambda s, model, x, t: model(x, t / s.num_steps)),
    "not told t": variant(ask=lambda s, model, x, t: model(x)),
    "one and the same t": variant(ask=lambda s, model, x, t: model(x, int(t[0]))),
    "asked at t +1": variant(ask=lambda s, model, x, t: model(x, s.original_steps[t] + 1)),
    "functools.partial": variant(
        ask=lambda s, model, x, t: model(x, s.original_steps[t], torch.zeros_like(t))
    ),
    "never called": variant(ask=lambda s, model, x, t: torch.zeros_like(x)),
    "tells the noise ε": variant(lambda x, e, a, p, b: e),
    "it is subtracted": variant(lambda x, e, a, p, b: (x + (1 - a).sqrt() * e) / a.sqrt()),
    "its factor is √": variant(lambda x, e, a, p, b: (x - (1 - a) * e) / a.sqrt()),
    "not scaled by": variant(lambda x, e, a, p, b: (x - e) / a.sqrt()),
    "You divide by ᾱ_t": variant(lambda x, e, a, p, b: (x - (1 - a).sqrt() * e) / a),
    "The division by √ᾱ_t": variant(lambda x, e, a, p, b: x - (1 - a).sqrt() * e),
    "You multiply": variant(lambda x, e, a, p, b: (x - (1 - a).sqrt() * e) * a.sqrt()),
    "look swapped": variant(lambda x, e, a, p, b: (x - a.sqrt() * e) / (1 - a).sqrt()),
    "goes back one step": variant(lambda x, e, a, p, b: (x - b.sqrt() * e) / (1 - b).sqrt()),
    "uses ᾱ_{t−1}": variant(lambda x, e, a, p, b: (x - (1 - p).sqrt() * e) / p.sqrt()),
    "bracket is missing": variant(lambda x, e, a, p, b: x - (1 - a).sqrt() * e / a.sqrt()),
    "with x_0 and x_t swapped": process(p_mean_variance=swapped),
    "handed ε": process(p_mean_variance=of_the_noise),
    "one step back; pred_xstart": variant(
        after=lambda out, x, raw, on: out._replace(pred_xstart=out.mean)
    ),
    "has 3 parts": variant(after=lambda out, x, raw, on: tuple(out)[:3]),
    "lacks variance": variant(after=lambda out, x, raw, on: {"mean": 0, "sample": 1}),
    "is there a return": variant(after=lambda out, x, raw, on: None),
    "is x_0; the mean lies": variant(
        after=lambda out, x, raw, on: out._replace(mean=out.pred_xstart)
    ),
    "the order is mean": variant(
        after=lambda out, x, raw, on: out._replace(
            variance=out.log_variance, log_variance=out.variance
        )
    ),
    "writes into x": variant(lambda x, e, a, p, b: x.sub_((1 - a).sqrt() * e).div_(a.sqrt())),
}


@pytest.mark.parametrize("words", WRONG_GUESSES)
def test_wrong_guesses(words: str) -> None:
    assert_wrong("5.3", WRONG_GUESSES[words], words, earned=words == "the order is mean")


WRONG_CLIPS = {
    "is not clipped": variant(clip=lambda z: z),
    "although clip_denoised is False": variant(calm=lambda z: z.clamp(-1, 1)),
    "to [0, 1]": variant(clip=lambda z: z.clamp(0, 1)),
    "bent by tanh": variant(clip=lambda z: z.tanh()),
    "upper end": variant(clip=lambda z: z.clamp(max=1)),
    "lower end": variant(clip=lambda z: z.clamp(min=-1)),
    "ε is clipped": variant(ask=lambda s, model, x, t: model(x, s.original_steps[t]).clamp(-1, 1)),
    "The mean is clipped;": variant(
        clip=lambda z: z,
        after=lambda out, x, raw, on: out._replace(mean=out.mean.clamp(-1, 1)) if on else out,
    ),
    "The mean is clipped, too": variant(
        after=lambda out, x, raw, on: out._replace(mean=out.mean.clamp(-1, 1)) if on else out,
    ),
    "clip before the posterior": variant(
        clip=lambda z: z,
        after=lambda out, x, raw, on: out._replace(pred_xstart=raw.clamp(-1, 1)) if on else out,
    ),
    "shrunk as a whole": variant(
        clip=lambda z: z / z.abs().flatten(1).amax(1).clamp_min(1).view(-1, *[1] * (z.ndim - 1))
    ),
}


# These show where nothing needs clipping, too.
ALWAYS_SEEN = {
    "to [0, 1]", "bent by tanh", "ε is clipped", "The mean is clipped;", "The mean is clipped, too",
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG_CLIPS)
def test_wrong_clips(words: str) -> None:
    assert_wrong("5.3", WRONG_CLIPS[words], words, earned=0 if words in ALWAYS_SEEN else 2)
