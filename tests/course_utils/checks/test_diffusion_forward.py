"""Jobs 5.1 and 5.2 accept any right process and name the mistake of a wrong one."""

from collections.abc import Callable
from typing import Any

import einops
import pytest
import torch
from diffusion_answers import (
    assert_right,
    assert_wrong,
    noted,
    posterior,
    process,
    report,
    stub,
    told,
)
from torch import Tensor
from torch.distributions import Normal

from course_utils.checks.classifier_guidance import LAB
from course_utils.solved.classifier_guidance import GaussianDiffusion


def test_the_reference_earns_full_marks() -> None:
    for number in ("5.1", "5.2"):
        assert_right(number, GaussianDiffusion)
        assert_right(number, process())


def test_a_seed_chooses_sizes_schedules_and_steps() -> None:
    inputs = [LAB.jobs["5.1"].parts[0].inputs(seed) for seed in range(12)]
    for number in range(4):
        for name in ("shape", "betas", "kept"):
            tried = {tuple(given[f"{number}.{name}"].tolist()) for given in inputs}
            assert len(tried) > 1, (number, name)
    for given in inputs:
        for number in range(4):
            t, kept = given[f"{number}.t"], given[f"{number}.kept"]
            assert {0, 1, len(kept) - 1} <= set(t.tolist())


def test_a_process_without_the_method_is_told_to_run_its_cell() -> None:
    bare = type("GaussianDiffusion", (process().__mro__[1],), {})
    assert_wrong("5.1", bare, "Run the cell")


# --- 5.1


def own_tables(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    wide = [-1] + [1] * (x_start.ndim - 1)
    signal = self.alphas_bar.sqrt().gather(0, t).reshape(wide)
    return x_start.mul(signal).add((1 - self.alphas_bar).sqrt()[t].reshape(wide) * noise)


def by_einops(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    bar = self.alphas_bar[t].double()
    x = einops.einsum(bar.sqrt(), x_start.double(), "b, b ... -> b ...")
    return (x + einops.einsum((1 - bar).sqrt(), noise.double(), "b, b ... -> b ...")).float()


def images_only(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    bar = self.alphas_bar[t][:, None, None, None]
    return bar.sqrt() * x_start + (1 - bar).sqrt() * noise


def item_by_item(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    bars = [float(self.alphas_bar[step]) for step in t]
    rows = [b**0.5 * x + (1 - b) ** 0.5 * e for b, x, e in zip(bars, x_start, noise, strict=True)]
    return torch.stack(rows)


def from_betas(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    log_bar = self.at((1 - self.betas.double()).log().cumsum(0), t, x_start)
    return ((log_bar / 2).exp() * x_start + (-log_bar.expm1()).sqrt() * noise).to(x_start.dtype)


def by_angle(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    angle = self.at(self.alphas_bar.sqrt().acos(), t, x_start)
    return torch.lerp(angle.sin() * noise, x_start, angle.cos()) + angle.cos() * (
        angle.sin() * noise
    )


def in_place(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    x = noise.clone().mul_((1 - self.at(self.alphas_bar, t, noise)).sqrt())
    return x.add_(self.at(self.alphas_bar, t, noise).sqrt() * x_start)


RIGHT_JUMPS = [own_tables, by_einops, images_only, item_by_item, from_betas, by_angle, in_place]


@pytest.mark.parametrize("answer", RIGHT_JUMPS)
def test_other_right_jumps(answer: Callable[..., Tensor]) -> None:
    assert_right("5.1", process(q_sample=answer))


def test_an_answer_for_images_is_told_of_vectors() -> None:
    assert "(b, d)" in noted(report("5.1", process(q_sample=images_only)))


def jump(of: Callable[..., Tensor]) -> type:
    """From ᾱ_t, x_0, ε to x_t."""

    def answer(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        return of(self.at(self.alphas_bar, t, x_start), x_start, noise)

    return process(q_sample=answer)


def table(name: str) -> type:
    def answer(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        value = self.at(getattr(self, name), t, x_start)
        return value.sqrt() * x_start + (1 - value).sqrt() * noise

    return process(q_sample=answer)


def one_step(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    beta = self.at(self.betas, t, x_start)
    return (1 - beta).sqrt() * x_start + beta.sqrt() * noise


def backwards(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    return process().q_sample(self, x_start, self.num_steps - 1 - t, noise)


def of_the_first(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    return process().q_sample(self, x_start, t[:1].expand(len(t)), noise)


def own_noise(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    bar = self.at(self.alphas_bar, t, x_start)
    return Normal(bar.sqrt() * x_start, (1 - bar).sqrt().expand_as(x_start)).sample()


def writes(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    noise.mul_((1 - self.at(self.alphas_bar, t, x_start)).sqrt())
    return self.at(self.alphas_bar, t, x_start).sqrt() * x_start + noise


def at_original(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    return process().q_sample(self, x_start, self.original_steps[t], noise)


def unshaped(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    return self.alphas_bar[t].sqrt() * x_start + (1 - self.alphas_bar[t]).sqrt() * noise


def flow(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    s = (t / self.num_steps).reshape(-1, *[1] * (x_start.ndim - 1))
    return (1 - s) * x_start + s * noise


WRONG_JUMPS = {
    "Both square roots are missing": jump(lambda a, x, e: a * x + (1 - a) * e),
    "over ᾱ_t is missing": jump(lambda a, x, e: a * x + (1 - a).sqrt() * e),
    "its standard deviation": jump(lambda a, x, e: a.sqrt() * x + (1 - a) * e),
    "root belongs over the difference": jump(lambda a, x, e: a.sqrt() * x + (1 - a.sqrt()) * e),
    "look swapped": jump(lambda a, x, e: (1 - a).sqrt() * x + a.sqrt() * e),
    "one step with β_t": process(q_sample=one_step),
    "uses β_t in the place": table("betas"),
    "not alphas_bar_prev": table("alphas_bar_prev"),
    "backwards": process(q_sample=backwards),
    "every item has its own": process(q_sample=of_the_first),
    "use it, draw no other": process(q_sample=own_noise),
    "writes into noise": process(q_sample=writes),
    "counts the steps of this process": process(q_sample=at_original),
    "line up": process(q_sample=unshaped),
    "flow matching": process(q_sample=flow),
    "The noise is missing": jump(lambda a, x, e: a.sqrt() * x),
    "the noise alone": jump(lambda a, x, e: (1 - a).sqrt() * e),
    "subtracted": jump(lambda a, x, e: a.sqrt() * x - (1 - a).sqrt() * e),
    "not scaled": jump(lambda a, x, e: a.sqrt() * x + e),
    "yours is None": jump(lambda a, x, e: None),  # type: ignore[arg-type,return-value]
    "where t =": jump(lambda a, x, e: (a.sqrt() + 0.1) * x + (1 - a).sqrt() * e),
}


@pytest.mark.parametrize("words", WRONG_JUMPS)
def test_wrong_jumps(words: str) -> None:
    assert_wrong("5.1", WRONG_JUMPS[words], words)


# --- 5.2


def by_bayes(self: Any, x_start: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, ...]:
    """A product of Gaussians, with dictionaries of tables in float64."""
    bar = (1 - self.betas.double()).cumprod(0)
    prev = torch.cat([torch.ones(1, dtype=torch.float64), bar[:-1]])
    alpha = 1 - self.betas.double()
    variance = 1 / (alpha / (1 - alpha) + 1 / (1 - prev))
    a = self.at(variance * alpha.sqrt() / (1 - alpha), t, x_t)
    b = self.at(torch.where(prev < 1, variance / (1 - prev) * prev.sqrt(), 1.0), t, x_t)
    logs = variance.clone()
    logs[0] = variance[1]
    both = [self.at(v, t, x_t).float() for v in (variance, logs.log())]
    return (a * x_t + b * x_start).float(), both[0], both[1]


def whole_shapes(self: Any, x_start: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, ...]:
    return tuple(value.expand_as(x_t) for value in posterior(self, x_start, x_t, t))


def in_a_dict(self: Any, x_start: Tensor, x_t: Tensor, t: Tensor) -> dict[str, Tensor]:
    names = ("mean", "variance", "log_variance")
    return dict(zip(names, posterior(self, x_start, x_t, t), strict=True))


def listed(self: Any, x_start: Tensor, x_t: Tensor, t: Tensor) -> list[Tensor]:
    return [*posterior(self, x_start, x_t, t)]


def small_floor(self: Any, x_start: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, ...]:
    """A logarithm kept finite by a floor, as in Ho et al.'s own code."""
    mean, variance, _ = posterior(self, x_start, x_t, t)
    return mean, variance, variance.clamp_min(1e-20).log()


def by_noise(self: Any, x_start: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, ...]:
    """The mean by way of ε."""
    _, variance, log_variance = posterior(self, x_start, x_t, t)
    bar, beta = self.at(self.alphas_bar, t, x_t), self.at(self.betas, t, x_t)
    noise = (x_t - bar.sqrt() * x_start) / (1 - bar).sqrt()
    return (x_t - beta / (1 - bar).sqrt() * noise) / (1 - beta).sqrt(), variance, log_variance


def by_hand(self: Any, x_start: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, ...]:
    """Tables looked up and shaped without ``at``, for images."""
    wide = (len(t), 1, 1, 1)
    bar, prev, beta = (
        v[t].reshape(wide) for v in (self.alphas_bar, self.alphas_bar_prev, self.betas)
    )
    variance = beta * (1 - prev) / (1 - bar)
    mean = variance * (x_start * prev.sqrt() / (1 - prev).clamp_min(1e-20))
    mean = torch.where(t.view(wide) == 0, x_start, mean + x_t * (1 - beta).sqrt() * variance / beta)
    second = self.betas[1] * (1 - self.alphas_bar_prev[1]) / (1 - self.alphas_bar[1])
    return mean, variance, torch.where(variance > 0, variance, second).log()


RIGHT_POSTERIORS = [by_bayes, whole_shapes, in_a_dict, listed, small_floor, by_noise, by_hand]


@pytest.mark.parametrize("answer", RIGHT_POSTERIORS)
def test_other_right_posteriors(answer: Callable[..., Any]) -> None:
    assert_right("5.2", process(q_posterior_mean_variance=answer))


def mean(of: Callable[..., Tensor]) -> type:
    """From x_0, x_t, ᾱ_t, ᾱ_{t−1}, β_t to a mean."""

    def answer(self: Any, x_start: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, ...]:
        names = ("alphas_bar", "alphas_bar_prev", "betas")
        values = (self.at(getattr(self, name), t, x_t) for name in names)
        _, variance, log_variance = posterior(self, x_start, x_t, t)
        return of(x_start, x_t, *values), variance, log_variance

    return process(q_posterior_mean_variance=answer)


def weighted(start: Callable[..., Tensor], noisy: Callable[..., Tensor]) -> type:
    return mean(lambda z, x, a, p, b: start(a, p, b) * z + noisy(a, p, b) * x)


def start_weight(a: Tensor, p: Tensor, b: Tensor) -> Tensor:
    return p.sqrt() * b / (1 - a)


def noisy_weight(a: Tensor, p: Tensor, b: Tensor) -> Tensor:
    return (1 - b).sqrt() * (1 - p) / (1 - a)


WRONG_MEANS = {
    "x_0 and x_t look swapped": weighted(noisy_weight, start_weight),
    "it is ᾱ_{t−1}": weighted(lambda a, p, b: a.sqrt() * b / (1 - a), noisy_weight),
    "has ᾱ_t under its root; it is α_t": weighted(
        start_weight, lambda a, p, b: a.sqrt() * (1 - p) / (1 - a)
    ),
    "over ᾱ_{t−1} is missing": weighted(lambda a, p, b: p * b / (1 - a), noisy_weight),
    "over α_t is missing": weighted(start_weight, lambda a, p, b: (1 - b) * (1 - p) / (1 - a)),
    "it is 1 − ᾱ_{t−1}": weighted(start_weight, lambda a, p, b: (1 - b).sqrt()),
    "divide by 1 − ᾱ_t": weighted(
        lambda a, p, b: p.sqrt() * b / (1 - p), lambda a, p, b: (1 - b).sqrt()
    ),
    "You divide by √(1 − ᾱ_t)": weighted(
        lambda a, p, b: start_weight(a, p, b) * (1 - a).sqrt(),
        lambda a, p, b: noisy_weight(a, p, b) * (1 - a).sqrt(),
    ),
    "division by 1 − ᾱ_t is missing": weighted(
        lambda a, p, b: p.sqrt() * b, lambda a, p, b: (1 - b).sqrt() * (1 - p)
    ),
    "term with x_t is missing": mean(lambda z, x, a, p, b: start_weight(a, p, b) * z),
    "term with x_0 is missing": mean(lambda z, x, a, p, b: noisy_weight(a, p, b) * x),
    "look swapped.": weighted(
        lambda a, p, b: p.sqrt() * (1 - b) / (1 - a), lambda a, p, b: b.sqrt() * (1 - p) / (1 - a)
    ),
    "noise ε": mean(lambda z, x, a, p, b: (x - b / (1 - a).sqrt() * z) / (1 - b).sqrt()),
    "should have shape": mean(lambda z, x, a, p, b: start_weight(a, p, b)),
}


@pytest.mark.parametrize("words", WRONG_MEANS)
def test_wrong_means(words: str) -> None:
    assert_wrong("5.2", WRONG_MEANS[words], words, earned=1)


def spreads(of: Callable[..., tuple[Any, Any]]) -> type:
    """From variance, log variance, ᾱ_t, ᾱ_{t−1}, β_t to the two that are returned."""

    def answer(self: Any, x_start: Tensor, x_t: Tensor, t: Tensor) -> tuple[Any, ...]:
        names = ("alphas_bar", "alphas_bar_prev", "betas")
        values = (self.at(getattr(self, name), t, x_t) for name in names)
        first, *both = posterior(self, x_start, x_t, t)
        return first, *of(*both, *values)

    return process(q_posterior_mean_variance=answer)


WRONG_SPREADS = {
    "a step forward": spreads(lambda v, g, a, p, b: (b, g)),
    "upside down": spreads(lambda v, g, a, p, b: (b * (1 - a) / (1 - p), g)),
    "At t = 0 the variance is 0": spreads(lambda v, g, a, p, b: (g.exp(), g)),
    "its square": spreads(lambda v, g, a, p, b: (v.sqrt(), g)),
    "the order is mean": spreads(lambda v, g, a, p, b: (g, v)),
    "of q(x_t|x_0)": spreads(lambda v, g, a, p, b: (1 - a, g)),
    "of q(x_{t−1}|x_0)": spreads(lambda v, g, a, p, b: (1 - p, g)),
    "β_t is missing": spreads(lambda v, g, a, p, b: ((1 - p) / (1 - a), g)),
    "logarithm is −∞": spreads(lambda v, g, a, p, b: (v, v.log())),
    "take its logarithm": spreads(lambda v, g, a, p, b: (v, v)),
    "half of log": spreads(lambda v, g, a, p, b: (v, g / 2)),
    "logarithm of β_t": spreads(lambda v, g, a, p, b: (v, b.log())),
    "base 2": spreads(lambda v, g, a, p, b: (v, g / torch.tensor(2.0).log())),
    "opposite sign": spreads(lambda v, g, a, p, b: (v, -g)),
    "should have shape": spreads(lambda v, g, a, p, b: (v.flatten(), g)),
    "yours is None": spreads(lambda v, g, a, p, b: (v, None)),
}


@pytest.mark.parametrize("words", WRONG_SPREADS)
def test_wrong_spreads(words: str) -> None:
    assert_wrong("5.2", WRONG_SPREADS[words], words, earned=2)


def test_a_missing_part_and_a_stub_are_named() -> None:
    two = process(q_posterior_mean_variance=lambda s, z, x, t: posterior(s, z, x, t)[:2])
    assert_wrong("5.2", two, "has 2 parts")
    found = report("5.2", process(q_posterior_mean_variance=stub("5.2")))
    assert found.stub and "not written" in told(found)
