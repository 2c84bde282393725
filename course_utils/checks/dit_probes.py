"""What lab 4's probes share: building a student's network, random weights, gradients."""

from __future__ import annotations

import inspect
import math
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.checks.core import Finding
from course_utils.checks.probes import generator
from course_utils.checks.verdicts import close, same_items

# Constructors of the lab's earlier editions have these, too. Our images have one channel.
_SPARE = {"c_in": 1, "c_out": 1, "in_channels": 1, "out_channels": 1, "channels": 1}
_OTHER_NAMES = {"heads": ("num_heads", "n_heads"), "n_tokens": ("num_tokens",)}


def construct(target: Any, **arguments: int) -> Any:
    """Call a constructor with those of ``arguments`` that it has, whatever their order.

    An argument that it lacks is left out, and one that only an earlier edition had is filled in.
    """
    parameters = inspect.signature(target).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return target(**arguments)
    wanted = dict(arguments)
    for name, others in _OTHER_NAMES.items():
        wanted.update({other: arguments[name] for other in others if name in arguments})
    chosen = {name: wanted[name] for name in parameters if name in wanted}
    required = {name for name, p in parameters.items() if p.default is p.empty}
    spare = {name: _SPARE[name] for name in required - set(chosen) if name in _SPARE}
    return target(**chosen, **spare)


def randomised(model: Any, seed: int, spread: float = 1.0) -> Any:
    """Give every parameter random values, so that no zero hides what is connected; eval mode."""
    stream = generator(seed + 17)
    tables = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    with torch.no_grad():
        for parameter in model.parameters():
            size = 0.5
            if parameter.ndim > 1 and id(parameter) not in tables:
                size = spread / math.sqrt(max(1, parameter[0].numel()))
            parameter.copy_(size * torch.randn(parameter.shape, generator=stream))
    return model.eval()


def dead_parameters(model: nn.Module, out: Any) -> str | None:
    """Names of the parameters that get no gradient from ``out``; None if it carries none at all.

    A bias may have a gradient of zero in a right network (that of the keys does: a softmax does
    not notice what all scores share), so biases need only be connected.
    """
    if not isinstance(out, Tensor) or not out.requires_grad:
        return None
    # A plain sum would be constant behind a normalisation.
    weighted = (out * torch.randn(out.shape, generator=generator(3))).sum()
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not parameters:
        return ""
    gradients = torch.autograd.grad(weighted, list(parameters.values()), allow_unused=True)
    return ", ".join(
        name
        for name, g in zip(parameters, gradients, strict=True)
        if g is None or (g.ndim > 1 and not bool(g.abs().sum() > 0))
    )


def gradient_finding(dead: object) -> Finding:
    """What :func:`dead_parameters` means."""
    if not isinstance(dead, str):
        return Finding(False, "The output carries no gradient: was something detached?")
    if dead:
        names = dead.split(", ")
        shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
        return Finding(
            False,
            f"{len(names)} parameter tensors receive no gradient ({shown}): is everything that "
            "the constructor makes also used?",
        )
    return Finding(True, "gradients reach every parameter")


def alone_finding(
    single: object, row: Tensor, drawn: object = None, items: Tensor | None = None
) -> Finding:
    """Whether an item is answered the same way alone as in its batch.

    ``drawn``: the answer to a batch of ``items``, which were answered before.
    """
    if not isinstance(single, Tensor) or single.shape != row.shape:
        return Finding(False, "A batch of one item should give an output for one item.")
    apart = close(single, row, 1e-4) and (items is None or same_items(drawn, items, 1e-4))
    return Finding(
        apart,
        "each item of the batch is answered on its own"
        if apart
        else "The items of a batch influence each other: was the batch mixed with another "
        "dimension when shapes were changed?",
    )


def change(got: Tensor, base: Tensor) -> Tensor:
    """Absolute differences, relative to the typical size of ``base``."""
    return (got.double() - base.double()).abs() / base.double().pow(2).mean().sqrt().clamp_min(1e-9)
