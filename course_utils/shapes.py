"""Time against a batch: the one place where `t` is reshaped.

Everything else in the course hands its `t` to a function of this module and works with what
comes back, so that `t` may be a number, 0-d, `(b,)`, `(b, 1)` or `(b, 1, 1, 1)` everywhere.
"""

import torch
from jaxtyping import Float
from torch import Tensor

# Room for the rounding of float32 sums such as t + h; a real mistake is far larger.
TIME_TOLERANCE = 1e-6


def time_batch(t: Tensor | float | int, x: Float[Tensor, "..."]) -> Float[Tensor, "b"]:
    """`t` as one time for each sample of `x`.

    Args:
        t: times in [0, 1]: a number, a 0-d or one-element tensor (one time for the whole
            batch), or a tensor of `(b,)`, `(b, 1)`, `(b, 1, 1, 1)`, ...
        x: `(b ...)`, any floating dtype.

    Returns:
        `(b,)` on x's device with x's dtype. It may share memory with `t`: do not write into it.

    Raises:
        ValueError: `t` does not fit the batch, or lies outside [0, 1]. Values are checked only
            where `t` is on the CPU: reading them from an accelerator would make it wait.
    """
    if isinstance(t, Tensor):
        _check_range(t)
    elif not 0 <= t <= 1:
        raise ValueError(_out_of_range(float(t), float(t)))
    return _batch(t, x, "t")


def expand_time(t: Tensor | float | int, x: Float[Tensor, "..."]) -> Float[Tensor, "b ..."]:
    """`t` in a shape that broadcasts against `x`: `(b, 1, ..., 1)` with as many axes as `x`.

    Arguments, dtype, device and errors are those of `time_batch`.
    """
    return _trailing_ones(time_batch(t, x), x)


def expand_batch(value: Tensor | float | int, x: Float[Tensor, "..."]) -> Float[Tensor, "b ..."]:
    """One value for each sample (a step size, a scale) as `(b, 1, ..., 1)` against `x`.

    Like `expand_time`, for values that need not lie in [0, 1].

    Raises:
        ValueError: `value` does not fit the batch.
    """
    return _trailing_ones(_batch(value, x, "value"), x)


def _batch(value: Tensor | float | int, x: Tensor, name: str) -> Tensor:
    if x.ndim == 0 or not x.is_floating_point():
        raise ValueError(
            f"x has shape {tuple(x.shape)} and dtype {x.dtype}; expected a floating-point tensor "
            "whose first axis is the batch. Convert it with x.float(), or add an axis with x[None]."
        )
    b = x.shape[0]
    if not isinstance(value, Tensor):
        value = torch.tensor(value, dtype=torch.float64)  # the default would round to float32
    # The dtype first: a float64 value cannot go to a device that has no float64.
    value = value.to(x.dtype).to(x.device)
    if value.numel() == 1:
        return value.reshape(1).expand(b)
    # Only a first axis of size b may hold the values: (1, b) would be a transposed mistake.
    if value.ndim == 0 or value.shape[0] != b or value.numel() != b:
        raise ValueError(
            f"{name} has shape {tuple(value.shape)}, but x has shape {tuple(x.shape)}: expected "
            f"one {name} for each of the {b} samples, as ({b},), ({b}, 1) or ({b}, 1, 1, 1), or a "
            f"single {name} for all of them."
        )
    return value.reshape(b)


def _trailing_ones(value: Tensor, x: Tensor) -> Tensor:
    return value.reshape(-1, *[1] * (x.ndim - 1))


def _check_range(t: Tensor) -> None:
    if t.device.type != "cpu" or t.numel() == 0:
        return
    low, high = (bound.item() for bound in torch.aminmax(t.detach()))
    # Written so that NaN fails too.
    if not (low >= -TIME_TOLERANCE and high <= 1 + TIME_TOLERANCE):
        raise ValueError(_out_of_range(low, high))


def _out_of_range(low: float, high: float) -> str:
    return (
        f"t lies in [{low:g}, {high:g}]; expected times in [0, 1], with noise at 0 and data at 1. "
        "If your times are step numbers, divide them by the number of steps."
    )
