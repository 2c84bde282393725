"""What the corpus of lab 1 cannot say: several seeds, chance, a student's own random stream."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from course_utils.checks.core import Crash, Report, run
from course_utils.checks.mnist import LAB, score_hint, time_hint
from course_utils.checks.mnist_schedule import schedule_hint
from course_utils.paths import Alpha
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


def test_a_stub_earns_nothing_and_the_other_class_cannot_save_it() -> None:
    class Unwritten(Alpha):
        def __call__(self, t: Tensor) -> Tensor:
            raise NotImplementedError("Your job 1.1")

    found = report("1.1", (Unwritten, CosineBeta))
    assert found.stub and found.earned == 0 and "not written yet" in told(found)


def test_a_stub_of_the_derivative_leaves_the_point_for_the_values() -> None:
    class Half(CosineBeta):
        def dt(self, t: Tensor) -> Tensor:
            raise NotImplementedError("Your job 1.1")

    found = report("1.1", (CosineAlpha, Half))
    assert found.stub and found.earned == 1


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("X is 1 at t = 0; expected 0 (within 1e-06).", "Your α is the cosine"),
        ("X is 0 at t = 0; expected 1 (within 1e-06).", "Your β is the sine"),
        ("X is -8.74228e-08 at t = 1; expected 1 (within 1e-06).", "Your α has the factor π"),
        ("X is -0.448074 at t = 1; expected 0 (within 1e-06).", "Your β takes 90°"),
        ("X is -3.67321e-06 at t = 1; expected 0 (within 1e-06).", "rounded to 3.1416"),
    ],
)
def test_an_end_point_gives_the_formula_away(message: str, words: str) -> None:
    assert words in (schedule_hint(Crash("ValueError", message)) or "")


def test_an_unknown_end_point_is_left_to_its_own_words() -> None:
    assert schedule_hint(Crash("ValueError", "X is 0.3 at t = 1; expected 1 (within)")) is None


def test_hints_are_silent_about_other_errors() -> None:
    crash = Crash("KeyError", "'alpha'")
    assert schedule_hint(crash) is time_hint(crash) is score_hint(crash) is None


def sampler(formula: Callable[..., Tensor]) -> Method:
    def sample_conditional_path(self: object, z: Tensor, t: Tensor) -> Tensor:
        t = expand_time(t, z)
        return formula(z, self.alpha(t), self.beta(t), t)  # type: ignore[attr-defined]

    return sample_conditional_path


@pytest.mark.parametrize("chosen", [0, 1, 42, 8151])
@pytest.mark.parametrize("seed", [0, 1, 8151])
def test_a_stream_with_a_seed_that_people_choose_is_no_part_of_the_inputs(
    seed: int, chosen: int
) -> None:
    stream = torch.Generator().manual_seed(chosen)
    answer = sampler(lambda z, a, b, t: a * z + b * torch.randn(z.shape, generator=stream))
    assert report("1.2", path_with("sample_conditional_path", answer), seed).passed


@pytest.mark.parametrize("seed", range(20))
def test_no_false_alarm_and_no_lucky_mean(seed: int) -> None:
    right = sampler(lambda z, a, b, t: a * z + b * torch.randn_like(z))
    assert report("1.2", path_with("sample_conditional_path", right), seed).passed
    for words, wrong in {
        "α is hard-coded as t": lambda z, a, b, t: t * z + b * torch.randn_like(z),
        "β is hard-coded as 1 − t": lambda z, a, b, t: a * z + (1 - t) * torch.randn_like(z),
    }.items():
        found = report("1.2", path_with("sample_conditional_path", sampler(wrong)), seed)
        assert found.earned == 0 and words in told(found), told(found)


def test_noise_that_leans_on_z_is_told() -> None:
    def leaning(z: Tensor, a: Tensor, b: Tensor, t: Tensor) -> Tensor:
        return a * z + b * (0.995**0.5 * torch.randn_like(z) + 0.1 * z)

    found = report("1.2", path_with("sample_conditional_path", sampler(leaning)))
    assert found.earned == 0 and "still holds a part of z" in told(found), told(found)


def field(formula: Callable[..., Tensor]) -> Method:
    def method(self: object, x: Tensor, z: Tensor, t: Tensor) -> Tensor:
        t = expand_time(t, x)
        return formula(x, z, self.alpha(t), self.beta(t))  # type: ignore[attr-defined]

    return method


def test_a_softened_score_is_not_taken_for_new_noise() -> None:
    """Its residual has four moments of a normal number, but it depends on x."""
    for add in (0.08, 0.09, 0.1, 0.11, 0.12):
        wrong = field(lambda x, z, a, b, add=add: (a * z - x) / (b**2 + add))
        found = report("1.4", path_with("conditional_score", wrong))
        assert found.earned == 0 and "drawn anew" not in told(found), told(found)
