"""What lab 5's checks hand out: processes of all kinds, and models with a formula and a record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.checks.core import Values
from course_utils.checks.probes import generator
from course_utils.diffusion.schedules import cosine_betas, linear_betas, spaced

Probe = Callable[[Any, Values], Values]

VECTORS = 3
"""The number of the case whose items are vectors. The jobs promise images, so it is not graded."""


# --- the process, in float64


def per_item(table: Tensor, x: Tensor) -> Tensor:
    """Numbers ``b`` as ``b 1 … 1``, to multiply ``x: b …`` item by item."""
    return table.reshape(-1, *[1] * (x.ndim - 1))


@dataclass(frozen=True)
class Tables:
    """The tables of a process in float64, from the βs of the whole one and the kept steps."""

    whole_alphas_bar: Tensor
    original: Tensor

    @staticmethod
    def of(values: Values) -> Tables:
        return Tables((1 - values["betas"].double()).cumprod(dim=0), values["kept"])

    @cached_property
    def num_steps(self) -> int:
        return len(self.original)

    @cached_property
    def whole(self) -> int:
        return len(self.whole_alphas_bar)

    @cached_property
    def alphas_bar(self) -> Tensor:
        return self.whole_alphas_bar[self.original]

    @cached_property
    def alphas_bar_prev(self) -> Tensor:
        return torch.cat([torch.ones(1, dtype=torch.float64), self.alphas_bar[:-1]])

    @cached_property
    def alphas(self) -> Tensor:
        """α_t = ᾱ_t / ᾱ_{t−1}, which defines the βs of a respaced process."""
        return self.alphas_bar / self.alphas_bar_prev

    @cached_property
    def betas(self) -> Tensor:
        return 1 - self.alphas

    @cached_property
    def variances(self) -> Tensor:
        """Of q(x_{t−1}|x_t, x_0), a product of two Gaussians: the precisions add up.

        x_t tells x_{t−1} with precision α/β, x_0 tells it with 1/(1 − ᾱ_{t−1}); at t = 0 the
        second is infinite and nothing is left to chance.
        """
        precision = self.alphas / self.betas + 1 / (1 - self.alphas_bar_prev)
        return 1 / precision

    @cached_property
    def log_variances(self) -> Tensor:
        """With the second entry in the place of the first, which would be −∞."""
        variances = self.variances
        return torch.cat([variances[1:2], variances[1:]]).log()

    @cached_property
    def tolerance(self) -> float:
        """How far float32 tables may move a result, relative to its size.

        1 − ᾱ and 1 − ᾱ_t/ᾱ_{t−1} lose up to 6e-8 in each operation; that is much of a small β.
        """
        least = float(torch.minimum(self.betas, 1 - self.alphas_bar).min())
        return 3e-4 + 6e-7 / least

    def at(self, name: str, t: Tensor, x: Tensor) -> Tensor:
        return per_item(getattr(self, name)[t], x)

    def guess_slack(self, x: Tensor, t: Tensor) -> Tensor:
        """Rounding of (x − √(1 − ᾱ) ε)/√ᾱ in float32, ``b 1 … 1``: it is divided by √ᾱ."""
        size = x.double().abs().flatten(1).amax(dim=1)
        return per_item(2e-6 * (1 + size), x) / self.at("alphas_bar", t, x).sqrt()

    def mean_slack(self, mean: Tensor, x: Tensor, t: Tensor) -> Tensor:
        """Rounding of a mean that is taken by way of ε, (x − …)/√α_t, where 1 − β_t is small."""
        alpha = self.at("alphas", t, x)
        size = per_item(mean.abs().flatten(1).amax(dim=1), x)
        noisy = per_item(1 + x.abs().flatten(1).amax(dim=1), x)
        return 1e-7 * size / alpha + 1e-6 * noisy / alpha.sqrt()


# Not methods: a probe that is sent to a student's kernel takes along what it names, and no more.


def _angle(signal: Tensor) -> Tensor:
    """How far x_t is turned from the image towards the noise, where this share ᾱ is still image."""
    return torch.atan2((1 - signal).sqrt(), signal.sqrt())


def mix(signal: Tensor, x_start: Tensor, noise: Tensor) -> Tensor:
    """x_t where the share ``signal`` is still image: (x_0, −ε) as a point, turned by the angle."""
    turn = torch.polar(torch.ones_like(signal), _angle(signal))
    return (turn * torch.complex(x_start, -noise)).real


def posterior_mean(tables: Tables, x_start: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
    """The two sources' opinions on x_{t−1}, weighted by their precisions."""
    var, prev = tables.at("variances", t, x_t), tables.at("alphas_bar_prev", t, x_t)
    from_noisy = var * tables.at("alphas", t, x_t).sqrt() / tables.at("betas", t, x_t) * x_t
    # var / (1 − ᾱ_{t−1}) is 0/0 at t = 0; its limit there is 1.
    weight = torch.where(prev < 1, var / (1 - prev).clamp_min(1e-30), torch.ones_like(var))
    return from_noisy + weight * prev.sqrt() * x_start


def noise_of(tables: Tables, x_start: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
    angle = _angle(tables.at("alphas_bar", t, x_t))
    return x_t / angle.sin() - x_start / angle.tan()


def start_of(tables: Tables, noise: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
    angle = _angle(tables.at("alphas_bar", t, x_t))
    return x_t / angle.cos() - noise * angle.tan()


# --- cases: several processes and shapes in one set of inputs


def whole_number(stream: torch.Generator, low: int, high: int) -> int:
    """One of low … high."""
    return int(torch.randint(low, high + 1, (), generator=stream))


def _process(stream: torch.Generator, cosine: bool, steps: int, keep: int | None) -> Values:
    betas = cosine_betas(steps) if cosine else linear_betas(steps)
    kept = list(range(steps)) if keep is None else spaced(steps, keep)
    return {"betas": betas, "kept": torch.tensor(kept)}


def _times(stream: torch.Generator, num_steps: int, batch: int) -> Tensor:
    """Mixed steps in no order, the first two and the last among them."""
    some = torch.randint(num_steps, (batch - 3,), generator=stream)
    t = torch.cat([torch.tensor([0, 1, num_steps - 1]), some])
    return t[torch.randperm(batch, generator=stream)]


def cases(seed: int, fill: Callable[[torch.Generator, Values], Values], long: bool) -> Values:
    """Inputs for images in a linear, a cosine and a respaced process, and for vectors in any.

    ``fill`` adds to a case that has betas, kept, t, shape. ``long``: the respaced one keeps some
    of 1,000 steps instead of a hundred.
    """
    stream = generator(seed)
    inputs: Values = {}
    for number in range(VECTORS + 1):
        cosine = number == 1 or (number > 1 and whole_number(stream, 0, 1) == 1)
        steps = 1000 if long and number == 2 else whole_number(stream, 50, 150)
        keep = whole_number(stream, 8, 25) if number == 2 else None
        case = _process(stream, cosine, steps, keep)
        batch = whole_number(stream, 9, 13)
        case["t"] = _times(stream, len(case["kept"]), batch)
        sides = [whole_number(stream, low, 5) for low in ((2,) if number == VECTORS else (1, 2, 3))]
        # As a tensor, because numbers and tensors are all that inputs may hold.
        case["shape"] = torch.tensor([batch, *sides])
        inputs |= {f"{number}.{name}": value for name, value in fill(stream, case).items()}
    return inputs


def shape_of(case: Values) -> tuple[int, ...]:
    return tuple(case["shape"].tolist())


def case_of(values: Values, number: int) -> Values:
    """What belongs to one of the cases."""
    start = f"{number}."
    return {n.removeprefix(start): v for n, v in values.items() if n.startswith(start)}


def each_case(probe: Probe) -> Probe:
    """A probe that runs ``probe`` on every case; a crash over vectors becomes a word on it."""

    def tried(target: Any, inputs: Values) -> Values:
        outputs: Values = {}
        for number in range(VECTORS + 1):
            try:
                found = probe(target, case_of(inputs, number))
            except Exception as error:
                if number < VECTORS:
                    raise
                found = {"crash": f"{type(error).__name__}: {error}".splitlines()[0]}
            outputs |= {f"{number}.{name}": value for name, value in found.items()}
        return outputs

    return tried


def build(target: Any, case: Values) -> Any:
    """A student's process over the βs of a case, whole or respaced."""
    betas, kept = case["betas"].clone(), case["kept"].tolist()
    return target(betas) if len(kept) == len(betas) else target(betas, kept)


# --- what is called


@dataclass
class Record:
    """What a callable was asked: the steps and labels of all calls, one after the other."""

    steps: list[Tensor] = field(default_factory=list)
    labels: list[Tensor] = field(default_factory=list)
    calls: int = 0

    def note(self, t: Any, y: Any) -> None:
        self.calls += 1
        if t is not None:
            self.steps.append(torch.as_tensor(t).detach().cpu().double().reshape(-1))
        if y is not None:
            self.labels.append(torch.as_tensor(y).detach().cpu().double().reshape(-1))

    def values(self, name: str) -> Values:
        return {
            f"{name}_calls": self.calls,
            f"{name}_t": torch.cat(self.steps) if self.steps else None,
            f"{name}_y": torch.cat(self.labels) if self.labels else None,
        }


def _step_numbers(t: Any, whole: int, batch: int) -> Tensor:
    """Steps of any make as indices of a table; what was asked is judged from the record."""
    index = torch.as_tensor(0 if t is None else t).detach().double().reshape(-1)
    return index.nan_to_num().round().long().clamp(0, whole - 1).expand(batch)


def guess_of(values: Values, x: Tensor, step: Tensor) -> Tensor:
    """What the probe's model takes x_0 to be: gain · sin(ω x + 3 step/T + phase), within ±gain."""
    phase = 3 * per_item(step.double(), x) / len(values["betas"]) + values["phase"]
    return values["gain"] * torch.sin(values["omega"] * x.double() + phase)


def noise_guess(values: Values, x: Tensor, step: Tensor) -> Tensor:
    """The same guess told as noise, ε = (x − √ᾱ x_0)/√(1 − ᾱ), as the model tells it."""
    bar = per_item((1 - values["betas"].double()).cumprod(dim=0)[step], x)
    return (x.double() - bar.sqrt() * guess_of(values, x, step)) / (1 - bar).sqrt()


class ProbeModel:
    """A model of the noise with a formula, model(x, t), t in steps of the whole process."""

    def __init__(self, values: Values) -> None:
        self.inputs, self.record = values, Record()

    def __call__(self, x: Tensor, t: Any = None, y: Any = None) -> Tensor:
        self.record.note(t, y)
        step = _step_numbers(t, len(self.inputs["betas"]), len(x))
        return noise_guess(self.inputs, x, step).to(x.dtype)


def gradient_value(values: Values, x: Tensor, step: Tensor, y: Tensor) -> Tensor:
    """The probe's ∇ log p(y|x_t): slope · x + shift[y] + drift · step/T."""
    told = values["shift"][y].double() + values["drift"] * step.double() / len(values["betas"])
    return values["slope"] * x.double() + per_item(told, x)


class ProbeGradient:
    """A cond_fn(x, t, y) with a formula, in steps of the whole process."""

    def __init__(self, values: Values) -> None:
        self.inputs, self.record = values, Record()

    def __call__(self, x: Tensor, t: Any = None, y: Any = None) -> Tensor:
        self.record.note(t, y)
        step = _step_numbers(t, len(self.inputs["betas"]), len(x))
        labels = _step_numbers(y, len(self.inputs["shift"]), len(x))
        return gradient_value(self.inputs, x, step, labels).to(x.dtype)


def model_values(stream: torch.Generator, gain: float) -> Values:
    return {
        "gain": gain,
        "omega": float(1 + torch.rand((), generator=stream)),
        "phase": float(3 * torch.rand((), generator=stream)),
    }


def gradient_values(stream: torch.Generator, batch: int) -> Values:
    """The parameters of a cond_fn, and labels to ask it for."""
    classes = whole_number(stream, 3, 12)
    signs = torch.randint(2, (), generator=stream) * 2.0 - 1
    return {
        "slope": float(0.5 + torch.rand((), generator=stream)) * float(signs),
        "drift": float(1 + torch.rand((), generator=stream)),
        "shift": torch.randn(classes, generator=stream),
        "y": torch.randint(classes, (batch,), generator=stream),
    }


# --- classifiers


def logits_of(
    x: Tensor, t: Tensor, weights: Tensor, bends: Tensor, drifts: Tensor, whole: int
) -> Tensor:
    """w_k · x + ½ q_k |x|² + r_k t/T: one number for each item and class, ``b classes``."""
    flat = x.flatten(1)
    told = (t.to(flat.dtype) / whole)[:, None] * drifts
    return flat @ weights.T + 0.5 * flat.pow(2).sum(dim=1, keepdim=True) * bends + told


class ProbeClassifier(nn.Module):
    """A classifier with a formula, classifier(x, t) → logits, that keeps what it saw."""

    def __init__(self, values: Values) -> None:
        super().__init__()
        self.weights = nn.Parameter(values["weights"].clone())
        self.bends, self.drifts = values["bends"].clone(), values["drifts"].clone()
        self.whole, self.record = len(values["betas"]), Record()
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor, t: Any = None, y: Any = None) -> Tensor:
        self.record.note(t, y)
        self.seen.append(x.detach().clone())
        told = torch.as_tensor(0 if t is None else t).detach().reshape(-1).expand(len(x))
        return logits_of(x, told, self.weights, self.bends, self.drifts, self.whole).to(x.dtype)


def classifier_values(stream: torch.Generator, classes: int, size: int) -> Values:
    return {
        "weights": torch.randn(classes, size, generator=stream) / size**0.5,
        "bends": 0.5 * torch.randn(classes, generator=stream) / size**0.5,
        "drifts": 1.5 * torch.randn(classes, generator=stream),
    }
