"""Exact velocities and scores, of a Gaussian mixture and of a finite data set.

Both oracles stand on two identities for a path x_t = α z + β ε with ε ~ N(0, I). The marginal
velocity is the average of the conditional ones (Lipman et al. 2023, "Flow matching for
generative modeling", theorem 1):

    u_t(x) = E[u_t(x | z) | x_t = x] = α̇ E[z | x_t = x] + β̇ E[ε | x_t = x],

and the score is ∇ log p_t(x) = -E[ε | x_t = x] / β (Tweedie's formula).
"""

import math
from abc import ABC, abstractmethod
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.distributions import GMM
from course_utils.evaluation.distances import to_float64
from course_utils.shapes import expand_batch, expand_time

# Below this β the empirical data set is a set of points rather than a density. It is the
# tolerance that schedules are granted at their end points.
SMALLEST_BETA = 1e-6

# Rows of x that an empirical oracle handles at a time: bounds rows x chunk intermediates.
_ROWS = 1024


@runtime_checkable
class Schedule(Protocol):
    """α or β: a function of time with its derivative, elementwise on tensors of any shape."""

    def __call__(self, t: Tensor, /) -> Tensor: ...

    def dt(self, t: Tensor, /) -> Tensor: ...


class _Point(NamedTuple):
    """A batch of points and times in working precision; the schedules are `(b, 1)`."""

    x: Tensor  # b d
    alpha: Tensor
    beta: Tensor
    alpha_dt: Tensor
    beta_dt: Tensor
    y: Tensor  # b


class _Oracle(ABC):
    """What both oracles share: labels, working precision, and the velocity from its averages.

    Everything is computed in float64 on the device of `x` (on the CPU for MPS, which has no
    float64) and handed back in the dtype and on the device of `x`.
    """

    def __init__(self, alpha: Schedule, beta: Schedule, num_classes: int) -> None:
        self.alpha = alpha
        self.beta = beta
        self.num_classes = num_classes

    @property
    def null_label(self) -> int:
        """The label that stands for "no label", `num_classes`: the marginal over all classes."""
        return self.num_classes

    def velocity(
        self,
        x: Float[Tensor, "b ..."],
        t: Tensor | float | int,
        y: Tensor | int | None = None,
    ) -> Float[Tensor, "b ..."]:
        """u_t(x | y) = α̇ E[z | x, y] + β̇ E[ε | x, y], in the shape of `x`.

        Args:
            x: points, `(b ...)`.
            t: times in [0, 1], in any shape that `time_batch` takes.
            y: labels `(b,)`, or one for all. The null label stands for the marginal velocity,
                and so does None, for the whole batch.

        Raises:
            ValueError: `x`, `t` or `y` do not fit, or a label or time is out of range.
        """
        point = self._point(x, t, y)
        mean_z, mean_eps = self._averages(point)
        return _like(point.alpha_dt * mean_z + point.beta_dt * mean_eps, x).reshape(x.shape)

    def guided_velocity(
        self,
        x: Float[Tensor, "b ..."],
        t: Tensor | float | int,
        y: Tensor | int,
        w: Tensor | float | int,
    ) -> Float[Tensor, "b ..."]:
        """ũ_t(x | y) = (1 - w) u_t(x) + w u_t(x | y), the classifier-free guided velocity.

        Ho & Salimans 2022, "Classifier-free diffusion guidance", equation 6, with their weight
        w' = w - 1 and for velocities. w = 0 ignores the label and w = 1 is the exact u_t(x | y).

        Args:
            w: guidance scale, one number or one for each sample.

        `x`, `t`, `y` and errors are those of `velocity`.
        """
        scale = expand_batch(w, x)
        return (1 - scale) * self.velocity(x, t) + scale * self.velocity(x, t, y)

    def posterior_mean(
        self,
        x: Float[Tensor, "b ..."],
        t: Tensor | float | int,
        y: Tensor | int | None = None,
    ) -> Float[Tensor, "b ..."]:
        """E[z | x_t = x, y], the best guess of the datum. Arguments as for `velocity`."""
        return _like(self._averages(self._point(x, t, y))[0], x).reshape(x.shape)

    @abstractmethod
    def _averages(self, point: _Point) -> tuple[Tensor, Tensor]:
        """E[z | x, y] and E[ε | x, y], both `(b, d)`."""

    def _point(self, x: Tensor, t: Tensor | float | int, y: Tensor | int | None) -> _Point:
        self._check_points(x)
        points = to_float64(x.reshape(x.shape[0], math.prod(x.shape[1:])))
        time = expand_time(t, points)
        alpha, beta = to_float64(self.alpha(time)), to_float64(self.beta(time))
        alpha_dt, beta_dt = to_float64(self.alpha.dt(time)), to_float64(self.beta.dt(time))
        labels = self._checked_labels(y, x.shape[0]).to(points.device)
        return _Point(points, alpha, beta, alpha_dt, beta_dt, labels)

    @abstractmethod
    def _check_points(self, x: Tensor) -> None:
        """ValueError unless samples of `x` have the shape of the data."""

    def _checked_labels(self, y: Tensor | int | None, b: int) -> Tensor:
        labels = torch.as_tensor(self.null_label if y is None else y)
        if labels.is_floating_point() or labels.ndim > 1 or labels.numel() not in (1, b):
            raise ValueError(
                f"y has shape {tuple(labels.shape)} and dtype {labels.dtype}; expected one int64 "
                f"label for each of the {b} samples, ({b},), or one for all."
            )
        low, high = (int(bound) for bound in labels.aminmax()) if labels.numel() else (0, 0)
        if low < 0 or high > self.null_label:
            raise ValueError(
                f"y lies in {low} … {high}; expected labels 0 … {self.num_classes - 1}, or the "
                f"null label {self.null_label} for the marginal."
            )
        return labels.to(torch.int64).expand(b)


class MixtureOracle(_Oracle):
    """Everything exact for Gaussian-mixture data under a Gaussian path.

    Given mode k, x_t ~ N(α m_k, S_k) with S_k = α² C_k + β² I, and Gaussian conditioning gives
    E[z | x, k] = m_k + α C_k S_k⁻¹ (x - α m_k) and E[ε | x, k] = β S_k⁻¹ (x - α m_k). Nothing is
    divided by β, so all of it is finite for every t in [0, 1] where the schedules' derivatives
    are. Differentiable in `x`.

    Args:
        gmm: the data, as it is now: later changes do not reach the oracle. The labels are its
            modes, and the null label is its number of modes.
        alpha, beta: the schedules.
    """

    def __init__(self, gmm: GMM, alpha: Schedule, beta: Schedule) -> None:
        super().__init__(alpha, beta, gmm.num_classes)
        self.dim = gmm.dim
        self._means = gmm.means.detach().cpu().to(torch.float64, copy=True)  # k d
        self._log_weights = gmm.weights.detach().cpu().double().log()  # k
        # C_k = Q_k diag(λ_k) Q_kᵀ turns every S_k into a diagonal, for all times at once.
        variances, axes = torch.linalg.eigh(gmm.covariances.detach().cpu().double())
        self._variances, self._axes = variances, axes  # k d, k d d

    def score(
        self,
        x: Float[Tensor, "b d"],
        t: Tensor | float | int,
        y: Tensor | int | None = None,
    ) -> Float[Tensor, "b d"]:
        """∇_x log p_t(x | y) = -Σ_k p(k | x, y) S_k⁻¹ (x - α m_k). Arguments as for `velocity`."""
        point = self._point(x, t, y)
        whitened, variances, mode_probs = self._modes(point)
        axes = self._axes.to(point.x)
        return _like(-torch.einsum("bk,kde,bke->bd", mode_probs, axes, whitened / variances), x)

    def posterior(self, x: Float[Tensor, "b d"], t: Tensor | float | int) -> Float[Tensor, "b k"]:
        """p(mode k | x_t = x), rows that sum to 1. Arguments as for `velocity`."""
        return _like(self._modes(self._point(x, t, None))[2], x)

    def log_prob(
        self,
        x: Float[Tensor, "b d"],
        t: Tensor | float | int,
        y: Tensor | int | None = None,
    ) -> Float[Tensor, "b"]:
        """log p_t(x | y), natural logarithm. Arguments as for `velocity`."""
        point = self._point(x, t, y)
        residuals, variances = self._residuals(point)
        log_joint = _log_normal(residuals, variances) + self._log_prior(point)
        return _like(torch.logsumexp(log_joint, dim=1), x)

    def _averages(self, point: _Point) -> tuple[Tensor, Tensor]:
        residuals, variances, mode_probs = self._modes(point)
        axes = self._axes.to(point.x)
        whitened = residuals / variances
        shrunk = torch.einsum("kde,bke->bkd", axes, self._variances.to(point.x) * whitened)
        mode_means = self._means.to(point.x) + point.alpha[..., None] * shrunk  # b k d
        mean_z = torch.einsum("bk,bkd->bd", mode_probs, mode_means)
        mean_eps = torch.einsum("bk,kde,bke->bd", mode_probs, axes, whitened)
        return mean_z, point.beta * mean_eps

    def _modes(self, point: _Point) -> tuple[Tensor, Tensor, Tensor]:
        """Residuals and variances along each mode's axes, `(b, k, d)`; p(k | x, y), `(b, k)`."""
        residuals, variances = self._residuals(point)
        log_joint = _log_normal(residuals, variances) + self._log_prior(point)
        return residuals, variances, torch.softmax(log_joint, dim=1)

    def _residuals(self, point: _Point) -> tuple[Tensor, Tensor]:
        alpha, beta = point.alpha[..., None], point.beta[..., None]  # b 1 1
        centred = point.x[:, None] - alpha * self._means.to(point.x)  # b k d
        residuals = torch.einsum("bkd,kde->bke", centred, self._axes.to(point.x))
        return residuals, alpha**2 * self._variances.to(point.x) + beta**2

    def _log_prior(self, point: _Point) -> Tensor:
        """log p(k | y): the weights for the null label, and all on mode y for the others."""
        modes = torch.arange(self.num_classes, device=point.x.device)
        label = point.y[:, None]
        is_mode = torch.where(modes == label, 0.0, -torch.inf).to(point.x)
        return torch.where(label == self.null_label, self._log_weights.to(point.x), is_mode)

    def _check_points(self, x: Tensor) -> None:
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise ValueError(
                f"x has shape {tuple(x.shape)}; expected (b, {self.dim}), as this mixture has "
                f"{self.dim} dimensions."
            )


class EmpiricalOracle(_Oracle):
    """Exact velocity and score when p_data is the data set itself, each datum equally likely.

    p(z_i | x_t = x) is a softmax over the data of -|x - α z_i|² / (2 β²), which gives
    E[z | x] = Σ_i p_i z_i and E[ε | x] = (x - α E[z | x]) / β.

    As β → 0 the softmax tends to the nearest datum, and the velocity to that of the conditional
    path to it. β itself divides, so times with β ≤ 1e-6 are refused. The weights are exact to
    1e-5 down to β = 1e-4 for images; a float32 `x` carries a rounding error of its own, which
    the velocity shows divided by β.

    Memory does not grow with the data: a few blocks of 1,024 x chunk float64 numbers, and one
    chunk of the data in float64. No gradients are recorded.

    Args:
        data: `(N ...)`, such as 60,000 images of 1 x 32 x 32. It is not copied. It may stay on
            the CPU, but each call then carries it to the device of `x`.
        alpha, beta: the schedules.
        labels: `(N,)` integers, for velocities given a label.
        num_classes: number of classes, which is also the null label; the largest label plus one
            unless given. Without labels it is 0.
        chunk: data handled at a time.

    Raises:
        ValueError: sizes that do not match, or labels out of range.
    """

    def __init__(
        self,
        data: Float[Tensor, "N ..."],
        alpha: Schedule,
        beta: Schedule,
        labels: Tensor | None = None,
        num_classes: int | None = None,
        chunk: int = 4096,
    ) -> None:
        if data.ndim < 2 or data.numel() == 0 or chunk < 1:
            raise ValueError(
                f"data has shape {tuple(data.shape)} and chunk is {chunk}; expected (N, ...) with "
                "at least one datum, and at least one datum a chunk."
            )
        if labels is None:
            labels, num_classes = torch.zeros(len(data), dtype=torch.int64), 0
        else:
            num_classes = _check_classes(labels, len(data), num_classes)
        super().__init__(alpha, beta, num_classes)
        self.data = data.detach()
        self.labels = labels.to(torch.int64)
        self.chunk = chunk

    def score(
        self,
        x: Float[Tensor, "b ..."],
        t: Tensor | float | int,
        y: Tensor | int | None = None,
    ) -> Float[Tensor, "b ..."]:
        """∇_x log p_t(x | y) = -(x - α E[z | x, y]) / β². Arguments as for `velocity`."""
        point = self._point(x, t, y)
        return _like(-self._averages(point)[1] / point.beta, x).reshape(x.shape)

    @torch.no_grad()
    def _averages(self, point: _Point) -> tuple[Tensor, Tensor]:
        smallest = float(point.beta.min()) if point.beta.numel() else 1.0
        if not smallest > SMALLEST_BETA:
            raise ValueError(
                f"β is {smallest:g} at one of the times; the empirical data set has a velocity "
                f"only where β > {SMALLEST_BETA:g}. Stop short of t = 1, such as at t = 0.999."
            )
        rows = [slice(i, i + _ROWS) for i in range(0, len(point.x), _ROWS)]
        means = [self._mean(_Point(*(field[row] for field in point))) for row in rows]
        mean_z = torch.cat(means) if means else point.x
        return mean_z, (point.x - point.alpha * mean_z) / point.beta

    def _mean(self, point: _Point) -> Tensor:
        """E[z | x, y], `(b, d)`: one pass over the data with a running softmax."""
        highest = torch.full_like(point.alpha, -torch.inf)  # b 1
        total = torch.zeros_like(point.alpha)
        weighted = torch.zeros_like(point.x)  # b d
        for start in range(0, len(self.data), self.chunk):
            z = to_float64(self.data[start : start + self.chunk].flatten(1), point.x.device)  # n d
            logits = self._logits(point, z, self.labels[start : start + self.chunk])  # b n
            raised = torch.maximum(highest, logits.amax(dim=1, keepdim=True))
            # A row may have met no datum of its class yet: -inf - (-inf) would be NaN.
            shift = torch.where(raised.isinf(), 0.0, raised)
            kept, weights = torch.exp(highest - shift), torch.exp(logits - shift)
            total = kept * total + weights.sum(dim=1, keepdim=True)
            weighted = kept * weighted + weights @ z
            highest = raised
        if bool((total == 0).any()):
            missing = sorted(set(point.y[total[:, 0] == 0].tolist()))
            raise ValueError(f"y asks for labels {missing}, but no datum has one of them.")
        return weighted / total

    def _logits(self, point: _Point, z: Tensor, labels: Tensor) -> Tensor:
        """log p(z_i | x, y) up to a constant: -|x - α z_i|² / (2 β²) without its |x|² term."""
        # Multiplied out so that it is a matrix product. The terms nearly cancel: only float64
        # leaves enough digits after the division by β².
        half_norms = 0.5 * z.square().sum(dim=1)  # n
        logits = (point.alpha * (point.x @ z.T) - point.alpha**2 * half_norms) / point.beta**2
        label = point.y[:, None]
        matches = (label == self.null_label) | (label == labels.to(label.device))
        return logits.masked_fill(~matches, -torch.inf)

    def _check_points(self, x: Tensor) -> None:
        if x.shape[1:] != self.data.shape[1:]:
            raise ValueError(
                f"x has shape {tuple(x.shape)}; expected (b, *{tuple(self.data.shape[1:])}), the "
                "shape of the data."
            )


def _check_classes(labels: Tensor, n: int, num_classes: int | None) -> int:
    """The number of classes, with the labels checked against it."""
    if labels.shape != (n,) or labels.is_floating_point():
        raise ValueError(
            f"labels have shape {tuple(labels.shape)} and dtype {labels.dtype}; expected one int64 "
            f"label for each of the {n} data, ({n},)."
        )
    low, high = (int(bound) for bound in labels.aminmax())
    num_classes = high + 1 if num_classes is None else num_classes
    if low < 0 or high >= num_classes:
        raise ValueError(
            f"labels lie in {low} … {high}; with num_classes = {num_classes} expected "
            f"0 … {num_classes - 1}."
        )
    return num_classes


def _log_normal(residuals: Tensor, variances: Tensor) -> Tensor:
    """log N of residuals along axes with these variances, summed over the last axis."""
    return -0.5 * (residuals.square() / variances + (2 * math.pi * variances).log()).sum(dim=-1)


def _like(value: Tensor, x: Tensor) -> Tensor:
    """`value` in the dtype and on the device of `x`."""
    # The dtype first: float64 cannot go to MPS.
    return value.to(x.dtype).to(x.device)
