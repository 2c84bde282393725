"""Building blocks of verdicts: compare with the truth, and name the mistake by its formula."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from course_utils.checks.core import Alien, Finding

FLOAT32_OPS = 1e-4
"""Relative tolerance for a dozen float32 operations (6e-8 each) after a division by β ≥ 0.03."""


def form_problem(name: str, value: object, shape: tuple[int, ...]) -> str | None:
    """What keeps ``value`` from being a finite floating tensor of ``shape``, or None."""
    if value is None:
        return f"{name} should be a tensor; yours is None. Is there a return?"
    if isinstance(value, Alien):
        return f"{name} should be a torch tensor; yours is a {value.type_name}."
    if not isinstance(value, Tensor):
        return f"{name} should be a torch tensor; yours is the {type(value).__name__} {value!r}."
    if tuple(value.shape) != shape:
        given = tuple(value.shape)
        return f"{name} should have shape {shape}; yours has {given}.{_shape_advice(given, shape)}"
    if not value.is_floating_point():
        return f"{name} should hold floating-point numbers; yours holds {value.dtype}."
    if not bool(torch.isfinite(value).all()):
        return f"{name} holds NaN or infinity. Look for a division by zero."
    return None


def _shape_advice(given: tuple[int, ...], expected: tuple[int, ...]) -> str:
    if given == (2 * math.prod(expected[:1]), *expected[1:]) and expected:
        return " Twice as many rows: do two halves still have to become one?"
    if len(given) > len(expected):
        return " A dimension too many: was t broadcast against the batch instead of along it?"
    if math.prod(given) == math.prod(expected):
        return " The number of elements is right, their layout is not."
    return ""


def close(got: Tensor, expected: Tensor, tolerance: float = FLOAT32_OPS) -> bool:
    """Whether two tensors agree within ``tolerance`` of the largest expected magnitude."""
    scale = max(float(expected.abs().max()), 1e-6)
    return float((got.double() - expected.double()).abs().max()) <= tolerance * scale


def same_items(got: object, expected: Tensor, tolerance: float) -> bool:
    """Whether items of a batch, asked for once more in another one, were answered as before."""
    return form_problem("", got, tuple(expected.shape)) is None and close(got, expected, tolerance)  # type: ignore[arg-type]


def compare(
    what: str,
    got: object,
    expected: Tensor,
    mistakes: Mapping[str, Tensor],
    tolerance: float = FLOAT32_OPS,
) -> Finding:
    """Compare a value with the truth; if it is wrong, look for it among known wrong formulas.

    Args:
        what: what holds when the value is right, as a sentence without a full stop.
        mistakes: from the message of a misconception to the value that it produces.
    """
    problem = form_problem("The result", got, tuple(expected.shape))
    if problem:
        return Finding(False, problem)
    assert isinstance(got, Tensor)
    if close(got, expected, tolerance):
        return Finding(True, what)
    for message, wrong in mistakes.items():
        if wrong.shape == got.shape and close(got, wrong, tolerance):
            return Finding(False, message)
    return Finding(False, f"Not yet: {what}. {_worst(got, expected)}")


def _worst(got: Tensor, expected: Tensor) -> str:
    """Where the two differ most, in numbers that a student can recompute."""
    gap = (got.double() - expected.double()).abs()
    index = tuple(int(i) for i in torch.unravel_index(gap.argmax(), gap.shape))
    ratio = got.double().norm() / expected.double().norm().clamp_min(1e-12)
    return (
        f"At index {list(index)} the check expected {float(expected[index]):.4g} and got "
        f"{float(got[index]):.4g} (overall your values have {float(ratio):.2f} times the size)."
    )


def normal_problem(residual: Tensor) -> str | None:
    """Why ``residual`` is not standard normal noise, independent in every element; None if it is.

    Four moments of N independent normal numbers are held within eight standard errors of their
    expectation (√(1/N), √(2/N), √(15/N), √(96/N)), and two sample correlations within eight of
    theirs (√(2/N)). For N ≥ 4,096 a false alarm is less likely than 1e-8, by Chernoff's bound. To
    tell uniform from normal noise takes N ≥ 16,384.
    """
    flat = residual.double().reshape(residual.shape[0], -1)
    # An even number of rows and columns, because neighbours are compared in pairs.
    flat = flat[: len(flat) // 2 * 2, : flat.shape[1] // 2 * 2]
    count = flat.numel()
    # Repeated numbers come first: they spoil the moments, too, which would tell less.
    rows = (flat[0::2] * flat[1::2]).mean() * math.sqrt(count / 2)
    columns = (flat[:, 0::2] * flat[:, 1::2]).mean() * math.sqrt(count / 2)
    if _correlation(flat[0::2], flat[1::2]) > 0.5:
        return "is the same for several items of the batch"
    if _correlation(flat[:, 0::2], flat[:, 1::2]) > 0.5:
        return "is the same for several elements of one item"
    moments = [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)]
    errors = [
        (float(flat.pow(k).mean()) - mean) / math.sqrt(variance / count)
        for k, mean, variance in moments
    ]
    if abs(errors[0]) > 8:
        return f"has mean {float(flat.mean()):.2f} instead of 0"
    if abs(errors[1]) > 8:
        return f"has standard deviation {float(flat.std()):.2f} instead of 1"
    if max(abs(errors[2]), abs(errors[3])) > 8:
        return "has mean 0 and standard deviation 1, but is not normally distributed"
    if max(abs(float(rows)), abs(float(columns))) > 8:
        return "is not independent from item to item, or from element to element"
    return None


def noise_problem(residual: Tensor, z: Tensor) -> str | None:
    """Why ``residual`` is not standard normal noise that knows nothing of ``z``; None if it is.

    Given z, the mean of residual · z is normal with standard deviation √(mean z² / N); it is held
    within eight of them.
    """
    problem = normal_problem(residual)
    if problem:
        return problem
    share = float((residual.double() * z.double()).mean() / z.double().pow(2).mean().sqrt())
    if abs(share) * math.sqrt(residual.numel()) > 8:
        return "still holds a part of z, so z was not scaled by α"
    return None


def sample_mistake(x: Tensor, z: Tensor, t: Tensor, schedule: Sequence[Tensor]) -> str | None:
    """Which known wrong formula explains ``x`` ≠ α z + β ε: that whose residual is normal noise.

    Args:
        t: the times, shaped to multiply ``z``.
        schedule: α, β, α̇, β̇ at t, shaped like it.
    """
    alpha, beta, alpha_dt, beta_dt = schedule
    if close(x, z):
        return "This is the clean z: neither α nor the noise β ε is there."
    if close(x, alpha * z):
        return "This is only the mean α z. The noise β ε is missing."
    uniform = ((x - alpha * z) / beta - 0.5) * math.sqrt(12)
    if float((uniform.abs() <= math.sqrt(3) * 1.01).double().mean()) > 0.9999:
        return "Your noise is uniform on [0, 1): torch.rand instead of torch.randn."
    candidates = {
        "α and β look swapped: α(t) multiplies the data z, β(t) the noise.": (x - beta * z) / alpha,
        "Your noise has variance β instead of β²: no square root is needed, β is a standard "
        "deviation.": (x - alpha * z) / beta.sqrt(),
        "Your noise is scaled by β²; β itself is the standard deviation.":
            (x - alpha * z) / beta**2,
        "Your noise is not scaled by β.": x - alpha * z,
        "Your z is not scaled by α.": (x - z) / beta,
        "Your z is scaled by α²; α itself is its factor.": (x - alpha**2 * z) / beta,
        "This is t z + (1 − t) ε, the straight road only: ask the path's own schedule for α(t) and "
        "β(t).": (x - t * z) / (1 - t),
        "Your noise is scaled by √(1 − α²); ask the schedule for β(t), the two need not lie on a "
        "circle.": (x - alpha * z) / (1 - alpha**2).sqrt(),
        "This is √α z + √(1 − α) ε, the formula of diffusion models; here it is α z + β ε.":
            (x - alpha.sqrt() * z) / (1 - alpha).sqrt(),
        "Your noise is scaled by 1 − α; ask the schedule for β(t).": (x - alpha * z) / (1 - alpha),
        "This combines the derivatives α̇ and β̇ instead of α and β.": (x - alpha_dt * z) / beta_dt,
        "All items are at the time of the first one: each item has a t of its own.":
            (x - alpha[:1] * z) / beta[:1],
        "This is noise alone; the data α z are missing.": x / beta,
    }  # fmt: skip
    for message, residual in candidates.items():
        if noise_problem(residual, z) is None:
            return message
    return None


def _correlation(a: Tensor, b: Tensor) -> float:
    """The sample correlation of two tensors of one shape, in [-1, 1]."""
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (a.norm() * b.norm()).clamp_min(1e-12))


def uniform_problem(t: Tensor, top: float = 1.0) -> str | None:
    """Why the times ``t: n`` are not uniform draws on [0, top]; None if they are.

    Kolmogorov and Smirnov: for n draws the largest gap between the empirical and the true
    distribution function exceeds √(ln(2/p) / 2n) with probability at most p (Massart 1990); here
    p = 1e-7.
    """
    t = t.double()
    if float(t.min()) < 0 or float(t.max()) > 1:
        return f"lie between {float(t.min()):.2f} and {float(t.max()):.2f}, outside [0, 1]"
    if len(torch.unique(t)) == 1 and len(t) > 1:
        return "are one and the same number for the whole batch"
    ordered = (t / top).sort().values
    steps = torch.arange(len(t) + 1, dtype=torch.float64) / len(t)
    gap = torch.maximum((ordered - steps[:-1]).abs().max(), (steps[1:] - ordered).abs().max())
    if float(gap) > math.sqrt(math.log(2 / 1e-7) / (2 * len(t))) + (1 - top):
        return f"are not spread evenly over [0, 1] (their mean is {float(t.mean()):.2f})"
    return None
