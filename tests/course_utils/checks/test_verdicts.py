import math

import pytest
import torch

from course_utils.checks.core import Alien
from course_utils.checks.verdicts import (
    close,
    compare,
    form_problem,
    normal_problem,
    uniform_problem,
)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "None"),
        (Alien("ndarray"), "ndarray"),
        (3.0, "float"),
        (torch.zeros(3, 3), "(3, 3)"),
        (torch.zeros(2, 2), "(2, 2)"),
        (torch.zeros(4, dtype=torch.int64), "int64"),
        (torch.tensor([1.0, float("nan"), 0, 0]), "NaN"),
    ],
)
def test_a_wrong_form_is_named(value: object, words: str) -> None:
    problem = form_problem("The result", value, (4,))
    assert problem is not None and words in problem


def test_a_right_form_has_no_problem() -> None:
    assert form_problem("The result", torch.zeros(4), (4,)) is None


def test_close_is_relative_to_the_largest_value() -> None:
    expected = torch.tensor([100.0, 0.0])
    assert close(expected + 0.009, expected)
    assert not close(expected + 0.011, expected)


def test_compare_names_a_known_mistake_and_describes_an_unknown_one() -> None:
    truth = torch.randn(8)
    mistakes = {"the sign is wrong": -truth}
    assert compare("x", truth, truth, mistakes).ok
    assert compare("x", -truth, truth, mistakes).message == "the sign is wrong"
    other = compare("x", truth * 3, truth, mistakes)
    assert not other.ok and "3.00 times the size" in other.message


@pytest.mark.parametrize("seed", range(200))
def test_normal_noise_is_never_refused(seed: int) -> None:
    torch.manual_seed(seed)
    assert normal_problem(torch.randn(256, 1, 4, 4)) is None


@pytest.mark.parametrize(
    ("residual", "words"),
    [
        (torch.randn(256, 16) + 0.2, "mean"),
        (torch.randn(256, 16) * 1.2, "standard deviation"),
        ((torch.rand(1024, 16) - 0.5) * math.sqrt(12), "not normally"),
        (torch.randn(1, 16).expand(256, 16) * 1.0, ""),
        (torch.randn(512, 1).expand(512, 16) * 1.0, ""),
    ],
)
def test_other_noise_is_refused(residual: torch.Tensor, words: str) -> None:
    problem = normal_problem(residual)
    assert problem is not None and words in problem


@pytest.mark.parametrize("seed", range(200))
def test_uniform_times_are_never_refused(seed: int) -> None:
    torch.manual_seed(seed)
    assert uniform_problem(torch.rand(4096), 0.999) is None
    assert uniform_problem(0.999 * torch.rand(4096), 0.999) is None


@pytest.mark.parametrize(
    ("t", "words"),
    [
        (torch.randn(4096), "outside"),
        (torch.full((4096,), 0.3), "one and the same"),
        (torch.rand(4096) ** 2, "evenly"),
        (torch.rand(4096) / 2, "evenly"),
    ],
)
def test_other_times_are_refused(t: torch.Tensor, words: str) -> None:
    problem = uniform_problem(t)
    assert problem is not None and words in problem
