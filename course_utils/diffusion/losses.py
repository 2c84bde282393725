"""What a network is trained on, the variational bound, and the choice of steps to train at."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.diffusion.prediction import (
    Model,
    Prediction,
    Target,
    Variance,
    call_model,
    check_choices,
    p_mean_variance,
)
from course_utils.diffusion.process import (
    DiscreteDiffusion,
    q_mean_variance,
    q_posterior_mean_variance,
    q_sample,
)

# iDDPM, section 3.1: λ, the share of the variational bound in the hybrid loss.
_BOUND_SHARE = 0.001

# Half the distance of neighbouring bytes in [-1, 1], and the least probability of one.
_HALF_BYTE = 1 / 255
_LEAST_PROBABILITY = 1e-12


def training_losses(
    process: DiscreteDiffusion,
    model: Model,
    x_start: Float[Tensor, "b ..."],
    t: Tensor,
    noise: Tensor | None = None,
    target: Target | str = "noise",
    variance: Variance | str = "fixed_small",
    generator: torch.Generator | None = None,
) -> Float[Tensor, "b"]:
    """The loss of each item: mean squared error of the model's output against its target.

    DDPM, equation 14, for the noise. "learned_range" adds 0.001 · `num_steps` times the item's term
    of the variational bound, in bits per dimension, so that the mean over uniform steps is that
    of L_simple + 0.001 L_vlb (iDDPM, equation 16); there the mean is taken as given, and the bound
    trains the variance alone.

    Args:
        model: called as `model(x_t, t)` with `t` in the numbers of the whole process.
        x_start: data, `b ...`, in about [-1, 1].
        t: steps of `process`, integers `(b,)`; see :class:`UniformSteps`.
        noise: ε in the shape of `x_start`; drawn with `generator` by default.
        target, variance: see :func:`prediction.p_mean_variance`.

    Returns:
        `(b,)`, with gradients. Train on its mean, weighted where the steps come with weights.

    Raises:
        ValueError: whatever :func:`prediction.p_mean_variance` and :func:`process.q_sample` refuse.
    """
    check_choices(target, variance)
    noise = _noise_like(x_start, generator) if noise is None else noise
    x_t = q_sample(process, x_start, t, noise)
    output = call_model(process, model, x_t, t, variance)
    wanted = _wanted(process, x_start, x_t, t, noise, target)
    if variance != "learned_range":
        return _mean((output - wanted).square())
    guess, fraction = output.chunk(2, dim=1)
    frozen = torch.cat([guess.detach(), fraction], dim=1)
    prediction = p_mean_variance(process, lambda x, t: frozen, x_t, t, False, target, variance)
    bound = _bound_term(process, prediction, x_start, x_t, t)
    return _mean((guess - wanted).square()) + _BOUND_SHARE * process.num_steps * bound


def variational_bound_term(
    process: DiscreteDiffusion,
    model: Model,
    x_start: Float[Tensor, "b ..."],
    x_t: Float[Tensor, "b ..."],
    t: Tensor,
    clip_denoised: bool = True,
    target: Target | str = "noise",
    variance: Variance | str = "fixed_small",
) -> Float[Tensor, "b"]:
    """L_t of each item in bits per dimension (DDPM, equations 5 and 13).

    KL(q(x_{t−1} | x_t, x_0) ‖ p(x_{t−1} | x_t)), and at step 0 −log p(x_0 | x_1), the probability
    of bytes in [-1, 1]; see :func:`discretized_log_likelihood`.

    Args:
        x_t: `x_start` at the steps `t`, in its shape.

    Other arguments and errors are those of :func:`prediction.p_mean_variance`.
    """
    prediction = p_mean_variance(process, model, x_t, t, clip_denoised, target, variance)
    return _bound_term(process, prediction, x_start, x_t, t)


@torch.no_grad()
def variational_bound(
    process: DiscreteDiffusion,
    model: Model,
    x_start: Float[Tensor, "b ..."],
    clip_denoised: bool = True,
    target: Target | str = "noise",
    variance: Variance | str = "fixed_small",
    generator: torch.Generator | None = None,
) -> Float[Tensor, "b"]:
    """The bound on −log p(x_0) of each item in bits per dimension, the sum of L_0 … L_T.

    One x_t is drawn for each step, so it is an estimate; it calls the model once a step, without
    gradients. Arguments and errors are those of :func:`variational_bound_term`.
    """
    total = prior_term(process, x_start)
    for step in range(process.num_steps):
        t = torch.full((len(x_start),), step, device=x_start.device)
        x_t = q_sample(process, x_start, t, _noise_like(x_start, generator))
        total = total + variational_bound_term(
            process, model, x_start, x_t, t, clip_denoised, target, variance
        )
    return total


def prior_term(process: DiscreteDiffusion, x_start: Float[Tensor, "b ..."]) -> Float[Tensor, "b"]:
    """L_T = KL(q(x_T | x_0) ‖ N(0, I)) of each item in bits per dimension (DDPM, equation 5).

    No network can change it. It is small where the process ends in noise.
    """
    t = torch.full((len(x_start),), process.num_steps - 1, device=x_start.device)
    q = q_mean_variance(process, x_start, t)
    zeros = torch.zeros_like(x_start)
    return _mean(_kl(q.mean, q.log_variance, zeros, zeros)) / math.log(2)


def discretized_log_likelihood(
    x: Float[Tensor, "..."], mean: Float[Tensor, "..."], log_variance: Float[Tensor, "..."]
) -> Float[Tensor, "..."]:
    """log of the probability that a Gaussian gives the byte at `x` (DDPM, equation 13).

    Args:
        x: bytes scaled to [-1, 1], k / 127.5 − 1. Each stands for the interval of ±1/255 around
            it, and the outermost ones for everything beyond too.
        mean, log_variance: of the Gaussian, in the shape of `x`.

    Returns:
        Nats, in the shape of `x`; the probability counts as 1e-12 at least.
    """
    precision = (-log_variance / 2).exp()
    centred = x - mean
    # In the lower tail: an upper one would be lost in the rounding of 1.
    upper = _below((_HALF_BYTE - centred.abs()) * precision)
    lower = _below((-_HALF_BYTE - centred.abs()) * precision)
    first = _below((centred + _HALF_BYTE) * precision)
    last = _below((_HALF_BYTE - centred) * precision)
    # A little room for the rounding of k / 127.5 − 1 in float32.
    p = torch.where(x > 1 - _HALF_BYTE / 2, last, upper - lower)
    p = torch.where(x < -1 + _HALF_BYTE / 2, first, p)
    return p.clamp(min=_LEAST_PROBABILITY).log()


class Draw(NamedTuple):
    """Steps to train at, int64 `(b,)`, and the weights `(b,)` that keep the mean loss unbiased."""

    t: Tensor
    weights: Tensor


class UniformSteps:
    """Each step as likely as any other, with weights of 1 (DDPM, algorithm 1).

    Args:
        num_steps: of the process.

    Raises:
        ValueError: `num_steps` is below 1.
    """

    def __init__(self, num_steps: int) -> None:
        if num_steps < 1:
            raise ValueError(f"num_steps is {num_steps}; expected at least 1.")
        self.num_steps = num_steps

    def probabilities(self) -> Float[Tensor, "steps"]:
        """How likely each step is, float64 `(num_steps,)` with sum 1."""
        return torch.full((self.num_steps,), 1 / self.num_steps, dtype=torch.float64)

    def sample(
        self,
        b: int,
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> Draw:
        """`b` independent steps, and weights 1 / (`num_steps` p_t), on `device`.

        Args:
            generator: drawn with it, on the CPU; torch's global one by default.

        Raises:
            ValueError: `b` is below 1.
        """
        if b < 1:
            raise ValueError(f"b is {b}; expected at least one step to draw.")
        p = self.probabilities()
        t = torch.multinomial(p, b, replacement=True, generator=generator)
        weights = (1 / (self.num_steps * p[t])).float()
        return Draw(t.to(device), weights.to(device))

    def update(self, t: Tensor, losses: Tensor) -> None:
        """Tell the losses of steps; uniform ones do not depend on them."""


class LossAwareSteps(UniformSteps):
    """p_t ∝ √E[L_t²], so that the weighted loss varies least (iDDPM, equation 18).

    The mean square is over the last losses of each step. Until every step has had that many, all
    steps are equally likely.

    Args:
        num_steps: of the process.
        history: how many losses of each step to keep.
        uniform_share: share of the draws that stays uniform, so that no step is forgotten.

    Raises:
        ValueError: `num_steps` or `history` is below 1, or the share lies outside [0, 1].
    """

    def __init__(
        self, num_steps: int, history: int = 10, uniform_share: float | int = 0.001
    ) -> None:
        super().__init__(num_steps)
        if history < 1 or not 0 <= uniform_share <= 1:
            raise ValueError(
                f"history is {history} and uniform_share {uniform_share}; expected at least 1 loss "
                "of each step and a share in [0, 1]."
            )
        self.history = history
        self.uniform_share = uniform_share
        self._losses = torch.zeros(num_steps, history, dtype=torch.float64)
        self._seen = torch.zeros(num_steps, dtype=torch.int64)

    def probabilities(self) -> Float[Tensor, "steps"]:
        """How likely each step is, float64 `(num_steps,)` with sum 1."""
        uniform = super().probabilities()
        if bool((self._seen < self.history).any()):
            return uniform
        size = self._losses.square().mean(1).sqrt()
        # Losses that are all 0 prefer no step.
        size = size / size.sum() if float(size.sum()) > 0 else uniform
        return (1 - self.uniform_share) * size + self.uniform_share * uniform

    def update(self, t: Tensor, losses: Tensor) -> None:
        """Remember the loss of each step in a batch, unweighted.

        Args:
            t: steps `(b,)`, as they were drawn.
            losses: `(b,)`, such as from :func:`training_losses`.

        Raises:
            ValueError: shapes differ, a step is out of range, or a loss is not finite.
        """
        if t.shape != losses.shape or t.ndim != 1:
            raise ValueError(
                f"t has shape {tuple(t.shape)} and losses {tuple(losses.shape)}; expected (b,) for "
                "both: the loss of each item, and not their mean."
            )
        steps: Sequence[int] = t.tolist()
        values: Sequence[float] = losses.detach().tolist()
        if any(not 0 <= step < self.num_steps for step in steps):
            raise ValueError(f"t holds {steps}; expected steps 0 … {self.num_steps - 1}.")
        if not all(map(math.isfinite, values)):
            raise ValueError(f"losses are {values}; expected finite numbers.")
        for step, value in zip(steps, values, strict=True):
            # The oldest one makes place.
            self._losses[step, int(self._seen[step]) % self.history] = value
            self._seen[step] += 1


def _bound_term(
    process: DiscreteDiffusion, prediction: Prediction, x_start: Tensor, x_t: Tensor, t: Tensor
) -> Tensor:
    q = q_posterior_mean_variance(process, x_start, x_t, t)
    kl = _mean(_kl(q.mean, q.log_variance, prediction.mean, prediction.log_variance))
    decoder = discretized_log_likelihood(x_start, prediction.mean, prediction.log_variance)
    return torch.where((t == 0).to(x_t.device), -_mean(decoder), kl) / math.log(2)


def _below(z: Tensor) -> Tensor:
    """Probability of N(0, 1) below z; torch.special.ndtr would be 0 where float32 has 1e-9."""
    return torch.special.erfc(-z / math.sqrt(2)) / 2


def _kl(mean: Tensor, log_variance: Tensor, mean_2: Tensor, log_variance_2: Tensor) -> Tensor:
    """KL(N(mean, variance) ‖ N(mean_2, variance_2)) of each element, in nats."""
    ratio = (log_variance - log_variance_2).exp()
    distance = (mean - mean_2).square() * (-log_variance_2).exp()
    return (ratio - 1 + log_variance_2 - log_variance + distance) / 2


def _wanted(
    process: DiscreteDiffusion,
    x_start: Tensor,
    x_t: Tensor,
    t: Tensor,
    noise: Tensor,
    target: str,
) -> Tensor:
    if target == "previous_mean":
        return q_posterior_mean_variance(process, x_start, x_t, t).mean
    return noise if target == "noise" else x_start


def _mean(values: Tensor) -> Tensor:
    """The mean over all axes but the batch, `(b,)`."""
    return values.reshape(len(values), -1).mean(1)


def _noise_like(x: Tensor, generator: torch.Generator | None) -> Tensor:
    where = x.device if generator is None else generator.device
    return torch.randn(x.shape, generator=generator, device=where, dtype=x.dtype).to(x.device)
