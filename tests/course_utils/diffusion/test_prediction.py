"""The step back of an exact model, against joint Gaussians."""

import pytest
import torch
from exact_gaussian import ExactModel, Gaussian, points, same
from torch import Tensor

from course_utils.diffusion.prediction import p_mean_variance
from course_utils.diffusion.process import DiscreteDiffusion
from course_utils.diffusion.schedules import cosine_betas, linear_betas

TARGETS = ("noise", "x_start", "previous_mean")
PROCESSES = {
    "linear": DiscreteDiffusion(linear_betas(40)),
    "cosine": DiscreteDiffusion(cosine_betas(40)),
    "respaced": DiscreteDiffusion(cosine_betas(1000)).respaced(40),
}


@pytest.fixture(params=PROCESSES)
def process(request: pytest.FixtureRequest) -> DiscreteDiffusion:
    return PROCESSES[request.param]


def every(process: DiscreteDiffusion) -> tuple[Tensor, Tensor]:
    return points(process.num_steps), torch.arange(process.num_steps)


class TestMean:
    @pytest.mark.parametrize("target", TARGETS)
    @pytest.mark.parametrize("data", [Gaussian.diagonal(), Gaussian.full()])
    def test_is_the_average_of_the_step_before(
        self, process: DiscreteDiffusion, data: Gaussian, target: str
    ) -> None:
        x, t = every(process)
        model = ExactModel(data, process, target)
        result = p_mean_variance(process, model, x, t, clip_denoised=False, target=target)
        mean, _ = data.previous(x, process.alphas_bar, process.alphas_bar_prev)
        same(result.mean, mean)
        same(result.pred_xstart, data.x_start(x, process.alphas_bar))

    @pytest.mark.parametrize("target", TARGETS)
    def test_clipping_holds_the_guess_and_its_mean(
        self, process: DiscreteDiffusion, target: str
    ) -> None:
        x, t = every(process)
        x = 4 * x
        data = Gaussian.full()
        model = ExactModel(data, process, target)
        result = p_mean_variance(process, model, x, t, target=target)
        raw = data.x_start(x, process.alphas_bar)
        guess = raw.clamp(-1, 1)
        assert (raw - guess).abs().max() > 0.1
        same(result.pred_xstart, guess)
        if target == "previous_mean":
            mean = model(x, process.original_steps)
        else:
            # x_{t−1} between the guess and x_t, both Gaussian around it: Bayes with precisions.
            before, beta = process.alphas_bar_prev[1:, None], process.betas[1:, None]
            toward = before.sqrt() * guess[1:] / (1 - before)
            back = (1 - beta).sqrt() * x[1:] / beta
            mean = (toward + back) / (1 / (1 - before) + (1 - beta) / beta)
            mean = torch.cat([guess[:1], mean])
        same(result.mean, mean)


class TestVariance:
    def test_fixed_small_is_the_posteriors(self, process: DiscreteDiffusion) -> None:
        x, t = every(process)
        result = p_mean_variance(process, ExactModel(Gaussian.full(), process), x, t)
        a, before, beta = process.alphas_bar, process.alphas_bar_prev, process.betas
        small = 1 / (1 / (1 - before[1:]) + (1 - beta[1:]) / beta[1:])
        assert a.shape == before.shape == t.shape
        same(result.variance[1:], small[:, None].expand(-1, 3))
        same(result.log_variance[1:], small.log()[:, None].expand(-1, 3))
        assert not result.variance[0].any()
        assert torch.equal(result.log_variance[0], result.log_variance[1])

    def test_fixed_large_is_beta(self, process: DiscreteDiffusion) -> None:
        x, t = every(process)
        model = ExactModel(Gaussian.full(), process)
        result = p_mean_variance(process, model, x, t, variance="fixed_large")
        small = p_mean_variance(process, model, x, t)
        same(result.variance[1:], process.betas[1:, None].expand(-1, 3))
        same(result.variance[0], small.variance[1])
        same(result.log_variance, result.variance.log())
        assert torch.equal(result.mean, small.mean)

    @pytest.mark.parametrize("target", TARGETS)
    def test_learned_range_reaches_the_exact_variance(
        self, process: DiscreteDiffusion, target: str
    ) -> None:
        x, t = every(process)
        data = Gaussian.diagonal()
        model = ExactModel(data, process, target, learned=True)
        result = p_mean_variance(process, model, x, t, False, target, "learned_range")
        mean, covariance = data.previous(x, process.alphas_bar, process.alphas_bar_prev)
        same(result.mean, mean)
        same(result.variance, covariance.diagonal(dim1=1, dim2=2))
        same(result.log_variance, result.variance.log())

    def test_the_ends_of_the_range(self, process: DiscreteDiffusion) -> None:
        x, t = every(process)
        for v, name in [(-1.0, "fixed_small"), (1.0, "fixed_large")]:
            output = torch.cat([torch.zeros_like(x), torch.full_like(x, v)], 1)
            result = p_mean_variance(
                process, lambda x, t, out=output: out, x, t, variance="learned_range"
            )
            fixed = p_mean_variance(process, lambda x, t: torch.zeros_like(x), x, t, variance=name)
            same(result.variance[1:], fixed.variance[1:], 1e-12)
            assert torch.equal(result.mean, fixed.mean)

    def test_the_second_half_of_the_channels_is_the_variance(self) -> None:
        process = PROCESSES["linear"]
        x, t = torch.zeros(2, 1, 3, 3), torch.tensor([5, 9])
        output = torch.cat([torch.full_like(x, 0.5), torch.full_like(x, -1.0)], 1)
        result = p_mean_variance(
            process, lambda x, t: output, x, t, target="x_start", variance="learned_range"
        )
        assert result.pred_xstart.eq(0.5).all() and result.variance.shape == x.shape
        same(result.variance[:, 0, 0, 0].double(), process.posterior_variance[t], 1e-7)


class TestCalls:
    def test_the_model_is_asked_once_at_original_steps(self) -> None:
        process = DiscreteDiffusion(linear_betas(1000)).respaced(4)
        asked = []

        def model(x: Tensor, t: Tensor) -> Tensor:
            asked.append(t.tolist())
            return x

        p_mean_variance(process, model, points(3), torch.tensor([3, 0, 1]))
        assert asked == [[999, 0, 333]]

    def test_results_have_the_dtype_of_x(self) -> None:
        x = torch.randn(2, 3)
        result = p_mean_variance(
            PROCESSES["linear"], lambda x, t: x.bfloat16(), x, torch.tensor([0, 3])
        )
        assert {value.dtype for value in result} == {torch.float32}
        assert {value.shape for value in result} == {x.shape}

    def test_gradients_reach_the_model(self) -> None:
        weight = torch.ones(3, dtype=torch.float64, requires_grad=True)
        result = p_mean_variance(
            PROCESSES["linear"], lambda x, t: weight * x, points(2), torch.tensor([3, 4])
        )
        result.mean.sum().backward()
        assert weight.grad is not None and weight.grad.any()


class TestErrors:
    def refused(self, message: str, model: object = lambda x, t: x, **changes: object) -> None:
        arguments = {"x": points(2), "t": torch.tensor([0, 1])} | changes
        with pytest.raises(ValueError, match=message):
            p_mean_variance(PROCESSES["linear"], model, **arguments)

    def test_choices(self) -> None:
        self.refused("target is 'epsilon'; expected one of noise, x_start", target="epsilon")
        self.refused("variance is 'small'; expected one of fixed_small, ", variance="small")

    def test_outputs(self) -> None:
        self.refused(r"returned \(2, 6\) for x.*learned_range", lambda x, t: torch.cat([x, x], 1))
        self.refused(r"returned \(2, 3\).*expected \(2, 6\)", variance="learned_range")
        self.refused("returned tuple", lambda x, t: (x, x))
        self.refused(
            "expects x with at least two axes", x=points(2)[:, 0], variance="learned_range"
        )

    def test_steps(self) -> None:
        self.refused("t lies in 0 … 40", t=torch.tensor([0, 40]))
        self.refused("expected whole steps", t=torch.tensor([0.0, 1.0]))
