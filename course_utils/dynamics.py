"""Ordinary and stochastic differential equations, and the methods that simulate them.

Names that conditioning cannot take, because the simulators use them: x, t, h, ts, every.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from course_utils import runtime
from course_utils.shapes import TIME_TOLERANCE, expand_batch, time_batch


class ODE(ABC):
    """dx/dt = u(x, t)."""

    @abstractmethod
    def drift_coefficient(
        self, x: Float[Tensor, "b ..."], t: Float[Tensor, "b"], **conditioning: object
    ) -> Float[Tensor, "b ..."]:
        """u(x, t), in the shape of `x`. The simulators always hand over `t` as `(b,)`.

        An equation that needs labels names them: `drift_coefficient(self, x, t, y)`.
        """


class SDE(ABC):
    """dx = f(x, t) dt + g(x, t) dW, with noise that acts on each element by itself."""

    @abstractmethod
    def drift_coefficient(
        self, x: Float[Tensor, "b ..."], t: Float[Tensor, "b"], **conditioning: object
    ) -> Float[Tensor, "b ..."]:
        """f(x, t), in the shape of `x`."""

    @abstractmethod
    def diffusion_coefficient(
        self, x: Float[Tensor, "b ..."], t: Float[Tensor, "b"], **conditioning: object
    ) -> Float[Tensor, "..."] | float:
        """g(x, t), with as many axes as `x` (an axis of size 1 broadcasts), or one number."""


class Simulator(ABC):
    """Moves a batch along a grid of times. A subclass defines one `step`.

    Args:
        show_progress: show a progress bar over the steps.
    """

    def __init__(self, show_progress: bool = False) -> None:
        self.show_progress = show_progress

    @abstractmethod
    def step(
        self,
        x: Float[Tensor, "b ..."],
        t: Tensor | float | int,
        h: Tensor | float | int,
        **conditioning: object,
    ) -> Float[Tensor, "b ..."]:
        """x at t + h from x at t.

        Args:
            x: the state, `(b ...)`.
            t: time in [0, 1], and h: step (negative to go back in time). Each is one number, or
                one for each sample as `(b,)`, `(b, 1)` or `(b, 1, 1, 1)`.
            conditioning: handed on to the equation by name, such as `y=labels`.

        Raises:
            ValueError: `t` or `h` does not fit the batch, or the equation returns a wrong shape.
        """

    def step_to_one(
        self, x: Float[Tensor, "b ..."], t: Tensor, h: Tensor, **conditioning: object
    ) -> Float[Tensor, "b ..."]:
        """The last step of a grid that ends at t = 1: `step`, unless a method must differ."""
        return self.step(x, t, h, **conditioning)

    @torch.no_grad()
    def simulate(
        self, x: Float[Tensor, "b ..."], ts: Float[Tensor, "..."], **conditioning: object
    ) -> Float[Tensor, "b ..."]:
        """The state at the last of the times `ts`, from `x` at the first. `x` is left as it is.

        No gradients are recorded; call `step` yourself to differentiate through the steps.

        Args:
            x: initial state, `(b ...)`.
            ts: times in [0, 1], `(nt,)` for all samples, or `(b, nt)`, `(b, nt, 1)` or
                `(b, nt, 1, 1, 1)`. At least two, all strictly increasing or all strictly
                decreasing: 101 of them make 100 steps.
            conditioning: handed on to the equation by name, such as `y=labels`; it cannot be
                named x, t, h, ts or every.

        Raises:
            ValueError: `ts` has another shape or order, or leaves [0, 1]; or the equation
                returns a wrong shape.
        """
        for _, state in self._states(x, ts, conditioning):
            x = state
        return x

    @torch.no_grad()
    def simulate_with_trajectory(
        self,
        x: Float[Tensor, "b ..."],
        ts: Float[Tensor, "..."],
        *,
        every: int = 1,
        **conditioning: object,
    ) -> Float[Tensor, "b n ..."]:
        """The states at the times `ts[record_every(nt, every)]`, in order, first and last included.

        Arguments and errors are those of `simulate`.

        Args:
            every: keep one state in this many, at least 1. With 1, n is the number of times.
        """
        num_timesteps = _grid(ts, x).shape[1]
        kept = {int(index): slot for slot, index in enumerate(record_every(num_timesteps, every))}
        trajectory = x.new_empty((x.shape[0], len(kept), *x.shape[1:]))
        trajectory[:, 0] = x
        for index, state in self._states(x, ts, conditioning):
            if index in kept:
                trajectory[:, kept[index]] = state
        return trajectory

    def _states(
        self, x: Tensor, ts: Tensor, conditioning: dict[str, object]
    ) -> Iterator[tuple[int, Tensor]]:
        """(index in ts, state there) after each step."""
        grid = _grid(ts, x)  # b nt
        last = grid.shape[1] - 2
        ends_at_one = bool((grid[:, -1] >= 1 - TIME_TOLERANCE).any())
        # Differences in the precision of `ts`: in half precision neighbours would collapse.
        # Both move to the device once, rather than in every step.
        steps = grid.diff(dim=1).to(x.dtype).to(x.device)
        times = grid.to(x.dtype).to(x.device)
        for i in self._bar(last + 1):
            step = self.step_to_one if i == last and ends_at_one else self.step
            x = step(x, times[:, i], steps[:, i], **conditioning)
            yield i + 1, x

    def _bar(self, num_steps: int) -> Iterable[int]:
        if not self.show_progress:
            return range(num_steps)
        return runtime.progress(range(num_steps), type(self).__name__)


class EulerSimulator(Simulator):
    """Euler's method, order 1, one evaluation a step: x + h u(x, t).

    On a grid from 0 to 1 it never evaluates the field at t = 1.
    """

    def __init__(self, ode: ODE, show_progress: bool = False) -> None:
        super().__init__(show_progress)
        self.ode = ode

    def step(
        self,
        x: Float[Tensor, "b ..."],
        t: Tensor | float | int,
        h: Tensor | float | int,
        **conditioning: object,
    ) -> Float[Tensor, "b ..."]:
        """x + h u(x, t); see `Simulator.step`."""
        return _euler(self.ode, x, t, h, conditioning)


class HeunSimulator(Simulator):
    """Heun's method (explicit trapezoidal rule), order 2, two evaluations a step.

    x̂ = x + h u(x, t), then x + h/2 (u(x, t) + u(x̂, t + h)). Karras et al. 2022, "Elucidating the
    design space of diffusion-based generative models", algorithm 1, in flow time.

    A velocity may be singular at t = 1, and a network has not been trained there. So the last
    step of a grid that ends at 1 is an Euler step, with one evaluation. The error that it adds,
    of size h², leaves the order at 2 for a smooth field. A call of `step` itself always takes
    Heun's step.

    Args:
        ode: the equation.
        evaluate_at_one: take Heun's step to t = 1 too, for a field that is known to be finite.
    """

    def __init__(
        self, ode: ODE, evaluate_at_one: bool = False, show_progress: bool = False
    ) -> None:
        super().__init__(show_progress)
        self.ode = ode
        self.evaluate_at_one = evaluate_at_one

    def step(
        self,
        x: Float[Tensor, "b ..."],
        t: Tensor | float | int,
        h: Tensor | float | int,
        **conditioning: object,
    ) -> Float[Tensor, "b ..."]:
        """x + h/2 (u(x, t) + u(x̂, t + h)); see `Simulator.step`."""
        t = time_batch(t, x)
        h = expand_batch(h, x)
        slope = _drift(self.ode, x, t, conditioning)
        t_end = time_batch(_without_rounding(t + h.reshape(-1)), x)
        slope_end = _drift(self.ode, x + h * slope, t_end, conditioning)
        return x + h / 2 * (slope + slope_end)

    def step_to_one(
        self, x: Float[Tensor, "b ..."], t: Tensor, h: Tensor, **conditioning: object
    ) -> Float[Tensor, "b ..."]:
        """An Euler step, unless `evaluate_at_one`."""
        if self.evaluate_at_one:
            return self.step(x, t, h, **conditioning)
        return _euler(self.ode, x, t, h, conditioning)


class EulerMaruyamaSimulator(Simulator):
    """Euler–Maruyama, strong order 1/2 and weak order 1: x + h f(x, t) + √|h| g(x, t) ε.

    ε ~ N(0, I) is drawn from torch's global generator on the device of `x`. With decreasing
    times it simulates an equation that is written in reverse time, whose noise has variance |h|.
    """

    def __init__(self, sde: SDE, show_progress: bool = False) -> None:
        super().__init__(show_progress)
        self.sde = sde

    def step(
        self,
        x: Float[Tensor, "b ..."],
        t: Tensor | float | int,
        h: Tensor | float | int,
        **conditioning: object,
    ) -> Float[Tensor, "b ..."]:
        """x + h f(x, t) + √|h| g(x, t) ε; see `Simulator.step`."""
        t = time_batch(t, x)
        h = expand_batch(h, x)
        drift = _drift(self.sde, x, t, conditioning)
        diffusion = _diffusion(self.sde, x, t, conditioning)
        return x + h * drift + h.abs().sqrt() * diffusion * torch.randn_like(x)


def record_every(num_timesteps: int, every: int) -> Int64[Tensor, "n"]:
    """Indices 0, every, 2 every, … of `num_timesteps` times, and always the last one.

    Raises:
        ValueError: `num_timesteps` or `every` is below 1.
    """
    if num_timesteps < 1 or every < 1:
        raise ValueError(
            f"num_timesteps is {num_timesteps} and every is {every}; expected both to be at least "
            "1. every = 1 keeps all states, every = num_timesteps only the first and the last."
        )
    last = num_timesteps - 1
    return torch.cat([torch.arange(0, last, every), torch.tensor([last])])


def time_grid(
    num_steps: int, kind: str = "uniform", power: float | int = 2.0
) -> Float[Tensor, "nt"]:
    """`num_steps + 1` increasing times from 0 to 1, for that many steps.

    Args:
        num_steps: at least 1.
        kind: with s = 0, 1/n, 2/n, …, 1:
            "uniform", t = s;
            "cosine", t = sin²(π s / 2), small steps at both ends;
            "power", t = 1 - (1 - s)^power, for a power above 1 with small steps towards the data,
            for one below 1 towards the noise.
        power: of "power", above 0.

    Raises:
        ValueError: `num_steps` or `power` is too small, or there is no such kind.
    """
    if num_steps < 1 or not 0 < power < math.inf:
        raise ValueError(
            f"num_steps is {num_steps} and power is {power}; expected at least 1 step and a power "
            "above 0, such as 2."
        )
    s = torch.linspace(0, 1, num_steps + 1, dtype=torch.float64)
    kinds = {
        "uniform": s,
        "cosine": torch.sin(math.pi / 2 * s).square(),
        "power": 1 - (1 - s) ** power,
    }
    if kind not in kinds:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(map(repr, kinds))}.")
    return kinds[kind].float()


def _euler(
    ode: ODE,
    x: Tensor,
    t: Tensor | float | int,
    h: Tensor | float | int,
    conditioning: dict[str, object],
) -> Tensor:
    return x + expand_batch(h, x) * _drift(ode, x, time_batch(t, x), conditioning)


def _without_rounding(t: Tensor) -> Tensor:
    """`t` with what rounding carried past 0 or 1 put back; a real overshoot stays an error."""
    tolerance = max(TIME_TOLERANCE, 2 * torch.finfo(t.dtype).eps)
    within = (t >= -tolerance) & (t <= 1 + tolerance)
    return torch.where(within, t.clamp(0, 1), t)


def _drift(equation: ODE | SDE, x: Tensor, t: Tensor, conditioning: dict[str, object]) -> Tensor:
    drift = equation.drift_coefficient(x, t, **conditioning)
    # A (b, 1) or (b,) result would broadcast into a plausible wrong answer.
    if drift.shape != x.shape:
        raise ValueError(
            f"{type(equation).__name__}.drift_coefficient returned shape {tuple(drift.shape)} for "
            f"x of shape {tuple(x.shape)}; expected the shape of x."
        )
    return drift


def _diffusion(sde: SDE, x: Tensor, t: Tensor, conditioning: dict[str, object]) -> Tensor:
    value = sde.diffusion_coefficient(x, t, **conditioning)
    diffusion = torch.as_tensor(value, dtype=x.dtype, device=x.device)
    fits = diffusion.ndim == x.ndim and all(
        size in (1, full) for size, full in zip(diffusion.shape, x.shape, strict=True)
    )
    if diffusion.ndim != 0 and not fits:
        raise ValueError(
            f"{type(sde).__name__}.diffusion_coefficient returned shape {tuple(diffusion.shape)} "
            f"for x of shape {tuple(x.shape)}; expected the shape of x, (b, 1, ..., 1) with "
            f"{x.ndim} axes (expand_time gives it), or one number."
        )
    return diffusion


def _grid(ts: Tensor, x: Tensor) -> Tensor:
    """`ts` as `(b, nt)`, with shape, range and order checked."""
    b = x.shape[0]
    rows = ts[None] if ts.ndim == 1 else ts
    one_time_each = rows.ndim >= 2 and rows.shape[0] * rows.shape[1] == rows.numel()
    if not one_time_each or rows.shape[0] not in (1, b):
        raise ValueError(
            f"ts has shape {tuple(ts.shape)}, but x has shape {tuple(x.shape)}; expected (nt,) for "
            f"one grid of times, or ({b}, nt), ({b}, nt, 1) or ({b}, nt, 1, 1, 1) for one each."
        )
    rows = rows.reshape(rows.shape[0], rows.shape[1])
    if rows.shape[1] < 2:
        raise ValueError(
            f"ts holds {rows.shape[1]} time; expected at least two, a start and an end, such as "
            "torch.linspace(0, 1, 101) for 100 steps."
        )
    _check_order(rows)
    return rows.expand(b, -1)


def _check_order(rows: Tensor) -> None:
    # Grids are small and read once a simulation, so accelerators are checked too.
    low, high = (float(bound) for bound in rows.aminmax())
    if not (low >= -TIME_TOLERANCE and high <= 1 + TIME_TOLERANCE):
        raise ValueError(
            f"ts runs over [{low:g}, {high:g}]; expected times in [0, 1], with noise at 0 and "
            "data at 1."
        )
    steps = rows.diff(dim=1)
    if not (bool((steps > 0).all()) or bool((steps < 0).all())):
        raise ValueError(
            f"ts is not in order: its steps lie in [{float(steps.min()):g}, "
            f"{float(steps.max()):g}]; expected strictly increasing times, or strictly decreasing "
            "ones, such as torch.linspace(0, 1, 101)."
        )
