"""Losses and bounds against closed forms, and the two ways to choose steps."""

import math

import pytest
import torch
from exact_gaussian import ExactModel, Gaussian, points, same
from numpy.polynomial.hermite_e import hermegauss
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from course_utils.diffusion.losses import (
    LossAwareSteps,
    UniformSteps,
    discretized_log_likelihood,
    prior_term,
    training_losses,
    variational_bound,
    variational_bound_term,
)
from course_utils.diffusion.process import (
    DiscreteDiffusion,
    q_mean_variance,
    q_posterior_mean_variance,
    q_sample,
)
from course_utils.diffusion.schedules import cosine_betas, linear_betas

PROCESS = DiscreteDiffusion(cosine_betas(1000)).respaced(8)
T = torch.arange(8)
X, NOISE = points(8), points(8, seed=1)


def model(x: Tensor, t: Tensor) -> Tensor:
    return torch.sin(x) + t[:, None] / 1000


def wide(x: Tensor, t: Tensor) -> Tensor:
    return torch.cat([model(x, t), torch.cos(x) / 2], 1)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(mean: Tensor, log_variance: Tensor) -> Normal:
    return Normal(mean, (log_variance / 2).exp())


class TestTrainingLosses:
    @pytest.mark.parametrize("target", ["noise", "x_start", "previous_mean"])
    @pytest.mark.parametrize("variance", ["fixed_small", "fixed_large"])
    def test_mean_squared_error_of_each_item(self, target: str, variance: str) -> None:
        x_t = q_sample(PROCESS, X, T, NOISE)
        before, beta = PROCESS.alphas_bar_prev[:, None], PROCESS.betas[:, None]
        a = PROCESS.alphas_bar[:, None]
        wanted = {
            "noise": NOISE,
            "x_start": X,
            "previous_mean": (before.sqrt() * beta * X + (1 - beta).sqrt() * (1 - before) * x_t)
            / (1 - a),
        }[target]
        error = (model(x_t, PROCESS.original_steps) - wanted).square().mean(1)
        losses = training_losses(PROCESS, model, X, T, NOISE, target, variance)
        assert losses.shape == (8,)
        same(losses, error)

    @pytest.mark.parametrize("target", ["noise", "x_start", "previous_mean"])
    def test_hybrid_is_the_error_and_a_share_of_the_bound(self, target: str) -> None:
        x_t = q_sample(PROCESS, X, T, NOISE)
        hybrid = training_losses(PROCESS, wide, X, T, NOISE, target, "learned_range")
        simple = training_losses(PROCESS, model, X, T, NOISE, target)
        bound = variational_bound_term(PROCESS, wide, X, x_t, T, False, target, "learned_range")
        same(hybrid, simple + 0.001 * 8 * bound)

    def test_the_bound_trains_the_variance_and_the_error_the_mean(self) -> None:
        def gradients(variance: str, with_error: bool = True) -> list[Tensor]:
            guess = torch.zeros(8, 3, dtype=torch.float64, requires_grad=True)
            v = torch.zeros(8, 3, dtype=torch.float64, requires_grad=True)
            output = torch.cat([guess, v], 1) if variance == "learned_range" else guess
            loss = training_losses(PROCESS, lambda x, t: output, X, T, NOISE, variance=variance)
            loss.sum().backward()
            return [guess.grad, v.grad]

        mean, spread = gradients("learned_range")
        same(mean, gradients("fixed_small")[0], 1e-12)
        assert spread is not None and bool((spread != 0).any())
        # The same bound by torch's own divergence, differentiated.
        v = torch.zeros(8, 3, dtype=torch.float64, requires_grad=True)
        x_t = q_sample(PROCESS, X, T, NOISE)
        a = PROCESS.alphas_bar[:, None]
        x_start = (x_t / a.sqrt()).detach()  # for ε = 0
        q = q_posterior_mean_variance(PROCESS, X, x_t, T)
        p = q_posterior_mean_variance(PROCESS, x_start, x_t, T).mean
        small, large = PROCESS.posterior_log_variance[:, None], PROCESS.betas[:, None].log()
        log_variance = (v + 1) / 2 * large + (1 - v) / 2 * small
        bits = kl_divergence(normal(q.mean, q.log_variance), normal(p, log_variance)).mean(1)
        (0.008 * bits[1:] / math.log(2)).sum().backward()
        same(spread[1:], v.grad[1:], 1e-9)

    def test_the_exact_model_leaves_what_cannot_be_known(self) -> None:
        # E‖ε − E[ε|x_t]‖² per dimension is ᾱ s² / (ᾱ s² + 1 − ᾱ); the loss is quadratic in x_0
        # and ε, so Gauss and Hermite's rule with three nodes gives its average exactly.
        nodes, weights = (torch.tensor(v, dtype=torch.float64) for v in hermegauss(3))
        weights = weights / weights.sum()
        variance = 0.4
        data = Gaussian(
            torch.tensor([0.3], dtype=torch.float64), torch.tensor([[variance]]).double()
        )
        for step in range(8):
            x = (0.3 + variance**0.5 * nodes).repeat_interleave(3)[:, None]
            noise = nodes.repeat(3)[:, None]
            t = torch.full((9,), step)
            losses = training_losses(PROCESS, ExactModel(data, PROCESS), x, t, noise)
            average = (torch.outer(weights, weights).flatten() * losses).sum()
            a = PROCESS.alphas_bar[step]
            same(average, a * variance / (a * variance + 1 - a))

    def test_noise_is_drawn_with_the_generator(self) -> None:
        drawn = torch.randn(8, 3, dtype=torch.float64, generator=generator(4))
        state = torch.get_rng_state()
        for variance, net in (("fixed_small", model), ("learned_range", wide)):
            given = training_losses(PROCESS, net, X, T, drawn, variance=variance)
            losses = training_losses(PROCESS, net, X, T, variance=variance, generator=generator(4))
            assert torch.equal(given, losses)
        assert torch.equal(torch.get_rng_state(), state)
        other = training_losses(PROCESS, model, X, T, generator=generator(5))
        assert (other - training_losses(PROCESS, model, X, T, drawn)).abs().max() > 1e-3

    def test_the_model_is_told_original_steps(self) -> None:
        told = []

        def noting(x: Tensor, t: Tensor) -> Tensor:
            told.append(t.tolist())
            return wide(x, t)

        training_losses(PROCESS, noting, X, T, NOISE, variance="learned_range")
        assert told == [PROCESS.original_steps.tolist()]

    def test_images(self) -> None:
        x = torch.rand(2, 1, 4, 4)
        losses = training_losses(PROCESS, lambda x, t: torch.zeros_like(x), x, T[:2], x)
        same(losses, x.square().mean((1, 2, 3)))

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"target": "velocity"}, "target is 'velocity'"),
            ({"variance": "small"}, "variance is 'small'"),
            ({"variance": "learned_range"}, r"returned \(8, 3\).*expected \(8, 6\)"),
            ({"model": wide}, "twice the channels"),
            ({"noise": NOISE[:, :1]}, r"noise has shape \(8, 1\)"),
            ({"t": T + 1}, "t lies in 1 … 8"),
            ({"t": T / 8}, "expected whole steps"),
        ],
    )
    def test_errors(self, changes: dict, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            training_losses(**{"process": PROCESS, "model": model, "x_start": X, "t": T} | changes)


class TestBound:
    @pytest.mark.parametrize("target", ["noise", "x_start", "previous_mean"])
    @pytest.mark.parametrize("variance", ["fixed_small", "fixed_large", "learned_range"])
    def test_a_term_is_a_divergence_of_gaussians(self, target: str, variance: str) -> None:
        learned = variance == "learned_range"
        data = Gaussian.diagonal()
        net = ExactModel(data, PROCESS, target, learned)
        x_t = q_sample(PROCESS, X, T, NOISE)
        terms = variational_bound_term(PROCESS, net, X, x_t, T, False, target, variance)
        a, before, beta = PROCESS.alphas_bar, PROCESS.alphas_bar_prev, PROCESS.betas
        small = (beta * (1 - before) / (1 - a))[1:, None]
        mean, covariance = data.previous(x_t, a, before)
        spread = {
            "fixed_small": small.expand(-1, 3),
            "fixed_large": beta[1:, None].expand(-1, 3),
            "learned_range": covariance.diagonal(dim1=1, dim2=2)[1:],
        }[variance]
        posterior = (
            before.sqrt() * beta / (1 - a) * X.T
            + (1 - beta).sqrt() * (1 - before) / (1 - a) * x_t.T
        ).T
        kl = kl_divergence(Normal(posterior[1:], small.sqrt()), Normal(mean[1:], spread.sqrt()))
        same(terms[1:], kl.mean(1) / math.log(2))

    def test_an_exact_model_loses_the_spread_of_its_guess(self) -> None:
        # KL with equal variances is (w Δ)² / 2β̃, Δ = x_0 − E[x_0|x_t] with variance
        # s² (1 − ᾱ) / (ᾱ s² + 1 − ᾱ); averaged by quadrature as above.
        nodes, weights = (torch.tensor(v, dtype=torch.float64) for v in hermegauss(3))
        weights = weights / weights.sum()
        data = Gaussian(torch.tensor([0.1]).double(), torch.tensor([[0.4]]).double())
        x = (data.mean + 0.4**0.5 * nodes).repeat_interleave(3)[:, None]
        for step in range(1, 8):
            t = torch.full((9,), step)
            x_t = q_sample(PROCESS, x, t, nodes.repeat(3)[:, None])
            terms = variational_bound_term(
                PROCESS, ExactModel(data, PROCESS), x, x_t, t, clip_denoised=False
            )
            a, before = PROCESS.alphas_bar[step], PROCESS.alphas_bar_prev[step]
            beta = PROCESS.betas[step]
            weight = before.sqrt() * beta / (1 - a)
            spread = 0.4 * (1 - a) / (a * 0.4 + 1 - a)
            expected = weight**2 * spread / (2 * beta * (1 - before) / (1 - a)) / math.log(2)
            same((torch.outer(weights, weights).flatten() * terms).sum(), expected)

    def test_step_0_is_the_decoder(self) -> None:
        x = (torch.tensor([[0.0, 100, 255]]) / 127.5 - 1).double()
        t = torch.tensor([0])
        guess = x + torch.tensor([[0.02, -0.03, 0.01]]).double()
        term = variational_bound_term(
            PROCESS, lambda x, t: guess, x, x, t, False, "x_start", "fixed_large"
        )
        p = Normal(guess, PROCESS.posterior_variance[1].sqrt())
        edges = [p.cdf(x + 1 / 255), p.cdf(x - 1 / 255)]
        edges[0][0, 2], edges[1][0, 0] = 1, 0
        same(term, -(edges[0] - edges[1]).log().mean(1) / math.log(2))

    def test_clipping_counts(self) -> None:
        x_t = q_sample(PROCESS, X, T, NOISE)
        clipped, free = (
            variational_bound_term(PROCESS, model, X, x_t, T, c) for c in (True, False)
        )
        assert (clipped - free).abs().max() > 1e-3

    @pytest.mark.parametrize("variance", ["fixed_small", "learned_range"])
    def test_the_whole_is_its_prior_and_all_terms(self, variance: str) -> None:
        net = wide if variance == "learned_range" else model
        settings = (False, "x_start", variance)
        whole = variational_bound(PROCESS, net, X, *settings, generator=generator())
        g, total = generator(), prior_term(PROCESS, X)
        for step in range(8):
            t = torch.full((8,), step)
            x_t = q_sample(PROCESS, X, t, torch.randn(8, 3, dtype=torch.float64, generator=g))
            total = total + variational_bound_term(PROCESS, net, X, x_t, t, *settings)
        same(whole, total)
        assert (whole - variational_bound(PROCESS, net, X, *settings)).abs().max() > 1e-6

    def test_the_prior(self) -> None:
        process = DiscreteDiffusion(linear_betas(50)).respaced(50)
        process = DiscreteDiffusion(process.betas[:30])  # with some signal left
        q = q_mean_variance(process, X, torch.full((8,), 29))
        assert q.variance.max() < 0.99
        kl = kl_divergence(normal(q.mean, q.log_variance), Normal(0.0, 1.0))
        same(prior_term(process, X), kl.mean(1) / math.log(2))


class TestDecoder:
    def test_bytes_share_all_probability(self) -> None:
        levels = torch.arange(256, dtype=torch.float64) / 127.5 - 1
        for mean, deviation in [(0.0, 0.2), (0.99, 0.05), (-1.3, 0.4)]:
            log_variance = torch.full_like(levels, 2 * math.log(deviation))
            p = discretized_log_likelihood(levels, torch.full_like(levels, mean), log_variance)
            assert float(p.exp().sum()) == pytest.approx(1, abs=1e-6)

    def test_both_tails_alike_in_float32(self) -> None:
        x = torch.tensor([-0.6, 0.6])
        log_p = discretized_log_likelihood(x, torch.zeros(2), torch.full((2,), 2 * math.log(0.1)))
        same(log_p[0], log_p[1], 1e-5)
        edges = [math.erfc((0.6 + side / 255) / 0.1 / 2**0.5) / 2 for side in (-1, 1)]
        assert float(log_p[1]) == pytest.approx(math.log(edges[0] - edges[1]), abs=1e-3)

    def test_impossible_bytes_stay_finite(self) -> None:
        log_p = discretized_log_likelihood(
            torch.tensor([0.5]), torch.tensor([-1.0]), torch.tensor([-12.0])
        )
        assert float(log_p) == pytest.approx(math.log(1e-12))


class TestUniformSteps:
    def test_draws_all_alike_with_weight_1(self) -> None:
        t, weights = UniformSteps(4).sample(4000, generator())
        assert t.dtype == torch.int64 and t.shape == weights.shape == (4000,)
        assert weights.eq(1).all() and weights.dtype == torch.float32
        # Each count is binomial with deviation 27.
        assert (t.bincount(minlength=4) - 1000).abs().max() < 110

    def test_a_generator_decides(self) -> None:
        steps = UniformSteps(1000)
        state = torch.get_rng_state()
        first = steps.sample(50, generator()).t
        assert torch.equal(first, steps.sample(50, generator()).t)
        assert torch.equal(torch.get_rng_state(), state)
        assert not torch.equal(first, steps.sample(50, generator(1)).t)

    def test_losses_change_nothing(self) -> None:
        steps = UniformSteps(3)
        steps.update(torch.tensor([0]), torch.tensor([5.0]))
        same(steps.probabilities(), torch.full((3,), 1 / 3, dtype=torch.float64))

    def test_errors(self) -> None:
        with pytest.raises(ValueError, match="num_steps is 0"):
            UniformSteps(0)
        with pytest.raises(ValueError, match="b is 0; expected at least one"):
            UniformSteps(3).sample(0)


class TestLossAwareSteps:
    def filled(self, **settings: float) -> LossAwareSteps:
        steps = LossAwareSteps(3, history=2, **settings)
        for losses in ([9.0, 9.0, 9.0], [1.0, 2.0, 0.0], [1.0, 4.0, 2.0]):
            steps.update(torch.tensor([0, 1, 2]), torch.tensor(losses))
        return steps

    def test_in_proportion_to_the_root_of_the_mean_square(self) -> None:
        # The first losses, 9, have made place.
        size = torch.tensor([1.0, 10.0**0.5, 2.0**0.5], dtype=torch.float64)
        same(self.filled(uniform_share=0).probabilities(), size / size.sum())
        mixed = 0.75 * size / size.sum() + 0.25 / 3
        same(self.filled(uniform_share=0.25).probabilities(), mixed)

    def test_uniform_until_each_step_has_its_history(self) -> None:
        steps = LossAwareSteps(3, history=2)
        for t in ([0, 1, 2], [0, 1], [0, 0]):
            steps.update(torch.tensor(t), torch.arange(1.0, len(t) + 1))
            same(steps.probabilities(), torch.full((3,), 1 / 3, dtype=torch.float64))
        steps.update(torch.tensor([2]), torch.tensor([5.0]))
        assert steps.probabilities()[2] > 0.4

    def test_a_step_twice_in_a_batch(self) -> None:
        steps = LossAwareSteps(1, history=2)
        steps.update(torch.tensor([0, 0, 0]), torch.tensor([1.0, 2.0, 3.0]))
        assert sorted(steps._losses[0].tolist()) == [2.0, 3.0]

    def test_weights_keep_the_mean_loss(self) -> None:
        steps = self.filled()
        losses = torch.tensor([1.0, 4.0, 2.0], dtype=torch.float64)
        t, weights = steps.sample(5000, generator())
        p = steps.probabilities()
        same(weights.double(), 1 / (3 * p[t]), 1e-6)
        same((p * losses / (3 * p)).sum(), losses.mean(), 1e-12)
        assert (t.bincount(minlength=3) / 5000 - p).abs().max() < 0.03
        assert float((weights * losses[t]).mean()) == pytest.approx(7 / 3, abs=0.05)

    def test_losses_of_nothing(self) -> None:
        steps = LossAwareSteps(2, history=1)
        steps.update(torch.tensor([0, 1]), torch.zeros(2))
        assert steps.probabilities().tolist() == [0.5, 0.5]

    def test_losses_with_gradients(self) -> None:
        LossAwareSteps(2).update(torch.tensor([0]), torch.ones(1, requires_grad=True))

    @pytest.mark.parametrize(
        ("t", "losses", "message"),
        [
            (torch.tensor([0, 1]), torch.tensor(1.0), "the loss of each item, and not their mean"),
            (torch.tensor([3]), torch.tensor([1.0]), "expected steps 0 … 2"),
            (torch.tensor([-1]), torch.tensor([1.0]), "expected steps 0 … 2"),
            (torch.tensor([1]), torch.tensor([float("nan")]), "expected finite numbers"),
        ],
    )
    def test_bad_updates(self, t: Tensor, losses: Tensor, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            LossAwareSteps(3).update(t, losses)

    def test_bad_settings(self) -> None:
        with pytest.raises(ValueError, match="history is 0"):
            LossAwareSteps(3, history=0)
        with pytest.raises(ValueError, match=r"uniform_share 1\.5"):
            LossAwareSteps(3, uniform_share=1.5)
