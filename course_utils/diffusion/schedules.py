"""How much noise each step adds, β_t, and which steps a shorter process keeps."""

import math

import torch
from jaxtyping import Float64
from torch import Tensor

# iDDPM, section 3.2: the offset that keeps the first β from vanishing, and the largest β.
_COSINE_OFFSET = 0.008
_LARGEST_BETA = 0.999


def linear_betas(num_steps: int = 1000) -> Float64[Tensor, "steps"]:
    """β_t evenly spaced from 1e-4 to 0.02 (DDPM, section 4), times 1000 / `num_steps`.

    The factor keeps the noise at the end about what it is after 1000 steps.

    Args:
        num_steps: T, above 20: with fewer the last β would reach 1.

    Raises:
        ValueError: `num_steps` is no whole number above 20.
    """
    _whole("num_steps", num_steps, 1)
    scale = 1000 / num_steps
    if scale * 0.02 >= 1:
        raise ValueError(
            f"num_steps is {num_steps}; expected more than 20, because the last β of a linear "
            f"schedule would be {scale * 0.02:g} and must stay below 1. For few steps keep some of "
            f"1000: DiscreteDiffusion(linear_betas(1000)).respaced({num_steps})."
        )
    return torch.linspace(scale * 1e-4, scale * 0.02, num_steps, dtype=torch.float64)


def cosine_betas(num_steps: int = 1000) -> Float64[Tensor, "steps"]:
    """β_t = min(1 − f(t + 1) / f(t), 0.999), f(t) = cos²(π/2 · (t/T + 0.008) / 1.008).

    iDDPM, equation 17, with t counted from 0. ᾱ falls almost linearly through the middle.

    Raises:
        ValueError: `num_steps` is no whole number of at least 1.
    """
    _whole("num_steps", num_steps, 1)
    s = torch.arange(num_steps + 1, dtype=torch.float64) / num_steps
    f = torch.cos(math.pi / 2 * (s + _COSINE_OFFSET) / (1 + _COSINE_OFFSET)).square()
    return (1 - f[1:] / f[:-1]).clamp(max=_LARGEST_BETA)


def spaced(num_steps: int, count: int) -> list[int]:
    """`count` of the steps 0 … `num_steps` − 1, as evenly spaced as whole numbers can be.

    Args:
        num_steps: T.
        count: 1 … T. The first and the last step are among them; a single one is the last, where
            sampling begins.

    Returns:
        Increasing step numbers, such as [0, 333, 666, 999] for 4 of 1000.

    Raises:
        ValueError: `num_steps` or `count` is out of range.
    """
    _whole("num_steps", num_steps, 1)
    _whole("count", count, 1)
    if count > num_steps:
        raise ValueError(
            f"count is {count}, but there are {num_steps} steps; expected 1 … {num_steps}."
        )
    if count == 1:
        return [num_steps - 1]
    last, gaps = num_steps - 1, count - 1
    # In whole numbers: round(i · last / gaps), halves upwards, on every machine alike.
    return [(2 * i * last + gaps) // (2 * gaps) for i in range(count)]


def _whole(name: str, value: int, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is {value!r}; expected a whole number of at least {least}.")
