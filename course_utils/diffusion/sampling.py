"""From noise back to data: ancestral sampling (DDPM), DDIM, and DDIM run backwards."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils import runtime
from course_utils.diffusion.conditioning import (
    CondFn,
    checked_labels,
    condition_mean,
    condition_score,
)
from course_utils.diffusion.prediction import (
    Model,
    Prediction,
    Target,
    Variance,
    check_choices,
    p_mean_variance,
)
from course_utils.diffusion.process import DiscreteDiffusion, noise_from_x_start


class Step(NamedTuple):
    """x after one step, and the guess of x_0 that the step was made with."""

    sample: Tensor
    pred_xstart: Tensor


@dataclass(frozen=True)
class Sampler:
    """What every step of a sampling needs, given once.

    Attributes:
        process: the steps to take; `process.respaced(25)` takes 25.
        model: `model(x, t) -> output`, in eval mode. With labels: `partial(model, y=labels)`.
        target, variance, clip_denoised: see :func:`prediction.p_mean_variance`. DDIM has a variance
            of its own, and needs `variance` only to tell what the model returns.
        cond_fn: the guidance, with its scale inside; see :func:`conditioning.classifier_gradient`.
        y: the labels to guide to, integers `(b,)`; exactly where there is a `cond_fn`.

    Raises:
        ValueError: an unknown target or variance, or one of `cond_fn` and `y` without the other.
    """

    process: DiscreteDiffusion
    model: Model
    target: Target | str = "noise"
    variance: Variance | str = "fixed_small"
    clip_denoised: bool = True
    cond_fn: CondFn | None = None
    y: Tensor | None = None

    def __post_init__(self) -> None:
        check_choices(self.target, self.variance)
        if self.cond_fn is not None and self.y is None:
            raise ValueError("cond_fn is given without y; expected the labels to guide to, (b,).")
        if self.cond_fn is None and self.y is not None:
            raise ValueError(
                "y is given without cond_fn, so it would guide nothing. Labels of a "
                "class-conditional model go into the model: functools.partial(model, y=y)."
            )

    def respaced(self, count: int) -> "Sampler":
        """The same on `count` of the steps."""
        return replace(self, process=self.process.respaced(count))

    def predict(self, x: Float[Tensor, "b ..."], t: Tensor) -> Prediction:
        """p(x_{t−1} | x_t) of the model, before guidance."""
        return p_mean_variance(
            self.process, self.model, x, t, self.clip_denoised, self.target, self.variance
        )


def p_sample(
    sampler: Sampler,
    x: Float[Tensor, "b ..."],
    t: Tensor,
    generator: torch.Generator | None = None,
) -> Step:
    """x_{t−1} = mean + σ ε, with mean + Σ g for the mean under guidance (DDPM, algorithm 2; ADM,
    algorithm 1). At step 0 there is no noise.

    Args:
        x: x_t, `b ...`.
        t: steps of the sampler's process, integers `(b,)`; they may differ within the batch.
        generator: of the noise; torch's global one of x's device by default. It may live on
            another device than `x`.

    Returns:
        x_{t−1}, and the model's guess of x_0 before guidance.

    Raises:
        ValueError: whatever :func:`prediction.p_mean_variance` and
            :func:`conditioning.condition_mean` refuse.
    """
    prediction = sampler.predict(x, t)
    mean = prediction.mean
    if sampler.cond_fn is not None:
        t_original = sampler.process.original(t)
        mean = condition_mean(sampler.cond_fn, prediction, x, t_original, _labels(sampler, x))
    noise = _randn(tuple(x.shape), generator, x.device, x.dtype)
    moving = (t > 0).to(x.device).reshape(-1, *[1] * (x.ndim - 1))
    deviation = torch.where(moving, (prediction.log_variance / 2).exp(), 0)
    return Step(mean + deviation * noise, prediction.pred_xstart)


def ddim_sample(
    sampler: Sampler,
    x: Float[Tensor, "b ..."],
    t: Tensor,
    eta: float | int = 0.0,
    generator: torch.Generator | None = None,
) -> Step:
    """x_{t−1} = √ᾱ_{t−1} x̂_0 + √(1 − ᾱ_{t−1} − σ²) ε̂ + σ ε with σ² = η² β̃_t (DDIM, equations 12
    and 16), and with guided x̂_0 and ε̂ under guidance (ADM, algorithm 2).

    Args:
        eta: η in [0, 1]. 0 is deterministic and draws no noise; 1 has the mean and the variance of
            :func:`p_sample` with "fixed_small".

    Returns:
        x_{t−1}, and the guess of x_0 with guidance.

    Raises:
        ValueError: `eta` lies outside [0, 1], or as for :func:`p_sample`.

    Other arguments are those of :func:`p_sample`.
    """
    if not 0 <= eta <= 1:
        raise ValueError(f"eta is {eta}; expected 0 (deterministic) to 1 (ancestral).")
    process = sampler.process
    pred_xstart, noise = _guided(sampler, x, t)
    variance = eta**2 * process.at("posterior_variance", t, x)
    previous = process.at("alphas_bar_prev", t, x)
    # Rounding may take the difference below 0 at step 0, where it vanishes.
    direction = (1 - previous - variance).clamp(min=0).sqrt()
    sample = previous.sqrt() * pred_xstart + direction * noise
    if eta > 0:
        sample = sample + variance.sqrt() * _randn(tuple(x.shape), generator, x.device, x.dtype)
    return Step(sample, pred_xstart)


def ddim_reverse_sample(sampler: Sampler, x: Float[Tensor, "b ..."], t: Tensor) -> Step:
    """x_{t+1} = √ᾱ_{t+1} x̂_0 + √(1 − ᾱ_{t+1}) ε̂, DDIM's ODE towards the noise (DDIM, section 4.3).

    It undoes a step of :func:`ddim_sample` with η = 0 up to the change of ε̂ over that step, so
    the longer the process, the closer.

    Args:
        t: steps 0 … `num_steps` − 2.

    Raises:
        ValueError: `t` is the last step, beyond which there is none; or as for :func:`p_sample`.
    """
    process = sampler.process
    process.check(t, x)
    if t.device.type == "cpu" and bool((t == process.num_steps - 1).any()):
        raise ValueError(
            f"t holds {process.num_steps - 1}, the last step; expected 0 … "
            f"{process.num_steps - 2}, since x goes to step t + 1."
        )
    pred_xstart, noise = _guided(sampler, x, t)
    signal, spread = (process.at(table, t + 1, x) for table in ("sqrt_alphas_bar", "sqrt_noise"))
    return Step(signal * pred_xstart + spread * noise, pred_xstart)


def p_sample_loop(
    sampler: Sampler,
    shape: Sequence[int] | None = None,
    *,
    noise: Tensor | None = None,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
    show_progress: bool = False,
) -> Float[Tensor, "b ..."]:
    """Samples of the model by :func:`p_sample`, from the last step to step 0, without gradients.

    Args:
        shape: of the batch, such as (100, 1, 32, 32); or else
        noise: x_T to start from, `b ...`; its dtype and device are those of the samples.
        generator: of the noise to start from and of each step.
        device: where to compute, for a `shape`; the CPU by default.
        show_progress: show a bar over the steps.

    Returns:
        `b ...`, float32 by default (torch's default dtype). Not clamped.

    Raises:
        ValueError: not exactly one of `shape` and `noise`, or as for :func:`p_sample`.
    """
    steps = p_sample_progressive(
        sampler,
        shape,
        noise=noise,
        generator=generator,
        device=device,
        show_progress=show_progress,
    )
    return _last(steps)


def p_sample_progressive(
    sampler: Sampler,
    shape: Sequence[int] | None = None,
    *,
    noise: Tensor | None = None,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
    show_progress: bool = False,
) -> Iterator[Step]:
    """Each :class:`Step` of :func:`p_sample_loop` as it is made; the last one holds the samples."""
    x = _start(shape, noise, generator, device)
    return _descend(
        sampler, x, lambda x, t: p_sample(sampler, x, t, generator), "Sampling", show_progress
    )


def ddim_sample_loop(
    sampler: Sampler,
    shape: Sequence[int] | None = None,
    *,
    eta: float | int = 0.0,
    noise: Tensor | None = None,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
    show_progress: bool = False,
) -> Float[Tensor, "b ..."]:
    """Samples by :func:`ddim_sample` with this `eta`; otherwise as :func:`p_sample_loop`."""
    steps = ddim_sample_progressive(
        sampler,
        shape,
        eta=eta,
        noise=noise,
        generator=generator,
        device=device,
        show_progress=show_progress,
    )
    return _last(steps)


def ddim_sample_progressive(
    sampler: Sampler,
    shape: Sequence[int] | None = None,
    *,
    eta: float | int = 0.0,
    noise: Tensor | None = None,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
    show_progress: bool = False,
) -> Iterator[Step]:
    """Each :class:`Step` of :func:`ddim_sample_loop` as it is made."""
    x = _start(shape, noise, generator, device)
    return _descend(
        sampler, x, lambda x, t: ddim_sample(sampler, x, t, eta, generator), "DDIM", show_progress
    )


@torch.no_grad()
def ddim_reverse_loop(
    sampler: Sampler, x: Float[Tensor, "b ..."], show_progress: bool = False
) -> Float[Tensor, "b ..."]:
    """The noise that :func:`ddim_sample_loop` with η = 0 makes `x` from, nearly.

    Args:
        x: at step 0, `b ...`. A clean image serves as well: step 0 has hardly any noise.

    Returns:
        x at the last step, in the shape of `x`.
    """
    steps = range(sampler.process.num_steps - 1)
    for step in runtime.progress(steps, "DDIM reversed") if show_progress else steps:
        x = ddim_reverse_sample(sampler, x, _full(step, x)).sample
    return x


def _guided(sampler: Sampler, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """x̂_0 and ε̂, with guidance where there is any."""
    prediction = sampler.predict(x, t)
    if sampler.cond_fn is not None:
        y = _labels(sampler, x)
        prediction = condition_score(sampler.process, sampler.cond_fn, prediction, x, t, y)
    # From x̂_0 and not the model's ε: clipping changed it.
    noise = noise_from_x_start(sampler.process, x, t, prediction.pred_xstart)
    return prediction.pred_xstart, noise


def _labels(sampler: Sampler, x: Tensor) -> Tensor:
    assert sampler.y is not None  # held by Sampler
    return checked_labels(sampler.y, x).to(x.device)


def _start(
    shape: Sequence[int] | None,
    noise: Tensor | None,
    generator: torch.Generator | None,
    device: torch.device | str | None,
) -> Tensor:
    if (shape is None) == (noise is None):
        raise ValueError(
            f"shape is {shape} and noise is {'a tensor' if noise is not None else None}; expected "
            "one of them: the shape of the batch, or the noise to start from."
        )
    if noise is None:
        where = torch.device("cpu" if device is None else device)
        return _randn(tuple(shape or ()), generator, where, torch.get_default_dtype())
    if device is not None:
        raise ValueError(f"device is {device} beside noise; noise.to({str(device)!r}) decides it.")
    return noise


def _descend(
    sampler: Sampler,
    x: Tensor,
    step_back: Callable[[Tensor, Tensor], Step],
    description: str,
    show_progress: bool,
) -> Iterator[Step]:
    steps = range(sampler.process.num_steps)[::-1]
    for step in runtime.progress(steps, description) if show_progress else steps:
        # Not around the yield: the caller's own work keeps its gradients.
        with torch.no_grad():
            result = step_back(x, _full(step, x))
        x = result.sample
        yield result


def _last(steps: Iterator[Step]) -> Tensor:
    return deque(steps, maxlen=1).pop().sample  # a process has at least one step


def _full(step: int, x: Tensor) -> Tensor:
    return torch.full((len(x),), step, device=x.device)


def _randn(
    shape: tuple[int, ...],
    generator: torch.Generator | None,
    device: torch.device,
    dtype: torch.dtype,
) -> Tensor:
    """N(0, I), drawn where the generator lives, so a CPU's gives all devices the same numbers."""
    where = device if generator is None else generator.device
    return torch.randn(shape, generator=generator, device=where, dtype=dtype).to(device)


__all__ = [
    "Sampler",
    "Step",
    "ddim_reverse_loop",
    "ddim_reverse_sample",
    "ddim_sample",
    "ddim_sample_loop",
    "ddim_sample_progressive",
    "p_sample",
    "p_sample_loop",
    "p_sample_progressive",
]
