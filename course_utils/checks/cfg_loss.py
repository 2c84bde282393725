"""Job 2.2, the loss of classifier-free guidance: judged on a record of what it drew and asked.

The probe hands out data, a path and a network that remember every call. Whatever random stream a
solution draws from, the verdict can then recompute its loss from the recorded t, x and labels.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.core import Finding, Values
from course_utils.checks.probes import (
    ProbeData,
    ProbeNet,
    ProbePath,
    generator,
    net_value,
    schedule,
)
from course_utils.checks.verdicts import form_problem, normal_problem, uniform_problem

BATCH, SHAPE, NUM_CLASSES, ETA, EPS = 4096, (1, 2, 2), 3, 0.2, 1e-3


def loss_inputs(seed: int) -> Values:
    stream = generator(seed)
    return {
        "slope": torch.randn((), generator=stream),
        "drift": torch.randn((), generator=stream),
        # Sixteen rows: a hard-coded null label of 10 is answered instead of crashing.
        "table": torch.randn(16, generator=stream),
        "null": NUM_CLASSES,
    }


def loss_probe(target: Any, inputs: Values) -> Values:
    outputs = _record(target, inputs, SHAPE)
    try:
        points = _record(target, inputs, (2,))["loss"]
        outputs["points"] = "" if isinstance(points, Tensor) and points.ndim == 0 else "no scalar"
    except Exception as error:
        outputs["points"] = f"{type(error).__name__}: {error}".splitlines()[0]
    return outputs


def _record(target: Any, inputs: Values, shape: tuple[int, ...]) -> Values:
    """One call of the student's loss on a batch of data of ``shape``, and what it left behind."""
    data = ProbeData(shape, NUM_CLASSES)
    net = ProbeNet(inputs["slope"], inputs["drift"], inputs["table"])
    trainer = target(path=ProbePath(data, shape), eta=ETA, null_label=inputs["null"], eps=EPS)
    trainer.model = net
    loss = trainer.get_train_loss(batch_size=BATCH)
    gradient = None
    if isinstance(loss, Tensor) and loss.ndim == 0 and loss.requires_grad:
        (gradient,) = torch.autograd.grad(loss, [net.slope], allow_unused=True)
    draws = [draw for draw in data.drawn if len(draw[0]) == BATCH]
    z, labels = draws[-1] if draws else (None, None)
    calls = [torch.cat(parts) for parts in zip(*net.calls, strict=True)]
    x, t, y = calls or (None, None, None)
    return {
        "loss": loss, "gradient": gradient, "z": z, "labels": labels,
        "x": x, "t": t, "y": y,
    }  # fmt: skip


def loss_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    problem = form_problem("get_train_loss(batch_size)", outputs["loss"], ())
    if problem:
        return [Finding(False, problem)]
    if outputs["z"] is None:
        return [Finding(False, f"p_data.sample was never asked for batch_size = {BATCH} items.")]
    if outputs["x"] is None or len(outputs["x"]) != BATCH:
        asked = 0 if outputs["x"] is None else len(outputs["x"])
        return [
            Finding(
                False, f"The network should see each of the {BATCH} items once; it saw {asked}."
            )
        ]
    found = [_labels(inputs, outputs), _times(outputs["t"]), _noise(outputs)]
    if not all(finding.ok for finding in found):
        return found
    found += [_value(inputs, outputs), *_notes(outputs)]
    return found


def _labels(inputs: Values, outputs: Values) -> Finding:
    """The share of labels that became null, and whether the others stayed what they were."""
    y, null = outputs["y"], inputs["null"]
    dropped = y == null
    if not bool(dropped.any()) and bool((y == 10).any()):
        return Finding(
            False, f"The null label looks hard-coded as 10; use self.null_label ({null} here)."
        )
    share = float(dropped.double().mean())
    kept_right = bool((y == outputs["labels"])[~dropped].all())
    # A binomial share deviates by six standard errors once in 5e8 draws.
    allowed = 6 * math.sqrt(ETA * (1 - ETA) / BATCH)
    if abs(share - ETA) <= allowed and kept_right:
        return Finding(True, f"{share:.0%} of the labels became null (η = {ETA:.0%})")
    if not kept_right:
        told = (
            "Labels other than the dropped ones have changed: where a label is kept, the network "
        )
        return Finding(False, told + "should see y.")
    told = f"{share:.0%} of the labels were dropped; η = {ETA} drops {ETA:.0%}."
    if share == 0:
        told = "No label was ever dropped, so the network never learns u(x|∅)."
    elif abs(share - (1 - ETA)) <= allowed:
        told += " The mask looks inverted."
    return Finding(False, told)


def _times(t: Tensor) -> Finding:
    problem = uniform_problem(t, 1 - EPS)
    return Finding(
        not problem, f"The times {problem}." if problem else "t is uniform, one for each item"
    )


def _noise(outputs: Values) -> Finding:
    """Whether the network saw x_t on the path from noise to its own z."""
    z, x, t = outputs["z"].double(), outputs["x"], outputs["t"]
    problem = form_problem("What the network sees as x", x, tuple(z.shape))
    if problem:
        return Finding(False, problem)
    alpha, beta, _, _ = schedule(t, z)
    early = t < 0.9  # later, dividing by β would magnify float32 rounding
    problem = normal_problem(((x.double() - alpha * z) / beta)[early])
    if problem is None:
        return Finding(True, "the network sees x_t on the path from noise to z")
    if torch.equal(x.double(), z):
        return Finding(False, "The network is shown the clean z; show it x_t from the path.")
    told = f"The network should see x_t = α z + β ε; the ε in yours {problem}."
    return Finding(False, told + " Do x, z and t belong to the same items?")


def _value(inputs: Values, outputs: Values) -> Finding:
    """The loss itself, recomputed in float64: a mean over everything or a sum over the pixels."""
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
    slack = float((2 * error.abs() * blur + blur**2).mean()) + 1e-4 * float(error.pow(2).mean())

    got = float(outputs["loss"])
    for factor in (1, pixels):
        if abs(got - factor * float(error.pow(2).mean())) <= factor * slack:
            return _gradient(outputs, error, x, factor)
    return Finding(False, _loss_mistake(got, prediction, target, noise, z, x, slack))


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


def _loss_mistake(
    got: float,
    prediction: Tensor,
    target: Tensor,
    noise: Tensor,
    z: Tensor,
    x: Tensor,
    slack: float,
) -> str:
    error, count, pixels = prediction - target, len(z), z[0].numel()
    mean = float(error.pow(2).mean())
    candidates = {
        "Your loss is summed over the batch, so it grows with it: average over the items.":
            mean * count * pixels,
        "This is a mean absolute error; the loss squares the difference.":
            float(error.abs().mean()),
        "This averages the norm of the difference; the loss averages its square.":
            float(error.flatten(1).norm(dim=1).mean()),
        "There is a square root too many.": math.sqrt(mean),
        "This averages over the batch before squaring; square first.":
            float(error.mean(dim=0).pow(2).mean()),
        "The target has the opposite sign.": float((prediction + target).pow(2).mean()),
        "The target is the noise ε; flow matching regresses the velocity u(x|z).":
            float((prediction - noise).pow(2).mean()),
        "The target is the clean z; flow matching regresses the velocity u(x|z).":
            float((prediction - z).pow(2).mean()),
        "The target is x_t; flow matching regresses the velocity u(x|z).":
            float((prediction - x).pow(2).mean()),
        "The target z − ε fits the linear schedule only; ask the path for its velocity.":
            float((prediction - (z - noise)).pow(2).mean()),
    }  # fmt: skip
    for message, value in candidates.items():
        if min(abs(got - value), abs(got - pixels * value) / pixels) <= slack + 1e-4 * value:
            return message
    total = mean * pixels
    wanted = f"{mean:.4g} (mean) or {total:.4g} (sum over pixels)"
    return f"The loss should be {wanted}; yours is {got:.4g}."


def _notes(outputs: Values) -> list[Finding]:
    """Not graded: a loss written for images only will stop at the mixture of points below."""
    if not outputs["points"]:
        return []
    told = "right for images; but for points of shape (b, 2), which come next, it stops with "
    return [Finding(True, told + outputs["points"])]
