"""How often a check that samples may refuse a right answer: bounds, computed, of each statistic."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from course_utils.checks import cfg_loss, mnist
from course_utils.checks import classifier_guidance_classifier as classifier
from course_utils.checks.classifier_guidance_sampling import sample_inputs

CUT = 8.0
"""A normal number beyond it (1e-15) counts as an alarm; those within have moments of any order."""
X = np.linspace(-CUT, CUT, 4_001)
WEIGHT = np.exp(-(X**2) / 2) / math.sqrt(2 * math.pi) * (X[1] - X[0])
MOMENTS = {1: (0, 1), 2: (1, 2), 3: (0, 15), 4: (3, 96)}


def chernoff(power: int, count: int) -> float:
    """A bound of the chance that the mean of x^power strays by eight standard errors.

    P(S ≥ s) ≤ exp(−θ s) E[exp(θ Y)]^N for every θ > 0, Y = ±(x^power − its mean), |x| ≤ CUT.
    """
    mean, variance = MOMENTS[power]
    off, allowed = X**power - mean, 8 * math.sqrt(variance / count)
    chance = count * math.erfc(CUT / math.sqrt(2))
    for sign in (1, -1):
        exponents = [
            count * (math.log(float((WEIGHT * np.exp(sign * theta * off)).sum())) - theta * allowed)
            for theta in np.geomspace(1e-3, 50, 100) / CUT**power
        ]
        chance += math.exp(min(exponents))
    return chance


def products(count: int) -> float:
    """The same for the mean of ``count`` products of two independent normal numbers.

    E[exp(θ x y)] = (1 − θ²)^(−1/2).
    """
    allowed = 8 / math.sqrt(count)
    exponents = [
        count * (-0.5 * math.log1p(-(theta**2)) - theta * allowed)
        for theta in np.linspace(0.001, 0.999, 999)
    ]
    return 2 * math.exp(min(exponents))


def normal_noise(count: int) -> float:
    """All of ``normal_problem`` and ``noise_problem`` together.

    Given z, the last statistic of ``noise_problem`` is normal; a correlation above 0.5 of a
    thousand pairs and more is rarer than eight standard errors of their product.
    """
    moments = sum(chernoff(power, count) for power in MOMENTS)
    return moments + 4 * products(count // 2) + math.erfc(8 / math.sqrt(2))


COUNTS = {
    "lab 1: the path's samples": 256 * math.prod(mnist.SHAPE),
    # Times beyond 0.9 are left out: a tenth, and a thousand items more than chance would.
    "lab 2: what the network sees": (cfg_loss.BATCH * 9 // 10 - 1000) * math.prod(cfg_loss.SHAPE),
    "lab 5: what the classifier sees": classifier.BATCH * 4,
}
UNIFORM = 1e-7
"""Massart's bound with this p stands in ``uniform_problem`` and its like for whole steps."""


@pytest.mark.parametrize("where", COUNTS)
def test_noise_is_refused_less_than_once_in_a_million_checks(where: str) -> None:
    assert normal_noise(COUNTS[where]) + 2 * UNIFORM < 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_the_noise_of_sampling_steps(seed: int) -> None:
    """Each case of the inputs takes a plain and a guided step."""
    inputs = sample_inputs(seed)
    moving = [int((t > 0).sum()) * 64 for name, t in inputs.items() if name.endswith(".t")]
    assert len(moving) == 4
    assert 2 * sum(normal_noise(count) for count in moving) < 1e-6


def test_a_smaller_sample_would_not_do() -> None:
    assert normal_noise(1024) > 1e-6


def test_the_share_of_dropped_labels() -> None:
    n, eta = cfg_loss.BATCH, cfg_loss.ETA
    allowed = 6 * math.sqrt(eta * (1 - eta) / n)
    within = binom.cdf(math.floor(n * (eta + allowed)), n, eta)
    within -= binom.cdf(math.ceil(n * (eta - allowed)) - 1, n, eta)
    assert 1 - within < 1e-7


def test_batches_that_drop_alike_by_chance() -> None:
    """All of forty batches lose as many labels, or the same ones, or all or none of their eight."""
    share = binom.pmf(np.arange(cfg_loss.SMALL + 1), cfg_loss.SMALL, cfg_loss.ETA)
    alike = float((share**cfg_loss.ROUNDS).sum())
    extremes = float((share[0] + share[-1]) ** cfg_loss.ROUNDS)
    assert alike + extremes < 1e-9


def test_every_step_is_drawn() -> None:
    """Neither the first nor the last step is missing among the classifier's times."""
    steps = max(len(classifier.train_inputs(seed)["betas"]) for seed in range(20))
    assert steps > 80 and 2 * (1 - 1 / steps) ** classifier.BATCH < 1e-9
