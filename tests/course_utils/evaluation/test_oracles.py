"""The oracles against independent routes: quadrature, autograd, transport, a plain softmax."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from course_utils.distributions import GMM
from course_utils.dynamics import ODE, HeunSimulator
from course_utils.evaluation import (
    EmpiricalOracle,
    MixtureOracle,
    oracles,
    relative_error,
    sliced_wasserstein,
)
from course_utils.paths import Alpha, Beta

F64 = torch.float64
MEANS = torch.tensor([[-3.0, 0.0], [3.0, 1.0], [0.0, 4.0]], dtype=F64)
COVARIANCES = torch.tensor(
    [[[1.0, 0.4], [0.4, 0.3]], [[0.2, 0.0], [0.0, 0.8]], [[0.5, -0.2], [-0.2, 0.5]]], dtype=F64
)
WEIGHTS = torch.tensor([0.5, 0.3, 0.2], dtype=F64)


class LinearAlpha(Alpha):
    def __call__(self, t: Tensor) -> Tensor:
        return t


class LinearBeta(Beta):
    def __call__(self, t: Tensor) -> Tensor:
        return 1 - t


class SineAlpha(Alpha):
    def __call__(self, t: Tensor) -> Tensor:
        return torch.sin(math.pi / 2 * t)


class CosineBeta(Beta):
    def __call__(self, t: Tensor) -> Tensor:
        return torch.cos(math.pi / 2 * t)


LINEAR = (LinearAlpha(), LinearBeta())
CURVED = (SineAlpha(), CosineBeta())
both_schedules = pytest.mark.parametrize("schedules", [LINEAR, CURVED], ids=["linear", "cosine"])


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def mixture_oracle(schedules: tuple[Alpha, Beta] = LINEAR) -> MixtureOracle:
    return MixtureOracle(GMM(MEANS, COVARIANCES, WEIGHTS), *schedules)


def density(t: float, schedules: tuple[Alpha, Beta], mode: int | None = None) -> object:
    """p_t by torch's own distributions: modes N(α m, α² C + β² I)."""
    a, b = (schedule(torch.tensor(t, dtype=F64)) for schedule in schedules)
    modes = MultivariateNormal(a * MEANS, a**2 * COVARIANCES + b**2 * torch.eye(2, dtype=F64))
    if mode is not None:
        return MultivariateNormal(modes.mean[mode], modes.covariance_matrix[mode])
    return MixtureSameFamily(Categorical(WEIGHTS), modes)


def gradient(log_prob: object, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_(True)
    return torch.autograd.grad(log_prob(x).sum(), x)[0]


def points(n: int = 40) -> Tensor:
    return 3 * torch.randn(n, 2, dtype=F64)


class TestMixtureOracle:
    @both_schedules
    @pytest.mark.parametrize("t", [0.0, 0.3, 0.9, 1.0])
    @pytest.mark.parametrize("mode", [None, 0, 2])
    def test_density_and_score(self, schedules: tuple, t: float, mode: int | None) -> None:
        oracle, x, exact = mixture_oracle(schedules), points(), density(t, schedules, mode)
        torch.testing.assert_close(oracle.log_prob(x, t, mode), exact.log_prob(x))
        torch.testing.assert_close(oracle.score(x, t, mode), gradient(exact.log_prob, x))
        torch.testing.assert_close(
            gradient(lambda x: oracle.log_prob(x, t, mode), x), oracle.score(x, t, mode)
        )

    @both_schedules
    @pytest.mark.parametrize("y", [None, 0, 1, 2])
    def test_velocity_is_the_average_of_conditional_ones(
        self, schedules: tuple, y: int | None
    ) -> None:
        """By quadrature over z in one dimension; label 2 is the null label here."""
        gmm = GMM(torch.tensor([[-2.0], [1.5]], dtype=F64), torch.tensor([0.3, 0.7]), [0.25, 0.75])
        z = torch.linspace(-9, 9, 6001, dtype=F64)[:, None]
        log_data = gmm.log_prob(z) if y in (None, 2) else gmm.log_prob(z, torch.full((6001,), y))
        for time in (0.1, 0.5, 0.9):
            x, t = torch.linspace(-3, 3, 9, dtype=F64), torch.tensor(time, dtype=F64)
            (a, b), (a_dt, b_dt) = [s(t) for s in schedules], [s.dt(t) for s in schedules]
            noise = (x - a * z) / b  # quadrature points by points of x
            weights = torch.softmax(log_data[:, None] - noise.square() / 2, dim=0)
            oracle = MixtureOracle(gmm, *schedules)
            velocity = (weights * (a_dt * z + b_dt * noise)).sum(0)
            torch.testing.assert_close(oracle.velocity(x[:, None], t, y)[:, 0], velocity)
            mean = (weights * z).sum(0)
            torch.testing.assert_close(oracle.posterior_mean(x[:, None], t, y)[:, 0], mean)

    @both_schedules
    @pytest.mark.parametrize("y", [None, 1])
    def test_continuity_equation(self, schedules: tuple, y: int | None) -> None:
        """∂_t log p + div u + u · ∇ log p = 0, with no step of its derivation shared."""
        oracle, x, t, h = mixture_oracle(schedules), points(), 0.6, 1e-5
        change = (oracle.log_prob(x, t + h, y) - oracle.log_prob(x, t - h, y)) / (2 * h)
        x = x.requires_grad_(True)
        u = oracle.velocity(x, t, y)
        slopes = [torch.autograd.grad(u[:, i].sum(), x, retain_graph=True)[0] for i in (0, 1)]
        divergence = slopes[0][:, 0] + slopes[1][:, 1]
        residual = change + divergence + (u * oracle.score(x, t, y)).sum(1)
        torch.testing.assert_close(residual, torch.zeros_like(residual), atol=1e-6, rtol=0)

    @both_schedules
    def test_transport_from_noise_to_the_mixture(self, schedules: tuple) -> None:
        gmm = GMM(MEANS.float(), COVARIANCES, WEIGHTS)
        oracle = MixtureOracle(gmm, *schedules)

        class Flow(ODE):
            def drift_coefficient(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
                return oracle.velocity(x, t, y)

        simulator = HeunSimulator(Flow(), evaluate_at_one=True)
        noise, ts = torch.randn(4000, 2), torch.linspace(0, 1, 41)
        marginal = simulator.simulate(noise, ts, y=torch.full((4000,), oracle.null_label))
        assert sliced_wasserstein(marginal, gmm.sample(4000)[0]) < 0.2
        mode = simulator.simulate(noise, ts, y=torch.full((4000,), 1))
        torch.testing.assert_close(mode.mean(0), MEANS[1].float(), atol=0.06, rtol=0)
        torch.testing.assert_close(mode.T.cov(), COVARIANCES[1].float(), atol=0.06, rtol=0)

    @both_schedules
    def test_finite_and_exact_at_both_ends(self, schedules: tuple) -> None:
        oracle, x = mixture_oracle(schedules), points()
        one = torch.tensor(1.0, dtype=F64)
        torch.testing.assert_close(oracle.posterior_mean(x, 1.0), x)
        torch.testing.assert_close(oracle.velocity(x, 1.0), schedules[0].dt(one) * x)
        prior_mean = (WEIGHTS @ MEANS).expand_as(x)
        torch.testing.assert_close(oracle.posterior_mean(x, 0.0), prior_mean)
        slopes = [schedule.dt(torch.zeros(())).double() for schedule in schedules]
        torch.testing.assert_close(
            oracle.velocity(x, 0.0), slopes[0] * prior_mean + slopes[1] * x, atol=1e-6, rtol=1e-6
        )

    def test_labels_choose_row_by_row(self) -> None:
        oracle, x = mixture_oracle(), points(4)
        mixed = oracle.velocity(x, 0.4, torch.tensor([0, 1, 2, 3]))
        for row, y in enumerate([0, 1, 2, None]):
            torch.testing.assert_close(mixed[row], oracle.velocity(x, 0.4, y)[row])
        assert oracle.null_label == 3

    def test_times_row_by_row(self) -> None:
        oracle, x = mixture_oracle(CURVED), points(3)
        t = torch.tensor([0.1, 0.5, 0.9])
        for shape in [(3,), (3, 1), (3, 1, 1, 1)]:
            together = oracle.velocity(x, t.reshape(shape))
            for row in range(3):
                torch.testing.assert_close(together[row], oracle.velocity(x, t[row])[row])

    def test_guidance(self) -> None:
        oracle, x, y = mixture_oracle(), points(), 1
        free, given = oracle.velocity(x, 0.5), oracle.velocity(x, 0.5, y)
        torch.testing.assert_close(oracle.guided_velocity(x, 0.5, y, 0), free)
        torch.testing.assert_close(oracle.guided_velocity(x, 0.5, y, 1.0), given)
        torch.testing.assert_close(oracle.guided_velocity(x, 0.5, y, 3.0), 3 * given - 2 * free)
        w = torch.rand(40, dtype=F64)
        torch.testing.assert_close(
            oracle.guided_velocity(x, 0.5, y, w), free + w[:, None] * (given - free)
        )
        torch.testing.assert_close(oracle.guided_velocity(x, 0.5, oracle.null_label, 7.0), free)

    def test_posterior_is_bayes_rule(self) -> None:
        oracle, x = mixture_oracle(), points()
        logs = [density(0.7, LINEAR, k).log_prob(x) + WEIGHTS[k].log() for k in range(3)]
        posterior = oracle.posterior(x, 0.7)
        torch.testing.assert_close(posterior, torch.stack(logs, 1).softmax(1))
        torch.testing.assert_close(oracle.posterior(x, 0.0), WEIGHTS.expand(40, 3))
        far = oracle.posterior(1e4 * torch.ones(1, 2), 1.0)
        assert far.sum().item() == pytest.approx(1)

    def test_shapes_where_sizes_coincide(self) -> None:
        """One dimension, and as many modes as dimensions: results keep their own shape."""
        oracle = MixtureOracle(GMM([[0.0]], [1.0], [1.0]), *LINEAR)
        x = torch.randn(5, 1)
        assert oracle.log_prob(x, 0.5).shape == (5,)
        assert oracle.posterior(x, 0.5).shape == (5, 1)
        assert oracle.velocity(x, 0.5).shape == (5, 1)

    def test_float32_in_float32_out_without_loss(self) -> None:
        oracle, x = mixture_oracle(), points()
        for t in (0.0, 0.5, 1.0):
            single = oracle.velocity(x.float(), t)
            assert single.dtype == torch.float32
            assert relative_error(single, oracle.velocity(x, t)) < 1e-5

    def test_the_mixture_is_taken_as_it_was(self) -> None:
        gmm, x = GMM(MEANS, COVARIANCES, WEIGHTS), points()
        oracle = MixtureOracle(gmm, *LINEAR)
        before = oracle.velocity(x, 0.5)
        for buffer in gmm.buffers():
            buffer.mul_(2)
        torch.testing.assert_close(oracle.velocity(x, 0.5), before)

    @pytest.mark.parametrize(
        ("x", "t", "y", "message"),
        [
            (torch.zeros(4, 3), 0.5, None, r"expected \(b, 2\)"),
            (torch.zeros(4, 2), 1.5, None, r"expected times in \[0, 1\]"),
            (torch.zeros(4, 2), torch.zeros(3), None, "one t for each of the 4 samples"),
            (torch.zeros(4, 2), 0.5, 4, "labels 0 … 2, or the null label 3"),
            (torch.zeros(4, 2), 0.5, torch.tensor([0, 0, 0, -1]), "y lies in -1 … 0"),
            (torch.zeros(4, 2), 0.5, torch.zeros(3, dtype=torch.int64), "each of the 4 samples"),
            (torch.zeros(4, 2), 0.5, torch.zeros(4), "expected one int64 label"),
        ],
    )
    def test_errors(self, x: Tensor, t: Tensor | float, y: Tensor | int, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            mixture_oracle().velocity(x, t, y)


def plain_softmax(
    x: Tensor, t: float, data: Tensor, schedules: tuple[Alpha, Beta]
) -> tuple[Tensor, Tensor]:
    """Posterior mean and velocity from all differences x - α z at once, in float64."""
    time = torch.tensor(t, dtype=F64)
    (a, b), (a_dt, b_dt) = [s(time) for s in schedules], [s.dt(time) for s in schedules]
    noise = (x.double()[:, None] - a * data.double()) / b  # b N ...
    weights = torch.softmax(-noise.flatten(2).square().sum(2) / 2, dim=1)
    mean = torch.einsum("bn,n...->b...", weights, data.double())
    velocity = torch.einsum("bn,bn...->b...", weights, a_dt * data.double() + b_dt * noise)
    return mean, velocity


class TestEmpiricalOracle:
    @both_schedules
    @pytest.mark.parametrize("t", [0.0, 0.4, 0.8, 0.97])
    @pytest.mark.parametrize("chunk", [1, 7, 100])
    def test_it_is_a_softmax_over_the_data(
        self, schedules: tuple, t: float, chunk: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(oracles, "_ROWS", 4)
        data, x = torch.randn(30, 1, 3, 3, dtype=F64), torch.randn(10, 1, 3, 3, dtype=F64)
        oracle = EmpiricalOracle(data, *schedules, chunk=chunk)
        mean, velocity = plain_softmax(x, t, data, schedules)
        torch.testing.assert_close(oracle.posterior_mean(x, t), mean)
        torch.testing.assert_close(oracle.velocity(x, t), velocity)

    @both_schedules
    def test_score_is_the_gradient_of_the_log_density(self, schedules: tuple) -> None:
        data, x, t = torch.randn(30, 2, dtype=F64), points(), torch.tensor(0.6, dtype=F64)
        a, b = schedules[0](t), schedules[1](t)

        def log_prob(x: Tensor) -> Tensor:
            return torch.logsumexp(-(x[:, None] - a * data).square().sum(2) / (2 * b**2), dim=1)

        score = EmpiricalOracle(data, *schedules).score(x, t)
        torch.testing.assert_close(score, gradient(log_prob, x))

    @both_schedules
    def test_it_is_a_mixture_of_tiny_modes(self, schedules: tuple) -> None:
        data = torch.randn(12, 2, dtype=F64)
        gmm = GMM(data, torch.full((12,), 1e-9), torch.full((12,), 1 / 12, dtype=F64))
        mixture, empirical = MixtureOracle(gmm, *schedules), EmpiricalOracle(data, *schedules)
        for t in (0.0, 0.3, 0.8):
            x = points()
            assert relative_error(empirical.velocity(x, t), mixture.velocity(x, t)) < 1e-6
            assert relative_error(empirical.score(x, t), mixture.score(x, t)) < 1e-6

    @pytest.mark.parametrize("chunk", [1, 4, 100])
    def test_labels_restrict_the_data(self, chunk: int) -> None:
        """Classes in blocks, so that most chunks hold nothing of a row's class."""
        data, labels = torch.randn(12, 2, dtype=F64), torch.arange(12) // 4
        oracle = EmpiricalOracle(data, *LINEAR, labels=labels, chunk=chunk)
        assert oracle.null_label == 3
        x = points(4)
        mixed = oracle.velocity(x, 0.5, torch.tensor([0, 1, 2, 3]))
        for row, chosen in enumerate([labels == 0, labels == 1, labels == 2, labels >= 0]):
            _, expected = plain_softmax(x[row : row + 1], 0.5, data[chosen], LINEAR)
            torch.testing.assert_close(mixed[row : row + 1], expected)
        torch.testing.assert_close(oracle.velocity(x, 0.5), oracle.velocity(x, 0.5, 3))
        free, given = oracle.velocity(x, 0.5), oracle.velocity(x, 0.5, 1)
        torch.testing.assert_close(oracle.guided_velocity(x, 0.5, 1, 3.0), 3 * given - 2 * free)

    @pytest.mark.parametrize("t", [0.9, 0.99, 0.9999])
    def test_images_close_to_the_data_keep_their_digits(self, t: float) -> None:
        """Two near data share the posterior: a float32 product would scramble their weights."""
        t = torch.tensor(t).item()  # a time that float32 holds
        data = torch.rand(8, 1, 32, 32) * 2 - 1
        data[1] = data[0] + (1 - t) / 32 * torch.randn(1, 32, 32)
        x = t * data[:1].double() + (1 - t) * torch.randn(1, 1, 32, 32, dtype=F64)
        mean, velocity = plain_softmax(x, t, data, LINEAR)
        oracle = EmpiricalOracle(data, *LINEAR)
        assert relative_error(oracle.posterior_mean(x, t) - x, mean - x) < 1e-6
        assert relative_error(oracle.velocity(x, t), velocity) < 1e-6

    def test_nearest_datum_limit(self) -> None:
        data, eps = torch.randn(20, 6, dtype=F64), torch.randn(20, 6, dtype=F64)
        oracle, t = EmpiricalOracle(data, *LINEAR), 1 - 1e-5
        x = t * data + (1 - t) * eps
        torch.testing.assert_close(oracle.posterior_mean(x, t), data)
        torch.testing.assert_close(oracle.velocity(x, t), data - eps)

    @both_schedules
    def test_beta_zero_is_refused(self, schedules: tuple) -> None:
        oracle = EmpiricalOracle(torch.randn(4, 2), *schedules)
        for ask in (oracle.velocity, oracle.score, oracle.posterior_mean):
            with pytest.raises(ValueError, match="Stop short of t = 1"):
                ask(torch.zeros(3, 2), torch.tensor([0.0, 0.5, 1.0]))

    def test_dtype_and_no_graph(self) -> None:
        data = torch.randn(5, 2)
        oracle = EmpiricalOracle(data, *LINEAR)
        u = oracle.velocity(torch.zeros(3, 2, requires_grad=True), 0.5)
        assert u.dtype == torch.float32 and oracle.data.data_ptr() == data.data_ptr()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"data": torch.zeros(5)}, r"data has shape \(5,\)"),
            ({"data": torch.zeros(0, 2)}, "at least one datum"),
            ({"data": torch.zeros(5, 2), "chunk": 0}, "chunk is 0"),
            ({"data": torch.zeros(5, 2), "labels": torch.zeros(4).long()}, r"labels have shape"),
            ({"data": torch.zeros(2, 2), "labels": torch.zeros(2)}, "dtype torch.float32"),
            (
                {"data": torch.zeros(2, 2), "labels": torch.tensor([0, 3]), "num_classes": 3},
                r"labels lie in 0 … 3; with num_classes = 3 expected 0 … 2",
            ),
            ({"data": torch.zeros(2, 2), "labels": torch.tensor([0, -1])}, "labels lie in -1"),
        ],
    )
    def test_bad_data(self, arguments: dict, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            EmpiricalOracle(alpha=LINEAR[0], beta=LINEAR[1], **arguments)

    def test_bad_points(self) -> None:
        labels = torch.tensor([0, 2])
        oracle = EmpiricalOracle(torch.randn(2, 3), *LINEAR, labels=labels, num_classes=5)
        with pytest.raises(ValueError, match="the shape of the data"):
            oracle.velocity(torch.zeros(2, 4), 0.5)
        with pytest.raises(ValueError, match=r"y asks for labels \[1, 4\], but no datum"):
            oracle.velocity(torch.zeros(3, 3), 0.5, torch.tensor([1, 2, 4]))
        with pytest.raises(ValueError, match="the null label 5"):
            oracle.velocity(torch.zeros(3, 3), 0.5, 6)
        with pytest.raises(ValueError, match="the null label 0"):
            EmpiricalOracle(torch.randn(2, 3), *LINEAR).velocity(torch.zeros(3, 3), 0.5, 1)
