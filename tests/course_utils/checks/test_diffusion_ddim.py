"""Job 5.7 accepts any right guided DDIM step and names the mistake of a wrong one."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusion_answers import (
    Prediction,
    assert_right,
    assert_wrong,
    condition_score,
    ddim_sample,
    namespace,
    process,
    report,
    stub,
    told,
)
from torch import Tensor

from course_utils.solved.classifier_guidance import GaussianDiffusion


def test_the_reference_earns_full_marks() -> None:
    assert_right("5.7", GaussianDiffusion)
    assert_right("5.7", process())


# --- right answers of another form; tests/corpus has more


def tables(self: Any, t: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    return self.at(self.alphas_bar, t, x), self.at(self.alphas_bar_prev, t, x)


def returned_tuple(self: Any, *args: Any) -> tuple[Tensor, ...]:
    return tuple(condition_score(self, *args))


def unpacked_ddim(
    self: Any, model: Any, x: Any, t: Any, cond_fn: Any = None, y: Any = None, eta: float = 0.0
) -> Tensor:
    out = self.p_mean_variance(model, x, t)
    out = self.condition_score(cond_fn, out, x, t, y) if cond_fn else out
    *_, start = out
    bar, prev = tables(self, t, x)
    noise = (x - bar**0.5 * start) / (1 - bar) ** 0.5
    beta = self.at(self.betas, t, x)
    sigma = eta * ((1 - prev) / (1 - bar) * beta) ** 0.5
    mean = prev**0.5 * start + (1 - prev - sigma**2).clamp_min(0) ** 0.5 * noise
    return torch.normal(mean, sigma.expand_as(mean))


def namespaced(self: Any, cond_fn: Any, prediction: Any, x: Any, t: Any, y: Any) -> Any:
    out = condition_score(self, cond_fn, prediction, x, t, y)
    prediction.mean, prediction.pred_xstart = out.mean, out.pred_xstart
    return prediction


RIGHT_STEPS = {
    "a tuple": {"condition_score": returned_tuple, "ddim_sample": unpacked_ddim},
    "a namespace": {"p_mean_variance": namespace, "condition_score": namespaced},
}


@pytest.mark.parametrize("style", RIGHT_STEPS)
def test_other_right_steps(style: str) -> None:
    assert_right("5.7", process(**RIGHT_STEPS[style]))


def test_each_half_counts_by_itself() -> None:
    earlier = {name: stub("5.2") for name in ("q_posterior_mean_variance", "p_mean_variance")}
    assert report("5.7", process(**earlier)).passed
    found = report("5.7", process(condition_score=stub("5.7")))
    assert found.earned == 1.5, told(found)
    found = report("5.7", process(ddim_sample=stub("5.7")))
    assert found.earned == 1.5, told(found)


# --- condition_score


def score(
    noise: Callable[..., Tensor] = lambda e, g, a, p: e - (1 - a).sqrt() * g,
    start: Callable[..., Tensor] = lambda x, e, a: (x - (1 - a).sqrt() * e) / a.sqrt(),
    ask: Callable[..., Tensor] = lambda s, f, x, t, y: f(x, s.original_steps[t], y),
    after: Callable[..., Any] = lambda new, old, g: new,
) -> type:
    """The right condition_score with one thing done otherwise."""

    def answer(self: Any, cond_fn: Any, prediction: Any, x: Any, t: Any, y: Any) -> Any:
        a, p = tables(self, t, x)
        g = ask(self, cond_fn, x, t, y)
        e = (x - a.sqrt() * prediction.pred_xstart) / (1 - a).sqrt()
        guess = start(x, noise(e, g, a, p), a)
        mean = self.q_posterior_mean_variance(guess, x, t).mean
        return after(prediction._replace(mean=mean, pred_xstart=guess), prediction, g)

    return process(condition_score=answer)


def guess(of: Callable[..., Tensor]) -> type:
    """From the old pred_xstart, g, ᾱ_t and Σ to the new one."""

    def answer(self: Any, cond_fn: Any, prediction: Any, x: Any, t: Any, y: Any) -> Any:
        a, _ = tables(self, t, x)
        g = cond_fn(x, self.original_steps[t], y)
        start = of(prediction.pred_xstart, g, a, prediction.variance)
        return Prediction(prediction.mean, prediction.variance, prediction.log_variance, start)

    return process(condition_score=answer)


WRONG_SCORES = {
    "added to ε, and without": score(lambda e, g, a, p: e + g),
    "pred_xstart is still": score(lambda e, g, a, p: e),
    "where √ᾱ_t divides": score(start=lambda x, e, a: (x - (1 - a).sqrt() * e) / a),
    "as it is; go by": guess(lambda z, g, a, v: z + g),
    "Both are done": score(
        after=lambda new, old, g: new._replace(mean=new.mean + old.variance * g)
    ),
    "no y at all": score(ask=lambda s, f, x, t, y: f(x, s.original_steps[t])),
    "never called": score(ask=lambda s, f, x, t, y: torch.zeros_like(x)),
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG_SCORES)
def test_wrong_scores(words: str) -> None:
    assert_wrong("5.7", WRONG_SCORES[words], words, earned=1.5)


# --- ddim_sample


def sigma_of(a: Tensor, p: Tensor, eta: float) -> Tensor:
    return eta * ((1 - p) / (1 - a) * (1 - a / p)).sqrt()


def ddim(
    sigma: Callable[..., Any] = sigma_of,
    mean: Callable[..., Tensor] = lambda z, e, a, p, s: p.sqrt() * z + (1 - p - s**2).sqrt() * e,
    drawn: Callable[..., Tensor] = lambda s: s,
    steer: Callable[..., Any] = lambda s, f, out, x, t, y: s.condition_score(f, out, x, t, y),
    noise: Callable[..., Tensor] = lambda x, z, a, p: (x - a.sqrt() * z) / (1 - a).sqrt(),
) -> type:
    """The right step with one thing done otherwise."""

    def answer(
        self: Any, model: Any, x: Any, t: Any, cond_fn: Any = None, y: Any = None, eta: float = 0.0
    ) -> Tensor:
        out = self.p_mean_variance(model, x, t)
        a, p = tables(self, t, x)
        if cond_fn is not None:
            out = steer(self, cond_fn, out, x, t, y)
        e = noise(x, out.pred_xstart, a, p)
        s = sigma(a, p, eta)
        return mean(out.pred_xstart, e, a, p, s) + drawn(s) * torch.randn_like(x)

    return process(ddim_sample=answer)


def ancestral(
    self: Any, model: Any, x: Any, t: Any, cond_fn: Any = None, y: Any = None, eta: float = 0.0
) -> Tensor:
    return self.p_sample(model, x, t, cond_fn, y)


def root(p: Tensor, s: Tensor) -> Tensor:
    return (1 - p - s**2).sqrt()


WRONG_STEPS = {
    "not scaled by √ᾱ_{t−1}": ddim(mean=lambda z, e, a, p, s: z + root(p, s) * e),
    "term with ε is missing": ddim(mean=lambda z, e, a, p, s: p.sqrt() * z),
    "subtracted": ddim(mean=lambda z, e, a, p, s: p.sqrt() * z - root(p, s) * e),
    "root over 1 − ᾱ_t is missing": ddim(noise=lambda x, z, a, p: (x - a.sqrt() * z) / (1 - a)),
    "lacks the division": ddim(noise=lambda x, z, a, p: x - a.sqrt() * z),
    "x_t takes the place of ε": ddim(noise=lambda x, z, a, p: x),
    "look swapped": ddim(mean=lambda z, e, a, p, s: p.sqrt() * e + root(p, s) * z),
    "The noise is missing": ddim(drawn=lambda s: 0),
    "scale it by σ": ddim(drawn=lambda s: s**2),
    "√η times": ddim(sigma=lambda a, p, eta: sigma_of(a, p, eta**0.5)),
    "lacks √(1 − ᾱ_t/ᾱ_{t−1})": ddim(
        sigma=lambda a, p, eta: eta * ((1 - p) / (1 - a)).sqrt(),
        mean=lambda z, e, a, p, s: p.sqrt() * z + (1 - p - s**2).clamp_min(0).sqrt() * e,
    ),
    "as in an ancestral step": process(ddim_sample=ancestral),
    "never called": ddim(steer=lambda s, f, out, x, t, y: out),
    "no y at all": ddim(steer=lambda s, f, out, x, t, y: s.condition_score(f, out, x, t, None)),
    "counts the steps of this process": ddim(
        steer=lambda s, f, out, x, t, y: s.condition_score(f, out, x, s.original_steps[t], y)
    ),
    "pred_xstart is clipped": ddim(
        steer=lambda s, f, out, x, t, y: out._replace(
            pred_xstart=s.condition_score(f, out, x, t, y).pred_xstart.clamp(-1, 1)
        )
    ),
    "unexpected keyword": process(
        ddim_sample=lambda s, m, x, t, cond_fn=None, y=None: ddim_sample(s, m, x, t, cond_fn, y)
    ),
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG_STEPS)
def test_wrong_steps(words: str) -> None:
    assert_wrong("5.7", WRONG_STEPS[words], words, earned=1.5, seeds=())
