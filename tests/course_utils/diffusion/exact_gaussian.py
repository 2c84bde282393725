"""x_0 ~ N(m, C): every average that a network could learn, from the rules of joint Gaussians."""

from dataclasses import dataclass

import torch
from torch import Tensor

from course_utils.diffusion.process import DiscreteDiffusion

MEAN = torch.tensor([0.3, -0.2, 0.1], dtype=torch.float64)
SPREADS = torch.tensor([0.09, 0.4, 0.9], dtype=torch.float64)  # the eigenvalues of C


def rotation(seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    square = torch.randn(3, 3, dtype=torch.float64, generator=generator)
    return torch.linalg.qr(square).Q


@dataclass
class Gaussian:
    """The data, and the averages given x_t at steps with this ᾱ, `(b,)`."""

    mean: Tensor
    covariance: Tensor

    @classmethod
    def diagonal(cls) -> "Gaussian":
        return cls(MEAN, SPREADS.diag())

    @classmethod
    def full(cls) -> "Gaussian":
        q = rotation()
        return cls(MEAN, q @ SPREADS.diag() @ q.T)

    def marginal(self, alpha_bar: Tensor) -> tuple[Tensor, Tensor]:
        """Mean `(b, d)` and covariance `(b, d, d)` of x_t."""
        a = alpha_bar[:, None]
        eye = torch.eye(len(self.mean), dtype=torch.float64)
        return a.sqrt() * self.mean, a[..., None] * self.covariance + (1 - a[..., None]) * eye

    def whitened(self, x: Tensor, alpha_bar: Tensor) -> Tensor:
        """Cov(x_t)⁻¹ (x_t − E x_t)."""
        mean, covariance = self.marginal(alpha_bar)
        return torch.linalg.solve(covariance, (x - mean)[..., None])[..., 0]

    def noise(self, x: Tensor, alpha_bar: Tensor) -> Tensor:
        """E[ε | x_t]: the covariance of ε and x_t is √(1 − ᾱ) I."""
        return (1 - alpha_bar[:, None]).sqrt() * self.whitened(x, alpha_bar)

    def x_start(self, x: Tensor, alpha_bar: Tensor) -> Tensor:
        """E[x_0 | x_t]: the covariance of x_0 and x_t is √ᾱ C."""
        return self.mean + alpha_bar[:, None].sqrt() * self.whitened(x, alpha_bar) @ self.covariance

    def previous(self, x: Tensor, alpha_bar: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and covariance of x_{t−1} given x_t, where ᾱ_{t−1} is `before`."""
        mean, covariance = self.marginal(before)
        # x_t = √α x_{t−1} + noise with α = ᾱ_t / ᾱ_{t−1}
        root = (alpha_bar / before).sqrt()
        gain = root[:, None, None] * covariance @ torch.linalg.inv(self.marginal(alpha_bar)[1])
        shift = x - self.marginal(alpha_bar)[0]
        return (
            mean + (gain @ shift[..., None])[..., 0],
            covariance - gain @ (root[:, None, None] * covariance),
        )

    def given(self, seen: Tensor, spread: float) -> "Gaussian":
        """The data given that x_0 plus noise of variance `spread` was seen at `seen`."""
        eye = torch.eye(len(self.mean), dtype=torch.float64)
        covariance = torch.linalg.inv(torch.linalg.inv(self.covariance) + eye / spread)
        mean = covariance @ (torch.linalg.inv(self.covariance) @ self.mean + seen / spread)
        return Gaussian(mean, covariance)

    def log_seen_gradient(
        self, x: Tensor, alpha_bar: Tensor, seen: Tensor, spread: float
    ) -> Tensor:
        """∇_x log p(seen | x_t), where `seen` is x_0 plus noise of variance `spread`."""
        _, covariance = self.marginal(alpha_bar)
        eye = torch.eye(len(self.mean), dtype=torch.float64)
        cross = alpha_bar[:, None, None].sqrt() * self.covariance
        gain = cross @ torch.linalg.inv(covariance)  # dE[x_0|x_t] / dx_t
        rest = self.covariance - gain @ cross.mT + spread * eye
        away = (seen - self.x_start(x, alpha_bar))[..., None]
        return (gain.mT @ torch.linalg.solve(rest, away))[..., 0]


@dataclass
class ExactModel:
    """model(x, t) for one target; `t` are original steps, whose ᾱ stand in the whole process."""

    data: Gaussian
    process: DiscreteDiffusion
    target: str = "noise"
    learned: bool = False  # appends the v with which "learned_range" has the exact variance

    def __call__(self, x: Tensor, t: Tensor) -> Tensor:
        assert t.dtype == torch.int64 and t.shape == (len(x),)
        # The process under test gives ᾱ and ᾱ_{t−1} of its own steps; steps come as originals.
        own = torch.searchsorted(self.process.original_steps, t)
        assert torch.equal(self.process.original_steps[own], t)
        a = self.process.alphas_bar[own]
        before = torch.where(own > 0, self.process.alphas_bar[(own - 1).clamp(min=0)], 1.0)
        mean, covariance = self.data.previous(x, a, before)
        answers = {
            "noise": self.data.noise(x, a),
            "x_start": self.data.x_start(x, a),
            "previous_mean": mean,
        }
        answer = answers[self.target]
        if not self.learned:
            return answer
        beta = 1 - a / before
        small = beta * (1 - before) / (1 - a)
        first = self.process.alphas_bar[:2]
        second_small = (1 - first[1] / first[0]) * (1 - first[0]) / (1 - first[1])
        small = torch.where(own > 0, small, second_small)
        variance = covariance.diagonal(dim1=1, dim2=2)
        share = (variance / small[:, None]).log() / (beta / small).log()[:, None]
        return torch.cat([answer, 2 * share - 1], dim=1)


def points(b: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(b, 3, dtype=torch.float64, generator=generator)


def same(actual: Tensor, expected: Tensor, tolerance: float = 1e-6) -> None:
    assert actual.dtype == expected.dtype
    torch.testing.assert_close(actual, expected, atol=tolerance, rtol=0)
