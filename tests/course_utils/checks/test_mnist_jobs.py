"""Lab 1's checks accept right answers of other shapes and name the mistake of wrong ones."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from course_utils.checks.core import Report, run
from course_utils.checks.mnist import LAB
from course_utils.paths import Alpha, Beta
from course_utils.shapes import expand_time
from course_utils.solved.mnist import CosineAlpha, CosineBeta, GaussianConditionalProbabilityPath

SEEDS = (0, 1, 20_261)
Method = Callable[..., Tensor]


def report(number: str, target: object, seed: int = 0) -> Report:
    return run(LAB.jobs[number], target, seed)


def path_with(name: str, method: Method) -> type:
    """The reference path with one method answered otherwise."""
    return type(
        "GaussianConditionalProbabilityPath", (GaussianConditionalProbabilityPath,), {name: method}
    )


def told(found: Report) -> str:
    return " ".join(finding.message for finding in found.findings if not finding.ok)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_reference_earns_full_marks(seed: int) -> None:
    assert report("1.1", (CosineAlpha, CosineBeta), seed).passed
    for number in ("1.2", "1.3", "1.4"):
        assert report(number, GaussianConditionalProbabilityPath, seed).passed


# --- 1.1


class NumpyStyleAlpha(Alpha):
    def __call__(self, t: Tensor) -> Tensor:
        return (
            (1 - torch.cos(t * torch.pi / 2) ** 2).clamp_min(0).sqrt()
            if t.ndim > 9
            else (torch.sin(t * torch.pi / 2))
        )


def test_a_derivative_by_autograd_is_right_too() -> None:
    assert report("1.1", (NumpyStyleAlpha, CosineBeta)).passed


class SquareAlpha(Alpha):
    def __call__(self, t: Tensor) -> Tensor:
        return t**2

    def dt(self, t: Tensor) -> Tensor:
        return 2 * t


class SquareBeta(Beta):
    def __call__(self, t: Tensor) -> Tensor:
        return (1 - t) ** 2

    def dt(self, t: Tensor) -> Tensor:
        return -2 * (1 - t)


class NoChainRule(CosineAlpha):
    def dt(self, t: Tensor) -> Tensor:
        return torch.cos(math.pi / 2 * t)


class WrongSign(CosineBeta):
    def dt(self, t: Tensor) -> Tensor:
        return math.pi / 2 * torch.sin(math.pi / 2 * t)


class Swapped(Alpha):
    def __call__(self, t: Tensor) -> Tensor:
        return torch.cos(math.pi / 2 * t)


@pytest.mark.parametrize(
    ("alpha", "beta", "earned", "words"),
    [
        (NoChainRule, CosineBeta, 1, "inner derivative"),
        (CosineAlpha, WrongSign, 1, "opposite sign"),
        (Swapped, CosineBeta, 0, "expected 0"),
        (SquareAlpha, SquareBeta, 0, "your β is not cos"),
    ],
)
def test_wrong_schedules(alpha: type, beta: type, earned: float, words: str) -> None:
    found = report("1.1", (alpha, beta))
    assert found.earned == earned and words in told(found)


# --- 1.2


def right_in_float64(self: object, z: Tensor, t: Tensor) -> Tensor:
    a, b = self.alpha(t.double()), self.beta(t.double())  # type: ignore[attr-defined]
    rows = [a[i] * z[i].double() + b[i] * torch.randn(z[i].shape).double() for i in range(len(z))]
    return torch.stack(rows)


def normal_distribution(self: object, z: Tensor, t: Tensor) -> Tensor:
    t = t.view(-1, 1, 1, 1)
    mean, std = self.alpha(t) * z, self.beta(t).clamp_min(1e-9)  # type: ignore[attr-defined]
    return torch.distributions.Normal(mean, std.expand_as(z)).sample()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("answer", [right_in_float64, normal_distribution])
def test_other_right_samples(answer: Method, seed: int) -> None:
    assert report("1.2", path_with("sample_conditional_path", answer), seed).passed


def sampler(formula: Callable[..., Tensor]) -> Method:
    def sample_conditional_path(self: object, z: Tensor, t: Tensor) -> Tensor:
        t = expand_time(t, z)
        return formula(z, self.alpha(t), self.beta(t), t)  # type: ignore[attr-defined]

    return sample_conditional_path


WRONG_SAMPLES = {
    "torch.rand instead": lambda z, a, b, t: a * z + b * torch.rand_like(z),
    "look swapped": lambda z, a, b, t: b * z + a * torch.randn_like(z),
    "variance β": lambda z, a, b, t: a * z + b.sqrt() * torch.randn_like(z),
    "scaled by β²": lambda z, a, b, t: a * z + b**2 * torch.randn_like(z),
    "not scaled by β": lambda z, a, b, t: a * z + torch.randn_like(z),
    "z is not scaled": lambda z, a, b, t: z + b * torch.randn_like(z),
    "only the mean": lambda z, a, b, t: a * z,
    "several elements": lambda z, a, b, t: a * z + b * torch.randn(len(z), 1, 1, 1),
    "several items": lambda z, a, b, t: a * z + b * torch.randn_like(z[:1]),
    "should be standard normal": lambda z, a, b, t: t * z + (1 - t) * torch.randn_like(z),
    "drawn anew": lambda z, a, b, t: (
        a * z + b * torch.randn(z.shape, generator=torch.Generator().manual_seed(3))
    ),
    "Is there a return": lambda z, a, b, t: None,
    "NaN": lambda z, a, b, t: z / torch.zeros_like(b),
}


@pytest.mark.parametrize("words", WRONG_SAMPLES)
def test_wrong_samples(words: str) -> None:
    found = report("1.2", path_with("sample_conditional_path", sampler(WRONG_SAMPLES[words])))
    assert found.earned == 0 and words in told(found), told(found)


def test_a_forgotten_expand_is_advised() -> None:
    def forgets(self: object, z: Tensor, t: Tensor) -> Tensor:
        return self.alpha(t) * z  # type: ignore[attr-defined]

    found = report("1.2", path_with("sample_conditional_path", forgets))
    assert found.earned == 0 and "expand_time" in told(found)


# --- 1.3 and 1.4


def field(formula: Callable[..., Tensor]) -> Method:
    def method(self: object, x: Tensor, z: Tensor, t: Tensor) -> Tensor:
        t = t.reshape(-1, 1, 1, 1)
        names = (self.alpha, self.beta, self.alpha.dt, self.beta.dt)  # type: ignore[attr-defined]
        return formula(x, z, *(each(t) for each in names))

    return method


RIGHT_FIELDS = [
    lambda x, z, a, b, da, db: (da - db / b * a) * z + db / b * x,
    lambda x, z, a, b, da, db: da * z + db * ((x - a * z) / b),
    lambda x, z, a, b, da, db: ((da - db / b * a).double() * z + (db / b).double() * x).double(),
    lambda x, z, a, b, da, db: torch.addcmul(da * z, db / b, x - a * z),
]
WRONG_FIELDS = {
    "opposite sign": lambda x, z, a, b, da, db: -((da - db / b * a) * z + db / b * x),
    "derivatives are missing": lambda x, z, a, b, da, db: a * z + b * (x - a * z) / b,
    "α̇ is missing": lambda x, z, a, b, da, db: (a - db / b * a) * z + db / b * x,
    "subtract what the data": lambda x, z, a, b, da, db: da * z + db / b * x,
    "inside the bracket": lambda x, z, a, b, da, db: (da + db / b * a) * z + db / b * x,
    "only α̇ z": lambda x, z, a, b, da, db: da * z,
    "linear schedule": lambda x, z, a, b, da, db: z - (x - a * z) / b,
    "look swapped": lambda x, z, a, b, da, db: db * z + da * (x - b * z) / a,
    "β/β̇": lambda x, z, a, b, da, db: (da - b / db * a) * z + b / db * x,
    "This is the score": lambda x, z, a, b, da, db: (a * z - x) / b**2,
    "expected": lambda x, z, a, b, da, db: torch.ones_like(x),
}
RIGHT_SCORES = [
    lambda x, z, a, b, da, db: (a * z - x) / b**2,
    lambda x, z, a, b, da, db: -((x - a * z) / b) / b,
    lambda x, z, a, b, da, db: torch.autograd.functional.jacobian(
        lambda y: (-((y - a * z) ** 2) / (2 * b**2)).sum(), x
    ),
]
WRONG_SCORES = {
    "opposite sign": lambda x, z, a, b, da, db: (x - a * z) / b**2,
    "divide by β²": lambda x, z, a, b, da, db: (a * z - x) / b,
    "is missing": lambda x, z, a, b, da, db: a * z - x,
    "β⁴": lambda x, z, a, b, da, db: (a * z - x) / b**4,
    "factor of 2": lambda x, z, a, b, da, db: 2 * (a * z - x) / b**2,
    "factor of 1/2": lambda x, z, a, b, da, db: (a * z - x) / (2 * b**2),
    "not scaled by α": lambda x, z, a, b, da, db: (z - x) / b**2,
    "look swapped": lambda x, z, a, b, da, db: (b * z - x) / a**2,
    "expected": lambda x, z, a, b, da, db: torch.zeros_like(x),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("number", "name", "formulas"),
    [
        ("1.3", "conditional_vector_field", RIGHT_FIELDS),
        ("1.4", "conditional_score", RIGHT_SCORES),
    ],
)
def test_other_right_fields(number: str, name: str, formulas: list, seed: int) -> None:
    for formula in formulas:
        found = report(number, path_with(name, field(formula)), seed)
        assert found.passed, told(found)


@pytest.mark.parametrize("words", WRONG_FIELDS)
def test_wrong_velocities(words: str) -> None:
    found = report("1.3", path_with("conditional_vector_field", field(WRONG_FIELDS[words])))
    assert found.earned == 0 and words in told(found), told(found)


@pytest.mark.parametrize("words", WRONG_SCORES)
def test_wrong_scores(words: str) -> None:
    found = report("1.4", path_with("conditional_score", field(WRONG_SCORES[words])))
    assert found.earned == 0 and words in told(found), told(found)
