"""A classifier's gradient and its place in the step back, against closed forms."""

import pytest
import torch
from exact_gaussian import MEAN, ExactModel, Gaussian, points, same
from torch import Tensor, nn

from course_utils.diffusion.conditioning import (
    classifier_gradient,
    condition_mean,
    condition_score,
)
from course_utils.diffusion.prediction import Prediction, p_mean_variance
from course_utils.diffusion.process import DiscreteDiffusion
from course_utils.diffusion.schedules import cosine_betas

PROCESS = DiscreteDiffusion(cosine_betas(1000)).respaced(20)
SEEN, SPREAD = torch.tensor([0.8, -0.5, 0.4], dtype=torch.float64), 0.3


class TwoClasses(nn.Module):
    """Logits of two Gaussian classes N(±c, I) of x_0 at x_t, whose covariance stays I."""

    def __init__(self) -> None:
        super().__init__()
        self.centre = nn.Parameter(MEAN.clone())

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        alphas_bar = (1 - cosine_betas(1000)).cumprod(0)
        a = alphas_bar[t, None].sqrt() * self.centre
        return torch.stack([-(x - a).square().sum(1) / 2, -(x + a).square().sum(1) / 2], 1)


def by_hand(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    """∇ log p(y|x) = ±2 a (1 − p(y|x)), with log p(+)/p(−) = 2 aᵀx."""
    a = PROCESS.alphas_bar[torch.searchsorted(PROCESS.original_steps, t), None].sqrt() * MEAN
    sign = (1 - 2 * y.double())[:, None]
    wrong = torch.sigmoid(-sign * 2 * (a * x).sum(1, keepdim=True))
    return 2 * sign * a * wrong


def batch() -> tuple[Tensor, Tensor, Tensor]:
    """x, steps of the respaced process, and labels."""
    return points(20), torch.arange(20), torch.arange(20) % 2


class TestClassifierGradient:
    @pytest.mark.parametrize("scale", [1.0, 2.5, -1.0])
    def test_of_two_gaussian_classes(self, scale: float) -> None:
        x, t, y = batch()
        t = PROCESS.original(t)
        same(classifier_gradient(TwoClasses(), scale)(x, t, y), scale * by_hand(x, t, y), 1e-10)

    def test_an_item_does_not_depend_on_its_batch(self) -> None:
        x, t, y = batch()
        t = PROCESS.original(t)
        cond_fn = classifier_gradient(TwoClasses())
        same(cond_fn(x[3:4], t[3:4], y[3:4]), cond_fn(x, t, y)[3:4], 1e-12)

    @pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
    def test_where_gradients_are_off(self, mode: type) -> None:
        classifier = TwoClasses()
        with mode():
            x, t, y = batch()
            t = PROCESS.original(t)
            gradient = classifier_gradient(classifier)(x, t, y)
        same(gradient.clone(), by_hand(x, t, y).clone(), 1e-10)
        assert classifier.centre.grad is None and not gradient.requires_grad

    def test_leaves_x_alone(self) -> None:
        x, t, y = batch()
        x = x.requires_grad_()
        classifier_gradient(TwoClasses())(x, PROCESS.original(t), y)
        assert x.grad is None

    def test_scale_0_asks_nothing(self) -> None:
        def classifier(x: Tensor, t: Tensor) -> Tensor:
            raise AssertionError

        x, t, y = batch()
        assert torch.equal(classifier_gradient(classifier, 0)(x, t, y), torch.zeros_like(x))

    @pytest.mark.parametrize(
        ("labels", "message"),
        [
            (torch.tensor([0, 2]), "y lies in 0 … 2; the classifier has 2 classes"),
            (torch.tensor([0.0, 1.0]), "dtype torch.float32; expected integers"),
            (torch.tensor([0]), r"y has shape \(1,\)"),
        ],
    )
    def test_labels(self, labels: Tensor, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            classifier_gradient(TwoClasses())(points(2), torch.tensor([3, 4]), labels)

    def test_errors(self) -> None:
        with pytest.raises(ValueError, match="scale is inf; expected a number"):
            classifier_gradient(TwoClasses(), float("inf"))
        flat = classifier_gradient(lambda x, t: x.sum(1))
        with pytest.raises(ValueError, match=r"returned shape \(2,\).*expected logits \(2, class"):
            flat(points(2), torch.tensor([3, 4]), torch.tensor([0, 1]))


def exact_cond_fn(scale: float = 1.0) -> object:
    """s ∇ log p(seen | x_t) for Gaussian data seen through noise: a Gaussian classifier."""

    def cond_fn(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        a = PROCESS.alphas_bar[torch.searchsorted(PROCESS.original_steps, t)]
        assert torch.equal(y, batch()[2])
        return scale * Gaussian.full().log_seen_gradient(x, a, SEEN, SPREAD)

    return cond_fn


def predict(data: Gaussian | None = None, clip: bool = False) -> Prediction:
    model = ExactModel(data or Gaussian.full(), PROCESS)
    return p_mean_variance(PROCESS, model, *batch()[:2], clip_denoised=clip)


class TestConditionMean:
    def test_mean_plus_variance_times_gradient(self) -> None:
        x, t, y = batch()
        t = PROCESS.original(t)
        a = PROCESS.alphas_bar
        for scale in (1.0, 2.0):
            prediction = predict()
            guided = condition_mean(exact_cond_fn(scale), prediction, x, t, y)
            g = Gaussian.full().log_seen_gradient(x, a, SEEN, SPREAD)
            variance = PROCESS.betas * (1 - PROCESS.alphas_bar_prev) / (1 - a)
            same(guided - prediction.mean, scale * variance[:, None] * g, 1e-12)

    def test_is_nearly_the_conditional_mean_where_steps_are_small(self) -> None:
        # Exact guidance moves the mean by β/√α g; Σ g comes near it where Σ is near β.
        process = DiscreteDiffusion(cosine_betas(1000))
        data = Gaussian.full()
        x, t = points(1), torch.tensor([500])
        a, before = process.alphas_bar[t], process.alphas_bar_prev[t]
        prediction = p_mean_variance(process, ExactModel(data, process), x, t, False)
        guided = condition_mean(
            lambda x, t, y: data.log_seen_gradient(x, a, SEEN, SPREAD), prediction, x, t, t
        )
        wanted, _ = data.given(SEEN, SPREAD).previous(x, a, before)
        unguided = (prediction.mean - wanted).abs().max()
        assert (guided - wanted).abs().max() < 0.02 * unguided

    def test_a_zero_gradient_changes_no_bit(self) -> None:
        x, t, y = batch()
        prediction = predict(clip=True)
        guided = condition_mean(exact_cond_fn(0.0), prediction, x, PROCESS.original(t), y)
        assert torch.equal(guided, prediction.mean)


class TestConditionScore:
    def test_scale_1_is_the_exact_conditional_model(self) -> None:
        x, t, y = batch()
        guided = condition_score(PROCESS, exact_cond_fn(), predict(), x, t, y)
        conditional = predict(Gaussian.full().given(SEEN, SPREAD))
        same(guided.pred_xstart, conditional.pred_xstart)
        same(guided.mean, conditional.mean)
        assert torch.equal(guided.variance, conditional.variance)
        assert torch.equal(guided.log_variance, conditional.log_variance)

    def test_the_equation_for_the_noise(self) -> None:
        x, t, y = batch()
        a = PROCESS.alphas_bar[:, None]
        before = predict(clip=True)
        after = condition_score(PROCESS, exact_cond_fn(3.0), before, x, t, y)
        noises = [(x - a.sqrt() * p.pred_xstart) / (1 - a).sqrt() for p in (before, after)]
        g = Gaussian.full().log_seen_gradient(x, a[:, 0], SEEN, SPREAD)
        same(noises[1], noises[0] - (1 - a).sqrt() * 3 * g)

    def test_a_zero_gradient_changes_no_bit(self) -> None:
        x, t, y = batch()
        for clip in (True, False):
            prediction = predict(clip=clip)
            guided = condition_score(PROCESS, exact_cond_fn(0.0), prediction, x, t, y)
            assert all(map(torch.equal, guided, prediction))

    def test_doubling_the_scale_doubles_the_shift(self) -> None:
        x, t, y = batch()
        before = predict(clip=True)
        once, twice = (
            condition_score(PROCESS, exact_cond_fn(s), before, x, t, y) for s in (1.0, 2.0)
        )
        same(twice.mean - before.mean, 2 * (once.mean - before.mean), 1e-9)
        shift = once.pred_xstart - before.pred_xstart
        scale = shift.abs().max()
        same((twice.pred_xstart - before.pred_xstart) / scale, 2 * shift / scale, 1e-9)

    def test_cond_fn_is_told_original_steps_and_the_labels(self) -> None:
        told = []

        def cond_fn(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
            told.append((t.tolist(), y.tolist()))
            return torch.zeros_like(x)

        condition_score(PROCESS, cond_fn, predict(), *batch())
        assert told == [(PROCESS.original_steps.tolist(), batch()[2].tolist())]


class TestErrors:
    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (lambda x: x[:, :1], r"gradient has shape \(20, 1\); expected the shape of x"),
            (lambda x: None, "cond_fn returned NoneType; expected the gradient"),
        ],
    )
    def test_gradients(self, answer: object, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            condition_mean(lambda x, t, y: answer(x), predict(), *batch())
        with pytest.raises(ValueError, match=message):
            condition_score(PROCESS, lambda x, t, y: answer(x), predict(), *batch())

    def test_labels(self) -> None:
        x, t, y = batch()
        with pytest.raises(ValueError, match=r"y has shape \(19,\).*each of the 20 items"):
            condition_mean(exact_cond_fn(), predict(), x, t, y[1:])
        with pytest.raises(ValueError, match="expected integers"):
            condition_score(PROCESS, exact_cond_fn(), predict(), x, t, y.double())
