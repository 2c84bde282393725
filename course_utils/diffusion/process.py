"""The forward process, which adds noise in T steps, and its posterior: all in closed form."""

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from course_utils.diffusion.schedules import spaced


class Moments(NamedTuple):
    """A Gaussian with independent elements; each field has the shape of x."""

    mean: Tensor
    variance: Tensor
    log_variance: Tensor


class DiscreteDiffusion:
    """q(x_t | x_{t−1}) = N(√(1 − β_t) x_{t−1}, β_t I) for t = 0 … T − 1 (DDPM, equation 2).

    Args:
        betas: β_t, `(T,)`, each in (0, 1): a tensor or numbers.
        kept: which steps of it this process takes, increasing; all of them by default. Its own β_t
            = 1 − ᾱ_t / ᾱ_{t−1} follow from the ᾱ of the kept steps (iDDPM, section 4), so its
            x_t are distributed as those of the whole process at the same original step.

    Every table is float64 `(num_steps,)` on the CPU; :meth:`at` looks up in it. Functions number
    the steps of this process; a model is told their numbers in the whole one, `original_steps`.

    Raises:
        ValueError: the betas or the kept steps are none.
    """

    def __init__(self, betas: Tensor | Sequence[float], kept: Sequence[int] | None = None) -> None:
        self._whole_betas = _checked_betas(betas)
        alphas_bar = (1 - self._whole_betas).cumprod(0)
        steps = list(range(len(alphas_bar))) if kept is None else _checked_kept(kept, alphas_bar)
        self.original_steps = torch.tensor(steps)
        self.alphas_bar = alphas_bar[self.original_steps]
        self.alphas_bar_prev = torch.cat([torch.ones_like(alphas_bar[:1]), self.alphas_bar[:-1]])
        every = len(steps) == len(alphas_bar)
        # Where all are kept, the given numbers rather than their rounded quotients.
        self.betas = self._whole_betas if every else 1 - self.alphas_bar / self.alphas_bar_prev
        self._copies: dict[tuple[str, torch.dtype, torch.device], Tensor] = {}

    @property
    def num_steps(self) -> int:
        """How many steps this process has, T or fewer."""
        return len(self.betas)

    @cached_property
    def posterior_variance(self) -> Float64[Tensor, "steps"]:
        """β̃_t = β_t (1 − ᾱ_{t−1}) / (1 − ᾱ_t) (DDPM, equation 7); 0 at step 0."""
        return self.betas * (1 - self.alphas_bar_prev) / (1 - self.alphas_bar)

    @cached_property
    def posterior_log_variance(self) -> Float64[Tensor, "steps"]:
        """log β̃_t, with the value of step 1 at step 0, where β̃ is 0."""
        first = self.posterior_variance[1:2] if self.num_steps > 1 else self.betas
        return torch.cat([first, self.posterior_variance[1:]]).log()

    @cached_property
    def sqrt_alphas_bar(self) -> Float64[Tensor, "steps"]:
        """√ᾱ_t, what is left of x_0."""
        return self.alphas_bar.sqrt()

    @cached_property
    def sqrt_noise(self) -> Float64[Tensor, "steps"]:
        """√(1 − ᾱ_t), the standard deviation of the noise in x_t."""
        return (1 - self.alphas_bar).sqrt()

    @cached_property
    def x_start_weight(self) -> Float64[Tensor, "steps"]:
        """√ᾱ_{t−1} β_t / (1 − ᾱ_t), the weight of x_0 in the posterior's mean."""
        return self.alphas_bar_prev.sqrt() * self.betas / (1 - self.alphas_bar)

    @cached_property
    def x_t_weight(self) -> Float64[Tensor, "steps"]:
        """√(1 − β_t) (1 − ᾱ_{t−1}) / (1 − ᾱ_t), the weight of x_t in the posterior's mean."""
        return (1 - self.betas).sqrt() * (1 - self.alphas_bar_prev) / (1 - self.alphas_bar)

    def respaced(self, count: int) -> "DiscreteDiffusion":
        """A process of `count` of these steps, evenly spaced, the first and the last among them.

        Raises:
            ValueError: `count` is not 1 … `num_steps`.
        """
        kept = [int(self.original_steps[i]) for i in spaced(self.num_steps, count)]
        return DiscreteDiffusion(self._whole_betas, kept)

    def at(self, table: str, t: Tensor, x: Tensor) -> Float[Tensor, "..."]:
        """The numbers of one table at the steps `t`, as `(b, 1, ..., 1)` against `x: b ...`.

        Args:
            table: name of the attribute, such as "betas".
            t: steps of this process, integers `(b,)`.

        Returns:
            In the dtype of `x`, on its device.

        Raises:
            ValueError: `x` or `t` does not fit, or a step lies outside 0 … `num_steps` − 1; steps
                are read only on the CPU, since another device would have to wait.
        """
        self.check(t, x)
        values = self._copy(table, x.dtype, x.device)[t.long().to(x.device)]
        return values.reshape(-1, *[1] * (x.ndim - 1))

    def original(self, t: Tensor) -> Int64[Tensor, "b"]:
        """The numbers in the whole process of the steps `t` of this one."""
        return self._copy("original_steps", torch.int64, t.device)[t.long()]

    def check(self, t: Tensor, x: Tensor) -> None:
        """ValueError unless `x` is floating-point and `t` holds one step for each item of it."""
        if x.ndim == 0 or not x.is_floating_point():
            raise ValueError(
                f"x has shape {tuple(x.shape)} and dtype {x.dtype}; expected a floating-point "
                "tensor whose first axis is the batch. Bytes become x.float() / 127.5 - 1."
            )
        if t.is_floating_point() or t.is_complex() or t.dtype == torch.bool:
            raise ValueError(
                f"t has dtype {t.dtype}; expected whole steps 0 … {self.num_steps - 1} as "
                "torch.int64. Times in [0, 1] belong to flows: see course_utils.diffusion.bridge."
            )
        if tuple(t.shape) != (len(x),):
            raise ValueError(
                f"t has shape {tuple(t.shape)}; expected ({len(x)},), one step for each item of x "
                f"with shape {tuple(x.shape)}. One step for all: torch.full((len(x),), step)."
            )
        if t.device.type == "cpu" and len(t):
            low, high = (int(bound) for bound in t.aminmax())
            if low < 0 or high >= self.num_steps:
                raise ValueError(self._out_of_range(low, high))

    def _out_of_range(self, low: int, high: int) -> str:
        short = self.num_steps < len(self._whole_betas)
        hint = " This process is respaced: t counts its own steps, not the original ones."
        return (
            f"t lies in {low} … {high}; expected steps 0 … {self.num_steps - 1}."
            f"{hint if short else ''}"
        )

    def _copy(self, table: str, dtype: torch.dtype, device: torch.device) -> Tensor:
        key = (table, dtype, device)
        if key not in self._copies:
            # Outside inference mode, or the copy could not take part in a later backward pass.
            with torch.inference_mode(False):
                # The dtype first: a float64 tensor cannot go to a device that has no float64.
                self._copies[key] = getattr(self, table).to(dtype, copy=True).to(device)
        return self._copies[key]


def q_mean_variance(
    process: DiscreteDiffusion, x_start: Float[Tensor, "b ..."], t: Tensor
) -> Moments:
    """q(x_t | x_0) = N(√ᾱ_t x_0, (1 − ᾱ_t) I) (DDPM, equation 4).

    Args:
        x_start: x_0, `b ...`.
        t: steps, integers `(b,)`.

    Raises:
        ValueError: see :meth:`DiscreteDiffusion.at`, here and below.
    """
    deviation = process.at("sqrt_noise", t, x_start).expand_as(x_start)
    mean = process.at("sqrt_alphas_bar", t, x_start) * x_start
    return Moments(mean, deviation.square(), 2 * deviation.log())


def q_sample(
    process: DiscreteDiffusion,
    x_start: Float[Tensor, "b ..."],
    t: Tensor,
    noise: Float[Tensor, "..."],
) -> Float[Tensor, "b ..."]:
    """x_t = √ᾱ_t x_0 + √(1 − ᾱ_t) ε (DDPM, equation 4).

    Args:
        noise: ε ~ N(0, I), in the shape of `x_start: b ...`.

    Raises:
        ValueError: `noise` has another shape, or as for :func:`q_mean_variance`.
    """
    same_shape("noise", noise, x_start)
    signal = process.at("sqrt_alphas_bar", t, x_start)
    return signal * x_start + process.at("sqrt_noise", t, x_start) * noise


def q_posterior_mean_variance(
    process: DiscreteDiffusion,
    x_start: Float[Tensor, "..."],
    x_t: Float[Tensor, "b ..."],
    t: Tensor,
) -> Moments:
    """q(x_{t−1} | x_t, x_0), where x_{−1} is x_0 (DDPM, equations 6 and 7).

    mean √ᾱ_{t−1} β_t / (1 − ᾱ_t) x_0 + √α_t (1 − ᾱ_{t−1}) / (1 − ᾱ_t) x_t,
    variance β_t (1 − ᾱ_{t−1}) / (1 − ᾱ_t).

    Returns:
        At step 0 the variance is 0; its logarithm there is that of step 1, so it stays finite.

    Raises:
        ValueError: `x_start` and `x_t` differ in shape, or as for :func:`q_mean_variance`.
    """
    same_shape("x_start", x_start, x_t)
    mean = process.at("x_start_weight", t, x_t) * x_start + process.at("x_t_weight", t, x_t) * x_t
    variance = process.at("posterior_variance", t, x_t).expand_as(x_t)
    return Moments(mean, variance, process.at("posterior_log_variance", t, x_t).expand_as(x_t))


def x_start_from_noise(
    process: DiscreteDiffusion,
    x_t: Float[Tensor, "b ..."],
    t: Tensor,
    noise: Float[Tensor, "..."],
) -> Float[Tensor, "b ..."]:
    """x_0 = (x_t − √(1 − ᾱ_t) ε) / √ᾱ_t, equation 4 of DDPM solved for x_0.

    Raises:
        ValueError: as for :func:`q_sample`.
    """
    same_shape("noise", noise, x_t)
    rest = x_t - process.at("sqrt_noise", t, x_t) * noise
    return rest / process.at("sqrt_alphas_bar", t, x_t)


def noise_from_x_start(
    process: DiscreteDiffusion,
    x_t: Float[Tensor, "b ..."],
    t: Tensor,
    x_start: Float[Tensor, "..."],
) -> Float[Tensor, "b ..."]:
    """ε = (x_t − √ᾱ_t x_0) / √(1 − ᾱ_t), equation 4 of DDPM solved for ε.

    Raises:
        ValueError: as for :func:`q_posterior_mean_variance`.
    """
    same_shape("x_start", x_start, x_t)
    rest = x_t - process.at("sqrt_alphas_bar", t, x_t) * x_start
    return rest / process.at("sqrt_noise", t, x_t)


def x_start_from_previous_mean(
    process: DiscreteDiffusion,
    x_t: Float[Tensor, "b ..."],
    t: Tensor,
    mean: Float[Tensor, "..."],
) -> Float[Tensor, "b ..."]:
    """The x_0 for which the posterior of x_{t−1} has this mean: equation 7 of DDPM solved for x_0.

    Raises:
        ValueError: `mean` has another shape than `x_t`, or as for :func:`q_mean_variance`.
    """
    same_shape("mean", mean, x_t)
    rest = mean - process.at("x_t_weight", t, x_t) * x_t
    return rest / process.at("x_start_weight", t, x_t)


def same_shape(name: str, value: Tensor, x: Tensor) -> None:
    """ValueError unless both have one shape: broadcasting would give a plausible wrong answer."""
    if value.shape != x.shape:
        raise ValueError(
            f"{name} has shape {tuple(value.shape)}; expected the shape of x, {tuple(x.shape)}."
        )


def _checked_betas(betas: Tensor | Sequence[float]) -> Tensor:
    given = betas if isinstance(betas, Tensor) else torch.tensor(list(betas), dtype=torch.float64)
    if not given.is_floating_point() or given.ndim != 1 or len(given) == 0:
        raise ValueError(
            f"betas have shape {tuple(given.shape)} and dtype {given.dtype}; expected "
            "floating-point numbers (T,), such as cosine_betas(1000)."
        )
    table = given.detach().cpu().to(torch.float64, copy=True)
    # Written so that NaN fails too.
    outside = ~((table > 0) & (table < 1))
    if bool(outside.any()):
        step = int(outside.nonzero()[0])
        raise ValueError(
            f"the β of step {step} is {float(table[step]):g}; expected every β above 0 and below "
            "1. β is a variance that is added, not α = 1 − β or ᾱ."
        )
    return table


def _checked_kept(kept: Sequence[int], alphas_bar: Tensor) -> list[int]:
    steps, last = [int(step) for step in kept], len(alphas_bar) - 1
    increasing = all(a < b for a, b in pairwise(steps))
    if not steps or not increasing or steps[0] < 0 or steps[-1] > last:
        shown = steps if len(steps) <= 8 else [*steps[:4], "…", *steps[-3:]]
        raise ValueError(
            f"kept is {shown}; expected increasing steps from 0 … {last}, such as "
            f"spaced({last + 1}, {min(25, last + 1)})."
        )
    return steps
