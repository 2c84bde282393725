"""Between flows and diffusions: one Gaussian path with two clocks and two scales.

A flow has x = t z + (1 − t) ε with t from 0 (noise) to 1 (data z), a diffusion x = √ᾱ z + √(1 − ᾱ)
ε with steps from T − 1 (noise) to 0. Where t = √ᾱ / (√ᾱ + √(1 − ᾱ)), both have the same ratio of
signal to noise, and the flow's x is the diffusion's over √ᾱ + √(1 − ᾱ). So one network serves as
both (Lipman et al. 2024, "Flow matching guide and code", on Gaussian paths and their conversions).

Steps here are numbers of the whole process, as models are told them, and may lie between whole
ones: t is interpolated linearly between the steps of the process. The first and the last step are
the ends, so the flow's t that they cover is a little less than [0, 1].
"""

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from course_utils.dynamics import ODE
from course_utils.shapes import TIME_TOLERANCE, expand_batch, time_batch


@runtime_checkable
class Process(Protocol):
    """A discrete diffusion: ᾱ of each of its steps, and their numbers in the whole process."""

    alphas_bar: Tensor
    original_steps: Tensor


class FlowPoint(NamedTuple):
    """x of a flow, `b ...`, and its times t, `b`."""

    x: Tensor
    t: Tensor


class DiffusionPoint(NamedTuple):
    """x of a diffusion, `b ...`, and its steps, `b`: floats that may lie between whole numbers."""

    x: Tensor
    step: Tensor


def flow_times(process: Process) -> Float64[Tensor, "steps"]:
    """The flow's t at each step of the process, `(num_steps,)`, decreasing: near 1 at step 0."""
    alphas_bar = process.alphas_bar.detach().cpu().double()
    signal, noise = alphas_bar.sqrt(), (1 - alphas_bar).sqrt()
    return signal / (signal + noise)


def to_flow(process: Process, x: Float[Tensor, "b ..."], step: Tensor) -> FlowPoint:
    """The same point in the flow: t = √ᾱ / (√ᾱ + √(1 − ᾱ)) and x / (√ᾱ + √(1 − ᾱ)).

    Args:
        process: best the whole one. Of a respaced one only the kept steps are known, and t is
            interpolated between them.
        x: x_t of the diffusion, `b ...`.
        step: original step numbers, integers or floats `(b,)`.

    Raises:
        ValueError: `step` does not fit `x`, or lies outside the steps of the process; values are
            read only on the CPU.
    """
    steps = process.original_steps.detach().cpu().double()
    wanted = _checked_steps(step, x, float(steps[0]), float(steps[-1]))
    t = _interpolate(_wide(wanted, x), steps, flow_times(process))
    return FlowPoint(x * expand_batch(_scale(t), x), t.to(x.dtype))


def to_diffusion(
    process: Process, x: Float[Tensor, "b ..."], t: Tensor | float | int
) -> DiffusionPoint:
    """The same point in the diffusion: the step at which √ᾱ / (√ᾱ + √(1 − ᾱ)) = t, and
    x / √(t² + (1 − t)²). It undoes :func:`to_flow`.

    Args:
        process: see :func:`to_flow`.
        x: x_t of the flow, `b ...`.
        t: times in [0, 1], in any shape that `time_batch` takes. Beyond the ends of the process
            the step is the first or the last one; the scale is that of `t` all the same.

    Raises:
        ValueError: `t` does not fit `x`, or lies outside [0, 1].
    """
    times = _wide(time_batch(t, x), x)
    steps = process.original_steps.detach().cpu().double()
    # Both turned round: knots must increase.
    step = _interpolate(times, flow_times(process).flip(0), steps.flip(0))
    return DiffusionPoint(x / expand_batch(_scale(times), x), step.to(x.dtype))


class FlowAsNoiseModel(nn.Module):
    """ε(x, t, y) from a flow's velocity: ε = x − t u, at the flow's x and t.

    u is the average of z − ε at x = t z + (1 − t) ε, hence x − t u that of ε.

    Args:
        net: u_t(x|y), called as `net(x, t, y)` with t in [0, 1].
        process: the steps that the model is asked at; see :func:`to_flow`.

    `functools.partial(model, y=labels)` is a model for every sampler.
    """

    def __init__(self, net: Callable[..., Tensor], process: Process) -> None:
        super().__init__()
        self.net = net
        self.process = process

    def forward(
        self, x: Float[Tensor, "b ..."], t: Tensor, y: Tensor | None
    ) -> Float[Tensor, "b ..."]:
        """ε, in the shape of `x`.

        Args:
            x: x_t of the diffusion, `b ...`.
            t: original steps `(b,)`, integers or floats.
            y: labels for the network.

        Raises:
            ValueError: as for :func:`to_flow`, or the network's answer has another shape.
        """
        flow = to_flow(self.process, x, t)
        velocity = _shaped(self.net(flow.x, flow.t, y), x, "net")
        return flow.x - expand_batch(flow.t, x) * velocity


class NoiseModelAsFlow(nn.Module):
    """u_t(x|y) from a noise model: u = (x − ε) / t, at the diffusion's x and step.

    Beyond the ends of the process t is that of its first or last step. Near t = 0 the model's error
    in ε is divided by a small t; clipping keeps that at bay.

    Args:
        model: ε, called as `model(x, step, y)` with float steps that may lie between whole ones.
        process: the steps that the model knows; see :func:`to_flow`.
        clip_denoised: clamp the guess of z to [-1, 1], as samplers of diffusions do, and take the
            velocity towards that: u = (ẑ − x) / (1 − t).
    """

    def __init__(
        self, model: Callable[..., Tensor], process: Process, clip_denoised: bool = False
    ) -> None:
        super().__init__()
        self.model = model
        self.process = process
        self.clip_denoised = clip_denoised

    def forward(
        self, x: Float[Tensor, "b ..."], t: Tensor | float | int, y: Tensor | None
    ) -> Float[Tensor, "b ..."]:
        """u, in the shape of `x`.

        Args:
            x: x_t of the flow, `b ...`.
            t: times in [0, 1], in any shape that `time_batch` takes.
            y: labels for the model.

        Raises:
            ValueError: as for :func:`to_diffusion`, or the model's answer has another shape.
        """
        t = _within(self.process, time_batch(t, x))
        point = to_diffusion(self.process, x, t)
        noise = _shaped(self.model(point.x, point.step, y), x, "model")
        t = expand_batch(t, x)
        if not self.clip_denoised:
            return (x - noise) / t
        z = ((x - (1 - t) * noise) / t).clamp(-1, 1)
        return (z - x) / (1 - t)


class ClassifierGuidedODE(ODE):
    """ũ = u(x|∅) + w b_t ∇_x log p(y|x_t): a flow guided by a classifier of noised images.

    b_t = (1 − t) / t for the path x = t z + (1 − t) ε, and β² α̇/α − β β̇ for α z + β ε in general:
    u_t(x|y) = u_t(x) + b_t ∇_x log p(y|x_t) follows from Bayes' rule for the scores (Zheng et al.
    2023, "Guided flows for generative modeling and decision making"). So w = 1 is the conditional
    velocity where classifier and flow are exact.

    Beyond the ends of the process, b_t and the gradient are those of its first or last step.

    Args:
        net: u_t(x|y), called as `net(x, t, y)` with x the flow's and t in [0, 1].
        process: the steps that the classifier knows; see :func:`to_flow`.
        cond_fn: ∇ log p(y|x) with respect to the diffusion's x, called as `cond_fn(x, step, y)`
            with float steps `(b,)` that may lie between whole ones; in the shape of x.
        null_label: ∅, the label for which the network gives u_t(x). Items with this label are not
            guided.
        scale: w. 0 asks the classifier nothing.
        interval: the earliest and the latest t to guide at, both included.

    Raises:
        ValueError: the null label is negative, w is not finite, or the interval is none in [0, 1].
    """

    def __init__(
        self,
        net: Callable[..., Tensor],
        process: Process,
        cond_fn: Callable[[Tensor, Tensor, Tensor], Tensor],
        null_label: int,
        scale: float | int = 1.0,
        interval: tuple[float | int, float | int] = (0.0, 1.0),
    ) -> None:
        if null_label < 0:
            raise ValueError(f"null_label is {null_label}; expected the number of classes.")
        if not math.isfinite(scale):
            raise ValueError(f"scale is {scale}; expected a number, such as 1 or 4.")
        if len(interval) != 2 or not 0 <= interval[0] <= interval[1] <= 1:
            raise ValueError(
                f"interval is {interval}; expected its start and end, with 0 ≤ start ≤ end ≤ 1."
            )
        self.net = net
        self.process = process
        self.cond_fn = cond_fn
        self.null_label = null_label
        self.scale = float(scale)
        self.interval = (float(interval[0]), float(interval[1]))

    def drift_coefficient(  # type: ignore[override]
        self, x: Float[Tensor, "b ..."], t: Tensor | float | int, y: Tensor
    ) -> Float[Tensor, "b ..."]:
        """ũ_t(x|y), in the shape of `x`.

        Args:
            x: x_t of the flow, `b ...`.
            t: times in [0, 1], in any shape that `time_batch` takes.
            y: labels `(b,)`.

        Raises:
            ValueError: `t` or `y` does not fit the batch, a label is neither a class nor ∅, or an
                answer of the network or of `cond_fn` has another shape.
        """
        t = time_batch(t, x)
        y = _checked_labels(y, x).long().to(x.device)
        velocity = _shaped(self.net(x, t, torch.full_like(y, self.null_label)), x, "net")
        start, end = self.interval
        guided = (t >= start - TIME_TOLERANCE) & (t <= end + TIME_TOLERANCE)
        guided &= y != self.null_label
        if self.scale == 0 or not bool(guided.any()):
            return velocity
        t = _within(self.process, t)
        # Label 0 stands in for those that the classifier does not know and nobody uses.
        gradient = self._gradient(x, t, torch.where(guided, y, 0))
        weight = torch.where(guided, self.scale * (1 - t) / t, 0)
        return velocity + expand_batch(weight, x) * gradient

    def _gradient(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        """∇_x log p(y | x_t) with respect to the flow's x, by the chain rule."""
        # A simulation may run in inference mode, whose tensors take no part in a backward pass.
        with torch.inference_mode(False):
            point = to_diffusion(self.process, x.clone().detach(), t.clone())
            gradient = self.cond_fn(point.x, point.step, y.clone())
        return _shaped(gradient, x, "cond_fn") / expand_batch(_scale(t), x)


def _scale(t: Tensor) -> Tensor:
    """√(t² + (1 − t)²), which is 1 / (√ᾱ + √(1 − ᾱ)): the flow's x over the diffusion's."""
    return (t.square() + (1 - t).square()).sqrt()


def _within(process: Process, t: Tensor) -> Tensor:
    """`t`, but no further than the ends of the process."""
    times = flow_times(process)
    return t.clamp(float(times[-1]), float(times[0]))


def _wide(values: Tensor, x: Tensor) -> Tensor:
    """`values` on x's device, in the most precise dtype that it has."""
    values = values.detach()
    return values.float().to(x.device) if x.device.type == "mps" else values.to(x.device).double()


def _interpolate(values: Tensor, knots: Tensor, heights: Tensor) -> Tensor:
    """Linear between increasing knots, and constant beyond them."""
    knots, heights = (table.to(values.dtype).to(values.device) for table in (knots, heights))
    if len(knots) == 1:
        return heights.expand_as(values)
    right = torch.searchsorted(knots, values.contiguous()).clamp(1, len(knots) - 1)
    left = right - 1
    share = (values - knots[left]) / (knots[right] - knots[left])
    return torch.lerp(heights[left], heights[right], share.clamp(0, 1))


def _checked_steps(step: Tensor, x: Tensor, first: float, last: float) -> Tensor:
    if tuple(step.shape) != (len(x),) or step.is_complex() or step.dtype == torch.bool:
        raise ValueError(
            f"step has shape {tuple(step.shape)} and dtype {step.dtype}; expected ({len(x)},), one "
            f"number for each item of x with shape {tuple(x.shape)}."
        )
    if step.device.type == "cpu" and len(step):
        low, high = (float(bound) for bound in step.detach().aminmax())
        # Written so that NaN fails too; a little room for the rounding of float32 steps.
        if not (low >= first - 1e-3 and high <= last + 1e-3):
            raise ValueError(
                f"step lies in {low:g} … {high:g}; expected original steps {first:g} … {last:g}. "
                "Times in [0, 1] belong to the flow."
            )
    return step


def _checked_labels(y: Tensor, x: Tensor) -> Tensor:
    whole = not (y.is_floating_point() or y.is_complex() or y.dtype == torch.bool)
    if not whole or tuple(y.shape) != (len(x),) or bool((y < 0).any()):
        raise ValueError(
            f"y has shape {tuple(y.shape)} and dtype {y.dtype}; expected integers from 0 on, one "
            f"label for each of the {len(x)} items of x: ({len(x)},)."
        )
    return y


def _shaped(answer: Tensor, x: Tensor, name: str) -> Tensor:
    if answer.shape != x.shape:
        raise ValueError(
            f"{name} returned shape {tuple(answer.shape)} for x of shape {tuple(x.shape)}; "
            "expected the shape of x."
        )
    return answer.to(x.dtype)
