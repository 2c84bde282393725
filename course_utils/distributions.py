"""Distributions that can be sampled, with or without labels."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor, nn

ArrayLike = Tensor | np.ndarray | Sequence


class Sampleable(ABC):
    """A distribution over tensors."""

    @abstractmethod
    def sample(self, num_samples: int) -> Float[Tensor, "n ..."]:
        """`num_samples` independent draws, in a fresh tensor."""


class LabeledSampleable(ABC):
    """A joint distribution over tensors and their class labels."""

    @abstractmethod
    def sample(self, num_samples: int) -> tuple[Float[Tensor, "n ..."], Int64[Tensor, "n"]]:
        """`num_samples` independent pairs (samples, labels), in fresh tensors."""


def check_num_samples(num_samples: Any) -> int:
    """`num_samples` as a Python int; ValueError unless it is a positive whole number."""
    # bool counts as an int in Python, but sample(True) is a slip.
    is_whole = isinstance(num_samples, int | np.integer) and not isinstance(num_samples, bool)
    number = int(num_samples) if is_whole else 0
    if number >= 1:
        return number
    raise ValueError(f"num_samples is {num_samples!r}; expected a whole number of at least 1.")


class IsotropicGaussian(nn.Module, Sampleable):
    """N(0, std² I) over tensors of one shape.

    Args:
        shape: shape of one sample, such as `(1, 32, 32)`.
        std: standard deviation of each element (not its square), above 0.

    Raises:
        ValueError: a size in `shape` is below 1, or `std` is not a positive number.
    """

    std: Tensor

    def __init__(self, shape: Sequence[int], std: float | int = 1.0) -> None:
        super().__init__()
        self.shape = tuple(int(size) for size in shape)
        if any(size < 1 for size in self.shape):
            raise ValueError(f"shape is {self.shape}; expected sizes of at least 1.")
        if not (math.isfinite(std) and std > 0):
            raise ValueError(f"std is {std}; expected a positive standard deviation.")
        # A buffer, so that .to(device) says where samples are drawn.
        self.register_buffer("std", torch.tensor(float(std)))

    def sample(self, num_samples: int) -> Float[Tensor, "n ..."]:
        """`(n, *shape)`, drawn on the device and in the dtype of this module.

        Raises:
            ValueError: `num_samples` is not a whole number of at least 1.
        """
        size = (check_num_samples(num_samples), *self.shape)
        return self.std * torch.randn(size, device=self.std.device, dtype=self.std.dtype)


class GMM(nn.Module, LabeledSampleable):
    """A mixture of k Gaussians in d dimensions; the label of a sample is its mode.

    p(x) = Σ_k weights[k] N(x; means[k], covariances[k])

    Args:
        means: `(k, d)`.
        covariances: `(k, d, d)`, symmetric and positive definite, or `(k,)` positive numbers c_k
            for the covariances c_k I. They are covariances: samples scale with their square root.
        weights: `(k,)` positive numbers that sum to 1 within 1e-5.

    Tensors, numpy arrays and nested lists are taken alike. A floating-point tensor of means
    decides the dtype; anything else gives torch's default dtype.

    Raises:
        ValueError: sizes that do not match, weights that are no distribution, or a covariance
            that is not symmetric and positive definite.
    """

    means: Tensor
    covariances: Tensor
    weights: Tensor
    scales: Tensor

    def __init__(self, means: ArrayLike, covariances: ArrayLike, weights: ArrayLike) -> None:
        super().__init__()
        dtype = torch.get_default_dtype()
        if isinstance(means, Tensor) and means.is_floating_point():
            dtype = means.dtype
        mu, cov, p = (_float64(value) for value in (means, covariances, weights))
        if mu.ndim != 2 or 0 in mu.shape:
            raise ValueError(f"means have shape {tuple(mu.shape)}; expected (modes, dimensions).")
        cov = _covariance_matrices(cov, *mu.shape)
        _check_weights(p, mu.shape[0])
        # Validated and factorised in float64: a nearly singular covariance survives float32.
        self.register_buffer("means", mu.to(dtype))
        self.register_buffer("covariances", cov.to(dtype))
        self.register_buffer("weights", p.to(dtype))
        self.register_buffer("scales", torch.linalg.cholesky(cov).to(dtype))

    @property
    def num_classes(self) -> int:
        """Number of modes, k."""
        return self.means.shape[0]

    @property
    def dim(self) -> int:
        """Dimensions of one sample, d."""
        return self.means.shape[1]

    def sample(self, num_samples: int) -> tuple[Float[Tensor, "n d"], Int64[Tensor, "n"]]:
        """Samples `(n, d)` and the mode that each came from, `(n,)` int64.

        Raises:
            ValueError: `num_samples` is not a whole number of at least 1.
        """
        n = check_num_samples(num_samples)
        labels = torch.multinomial(self.weights, n, replacement=True)
        return self.sample_given(labels), labels

    def sample_given(self, labels: Int[Tensor, "n"]) -> Float[Tensor, "n d"]:
        """One sample of p(x | mode) for each label: x = m_y + L_y ε with L_y L_yᵀ = C_y.

        Raises:
            ValueError: a label outside 0 … k - 1.
        """
        labels = self._checked_labels(labels)
        noise = torch.randn_like(self.means[labels])
        return self.means[labels] + torch.einsum("nij,nj->ni", self.scales[labels], noise)

    def log_prob(
        self, x: Float[Tensor, "n d"], y: Int[Tensor, "n"] | None = None
    ) -> Float[Tensor, "n"]:
        """log p(x), or log p(x | mode y) where labels are given.

        Raises:
            ValueError: `x` is not `(n, d)`, or a label lies outside 0 … k - 1.
        """
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise ValueError(f"x has shape {tuple(x.shape)}; expected (samples, {self.dim}).")
        centred = x[:, None] - self.means  # n k d
        whitened = torch.linalg.solve_triangular(
            self.scales, centred.permute(1, 2, 0), upper=False
        )  # k d n
        log_volume = self.scales.diagonal(dim1=1, dim2=2).log().sum(1)  # k
        constant = log_volume + 0.5 * self.dim * math.log(2 * math.pi)
        log_modes = -0.5 * whitened.square().sum(1).T - constant  # n k
        if y is None:
            return torch.logsumexp(log_modes + self.weights.log(), dim=1)
        return log_modes.gather(1, self._checked_labels(y)[:, None])[:, 0]

    def _checked_labels(self, labels: Tensor) -> Tensor:
        labels = labels.to(self.means.device, torch.int64)
        low, high = (int(bound) for bound in labels.aminmax()) if labels.numel() else (0, 0)
        if low < 0 or high >= self.num_classes:
            raise ValueError(
                f"labels lie in {low} … {high}; this mixture has "
                f"{self.num_classes} modes, labelled 0 … {self.num_classes - 1}. The null label "
                "stands for no mode: leave the labels out to get the whole mixture."
            )
        return labels


def _float64(value: ArrayLike) -> Tensor:
    """A detached float64 copy, on the CPU: not every accelerator has float64."""
    if isinstance(value, Tensor):
        return value.detach().cpu().to(torch.float64, copy=True)
    if isinstance(value, Sequence) and any(isinstance(item, Tensor) for item in value):
        return torch.stack([torch.as_tensor(item).detach().cpu().double() for item in value])
    return torch.tensor(np.asarray(value, dtype=np.float64))


def _check_weights(weights: Tensor, k: int) -> None:
    if tuple(weights.shape) != (k,):
        raise ValueError(
            f"weights have shape {tuple(weights.shape)}; expected ({k},), one for each of the "
            f"{k} means."
        )
    total = weights.sum().item()
    if not bool((weights > 0).all()) or not abs(total - 1) <= 1e-5:
        raise ValueError(
            f"weights are {weights.tolist()} with sum {total:.6g}; expected positive numbers that "
            "sum to 1. Divide them by their sum."
        )


def _covariance_matrices(cov: Tensor, k: int, d: int) -> Tensor:
    if tuple(cov.shape) == (k,):
        cov = cov[:, None, None] * torch.eye(d, dtype=cov.dtype)
    if tuple(cov.shape) != (k, d, d):
        raise ValueError(
            f"covariances have shape {tuple(cov.shape)}; with means of ({k}, {d}) expected one "
            f"number a mode, ({k},), or one matrix a mode, ({k}, {d}, {d})."
        )
    for mode, matrix in enumerate(cov):
        if not torch.allclose(matrix, matrix.T, rtol=1e-5, atol=1e-8):
            raise ValueError(
                f"the covariance of mode {mode} is not symmetric: {matrix.tolist()}. "
                "A covariance C satisfies C = Cᵀ; a factor L of it gives C = L Lᵀ."
            )
        if not bool(torch.linalg.eigvalsh(matrix).min() > 0):
            raise ValueError(
                f"the covariance of mode {mode} is not positive definite: {matrix.tolist()}. "
                "Expected all eigenvalues above 0; add a small number to its diagonal."
            )
    return (cov + cov.mT) / 2
