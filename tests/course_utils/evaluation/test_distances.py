"""Distances against closed forms and brute force."""

import itertools
import math

import pytest
import torch

from course_utils.evaluation import relative_error, sliced_wasserstein


class TestRelativeError:
    def test_by_hand(self) -> None:
        exact = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
        assert relative_error(exact, exact) == 0
        assert relative_error(torch.zeros(2, 2), exact) == pytest.approx(1)
        assert relative_error(exact + 1, exact) == pytest.approx(2 / 5)
        assert relative_error(exact, 2 * exact) == pytest.approx(0.5)
        assert isinstance(relative_error(exact, exact), float)

    def test_mixed_dtypes_and_gradients(self) -> None:
        exact = torch.ones(3, dtype=torch.float64)
        assert relative_error(torch.ones(3, requires_grad=True), exact) == 0

    def test_nan_is_not_hidden(self) -> None:
        assert math.isnan(relative_error(torch.tensor([float("nan")]), torch.ones(1)))

    def test_errors(self) -> None:
        with pytest.raises(ValueError, match=r"estimate has shape \(3, 1\) and exact \(3,\)"):
            relative_error(torch.ones(3, 1), torch.ones(3))
        with pytest.raises(ValueError, match="zero everywhere"):
            relative_error(torch.ones(3), torch.zeros(3))


class TestSlicedWasserstein:
    def test_one_dimension_by_hand(self) -> None:
        x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[5.0], [4.0]])
        assert sliced_wasserstein(x, y) == pytest.approx(4)
        # Half of the mass moves by 1, the other half by 3.
        y = torch.tensor([[1.0], [4.0]])
        assert sliced_wasserstein(x, y) == pytest.approx(math.sqrt((1 + 9) / 2))

    def test_different_numbers_of_samples(self) -> None:
        torch.manual_seed(0)
        x, y = torch.randn(4, 1).double(), torch.randn(6, 1).double()
        # As many copies of each as make both sets 12 samples: then sorted samples pair up.
        pairs = (x.repeat_interleave(3, 0).sort(0).values, y.repeat_interleave(2, 0).sort(0).values)
        expected = (pairs[0] - pairs[1]).square().mean().sqrt().item()
        assert sliced_wasserstein(x, y) == pytest.approx(expected)
        assert sliced_wasserstein(y, x) == pytest.approx(expected)

    def test_pairs_by_rank_are_the_best_pairs(self) -> None:
        torch.manual_seed(1)
        x, y = torch.randn(5, 1).double(), torch.randn(5, 1).double()
        costs = [
            (x - y[list(order)]).square().mean().sqrt().item()
            for order in itertools.permutations(range(5))
        ]
        assert sliced_wasserstein(x, y) == pytest.approx(min(costs))

    def test_a_shift_in_d_dimensions(self) -> None:
        # A shift v costs (v·θ)² in direction θ: |v|² / d on average over directions.
        torch.manual_seed(0)
        x = torch.randn(200, 1, 2, 2)
        shift = torch.tensor([[1.0, 2.0], [-2.0, 4.0]])
        distance = sliced_wasserstein(x, x + shift, num_projections=4000)
        assert distance == pytest.approx(5 / math.sqrt(4), rel=0.03)

    def test_zero_on_equal_sets_in_any_order(self) -> None:
        x = torch.randn(50, 3)
        assert sliced_wasserstein(x, x.flip(0)) == pytest.approx(0, abs=1e-12)

    def test_the_seed_alone_decides(self) -> None:
        x, y = torch.rand(30, 3), torch.rand(20, 3)
        first = sliced_wasserstein(x, y, num_projections=2, seed=5)
        state = torch.get_rng_state()
        assert sliced_wasserstein(x, y, num_projections=2, seed=5) == first
        assert torch.equal(torch.get_rng_state(), state)
        assert sliced_wasserstein(x, y, num_projections=2, seed=6) != first

    @pytest.mark.parametrize(
        ("x", "y", "num_projections"),
        [
            (torch.zeros(3, 2), torch.zeros(3, 1), 8),
            (torch.zeros(0, 2), torch.zeros(3, 2), 8),
            (torch.zeros(3, 2), torch.zeros(3, 2), 0),
        ],
    )
    def test_errors(self, x: torch.Tensor, y: torch.Tensor, num_projections: int) -> None:
        with pytest.raises(ValueError, match="expected samples of one shape, and at least one"):
            sliced_wasserstein(x, y, num_projections)
