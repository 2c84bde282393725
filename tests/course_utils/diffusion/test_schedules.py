"""Schedules against the papers' numbers."""

import math
from itertools import pairwise

import pytest
import torch

from course_utils.diffusion.schedules import cosine_betas, linear_betas, spaced


class TestLinear:
    def test_from_one_ten_thousandth_to_a_fiftieth(self) -> None:
        betas = linear_betas()
        assert betas.dtype == torch.float64 and betas.shape == (1000,)
        for step in (0, 1, 500, 999):
            assert float(betas[step]) == pytest.approx(1e-4 + 0.0199 * step / 999, abs=1e-15)

    def test_fewer_steps_add_about_as_much_noise(self) -> None:
        assert float(linear_betas(100)[0]) == pytest.approx(1e-3)
        assert float(linear_betas(100)[-1]) == pytest.approx(0.2)
        left = [float((1 - linear_betas(n)).log().sum()) for n in (200, 1000)]
        assert left[0] == pytest.approx(left[1], rel=0.06)

    def test_too_few_steps(self) -> None:
        assert float(linear_betas(21)[-1]) < 1
        with pytest.raises(ValueError, match=r"num_steps is 20; expected more than 20.*respaced"):
            linear_betas(20)


class TestCosine:
    def test_its_products_are_the_cosine(self) -> None:
        n = 50
        alphas_bar = (1 - cosine_betas(n)).cumprod(0)
        start = math.cos(0.008 / 1.008 * math.pi / 2) ** 2
        for step in range(n - 1):  # the last β is clipped
            cosine = math.cos(((step + 1) / n + 0.008) / 1.008 * math.pi / 2) ** 2
            assert float(alphas_bar[step]) == pytest.approx(cosine / start, abs=1e-12)

    def test_the_last_beta_is_clipped(self) -> None:
        betas = cosine_betas()
        assert betas.dtype == torch.float64
        assert float(betas[-1]) == 0.999 and float(betas[-2]) < 0.999

    def test_known_values(self) -> None:
        # By hand: f(1/1000) / f(0) for the angles 0.009/1.008 and 0.008/1.008 quarter turns.
        ratio = (
            math.cos(0.009 / 1.008 * math.pi / 2) ** 2 / math.cos(0.008 / 1.008 * math.pi / 2) ** 2
        )
        assert float(cosine_betas()[0]) == pytest.approx(1 - ratio, abs=1e-12)


class TestSpaced:
    def test_examples(self) -> None:
        assert spaced(1000, 4) == [0, 333, 666, 999]
        assert spaced(10, 4) == [0, 3, 6, 9]
        assert spaced(4, 3) == [0, 2, 3]  # 1.5 is rounded upwards
        assert spaced(10, 1) == [9]
        assert spaced(7, 7) == list(range(7))

    @pytest.mark.parametrize("count", [2, 3, 25, 250, 999, 1000])
    def test_even_and_with_both_ends(self, count: int) -> None:
        steps = spaced(1000, count)
        gaps = {b - a for a, b in pairwise(steps)}
        assert len(steps) == count and steps[0] == 0 and steps[-1] == 999
        assert min(gaps) >= 1 and max(gaps) - min(gaps) <= 1

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((10, 0), "count is 0; expected a whole number of at least 1"),
            ((10, 11), "count is 11, but there are 10 steps; expected 1 … 10"),
            ((0, 1), "num_steps is 0"),
        ],
    )
    def test_errors(self, arguments: tuple[int, int], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            spaced(*arguments)


@pytest.mark.parametrize("schedule", [linear_betas, cosine_betas])
def test_no_steps(schedule: object) -> None:
    with pytest.raises(ValueError, match="num_steps is 0; expected a whole number"):
        schedule(0)  # type: ignore[operator]
