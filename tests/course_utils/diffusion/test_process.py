"""The forward process against chains of Gaussians, multiplied out step by step."""

import pytest
import torch
from exact_gaussian import points, same
from torch import Tensor

from course_utils.diffusion.process import (
    DiscreteDiffusion,
    noise_from_x_start,
    q_mean_variance,
    q_posterior_mean_variance,
    q_sample,
    x_start_from_noise,
    x_start_from_previous_mean,
)
from course_utils.diffusion.schedules import cosine_betas, linear_betas, spaced

BETAS = [0.1, 0.3, 0.2, 0.5, 0.9]
ALL = torch.arange(5)


@pytest.fixture
def process() -> DiscreteDiffusion:
    return DiscreteDiffusion(BETAS)


def chained(x: float, steps: int) -> tuple[float, float]:
    """Mean and variance after `steps` steps from x, one at a time."""
    variance = 0.0
    for beta in BETAS[:steps]:
        x, variance = (1 - beta) ** 0.5 * x, (1 - beta) * variance + beta
    return x, variance


def bayes(x_start: float, x_t: float, step: int) -> tuple[float, float]:
    """q(x_{t−1} | x_t, x_0) as the product of q(x_{t−1} | x_0) and q(x_t | x_{t−1})."""
    mean, variance = chained(x_start, step)
    beta = BETAS[step]
    precision = 1 / variance + (1 - beta) / beta
    return (mean / variance + (1 - beta) ** 0.5 * x_t / beta) / precision, 1 / precision


class TestTables:
    def test_products(self, process: DiscreteDiffusion) -> None:
        assert process.num_steps == 5 and process.betas.tolist() == BETAS
        expected = [0.9, 0.63, 0.504, 0.252, 0.0252]
        same(process.alphas_bar, torch.tensor(expected, dtype=torch.float64), 1e-12)
        assert process.alphas_bar_prev.tolist() == [1.0, *process.alphas_bar[:-1].tolist()]
        assert process.original_steps.tolist() == [0, 1, 2, 3, 4]

    def test_the_posterior_variance_and_its_logarithm(self, process: DiscreteDiffusion) -> None:
        expected = [0.0, *(bayes(0, 0, step)[1] for step in range(1, 5))]
        same(process.posterior_variance, torch.tensor(expected, dtype=torch.float64), 1e-12)
        logarithm = process.posterior_log_variance
        same(logarithm[1:], torch.tensor(expected[1:], dtype=torch.float64).log(), 1e-12)
        assert logarithm[0] == logarithm[1]

    def test_betas_are_copied(self) -> None:
        betas = torch.tensor(BETAS, dtype=torch.float64)
        process = DiscreteDiffusion(betas)
        betas.zero_()
        assert process.betas.tolist() == BETAS

    def test_a_process_of_one_step(self) -> None:
        process = DiscreteDiffusion([0.5])
        assert process.posterior_variance.tolist() == [0.0]
        assert torch.isfinite(process.posterior_log_variance).all()


class TestRespaced:
    def test_keeps_the_marginals(self) -> None:
        whole = DiscreteDiffusion(cosine_betas(1000))
        short = whole.respaced(25)
        assert short.num_steps == 25 and short.original_steps.tolist() == spaced(1000, 25)
        same(short.alphas_bar, whole.alphas_bar[short.original_steps], 0)
        # β of a kept step is what its skipped steps add together.
        same((1 - short.betas).cumprod(0), short.alphas_bar, 1e-12)
        together = 1 - (1 - whole.betas[1:43]).prod()
        assert short.original_steps[1] == 42
        same(short.betas[1], together, 1e-12)

    def test_all_steps_change_nothing(self, process: DiscreteDiffusion) -> None:
        assert torch.equal(process.respaced(5).betas, process.betas)

    def test_again(self) -> None:
        twice = DiscreteDiffusion(linear_betas(1000)).respaced(10).respaced(4)
        assert twice.original_steps.tolist() == [0, 333, 666, 999]
        same(twice.alphas_bar, DiscreteDiffusion(linear_betas(1000)).respaced(4).alphas_bar, 1e-15)

    def test_kept_steps_of_ones_own(self) -> None:
        process = DiscreteDiffusion(BETAS, kept=[1, 4])
        same(process.alphas_bar, torch.tensor([0.63, 0.0252], dtype=torch.float64), 1e-12)
        assert process.original(torch.tensor([1, 0, 1])).tolist() == [4, 1, 4]


class TestForward:
    def test_mean_and_variance(self, process: DiscreteDiffusion) -> None:
        x = points(5)
        mean, variance, log_variance = q_mean_variance(process, x, ALL)
        for step in range(5):
            for column in range(3):
                m, v = chained(float(x[step, column]), step + 1)
                assert float(mean[step, column]) == pytest.approx(m, abs=1e-12)
                assert float(variance[step, column]) == pytest.approx(v, abs=1e-12)
        same(log_variance, variance.log(), 1e-12)

    def test_a_sample_is_mean_plus_deviation_times_noise(self, process: DiscreteDiffusion) -> None:
        x, noise = points(5), points(5, seed=1)
        mean, variance, _ = q_mean_variance(process, x, ALL)
        same(q_sample(process, x, ALL, noise), mean + variance.sqrt() * noise, 1e-12)

    def test_the_posterior_is_the_product_of_two_gaussians(
        self, process: DiscreteDiffusion
    ) -> None:
        x_start, x_t = points(5), points(5, seed=1)
        mean, variance, log_variance = q_posterior_mean_variance(process, x_start, x_t, ALL)
        assert mean.shape == variance.shape == log_variance.shape == (5, 3)
        for step in range(1, 5):
            for column in range(3):
                m, v = bayes(float(x_start[step, column]), float(x_t[step, column]), step)
                assert float(mean[step, column]) == pytest.approx(m, abs=1e-12)
                assert float(variance[step, column]) == pytest.approx(v, abs=1e-12)
        same(log_variance[1:], variance[1:].log(), 1e-12)
        same(mean[0], x_start[0], 1e-12)  # nothing lies before step 0 but x_0
        assert not variance[0].any() and torch.equal(log_variance[0], log_variance[1])

    def test_three_ways_back(self, process: DiscreteDiffusion) -> None:
        x, noise = points(5), points(5, seed=1)
        x_t = q_sample(process, x, ALL, noise)
        same(x_start_from_noise(process, x_t, ALL, noise), x, 1e-12)
        same(noise_from_x_start(process, x_t, ALL, x), noise, 1e-12)
        mean = q_posterior_mean_variance(process, x, x_t, ALL).mean
        same(x_start_from_previous_mean(process, x_t, ALL, mean), x, 1e-12)

    def test_images_in_float32(self) -> None:
        process = DiscreteDiffusion(cosine_betas(1000))
        x, noise, t = torch.rand(3, 1, 4, 4), torch.randn(3, 1, 4, 4), torch.tensor([0, 500, 999])
        x_t = q_sample(process, x, t, noise)
        assert x_t.dtype == torch.float32
        wide = q_sample(process, x.double(), t, noise.double())
        same(x_t.double(), wide, 1e-6)
        assert q_posterior_mean_variance(process, x, x_t, t).mean.dtype == torch.float32
        # √(1 − ᾱ_0) would be off by 1e-3 if 1 − ᾱ were taken in float32.
        expected = (1 - process.alphas_bar[0]).sqrt()
        deviation = process.at("sqrt_noise", t, x).flatten()[0]
        assert float(deviation) == pytest.approx(float(expected), rel=1e-7)

    def test_tables_that_were_first_used_in_inference_mode_take_gradients(self) -> None:
        process = DiscreteDiffusion(BETAS)
        with torch.inference_mode():
            q_sample(process, points(5), ALL, points(5))
        x = points(5).requires_grad_()
        q_sample(process, x, ALL, points(5)).sum().backward()
        same(x.grad[:, 0], process.alphas_bar.sqrt(), 1e-12)


def bad_betas(*values: float) -> Tensor:
    return torch.tensor(values)


class TestErrors:
    @pytest.mark.parametrize(
        ("betas", "message"),
        [
            (bad_betas(0.1, 0.0), "the β of step 1 is 0; expected every β above 0 and below 1"),
            (bad_betas(1.0), "the β of step 0 is 1"),
            (bad_betas(0.1, float("nan")), "the β of step 1 is nan"),
            (torch.ones(2, 2) / 2, r"betas have shape \(2, 2\)"),
            (torch.ones(3, dtype=torch.int64), "dtype torch.int64"),
            ([], r"betas have shape \(0,\)"),
        ],
    )
    def test_betas(self, betas: object, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            DiscreteDiffusion(betas)

    @pytest.mark.parametrize("kept", [[], [0, 0], [2, 1], [-1, 2], [0, 5]])
    def test_kept(self, kept: list[int]) -> None:
        with pytest.raises(ValueError, match="expected increasing steps from 0 … 4, such as"):
            DiscreteDiffusion(BETAS, kept)

    @pytest.mark.parametrize(
        ("x", "t", "message"),
        [
            (points(2), torch.tensor([0, 5]), "t lies in 0 … 5; expected steps 0 … 4.$"),
            (points(2), torch.tensor([-1, 0]), "t lies in -1 … 0"),
            (points(2), torch.tensor([0.1, 0.5]), "dtype torch.float32; expected whole steps"),
            (points(2), torch.tensor(1), r"t has shape \(\); expected \(2,\), one step for each"),
            (points(2), torch.tensor([1, 2, 3]), r"t has shape \(3,\)"),
            (
                points(2).long(),
                torch.tensor([0, 1]),
                "dtype torch.int64; expected a floating-point",
            ),
        ],
    )
    def test_steps(self, process: DiscreteDiffusion, x: Tensor, t: Tensor, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            process.at("betas", t, x)

    def test_original_steps_in_a_respaced_process(self, process: DiscreteDiffusion) -> None:
        with pytest.raises(ValueError, match="respaced: t counts its own steps"):
            process.respaced(2).at("betas", torch.tensor([4]), points(1))

    @pytest.mark.parametrize(
        ("function", "name"),
        [
            (q_sample, "noise"),
            (x_start_from_noise, "noise"),
            (noise_from_x_start, "x_start"),
            (x_start_from_previous_mean, "mean"),
        ],
    )
    def test_shapes(self, process: DiscreteDiffusion, function: object, name: str) -> None:
        with pytest.raises(ValueError, match=rf"{name} has shape \(2, 1\).*\(2, 3\)"):
            function(process, points(2), ALL[:2], points(2)[:, :1])  # type: ignore[operator]

    def test_the_posterior_wants_one_shape(self, process: DiscreteDiffusion) -> None:
        with pytest.raises(ValueError, match=r"x_start has shape \(1, 3\)"):
            q_posterior_mean_variance(process, points(1), points(2), ALL[:2])

    def test_too_many_steps_to_keep(self, process: DiscreteDiffusion) -> None:
        with pytest.raises(ValueError, match="count is 6"):
            process.respaced(6)
