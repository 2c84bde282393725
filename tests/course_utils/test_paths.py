"""Schedules: end points, derivatives; paths: what is asked of the distributions."""

import math

import pytest
import torch
from torch import Tensor

from course_utils.distributions import GMM, IsotropicGaussian
from course_utils.paths import Alpha, Beta, ConditionalProbabilityPath
from course_utils.shapes import expand_time


class SineAlpha(Alpha):
    def __call__(self, t: Tensor) -> Tensor:
        return torch.sin(math.pi / 2 * t)


class CosineBeta(Beta):
    def __call__(self, t: Tensor) -> Tensor:
        return torch.cos(math.pi / 2 * t)


class PowerAlpha(Alpha):
    def __init__(self, power: float) -> None:
        self.power = power
        super().__init__()

    def __call__(self, t: Tensor) -> Tensor:
        return t**self.power


class StraightPath(ConditionalProbabilityPath):
    def sample_conditional_path(self, z: Tensor, t: Tensor) -> Tensor:
        assert t.shape == (len(z),)
        self.seen = t
        return expand_time(t, z) * z + (1 - expand_time(t, z)) * self.p_simple.sample(len(z))


class TestSchedules:
    def test_float32_cosine_reaches_its_end(self) -> None:
        assert CosineBeta()(torch.tensor(1.0)).item() != 0
        assert CosineBeta()(torch.tensor(1.0)).item() == pytest.approx(0, abs=1e-6)

    @pytest.mark.parametrize(
        ("kind", "formula", "message"),
        [
            (Alpha, lambda t: 1 - t, "is 1 at t = 0; expected 0"),
            (Alpha, lambda t: 0.99 * t, "is 0.99 at t = 1; expected 1"),
            (Beta, lambda t: t, "is 0 at t = 0; expected 1"),
            (Beta, lambda t: 1 - t + 2e-6 * t, "at t = 1; expected 0"),
            (Alpha, lambda t: t / t, "is nan at t = 0; expected 0"),
            (Beta, lambda t: 1 - t[:, None], r"returned shape \(2, 1\)"),
        ],
    )
    def test_wrong_end_points(self, kind: type, formula: object, message: str) -> None:
        wrong = type("Wrong", (kind,), {"__call__": lambda self, t: formula(t)})
        with pytest.raises(ValueError, match=message):
            wrong()

    def test_an_unfinished_schedule_says_so_itself(self) -> None:
        class Unfinished(Alpha):
            def __call__(self, t: Tensor) -> Tensor:
                raise NotImplementedError("Your job 1.4")

        with pytest.raises(NotImplementedError, match=r"Your job 1\.4"):
            Unfinished()

    def test_call_is_abstract(self) -> None:
        with pytest.raises(TypeError, match="abstract"):
            Alpha()

    @pytest.mark.parametrize("shape", [(), (1,), (5,), (5, 1), (5, 1, 1, 1), (2, 3)])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_default_dt(self, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        t = torch.rand(shape, dtype=dtype)
        slope = SineAlpha().dt(t)
        assert slope.shape == t.shape and slope.dtype == dtype and not slope.requires_grad
        torch.testing.assert_close(slope, math.pi / 2 * torch.cos(math.pi / 2 * t))
        torch.testing.assert_close(PowerAlpha(3).dt(t), 3 * t**2)

    @pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
    def test_default_dt_without_gradients(self, mode: type) -> None:
        with mode():
            t = torch.rand(4)
            torch.testing.assert_close(PowerAlpha(2).dt(t), 2 * t)

    def test_dt_leaves_t_alone(self) -> None:
        t = torch.rand(4, requires_grad=True)
        PowerAlpha(2).dt(t)
        PowerAlpha(2)(t).sum().backward()
        assert t.grad is not None
        torch.testing.assert_close(t.grad, 2 * t.detach())


class TestConditionalProbabilityPath:
    gmm = GMM([[100.0, 0.0], [0.0, 100.0]], [1.0, 1.0], [0.5, 0.5])

    def path(self) -> StraightPath:
        return StraightPath(IsotropicGaussian((2,)), self.gmm)

    def test_conditioning_variable_comes_from_the_path_s_own_data(self) -> None:
        z, y = self.path().sample_conditioning_variable(200)
        assert z.shape == (200, 2) and y.dtype == torch.int64
        assert torch.equal(z.argmax(1), y)

    @pytest.mark.parametrize("shape", [(6,), (6, 1), (6, 1, 1, 1)])
    def test_marginal_path_hands_over_flat_times(self, shape: tuple[int, ...]) -> None:
        path, t = self.path(), torch.tensor([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
        x = path.sample_marginal_path(t.reshape(shape))
        assert x.shape == (6, 2) and torch.equal(path.seen, t)
        assert float(x[:3].abs().max()) < 10 < 90 < float(x[3:].max(1).values.min())
        assert path.sample_marginal_path(torch.tensor(0.5)).shape == (1, 2)

    def test_marginal_path_checks_t(self) -> None:
        with pytest.raises(ValueError, match=r"expected times in \[0, 1\]"):
            self.path().sample_marginal_path(torch.tensor([0.0, 2.0]))

    def test_what_a_subclass_leaves_out_names_itself(self) -> None:
        path = ConditionalProbabilityPath(IsotropicGaussian((2,)), self.gmm)
        x, t = torch.zeros(1, 2), torch.zeros(1)
        with pytest.raises(NotImplementedError, match="sample_conditional_path"):
            path.sample_conditional_path(x, t)
        with pytest.raises(NotImplementedError, match="conditional_vector_field"):
            path.conditional_vector_field(x, x, t)
        with pytest.raises(NotImplementedError, match="conditional_score"):
            path.conditional_score(x, x, t)

    def test_distributions_move_with_the_path(self) -> None:
        path = StraightPath(IsotropicGaussian((2,)), GMM([[0.0, 0.0]], [1.0], [1.0])).double()
        assert path.sample_marginal_path(torch.rand(3)).dtype == torch.float64
