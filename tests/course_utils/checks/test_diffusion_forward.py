"""Jobs 5.1 and 5.2 accept any right process and name the mistake of a wrong one."""

from collections.abc import Callable
from typing import Any

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


def images_only(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    bar = self.alphas_bar[t][:, None, None, None]
    return bar.sqrt() * x_start + (1 - bar).sqrt() * noise


def test_an_answer_for_images_is_told_of_vectors() -> None:
    assert "(b, d)" in noted(report("5.1", process(q_sample=images_only)))


def jump(of: Callable[..., Tensor]) -> type:
    """From ᾱ_t, x_0, ε to x_t."""

    def answer(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        return of(self.at(self.alphas_bar, t, x_start), x_start, noise)

    return process(q_sample=answer)


WRONG_JUMPS = {
    "the noise alone": jump(lambda a, x, e: (1 - a).sqrt() * e),
    "the noise as it came": jump(lambda a, x, e: e),
    "where t =": jump(lambda a, x, e: (a.sqrt() + 0.1) * x + (1 - a).sqrt() * e),
}


@pytest.mark.parametrize("words", WRONG_JUMPS)
def test_wrong_jumps(words: str) -> None:
    assert_wrong("5.1", WRONG_JUMPS[words], words)


# --- 5.2


def in_a_dict(self: Any, x_start: Tensor, x_t: Tensor, t: Tensor) -> dict[str, Tensor]:
    names = ("mean", "variance", "log_variance")
    return dict(zip(names, posterior(self, x_start, x_t, t), strict=True))


def test_a_posterior_in_a_dict() -> None:
    assert_right("5.2", process(q_posterior_mean_variance=in_a_dict))


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
    "it is 1 − ᾱ_{t−1}": weighted(start_weight, lambda a, p, b: (1 - b).sqrt()),
    "divide by 1 − ᾱ_t": weighted(
        lambda a, p, b: p.sqrt() * b / (1 - p), lambda a, p, b: (1 - b).sqrt()
    ),
    "term with x_0 is missing": mean(lambda z, x, a, p, b: noisy_weight(a, p, b) * x),
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
    "of q(x_t|x_0)": spreads(lambda v, g, a, p, b: (1 - a, g)),
    "of q(x_{t−1}|x_0)": spreads(lambda v, g, a, p, b: (1 - p, g)),
    "β_t is missing": spreads(lambda v, g, a, p, b: ((1 - p) / (1 - a), g)),
    "logarithm of β_t": spreads(lambda v, g, a, p, b: (v, b.log())),
    "base 2": spreads(lambda v, g, a, p, b: (v, g / torch.tensor(2.0).log())),
    "opposite sign": spreads(lambda v, g, a, p, b: (v, -g)),
    "should have shape": spreads(lambda v, g, a, p, b: (v.flatten(1), g)),
    "The log variance has shape (b,)": spreads(lambda v, g, a, p, b: (v, g.flatten())),
    "yours is None": spreads(lambda v, g, a, p, b: (v, None)),
}


@pytest.mark.parametrize("words", WRONG_SPREADS)
def test_wrong_spreads(words: str) -> None:
    assert_wrong("5.2", WRONG_SPREADS[words], words, earned=2)


def test_a_stub_is_named() -> None:
    found = report("5.2", process(q_posterior_mean_variance=stub("5.2")))
    assert found.stub and "not written" in told(found)
