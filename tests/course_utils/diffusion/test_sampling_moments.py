"""Mean and covariance that samplers carry from noise to data, exactly: every step is affine."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
import torch
from exact_gaussian import MEAN, SPREADS, ExactModel, Gaussian, points, rotation, same
from torch import Tensor

from course_utils.diffusion import sampling
from course_utils.diffusion.process import DiscreteDiffusion
from course_utils.diffusion.sampling import (
    Sampler,
    ddim_reverse_loop,
    ddim_reverse_sample,
    ddim_sample,
    p_sample,
    p_sample_loop,
)
from course_utils.diffusion.schedules import cosine_betas, linear_betas

D = 3
PROCESSES = {
    "linear": DiscreteDiffusion(linear_betas(60)),
    "cosine": DiscreteDiffusion(cosine_betas(60)),
    "respaced": DiscreteDiffusion(cosine_betas(1000)).respaced(60),
}


@pytest.fixture(params=PROCESSES)
def process(request: pytest.FixtureRequest) -> DiscreteDiffusion:
    return PROCESSES[request.param]


@dataclass
class Affine:
    """x ↦ A x + b + B ε, read off from what a step makes of unit vectors."""

    matrix: Tensor
    offset: Tensor
    noise: Tensor

    def carry(self, mean: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
        carried = self.matrix @ covariance @ self.matrix.T
        return self.matrix @ mean + self.offset, carried + self.noise @ self.noise.T


def affine(step: Callable, sampler: Sampler, t: int, monkeypatch: pytest.MonkeyPatch) -> Affine:
    """The map of one step: rows 0, e_1 … e_d of x without noise, then of the noise with x = 0."""
    eye, zeros = torch.eye(D, dtype=torch.float64), torch.zeros(D + 1, D, dtype=torch.float64)
    x = torch.cat([zeros[:1], eye, zeros[:D]])
    noise = torch.cat([zeros, eye])
    monkeypatch.setattr(sampling, "_randn", lambda shape, g, device, dtype: noise)
    y = step(sampler, x, torch.full((len(x),), t)).sample
    return Affine((y[1 : D + 1] - y[0]).T, y[0], (y[D + 1 :] - y[0]).T)


def exact(data: Gaussian, process: DiscreteDiffusion, **settings: object) -> Sampler:
    learned = settings.get("variance") == "learned_range"
    return Sampler(
        process, ExactModel(data, process, learned=learned), clip_denoised=False, **settings
    )


def marginal(data: Gaussian, alpha_bar: Tensor) -> tuple[Tensor, Tensor]:
    mean, covariance = data.marginal(alpha_bar[None])
    return mean[0], covariance[0]


class TestAncestral:
    def test_the_exact_variance_keeps_every_marginal(
        self, process: DiscreteDiffusion, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = Gaussian.diagonal()
        sampler = exact(data, process, variance="learned_range")
        mean, covariance = marginal(data, process.alphas_bar[-1])
        for t in reversed(range(1, process.num_steps)):
            mean, covariance = affine(p_sample, sampler, t, monkeypatch).carry(mean, covariance)
            wanted = marginal(data, process.alphas_bar[t - 1])
            same(mean, wanted[0])
            same(covariance, wanted[1])
        # The last step gives the average of x_0, so what varies around it is missing.
        mean, covariance = affine(p_sample, sampler, 0, monkeypatch).carry(mean, covariance)
        a = process.alphas_bar[0]
        same(mean, MEAN)
        same(covariance, (a * SPREADS**2 / (a * SPREADS + 1 - a)).diag())
        assert (covariance - data.covariance).abs().max() <= 1 - a

    @pytest.mark.parametrize(("variance", "sign"), [("fixed_small", -1), ("fixed_large", 1)])
    def test_fixed_variances_lie_on_either_side(
        self, variance: str, sign: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # β̃ is exact for a point, β for unit variance; the data have something between.
        process, data = PROCESSES["linear"], Gaussian.full()
        sampler = exact(data, process, variance=variance)
        mean, covariance = marginal(data, process.alphas_bar[-1])
        for t in reversed(range(process.num_steps)):
            mean, covariance = affine(p_sample, sampler, t, monkeypatch).carry(mean, covariance)
        same(mean, MEAN)
        assert (sign * torch.linalg.eigvalsh(covariance - data.covariance) > 0).all()

    @pytest.mark.parametrize(("spread", "variance"), [(0.0, "fixed_small"), (1.0, "fixed_large")])
    def test_and_are_exact_for_a_point_and_for_unit_variance(
        self, spread: float, variance: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        process = PROCESSES["cosine"]
        data = Gaussian(MEAN, spread * torch.eye(D, dtype=torch.float64))
        sampler = exact(data, process, variance=variance)
        mean, covariance = marginal(data, process.alphas_bar[-1])
        for t in reversed(range(1, process.num_steps)):
            mean, covariance = affine(p_sample, sampler, t, monkeypatch).carry(mean, covariance)
        wanted = marginal(data, process.alphas_bar[0])
        same(mean, wanted[0])
        same(covariance, wanted[1])

    def test_samples_have_the_datas_mean_and_covariance(self) -> None:
        process = DiscreteDiffusion(cosine_betas(1000)).respaced(40)
        data = Gaussian.diagonal()
        sampler = exact(data, process, variance="learned_range")
        n, g = 20000, torch.Generator().manual_seed(0)
        start = torch.randn(n, D, dtype=torch.float64, generator=g)
        x = p_sample_loop(sampler, noise=start, generator=g)
        # Four standard errors: σ/√n of a mean, σ_i σ_j √(2/n) at most of a covariance.
        deviations = SPREADS.sqrt()
        assert ((x.mean(0) - MEAN).abs() < 4 * deviations / n**0.5).all()
        errors = 4 * torch.outer(deviations, deviations) * (2 / n) ** 0.5
        assert ((x.T.cov() - data.covariance).abs() < errors).all()


class TestDdim:
    @pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
    def test_moments_against_the_recursion_of_each_eigenvalue(
        self, process: DiscreteDiffusion, eta: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sampler = exact(Gaussian.full(), process)
        mean, covariance = torch.zeros(D, dtype=torch.float64), torch.eye(D, dtype=torch.float64)
        q, a_end = rotation(), process.alphas_bar[-1]
        centre = q.T @ MEAN
        # Of x − √ᾱ m along each eigenvector, and its variance.
        by_hand = [(float(-a_end.sqrt() * centre[i]), 1.0) for i in range(D)]
        step = partial(ddim_sample, eta=eta)
        for t in reversed(range(process.num_steps)):
            mean, covariance = affine(step, sampler, t, monkeypatch).carry(mean, covariance)
            a, before = float(process.alphas_bar[t]), float(process.alphas_bar_prev[t])
            sigma2 = eta**2 * (1 - before) / (1 - a) * (1 - a / before)
            for i, spread in enumerate(SPREADS.tolist()):
                total = a * spread + 1 - a
                gain = (before * a) ** 0.5 * spread / total
                gain += ((1 - before - sigma2) * (1 - a)) ** 0.5 / total
                shift, variance = by_hand[i]
                by_hand[i] = (gain * shift, gain**2 * variance + sigma2)
        shifts, variances = torch.tensor(by_hand, dtype=torch.float64).T
        same(mean, MEAN + q @ shifts)
        same(covariance, q @ variances.diag() @ q.T)

    def test_the_ode_reaches_the_datas_moments_as_steps_become_many(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole, data, errors = DiscreteDiffusion(cosine_betas(1000)), Gaussian.full(), []
        for count in (25, 50, 100):
            process = whole.respaced(count)
            sampler = exact(data, process)
            mean, covariance = marginal(data, process.alphas_bar[-1])
            for t in reversed(range(count)):
                step = affine(ddim_sample, sampler, t, monkeypatch)
                mean, covariance = step.carry(mean, covariance)
            same(mean, MEAN)
            errors.append(float((covariance - data.covariance).abs().max()))
        assert errors[0] < 0.1 and errors[1] < 0.6 * errors[0] and errors[2] < 0.6 * errors[1]

    def test_eta_1_is_the_ancestral_step_with_small_variance(
        self, process: DiscreteDiffusion, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sampler = exact(Gaussian.full(), process)
        for t in range(process.num_steps):
            ddim = affine(partial(ddim_sample, eta=1.0), sampler, t, monkeypatch)
            ancestral = affine(p_sample, sampler, t, monkeypatch)
            same(ddim.matrix, ancestral.matrix)
            same(ddim.offset, ancestral.offset)
            same(ddim.noise @ ddim.noise.T, ancestral.noise @ ancestral.noise.T)
            wanted = float(process.posterior_variance[t]) * torch.eye(D, dtype=torch.float64)
            same(ddim.noise @ ddim.noise.T, wanted)


class TestReversed:
    def test_returns_to_the_start_where_the_noise_stays_the_same(
        self, process: DiscreteDiffusion
    ) -> None:
        # For a single point ε does not change on the way, and every step is undone exactly.
        data = Gaussian(MEAN, torch.zeros(D, D, dtype=torch.float64))
        sampler = exact(data, process)
        start = points(5)
        x = start
        for t in reversed(range(1, process.num_steps)):
            x = ddim_sample(sampler, x, torch.full((5,), t)).sample
        assert (x - start).abs().max() > 0.5
        same(ddim_reverse_loop(sampler, x), start)
        for t in range(process.num_steps - 1):
            x = ddim_reverse_sample(sampler, x, torch.full((5,), t)).sample
        same(x, start)

    def test_comes_nearer_to_the_start_the_more_steps_there_are(self) -> None:
        whole, start, errors = DiscreteDiffusion(linear_betas(1000)), points(5), []
        for count in (20, 60, 180):
            process = whole.respaced(count)
            sampler = exact(Gaussian.full(), process)
            x = start
            for t in reversed(range(1, count)):
                x = ddim_sample(sampler, x, torch.full((5,), t)).sample
            errors.append(float((ddim_reverse_loop(sampler, x) - start).abs().max()))
        assert errors[1] < 0.5 * errors[0] and errors[2] < 0.5 * errors[1] and errors[2] < 0.1
