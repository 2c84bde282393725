"""Classifier-free guidance at the price it need not exceed, and images drawn with it."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from course_utils import runtime
from course_utils.dynamics import ODE, EulerSimulator, HeunSimulator, Simulator, time_grid
from course_utils.shapes import TIME_TOLERANCE, time_batch

__all__ = ["GuidedODE", "generate", "time_grid"]


class GuidedODE(ODE):
    """ũ = (1 − w) u(x|∅) + w u(x|y) where t lies in the interval, and u(x|y) elsewhere.

    Ho and Salimans 2022, "Classifier-free diffusion guidance", equation 6, with their weight
    w − 1 and for velocities. That guidance helps at medium noise alone, and costs diversity at
    high noise: Kynkäänniemi et al. 2024, "Applying guidance in a limited interval improves sample
    and distribution quality in diffusion models".

    Both velocities come from one call of the network. It is never asked what has no weight: there
    is no ∅ outside the interval or for w = 1, and nothing else for w = 0 inside.

    Args:
        net: u_t(x|y), called as `net(x, t, y)` with `x: b ...`, `t: b` and `y: b`.
        null_label: the label ∅ that stands for "no label", which is the number of classes.
        guidance_scale: w.
        interval: the earliest and the latest t to guide at, both included.

    Attributes:
        evaluations: images that the network has been shown for each image of the batch, so far:
            2 for each guided call, 1 for another. Set it to 0 to count anew.

    Raises:
        ValueError: the null label is negative, w is not finite, or the interval is none in [0, 1].
    """

    def __init__(
        self,
        net: nn.Module,
        null_label: int,
        guidance_scale: float | int = 1.0,
        interval: tuple[float | int, float | int] = (0.0, 1.0),
    ) -> None:
        if null_label < 0:
            raise ValueError(f"null_label is {null_label}; expected the number of classes.")
        if not math.isfinite(guidance_scale):
            raise ValueError(f"guidance_scale is {guidance_scale}; expected a number, such as 2.")
        if len(interval) != 2 or not 0 <= interval[0] <= interval[1] <= 1:
            raise ValueError(
                f"interval is {interval}; expected its start and end, with 0 ≤ start ≤ end ≤ 1."
            )
        self.net = net
        self.null_label = null_label
        self.guidance_scale = float(guidance_scale)
        self.interval = (float(interval[0]), float(interval[1]))
        self.evaluations = 0.0

    def drift_coefficient(  # type: ignore[override]
        self,
        x: Float[Tensor, "b ..."],
        t: Tensor | float | int,
        y: Shaped[Tensor, "..."],
    ) -> Float[Tensor, "b ..."]:
        """ũ_t(x|y).

        Args:
            x: `(b ...)`.
            t: times in [0, 1], in any shape that `time_batch` takes; some may lie inside the
                interval and others outside.
            y: labels `(b,)`, the null label among them if need be.

        Raises:
            ValueError: `t` or `y` does not fit the batch, or the network's answer has not the
                shape of its input.
        """
        t = time_batch(t, x)
        y = _labels_of(y, len(x)).to(x.device)
        w = self.guidance_scale
        if w == 1:
            return self._velocity(x, t, y)
        if w == 0:
            return self._velocity(x, t, torch.where(self._inside(t), self.null_label, y))
        rows = self._guided_rows(t)
        null = torch.full_like(y[rows], self.null_label)
        k = len(null)
        # ∅ k + y b -> k + b
        both = self._velocity(
            torch.cat([x[rows], x]), torch.cat([t[rows], t]), torch.cat([null, y]), len(x)
        )
        unguided, velocity = both[:k], both[k:]
        guided = (1 - w) * unguided + w * velocity[rows]
        return guided if k == len(x) else velocity.index_copy(0, rows, guided)

    def _inside(self, t: Tensor) -> Tensor:
        start, end = self.interval
        return (t >= start - TIME_TOLERANCE) & (t <= end + TIME_TOLERANCE)

    def _guided_rows(self, t: Tensor) -> Any:
        # Looking which times lie inside makes an accelerator wait: not where all of them do.
        everywhere = self.interval == (0.0, 1.0)
        return slice(None) if everywhere else self._inside(t).nonzero()[:, 0]

    def _velocity(self, x: Tensor, t: Tensor, y: Tensor, batch_size: int | None = None) -> Tensor:
        self.evaluations += 1 if batch_size is None else len(x) / batch_size
        velocity = self.net(x, t, y)
        if velocity.shape != x.shape:
            raise ValueError(
                f"{type(self.net).__name__} returned shape {tuple(velocity.shape)} for x of shape "
                f"{tuple(x.shape)}; expected the shape of x."
            )
        return velocity


@torch.no_grad()
def generate(
    net: nn.Module,
    y: Shaped[Tensor, "..."] | Sequence[int],
    w: float | int = 1.0,
    *,
    null_label: int,
    num_steps: int = 20,
    seed: int = 0,
    interval: tuple[float | int, float | int] = (0.0, 1.0),
    solver: str = "heun",
    ts: Float[Tensor, "..."] | None = None,
    batch_size: int = 250,
    show_progress: bool = False,
    shape: tuple[int, ...] = (1, 32, 32),
) -> Float[Tensor, "n ..."]:
    """Samples of the labels `y`, drawn by the guided field from t = 0 to 1.

    The noise that item i starts from depends on `seed` and i alone, and not on w, the labels, the
    number of items, the batch size or the device. So results differ by what was changed.

    Args:
        net: u_t(x|y), as for :class:`GuidedODE`. It runs in eval mode, and gets its mode back.
        y: labels `(n,)`, a list or tensor of integers from 0 to `null_label`.
        w, null_label, interval: see :class:`GuidedODE`.
        num_steps: steps, with times from :func:`time_grid`, evenly spaced.
        seed: of the noise. torch's own generators are left as they are.
        solver: "heun", with 2 `num_steps` − 1 calls of the network, or "euler", with `num_steps`.
        ts: the times instead, such as `time_grid(20, "cosine")`; `num_steps` then counts nothing.
        batch_size: how many samples are moved at a time.
        show_progress: show a bar over the batches, or over the steps of a single batch.
        shape: of one sample.

    Returns:
        `(n, *shape)` on the network's device: for digits about [-1, 1], and not clamped.

    Raises:
        ValueError: for labels, times or another argument that does not fit.
    """
    solvers = {"heun": HeunSimulator, "euler": EulerSimulator}
    if solver not in solvers:
        raise ValueError(f'solver is {solver!r}; expected "heun" or "euler".')
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; expected at least 1.")
    labels = _labels_of(torch.as_tensor(y), None, null_label)
    ode = GuidedODE(net, null_label, w, interval)
    like = _like(net)
    x = _noise(len(labels), shape, seed).to(like.dtype).to(like.device)
    times = time_grid(num_steps) if ts is None else ts
    pairs = list(zip(x.split(batch_size), labels.to(x.device).split(batch_size), strict=True))
    simulator: Simulator = solvers[solver](ode, show_progress=show_progress and len(pairs) == 1)
    batches = runtime.progress(pairs, "Sampling") if show_progress and len(pairs) > 1 else pairs
    with _evaluating(net):
        return torch.cat([simulator.simulate(part, times, y=wanted) for part, wanted in batches])


@contextmanager
def _evaluating(net: nn.Module) -> Iterator[None]:
    """`net` in eval mode; each of its modules gets its own mode back."""
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _noise(n: int, shape: tuple[int, ...], seed: int) -> Tensor:
    # Drawn one by one on the CPU: other devices have other generators, and one call for all would
    # give the same item other numbers in a larger set.
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randn(shape, generator=generator) for _ in range(n)])


def _like(net: nn.Module) -> Tensor:
    """A tensor with the device and precision of `net`."""
    for tensor in (*net.parameters(), *net.buffers()):
        if tensor.is_floating_point():
            return tensor
    return torch.zeros(())


def _labels_of(y: Tensor, n: int | None, highest: int | None = None) -> Tensor:
    whole = not y.is_floating_point() and y.dtype != torch.bool
    if not whole or y.ndim != 1 or len(y) == 0 or n not in (None, len(y)):
        raise ValueError(
            f"y has shape {tuple(y.shape)} and dtype {y.dtype}; expected integers, one label for "
            f"each sample: ({'n' if n is None else n},)."
        )
    if highest is not None:
        low, high = (int(bound) for bound in y.aminmax())
        if low < 0 or high > highest:
            raise ValueError(
                f"y lies in {low} … {high}; expected labels from 0 to the null label, {highest}."
            )
    return y.long()
