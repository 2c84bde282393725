"""What a network's output says about the step back, p(x_{t−1} | x_t)."""

from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.diffusion.process import (
    DiscreteDiffusion,
    q_posterior_mean_variance,
    x_start_from_noise,
    x_start_from_previous_mean,
)

Model = Callable[[Tensor, Tensor], Tensor]
Target = Literal["noise", "x_start", "previous_mean"]
Variance = Literal["fixed_small", "fixed_large", "learned_range"]


class Prediction(NamedTuple):
    """p(x_{t−1} | x_t) = N(mean, variance), and the guess of x_0. All have the shape of x_t."""

    mean: Tensor
    variance: Tensor
    log_variance: Tensor
    pred_xstart: Tensor


def p_mean_variance(
    process: DiscreteDiffusion,
    model: Model,
    x: Float[Tensor, "b ..."],
    t: Tensor,
    clip_denoised: bool = True,
    target: Target | str = "noise",
    variance: Variance | str = "fixed_small",
) -> Prediction:
    """The Gaussian p(x_{t−1} | x_t) of a model, with its guess of x_0.

    Args:
        process: its steps number `t`.
        model: called as `model(x, t)` with `t` in the numbers of the whole process.
        x: x_t, `b ...`.
        t: steps of `process`, integers `(b,)`.
        clip_denoised: clamp the guess of x_0 to [-1, 1], and with it the mean.
        target: what the output means: "noise" is ε, "x_start" is x_0 (DDPM, sections 3.2 and 3.4),
            "previous_mean" the mean itself. That one is used as it is: clipping then changes the
            guess of x_0 alone.
        variance: "fixed_small" is β̃_t of the posterior; "fixed_large" is β_t, and β̃_1 at step 0
            (DDPM, section 3.2); for "learned_range" the model returns twice the channels, and v in
            [-1, 1] in the second half chooses between the logarithms of both (iDDPM, equation 15).

    Returns:
        Where the variance is 0, at step 0 with "fixed_small", its logarithm is that of step 1.

    Raises:
        ValueError: an unknown target or variance; an output of another shape; or `x` or `t` as in
            :meth:`DiscreteDiffusion.at`.
    """
    check_choices(target, variance)
    process.check(t, x)
    output = call_model(process, model, x, t, variance)
    if variance == "learned_range":
        output, fraction = output.chunk(2, dim=1)
        spread, log_spread = _learned_range(process, x, t, fraction)
    else:
        spread, log_spread = _fixed(process, x, t, variance)
    pred_xstart = _x_start(process, x, t, output, target)
    if clip_denoised:
        pred_xstart = pred_xstart.clamp(-1, 1)
    mean = output
    if target != "previous_mean":
        mean = q_posterior_mean_variance(process, pred_xstart, x, t).mean
    return Prediction(mean, spread, log_spread, pred_xstart)


def call_model(
    process: DiscreteDiffusion, model: Model, x: Tensor, t: Tensor, variance: Variance | str
) -> Float[Tensor, "b ..."]:
    """The model's output in the dtype of `x`, asked at the original steps.

    Raises:
        ValueError: it has not the shape of `x`, or not twice the channels for "learned_range".
    """
    expected = tuple(x.shape)
    if variance == "learned_range":
        if x.ndim < 2:
            raise ValueError(
                f'x has shape {tuple(x.shape)}; variance="learned_range" doubles the channels, and '
                "expects x with at least two axes, (b, channels, ...)."
            )
        expected = (x.shape[0], 2 * x.shape[1], *x.shape[2:])
    output = model(x, process.original(t))
    if not isinstance(output, Tensor) or tuple(output.shape) != expected:
        got = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise ValueError(
            f"the model returned {got} for x of shape {tuple(x.shape)}; expected {expected} with "
            f'variance="{variance}". A network with twice the channels of x predicts its variance '
            'too: variance="learned_range".'
        )
    return output.to(x.dtype)


def check_choices(target: str, variance: str) -> None:
    """ValueError unless both are among the ones there are."""
    for name, value, choices in [
        ("target", target, get_args(Target)),
        ("variance", variance, get_args(Variance)),
    ]:
        if value not in choices:
            raise ValueError(f"{name} is {value!r}; expected one of {', '.join(choices)}.")


def _fixed(
    process: DiscreteDiffusion, x: Tensor, t: Tensor, variance: str
) -> tuple[Tensor, Tensor]:
    log_small = process.at("posterior_log_variance", t, x)
    if variance == "fixed_small":
        spread, log_spread = process.at("posterior_variance", t, x), log_small
    else:
        beta = process.at("betas", t, x)
        first = (t == 0).to(x.device).reshape(beta.shape)
        spread = torch.where(first, log_small.exp(), beta)
        log_spread = torch.where(first, log_small, beta.log())
    return spread.expand_as(x), log_spread.expand_as(x)


def _learned_range(
    process: DiscreteDiffusion, x: Tensor, t: Tensor, v: Tensor
) -> tuple[Tensor, Tensor]:
    """log Σ = f log β_t + (1 − f) log β̃_t with f = (v + 1) / 2."""
    fraction = (v + 1) / 2
    largest, smallest = process.at("betas", t, x).log(), process.at("posterior_log_variance", t, x)
    log_spread = fraction * largest + (1 - fraction) * smallest
    return log_spread.exp(), log_spread


def _x_start(
    process: DiscreteDiffusion, x: Tensor, t: Tensor, output: Tensor, target: str
) -> Tensor:
    if target == "x_start":
        return output
    convert = x_start_from_noise if target == "noise" else x_start_from_previous_mean
    return convert(process, x, t, output)
