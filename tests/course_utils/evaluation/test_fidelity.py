"""The scores against closed forms, scipy and brute force; their intervals against repetition."""

import dataclasses
import math

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor, nn

from course_utils import evaluation
from course_utils.evaluation import (
    DigitClassifier,
    Estimate,
    Reference,
    Scores,
    accuracy,
    classifier,
    diversity,
    fidelity,
    frechet_distance,
    score,
)


def gaussian(n: int, d: int, seed: int = 0, scale: float = 1.0, shift: float = 0.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(n, d, generator=generator, dtype=torch.float64) + shift


def labels(n: int, num_classes: int = 10) -> Tensor:
    return torch.arange(n) % num_classes


def of(features: Tensor, num_classes: int = 1) -> Reference:
    return Reference.of_features(features, labels(len(features), num_classes), "test", num_classes)


def exact(mean: Tensor, covariance: Tensor) -> Reference:
    return Reference(mean.double(), covariance.double(), torch.ones(1), 1000, "exact")


class TestEstimate:
    @pytest.mark.parametrize(
        ("estimate", "shown"),
        [
            (Estimate(0.981, 0.972, 0.989), "0.981 (0.972 to 0.989)"),
            (Estimate(9.4321, 9.0321, 9.8321), "9.4 (9.0 to 9.8)"),
            (Estimate(411.2, 399.1, 423.3), "411 (399 to 423)"),
            (Estimate(41123.0, 39900.0, 42300.0), "41123 (39900 to 42300)"),
            (Estimate(1.0, 0.9901, 1.0), "1.000 (0.990 to 1.000)"),
            (Estimate(0.5, 0.5, 0.5), "0.500 (0.500 to 0.500)"),
            (Estimate(0.5, 0.0, math.inf), "0.500 (0.000 to inf)"),
        ],
    )
    def test_shown_with_the_digits_that_it_warrants(self, estimate: Estimate, shown: str) -> None:
        assert str(estimate) == shown == f"{estimate}"

    def test_scores_are_one_sentence(self) -> None:
        one = Estimate(0.5, 0.4, 0.6)
        assert str(Scores(one, one, one)).count("0.50 (0.40 to 0.60)") == 3


class TestAccuracy:
    def test_against_the_published_formula(self) -> None:
        # 81 of 263: 0.2553 to 0.3662, the worked example of Newcombe 1998, table I.
        predicted = (torch.arange(263) < 81).long()
        estimate = accuracy(predicted, torch.ones(263, dtype=torch.long))
        assert estimate == pytest.approx((81 / 263, 0.2553, 0.3662), abs=5e-5)

    def test_stays_inside_0_and_1(self) -> None:
        y = labels(20)
        right, wrong = accuracy(y, y), accuracy(y, y + 1)
        # One end in closed form: z² / (n + z²).
        assert right == pytest.approx((1, 20 / (20 + fidelity.Z**2), 1))
        assert wrong == pytest.approx((0, 0, fidelity.Z**2 / (20 + fidelity.Z**2)))

    def test_errors(self) -> None:
        for predicted, wanted in [(labels(3), labels(4)), (labels(0), labels(0))]:
            with pytest.raises(ValueError, match="one label for each image"):
                accuracy(predicted, wanted)


class TestReference:
    def test_by_hand(self) -> None:
        features = torch.tensor([[0.0, 0.0], [3.0, 4.0], [1.0, 0.0], [1.0, 2.0], [1.0, 1.0]])
        reference = Reference.of_features(features, torch.tensor([0, 0, 1, 1, 1]), "hand", 2)
        assert reference.mean.tolist() == pytest.approx([1.2, 1.4])
        np.testing.assert_allclose(reference.covariance, np.cov(features.double().numpy().T))
        assert reference.spread.tolist() == pytest.approx([5, (2 + 1 + 1) / 3])
        assert reference.count == 5 and reference.source == "hand"
        assert reference.covariance.dtype == reference.spread.dtype == torch.float64

    def test_large_classes_are_measured_in_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        features = gaussian(100, 3)
        expected = torch.pdist(features).mean()
        monkeypatch.setattr(fidelity, "_ROWS", 7)
        assert of(features).spread.item() == pytest.approx(float(expected))

    def test_goes_through_tensors_and_back(self) -> None:
        before = of(gaussian(30, 4), 10)
        stored = before.tensors() | {"head.weight": torch.ones(2)}
        assert all(isinstance(tensor, Tensor) for tensor in stored.values())
        after = Reference.from_tensors(stored)
        for field in dataclasses.fields(Reference):
            ours, theirs = getattr(before, field.name), getattr(after, field.name)
            assert torch.equal(ours, theirs) if isinstance(ours, Tensor) else ours == theirs

    def test_errors(self) -> None:
        with pytest.raises(ValueError, match=r"classes \[0, 2\] have fewer than two"):
            Reference.of_features(gaussian(3, 2), torch.tensor([1, 1, 2]), "test", 3)
        with pytest.raises(ValueError, match=r"no reference\.mean, reference\.cov"):
            Reference.from_tensors({"mean": torch.ones(2)})


class TestFrechetDistance:
    def test_gaussians_in_closed_form(self) -> None:
        # Commuting covariances: the sum of (√λ - √λ')², and of the squared shifts.
        features = gaussian(40_000, 3) * torch.tensor([1.0, 2.0, 0.5]) + torch.tensor([0, 1.0, 0])
        real = exact(torch.zeros(3), torch.diag(torch.tensor([4.0, 4.0, 1.0])))
        estimate = frechet_distance(features, real)
        assert estimate.low < 1 + 1 + 0.25 < estimate.high
        assert estimate.value == pytest.approx(2.25, abs=0.05)

    @pytest.mark.parametrize("n", [4, 40])  # fewer samples than dimensions, and more
    def test_against_the_square_root_of_a_matrix(self, n: int) -> None:
        mix = gaussian(6, 6, seed=5)
        x, y = gaussian(n, 6, seed=1) @ mix, gaussian(50, 6, seed=2, scale=2, shift=1)
        root = scipy.linalg.sqrtm(torch.cov(x.T).numpy() @ torch.cov(y.T).numpy())
        expected = (
            (x.mean(0) - y.mean(0)).square().sum()
            + torch.cov(x.T).trace()
            + torch.cov(y.T).trace()
            - 2 * np.trace(root).real
        )
        assert frechet_distance(x, of(y)).value == pytest.approx(float(expected), rel=1e-5)

    @pytest.mark.parametrize("n", [5, 300])
    def test_zero_to_itself_and_never_negative(self, n: int) -> None:
        x = gaussian(n, 8)
        estimate = frechet_distance(x, of(x))
        assert 0 <= estimate.low <= estimate.value < 1e-10

    def test_symmetric_and_blind_to_order_and_units(self) -> None:
        x, y = gaussian(60, 5, 1), gaussian(80, 5, 2, scale=3, shift=-1)
        there = frechet_distance(x, of(y))
        assert frechet_distance(y, of(x)).value == pytest.approx(there.value)
        assert frechet_distance(x.flip(0), of(y.flip(0))) == pytest.approx(there)
        assert frechet_distance(10 * x, of(10 * y)) == pytest.approx([100 * v for v in there])
        turn, _ = torch.linalg.qr(gaussian(5, 5))
        assert frechet_distance(x @ turn, of(y @ turn)) == pytest.approx(there)

    def test_equal_features_have_no_variance(self) -> None:
        estimate = frechet_distance(torch.ones(10, 3), exact(torch.zeros(3), torch.eye(3)))
        assert estimate == pytest.approx((6, 6, 6))

    @pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (1.3, 0.0), (1.0, 0.5), (0.3, 2.0)])
    def test_the_interval_holds_the_expected_value(self, scale: float, shift: float) -> None:
        real = exact(torch.zeros(6), torch.eye(6))
        sets = [gaussian(200, 6, seed, scale, shift) for seed in range(200)]
        estimates = [frechet_distance(x, real) for x in sets]
        expected = sum(e.value for e in estimates) / 200
        hits = sum(e.low <= expected <= e.high for e in estimates)
        # Where both agree the first derivative vanishes, and the interval is wider than need be.
        assert hits >= 180 and (hits <= 198 or shift == 0)

    def test_the_interval_is_that_of_leaving_each_sample_out(self) -> None:
        x, real = gaussian(150, 4, scale=1.5, shift=0.3), of(gaussian(90, 4, 3))
        kept = ~torch.eye(150, dtype=torch.bool)
        values = torch.tensor([frechet_distance(x[rows], real).value for rows in kept])
        error = (149 / 150 * (values - values.mean()).square().sum()).sqrt().item()
        estimate = frechet_distance(x, real)
        assert (estimate.high - estimate.value) / fidelity.Z == pytest.approx(error, rel=0.03)

    def test_the_bias_of_few_samples_is_the_one_stated(self) -> None:
        real, n, d = exact(torch.zeros(8), torch.eye(8)), 400, 8
        values = [frechet_distance(gaussian(n, d, seed), real).value for seed in range(50)]
        assert sum(values) / 50 == pytest.approx(d * (d + 5) / (4 * n), rel=0.1)

    def test_the_device_and_precision_of_features_do_not_matter(self) -> None:
        x = gaussian(50, 3).float().requires_grad_()
        expected = frechet_distance(x.detach().double(), of(gaussian(50, 3, 1)))
        assert frechet_distance(x, of(gaussian(50, 3, 1))) == pytest.approx(expected)

    @pytest.mark.parametrize(
        ("features", "message"),
        [
            (torch.ones(1, 3), r"shape \(1, 3\); expected \(n, d\)"),
            (torch.ones(4), r"shape \(4,\)"),
            (torch.ones(4, 2), "2 dimensions and the reference 3"),
            (torch.tensor([[1.0, 2, 3], [math.nan, 0, 0]]), "1 of 2 images are infinite or NaN"),
            (torch.tensor([[1.0, 2, 3], [math.inf, 0, 0]]), "may have diverged"),
        ],
    )
    def test_errors(self, features: Tensor, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            frechet_distance(features, exact(torch.zeros(3), torch.eye(3)))


class TestDiversity:
    def test_real_images_are_as_diverse_as_themselves(self) -> None:
        x, y = gaussian(60, 4), labels(60)
        estimate = diversity(x, y, Reference.of_features(x, y, "test"))
        assert estimate.value == pytest.approx(1) and estimate.low < 1 < estimate.high

    def test_half_as_wide_is_half_as_diverse_wherever_it_lies(self) -> None:
        x, y = gaussian(60, 4), labels(60)
        real = Reference.of_features(x, y, "test")
        assert diversity(x / 2 + y[:, None], y, real).value == pytest.approx(0.5)
        assert diversity(x[y * 0], y, real) == pytest.approx((0, 0, 0), abs=1e-6)

    def test_every_class_counts_the_same(self) -> None:
        # Two images 3 apart and three images 1, 1 and 2 apart, in classes with spread 2 and 1.
        x = torch.tensor([[0.0], [3.0], [0.0], [1.0], [2.0]])
        real = Reference(torch.zeros(1), torch.eye(1), torch.tensor([2.0, 1.0, 7.0]), 9, "test")
        estimate = diversity(x, torch.tensor([0, 0, 1, 1, 1]), real)
        assert estimate.value == pytest.approx((3 / 2 + 4 / 3) / 2)

    def test_a_class_with_one_image_is_left_out(self) -> None:
        x, y = gaussian(61, 4), torch.cat([labels(60, 5), torch.tensor([7])])
        real = Reference.of_features(gaussian(60, 4, 1), labels(60), "test")
        assert diversity(x, y, real) == diversity(x[:60], y[:60], real)

    def test_the_interval_holds_the_expected_value(self) -> None:
        real = Reference.of_features(gaussian(4000, 3), labels(4000, 2), "test", 2)
        estimates = [diversity(gaussian(60, 3, s), labels(60, 2), real) for s in range(1, 201)]
        expected = sum(e.value for e in estimates) / 200
        assert 178 <= sum(e.low <= expected <= e.high for e in estimates) <= 199

    def test_two_images_of_a_class_tell_little(self) -> None:
        real = Reference.of_features(gaussian(60, 3), labels(60), "test")
        estimate = diversity(gaussian(20, 3, 1), labels(20), real)
        assert estimate.high - estimate.value > 0.5

    @pytest.mark.parametrize(
        ("y", "message"),
        [
            (torch.arange(5), "none of the 10 classes has two of the 5 images"),
            (torch.tensor([0, 0, 0, 1, 10]), r"labels lie in 0 … 10; expected 0 … 9. Images of th"),
            (torch.tensor([0, 0, 0, 1, -1]), r"labels lie in -1 … 1"),
            (torch.zeros(4, dtype=torch.long), r"labels have shape \(4,\)"),
            (torch.zeros(5), "dtype torch.float32"),
        ],
    )
    def test_errors(self, y: Tensor, message: str) -> None:
        real = Reference.of_features(gaussian(60, 3), labels(60), "test")
        with pytest.raises(ValueError, match=message):
            diversity(gaussian(5, 3), y, real)


class Judge(DigitClassifier):
    """Reads a digit off the first pixel, in tenths; the features are the first two pixels."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.weight = nn.Parameter(torch.ones(1))
        self.batches: list[int] = []

    def features(self, images: Tensor) -> Tensor:
        self.batches.append(len(images))
        return images[:, 0, 0, :2] * self.weight

    def classify(self, features: Tensor) -> Tensor:
        digits = torch.arange(10, device=features.device)
        return -(features[:, :1] * 10 - digits).square()


def images_of(y: Tensor) -> Tensor:
    images = gaussian(len(y), 32 * 32).float().reshape(-1, 1, 32, 32)
    images[:, 0, 0, 0] = y / 10
    return images


class TestScore:
    real = Reference.of_features(gaussian(60, 2), labels(60), "test")

    def test_puts_the_three_together(self) -> None:
        y, judge = labels(50), Judge()
        x = images_of(y)
        x[:5, 0, 0, 0] = 1.0  # read as 9
        scores = score(x, y, self.real, judge, batch_size=20)
        assert judge.batches == [20, 20, 10]
        assert scores.accuracy == accuracy(torch.cat([torch.full((5,), 9), y[5:]]), y)
        features = judge.features(x.clamp(-1, 1))
        assert scores.frechet == frechet_distance(features, self.real)
        assert scores.diversity == diversity(features, y, self.real)

    def test_what_is_brighter_than_white_is_white(self) -> None:
        x, y = images_of(labels(30)), labels(30)
        x[:, 0, 0, 1] = 1.0
        brighter = x.clone()
        brighter[:, 0, 0, 1] = 7.0
        assert score(x, y, self.real, Judge()) == score(brighter, y, self.real, Judge())

    def test_errors(self) -> None:
        x, y = images_of(labels(30)), labels(30)
        with pytest.raises(ValueError, match=r"expected \(n, 1, 32, 32\)"):
            score(x[:, 0], y, self.real, Judge())
        with pytest.raises(ValueError, match=r"leave them out with images\[labels < 10\]"):
            score(x, y + 1, self.real, Judge())
        x[3] = math.nan
        with pytest.raises(ValueError, match="1 of 30 images are infinite or NaN"):
            score(x, y, self.real, Judge())


class TestStoredReferences:
    def test_an_unknown_source(self) -> None:
        with pytest.raises(ValueError, match="source is 'cifar'; expected"):
            evaluation.reference("cifar")

    def test_digits_are_described_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        calls = []

        def described(images: Tensor) -> tuple[Tensor, Tensor]:
            calls.append(len(images))
            return images[:, 0, 16, ::8], torch.zeros(len(images))

        fidelity.reference.cache_clear()
        monkeypatch.setattr(classifier, "describe", described)
        try:
            first = evaluation.reference("digits")
            assert evaluation.reference("digits") is first
        finally:
            fidelity.reference.cache_clear()
        assert calls == [1797] and first.count == 1797 and first.source == "digits"
