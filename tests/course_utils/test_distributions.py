"""Samples have the moments that were asked for, and bad parameters are named."""

import numpy as np
import pytest
import torch

from course_utils.distributions import GMM, IsotropicGaussian, LabeledSampleable, Sampleable

MEANS = [[-5.0, 0.0], [5.0, 1.0], [0.0, 8.0]]
MATRICES = [[[4.0, 1.0], [1.0, 0.5]], [[0.25, 0.0], [0.0, 9.0]], [[1.0, -0.5], [-0.5, 1.0]]]
WEIGHTS = [0.5, 0.3, 0.2]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def mixture() -> GMM:
    return GMM(MEANS, MATRICES, WEIGHTS)


class TestIsotropicGaussian:
    def test_std_is_a_standard_deviation(self) -> None:
        # std**2 would give 9, its root 1.7.
        x = IsotropicGaussian((2, 5, 5), std=3.0).sample(4000)
        assert x.shape == (4000, 2, 5, 5)
        assert x.std().item() == pytest.approx(3.0, rel=0.01)
        assert x.mean().item() == pytest.approx(0.0, abs=0.03)

    def test_samples_are_fresh_and_follow_the_dtype(self) -> None:
        gaussian = IsotropicGaussian([3])
        assert isinstance(gaussian, Sampleable)
        assert not torch.equal(gaussian.sample(2), gaussian.sample(2))
        assert gaussian.double().sample(2).dtype == torch.float64
        assert {b.device.type for b in gaussian.to("meta").buffers()} == {"meta"}

    @pytest.mark.parametrize("std", [0.0, -1.0, float("nan"), float("inf")])
    def test_std_must_be_positive(self, std: float) -> None:
        with pytest.raises(ValueError, match="positive standard deviation"):
            IsotropicGaussian((2,), std)

    def test_shape_must_be_positive(self) -> None:
        with pytest.raises(ValueError, match="sizes of at least 1"):
            IsotropicGaussian((2, 0))

    @pytest.mark.parametrize("n", [0, -3, True])
    def test_num_samples(self, n: int) -> None:
        for distribution in (IsotropicGaussian((2,)), mixture()):
            with pytest.raises(ValueError, match=f"num_samples is {n}; expected a whole number"):
                distribution.sample(n)


class TestGMM:
    def test_each_mode_has_its_mean_and_covariance(self) -> None:
        # Multiplying by the covariance instead of its root gives C C^T: 17 instead of 4.
        gmm = mixture()
        x, y = gmm.sample(60_000)
        assert isinstance(gmm, LabeledSampleable)
        assert x.shape == (60_000, 2) and x.dtype == torch.float32
        assert y.shape == (60_000,) and y.dtype == torch.int64
        for k in range(3):
            assert (y == k).float().mean().item() == pytest.approx(WEIGHTS[k], abs=0.01)
            torch.testing.assert_close(x[y == k].mean(0), torch.tensor(MEANS[k]), atol=0.1, rtol=0)
            torch.testing.assert_close(x[y == k].T.cov(), gmm.covariances[k], atol=0.05, rtol=0.05)

    def test_numbers_are_variances(self) -> None:
        gmm = GMM([[0.0], [10.0]], [4.0, 0.25], [0.5, 0.5])
        x = gmm.sample_given(torch.tensor([0] * 20_000 + [1] * 20_000))
        assert x[:20_000].std().item() == pytest.approx(2.0, rel=0.03)
        assert x[20_000:].std().item() == pytest.approx(0.5, rel=0.03)
        assert x[20_000:].mean().item() == pytest.approx(10.0, abs=0.03)

    def test_log_prob_matches_torch_distributions(self) -> None:
        gmm = GMM(*(torch.tensor(v, dtype=torch.float64) for v in (MEANS, MATRICES, WEIGHTS)))
        modes = torch.distributions.MultivariateNormal(gmm.means, gmm.covariances)
        picks = torch.distributions.Categorical(gmm.weights)
        x, y = gmm.sample(50)
        expected = torch.distributions.MixtureSameFamily(picks, modes).log_prob(x)
        torch.testing.assert_close(gmm.log_prob(x), expected)
        torch.testing.assert_close(
            gmm.log_prob(x, y), modes.log_prob(x[:, None])[torch.arange(50), y]
        )

    def test_samples_are_fresh(self) -> None:
        gmm = mixture()
        x, y = gmm.sample(100)
        x.zero_()
        y.fill_(3)
        x, y = gmm.sample(100)
        assert x.abs().sum() > 0 and int(y.max()) < 3
        torch.testing.assert_close(gmm.means, torch.tensor(MEANS))

    def test_parameters_are_copied(self) -> None:
        means = torch.tensor(MEANS)
        gmm = GMM(means, MATRICES, WEIGHTS)
        means.zero_()
        torch.testing.assert_close(gmm.means, torch.tensor(MEANS))

    def test_numpy_lists_and_tensors_are_taken_alike(self) -> None:
        rows = [torch.tensor(row) for row in MEANS]
        for means in (MEANS, np.array(MEANS), torch.tensor(MEANS), rows):
            gmm = GMM(means, np.array(MATRICES), np.array(WEIGHTS))
            assert gmm.means.dtype == torch.float32
            torch.testing.assert_close(gmm.means, torch.tensor(MEANS))
        assert (gmm.num_classes, gmm.dim) == (3, 2)
        assert GMM([[0], [1]], [1, 1], [0.5, 0.5]).sample(3)[0].dtype == torch.float32

    def test_buffers_move(self) -> None:
        gmm = mixture().double()
        assert gmm.sample(3)[0].dtype == torch.float64
        assert {b.device.type for b in mixture().to("meta").buffers()} == {"meta"}

    @pytest.mark.parametrize("weights", [[0.5, 0.3, 0.3], [1.2, -0.1, -0.1], [1.0, 0.0, 0.0]])
    def test_weights_must_be_a_distribution(self, weights: list[float]) -> None:
        with pytest.raises(ValueError, match=r"sum to 1\. Divide them by their sum"):
            GMM(MEANS, MATRICES, weights)

    @pytest.mark.parametrize(
        ("matrix", "message"),
        [
            ([[1.0, 0.5], [0.0, 1.0]], "mode 1 is not symmetric"),
            ([[1.0, 2.0], [2.0, 1.0]], "mode 1 is not positive definite"),
            ([[0.0, 0.0], [0.0, 1.0]], "mode 1 is not positive definite"),
            ([[float("nan"), 0.0], [0.0, 1.0]], "mode 1 is not"),
        ],
    )
    def test_covariances(self, matrix: list[list[float]], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            GMM(MEANS, [MATRICES[0], matrix, MATRICES[2]], WEIGHTS)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((MEANS, [1.0, 1.0], WEIGHTS), r"covariances have shape \(2,\)"),
            ((MEANS, MATRICES, [0.5, 0.5]), r"weights have shape \(2,\); expected \(3,\)"),
            (([0.0, 1.0], [1.0, 1.0], [0.5, 0.5]), r"expected \(modes, dimensions\)"),
        ],
    )
    def test_sizes_must_match(self, arguments: tuple, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            GMM(*arguments)

    def test_negative_variance(self) -> None:
        with pytest.raises(ValueError, match="mode 0 is not positive definite"):
            GMM(MEANS, [-1.0, 1.0, 1.0], WEIGHTS)

    def test_labels_out_of_range(self) -> None:
        for labels in ([0, 3], [-1, 2]):
            with pytest.raises(ValueError, match="3 modes, labelled 0 … 2"):
                mixture().sample_given(torch.tensor(labels))
