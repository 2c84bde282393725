"""What probes hand to a student's code: known schedules, data and networks that keep a record."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course_utils.distributions import LabeledSampleable
from course_utils.paths import Alpha, Beta
from course_utils.shapes import expand_time, time_batch


def sound(value: object, shape: tuple[int, ...]) -> bool:
    """Whether a probe can go on with ``value``: a finite floating tensor of ``shape``."""
    return (
        isinstance(value, Tensor)
        and tuple(value.shape) == shape
        and value.is_floating_point()
        and bool(torch.isfinite(value).all())
    )


def generator(seed: int) -> torch.Generator:
    """A random stream of its own, so that inputs depend on their seed and on nothing else."""
    return torch.Generator().manual_seed(seed)


def lots(batch: int, seed: int, number: int = 16) -> Tensor:
    """Numbers of items of a batch, some of them several times, in no order.

    A network is asked about these items, too, as a batch of their own. Nobody who repeats outputs
    that a right network once gave can know which items will be asked for.
    """
    return torch.randint(batch, (number,), generator=generator(seed + 1_299_709))


class ProbeAlpha(Alpha):
    """α(t) = t(1 + t)/2: neither linear nor a cosine, so that a hard-coded schedule shows."""

    def __call__(self, t: Tensor) -> Tensor:
        return t * (1 + t) / 2

    def dt(self, t: Tensor) -> Tensor:
        return (1 + 2 * t) / 2


class ProbeBeta(Beta):
    """β(t) = (1 − t)(1 + t/3), with a slope of its own: α̇ + β̇ ≠ 0."""

    def __call__(self, t: Tensor) -> Tensor:
        return (1 - t) * (1 + t / 3)

    def dt(self, t: Tensor) -> Tensor:
        return -(2 + 2 * t) / 3


def schedule(t: Tensor, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """α, β, α̇, β̇ of the probe's schedule in float64, shaped to multiply ``x: b …``."""
    t = expand_time(t.double(), x.double())
    alpha, beta = ProbeAlpha(), ProbeBeta()
    return alpha(t), beta(t), alpha.dt(t), beta.dt(t)


class ProbeData(LabeledSampleable):
    """Normal samples with uniform labels; remembers a private copy of what it handed out."""

    def __init__(self, shape: tuple[int, ...], num_classes: int) -> None:
        self.shape, self.num_classes = shape, num_classes
        self.drawn: list[tuple[Tensor, Tensor]] = []

    def sample(self, num_samples: int) -> tuple[Tensor, Tensor]:
        samples = torch.randn(num_samples, *self.shape)
        labels = torch.randint(self.num_classes, (num_samples,))
        self.drawn.append((samples.clone(), labels.clone()))
        return samples, labels


class ProbeNet(nn.Module):
    """A network with a formula, net(x, t, y) = a x + b t + table[y], that records its calls."""

    def __init__(self, slope: Tensor, drift: Tensor, table: Tensor) -> None:
        super().__init__()
        self.slope, self.drift = nn.Parameter(slope.clone()), nn.Parameter(drift.clone())
        self.table = nn.Parameter(table.clone(), requires_grad=False)
        self.calls: list[tuple[Tensor, Tensor, Tensor]] = []

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        if y.is_floating_point():
            raise ValueError(
                f"the network got labels y of type {y.dtype}; it takes integers, as (x, t, y) in "
                "this order."
            )
        self.calls.append((x.detach().clone(), time_batch(t, x).clone(), y.detach().clone()))
        return net_value(x, t, y, self.slope, self.drift, self.table)


def net_value(
    x: Tensor, t: Tensor, y: Tensor, slope: Tensor, drift: Tensor, table: Tensor
) -> Tensor:
    """The formula of :class:`ProbeNet`, for verdicts; float32 or float64."""
    t = time_batch(t, x).reshape(-1, *[1] * (x.ndim - 1))
    per_item = table[y].reshape(-1, *[1] * (x.ndim - 1))
    return slope * x + drift * t + per_item
