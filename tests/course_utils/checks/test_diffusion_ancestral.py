"""Job 5.6 accepts any right condition_mean and p_sample and names the mistake of a wrong one."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusion_answers import (
    Prediction,
    assert_right,
    assert_wrong,
    namespace,
    noted,
    p_sample,
    predict,
    process,
    report,
    stub,
    told,
)
from torch import Tensor

from course_utils.solved.classifier_guidance import GaussianDiffusion


def test_the_reference_earns_full_marks() -> None:
    assert_right("5.6", GaussianDiffusion)
    assert_right("5.6", process())


# --- right answers of another form; tests/corpus has more


def unpacked_mean(self: Any, cond_fn: Any, prediction: Any, x: Any, t: Any, y: Any) -> Tensor:
    mean, variance, *_ = prediction
    return mean + variance * cond_fn(x=x, t=self.original_steps[t], y=y)


def unpacked_step(
    self: Any, model: Any, x: Any, t: Any, cond_fn: Any = None, y: Any = None
) -> Tensor:
    """torch.normal, with a mask that is multiplied."""
    prediction = self.p_mean_variance(model=model, x=x, t=t, clip_denoised=True)
    mean, _, log_variance, _ = prediction
    if cond_fn:
        mean = self.condition_mean(cond_fn, prediction, x, t, y)
    mask = (t != 0).float().view(-1, *([1] * (x.dim() - 1)))
    return torch.normal(mean, mask * torch.exp(log_variance / 2).expand_as(mean))


def keyed_mean(self: Any, cond_fn: Any, prediction: Any, x: Any, t: Any, y: Any) -> Tensor:
    return prediction["mean"] + prediction["variance"] * cond_fn(x, self.original_steps[t], y)


def images_step(
    self: Any, model: Any, x: Any, t: Any, cond_fn: Any = None, y: Any = None
) -> Tensor:
    """A mask for images."""
    out = self.p_mean_variance(model, x, t)
    mean = out.mean if cond_fn is None else self.condition_mean(cond_fn, out, x, t, y)
    noise = torch.randn(x.shape) * (t > 0).reshape(-1, 1, 1, 1)
    return mean + out.variance.sqrt() * noise


RIGHT_STEPS = {
    "a dict, where 5.3 is not written": {
        "p_mean_variance": stub("5.3"), "condition_mean": keyed_mean,
    },
    "a namespace": {"p_mean_variance": namespace, "p_sample": images_step},
    "a tuple": {
        "p_mean_variance": lambda s, *a, **k: tuple(predict(s, *a, **k)),
        "condition_mean": unpacked_mean, "p_sample": unpacked_step,
    },
}  # fmt: skip


@pytest.mark.parametrize("style", RIGHT_STEPS)
def test_other_right_steps(style: str) -> None:
    assert_right("5.6", process(**RIGHT_STEPS[style]))


def test_a_mask_for_images_is_told_of_vectors() -> None:
    assert "(b, d)" in noted(report("5.6", process(p_sample=images_step)))


def test_each_half_counts_by_itself() -> None:
    found = report("5.6", process(condition_mean=stub("5.6")))
    assert found.earned == 1.5 and not found.passed
    found = report("5.6", process(p_sample=stub("5.6")))
    assert found.earned == 1.5 and not found.passed
    earlier = {"q_posterior_mean_variance": stub("5.2"), "p_mean_variance": stub("5.3")}
    found = report("5.6", process(**earlier))
    assert found.passed, told(found)
    wrong = process(p_mean_variance=lambda s, m, x, t, c=True: Prediction(x, x, x, x))
    assert report("5.6", wrong).passed


def test_stand_ins_leave_the_class_as_it_was() -> None:
    target = process()
    before = dict(vars(target))
    report("5.6", target)
    report("5.7", target)
    assert dict(vars(target)) == before


# --- condition_mean


def mean(
    of: Callable[[Any, Tensor], Tensor] = lambda p, g: p.mean + p.variance * g,
    ask: Callable[..., Tensor] = lambda s, cond_fn, p, x, t, y: cond_fn(x, s.original_steps[t], y),
) -> type:
    return process(condition_mean=lambda s, f, p, x, t, y: of(p, ask(s, f, p, x, t, y)))


def by_score(self: Any, cond_fn: Any, p: Any, x: Any, t: Any, y: Any) -> Tensor:
    root = (1 - self.at(self.alphas_bar, t, x)).sqrt()
    return p.mean + root * cond_fn(x, self.original_steps[t], y)


WRONG_MEANS = {
    "exp(½ log_variance)": mean(lambda p, g: p.mean + (p.log_variance / 2).exp() * g),
    "has no effect": mean(lambda p, g: p.mean),
    "added twice": mean(lambda p, g: p.mean + 2 * p.variance * g),
    "by √(1 − ᾱ_t)": process(condition_mean=by_score),
    "other labels": mean(ask=lambda s, f, p, x, t, y: f(x, s.original_steps[t], 0 * y)),
    "not told t": mean(ask=lambda s, f, p, x, t, y: f(x, y=y)),
    "never called": mean(ask=lambda s, f, p, x, t, y: torch.zeros_like(x)),
    "to the last bit": mean(lambda p, g: (p.mean + p.variance * g) * (1 + 5e-7) + 3e-7),
}


@pytest.mark.parametrize("words", WRONG_MEANS)
def test_wrong_means(words: str) -> None:
    assert_wrong("5.6", WRONG_MEANS[words], words, earned=1.5)


# --- p_sample


def steps(t: Tensor, x: Tensor) -> Tensor:
    return (t > 0).reshape(-1, *[1] * (x.ndim - 1))


def step(
    sigma: Callable[..., Tensor] = lambda s, out, x, t: out.variance.sqrt(),
    noise: Callable[..., Tensor] = lambda x, t: torch.randn_like(x) * steps(t, x),
    base: Callable[..., Tensor] = lambda out, x: out.mean,
    steer: Callable[..., Tensor] = lambda s, f, out, x, t, y: s.condition_mean(f, out, x, t, y),
    ask: Callable[..., Any] = lambda s, model, x, t: s.p_mean_variance(model, x, t),
) -> type:
    """The right step with one thing done otherwise."""

    def answer(self: Any, model: Any, x: Any, t: Any, cond_fn: Any = None, y: Any = None) -> Tensor:
        out = ask(self, model, x, t)
        mean = base(out, x) if cond_fn is None else steer(self, cond_fn, out, x, t, y)
        return mean + sigma(self, out, x, t) * noise(x, t)

    return process(p_sample=answer)


def pull(s: Any, f: Any, x: Any, t: Any, y: Any) -> Tensor:
    return f(x, s.original_steps[t], y)


def clipped_log(s: Any, out: Any, x: Tensor, t: Tensor) -> Tensor:
    return (out.log_variance / 2).exp()


def frozen(x: Tensor, t: Tensor) -> Tensor:
    return torch.randn(x.shape, generator=torch.Generator().manual_seed(0)) * steps(t, x)


def all_or_nothing(x: Tensor, t: Tensor) -> Tensor:
    return torch.randn_like(x) if int(t[0]) > 0 or int(t[1]) > 0 or int(t[2]) > 0 else 0 * x


WRONG_STEPS = {
    "noise is added; the last step": step(sigma=clipped_log, noise=all_or_nothing),
    "take exp of it": step(sigma=lambda s, out, x, t: out.log_variance / 2),
    "by √σ": step(sigma=lambda s, out, x, t: out.variance.sqrt().sqrt()),
    "not scaled by σ": step(sigma=lambda s, out, x, t: 1),
    "starts from x_t": step(base=lambda out, x: x),
    "noise alone": step(base=lambda out, x: 0 * x),
    "drew the same noise": step(noise=frozen),
    "never called": step(steer=lambda s, f, out, x, t, y: out.mean),
    "The variance is missing": step(
        steer=lambda s, f, out, x, t, y: out.mean + pull(s, f, x, t, y)
    ),
    "away from y": step(
        steer=lambda s, f, out, x, t, y: out.mean - out.variance * pull(s, f, x, t, y)
    ),
    "asked at other steps": step(ask=lambda s, m, x, t: s.p_mean_variance(m, x, t.flip(0))),
    "unexpected keyword": process(p_sample=lambda s, m, x, t: p_sample(s, m, x, t)),
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG_STEPS)
def test_wrong_steps(words: str) -> None:
    assert_wrong("5.6", WRONG_STEPS[words], words, earned=1.5, seeds=())
