"""Job 2.2: the loss itself, recomputed in float64 from what the network was asked."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_utils.checks.core import Finding, Values
from course_utils.checks.probes import net_value, schedule


def value_finding(inputs: Values, outputs: Values) -> Finding:
    """A mean over everything or a sum over the pixels, and its gradient."""
    x, z, t = outputs["x"].double(), outputs["z"].double(), outputs["t"].double()
    alpha, beta, alpha_dt, beta_dt = schedule(t, z)
    noise = (x - alpha * z) / beta
    weights = [inputs[name].double() for name in ("slope", "drift", "table")]
    prediction = net_value(x, t, outputs["y"], *weights)
    target = alpha_dt * z + beta_dt * noise
    pixels = z[0].numel()
    # x is float32: near t = 1 its rounding (6e-8 |x|) reaches the target divided by β.
    blur = 6e-8 * (x.abs() + z.abs()) * (beta_dt / beta).abs() * 4
    error = prediction - target
    rounding = float((2 * error.abs() * blur + blur**2).mean())
    slack = rounding + 1e-4 * float(error.pow(2).mean())

    got = float(outputs["loss"])
    for factor in (1, pixels):
        if abs(got - factor * float(error.pow(2).mean())) <= factor * slack:
            return _gradient(outputs, error, x, factor)
    values = (
        _mistakes(outputs["y"] == inputs["null"], prediction, target)
        | _targets(prediction, x, z, noise, schedule(t, z))
        | _other_noise(outputs["other_x"], prediction, z, schedule(t, z))
    )
    for message, value in values.items():
        allowed = rounding + 1e-5 * abs(value)
        if min(abs(got - value), abs(got - pixels * value) / pixels) <= allowed:
            return Finding(False, message)
    mean = float(error.pow(2).mean())
    wanted = f"{mean:.4g} (mean) or {mean * pixels:.4g} (sum over pixels)"
    return Finding(False, f"The loss should be {wanted}; yours is {got:.4g}.")


def _gradient(outputs: Values, error: Tensor, x: Tensor, factor: int) -> Finding:
    expected = factor * float((2 * error * x).mean())
    gradient = outputs["gradient"]
    if not isinstance(gradient, Tensor):
        told = (
            "The loss is right, but no gradient reaches the network: was its output detached, or "
        )
        return Finding(False, told + "computed under no_grad?")
    scale = factor * float((2 * error * x).abs().mean())
    if abs(float(gradient) - expected) > 1e-2 * scale:
        told = f"The loss is right, but its gradient is {float(gradient):.3g}, not {expected:.3g}"
        return Finding(False, told + ": is a part of it detached?")
    return Finding(
        True, "the loss is the mean squared distance to u(x|z), and its gradient arrives"
    )


def _mistakes(dropped: Tensor, prediction: Tensor, target: Tensor) -> dict[str, float]:
    """What other reductions of the right error give."""
    error, count, pixels = prediction - target, len(target), target[0].numel()
    squares = error.pow(2)
    mean = float(squares.mean())
    return {
        "Your loss is summed over the batch, so it grows with it: average over the items.":
            mean * count * pixels,
        "Your loss is divided by the number of items twice.": mean / count,
        "There is a factor of 1/2 too many: the loss is the squared distance itself.": mean / 2,
        "There is a factor of 2 too many: the loss is the squared distance itself.": 2 * mean,
        "This is minus the loss: training would drive the network away.": -mean,
        "This is a mean absolute error; the loss squares the difference.":
            float(error.abs().mean()),
        "This averages the norm of the difference; the loss averages its square.":
            float(error.flatten(1).norm(dim=1).mean()),
        "There is a square root too many.": math.sqrt(mean),
        "This averages over the batch before squaring; square first.":
            float(error.mean(dim=0).pow(2).mean()),
        "This averages over the pixels before squaring; square first.":
            float(error.flatten(1).mean(dim=1).pow(2).mean()),
        "This is the mean of the difference; it has to be squared first.": float(error.mean()),
        "Only the items that kept their label count in your loss.":
            float(squares[~dropped].mean()),
        "Only the items whose label was dropped count in your loss.":
            float(squares[dropped].mean()),
    }  # fmt: skip


def _targets(
    prediction: Tensor, x: Tensor, z: Tensor, noise: Tensor, values: tuple[Tensor, ...]
) -> dict[str, float]:
    """What the loss is with another target than the velocity."""
    alpha, beta, alpha_dt, beta_dt = values
    told = "{}; flow matching regresses the velocity u(x|z)."
    targets = {
        "The target has the opposite sign.": -alpha_dt * z - beta_dt * noise,
        told.format("The target is the noise ε"): noise,
        told.format("The target is the clean z"): z,
        told.format("The target is x_t"): x,
        told.format("The target is the score"): -noise / beta,
        told.format("The target is zero"): torch.zeros_like(z),
        "The target z − ε fits the linear schedule only; ask the path for its velocity.": z - noise,
        "The target ε − z points from the data to the noise, and fits the linear schedule only; "
        "ask the path for its velocity.": noise - z,
        "The target z − x_t is not the velocity; ask the path for u(x|z).": z - x,
        "x and z look swapped in conditional_vector_field(x, z, t).":
            alpha_dt * x + beta_dt * (z - alpha * x) / beta,
    }  # fmt: skip
    return {name: float((prediction - each).pow(2).mean()) for name, each in targets.items()}


def _other_noise(
    made: object, prediction: Tensor, z: Tensor, values: tuple[Tensor, ...]
) -> dict[str, float]:
    """What the loss is with the velocity of another sample that the path made."""
    if not isinstance(made, Tensor) or made.shape != z.shape:
        return {}
    alpha, beta, alpha_dt, beta_dt = values
    target = alpha_dt * z + beta_dt * (made.double() - alpha * z) / beta
    told = (
        "The target was made with another ε than x. Draw both at once with sample_training_pair, "
    )
    return {f"{told}or ask for the velocity at x.": float((prediction - target).pow(2).mean())}
