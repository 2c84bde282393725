"""What the checks of lab 3's networks share: known weights, gradients, and findings on them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.checks.core import Crash, Finding, Values
from course_utils.checks.probes import generator
from course_utils.checks.verdicts import close, form_problem, same_items

SAME = 1e-5
"""Relative difference below which two outputs are one and the same to float32."""


def pick(options: Iterable[Any], stream: torch.Generator) -> Any:
    """One of ``options``: so that each seed tries networks of other sizes."""
    known = list(options)
    return known[int(torch.randint(len(known), (), generator=stream))]


def randomised(model: nn.Module, seed: int) -> nn.Module:
    """Random weights of ordinary size in eval mode: zeros must not hide what is connected."""
    stream = generator(seed + 17)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=stream)
            if parameter.ndim > 1:
                noise = noise * (len(parameter) / parameter.numel()) ** 0.5
            else:  # scales and shifts: none near zero
                noise = noise.sign() * (0.5 + noise.abs() / 2)
            parameter.copy_(noise)
    return model.eval()


def named(model: nn.Module, class_name: str) -> list[nn.Module]:
    """The submodules whose class, or one that it derives from, has that name; outermost only."""
    found: dict[str, nn.Module] = {}
    for path, module in model.named_modules():
        inside = any(path.startswith(outer + ".") for outer in found)
        if not inside and any(cls.__name__ == class_name for cls in type(module).__mro__):
            found[path] = module
    return list(found.values())


def without_gradient(out: object, model: nn.Module, apart: Iterable[nn.Module] = ()) -> str | None:
    """Names of the submodules that ``out`` gives no gradient; None where it carries none at all.

    ``apart``: submodules that are left out. A bias in front of a normalisation may have a gradient
    of zero in a right network, so only weights must have another one.
    """
    if not isinstance(out, Tensor) or not out.requires_grad:
        return None
    skipped = {id(parameter) for module in apart for parameter in module.parameters()}
    weights = {
        name: parameter
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and id(parameter) not in skipped
    }
    if not weights:
        return ""
    slopes = torch.autograd.grad(
        out.square().sum(), list(weights.values()), allow_unused=True, retain_graph=True
    )
    dead = [
        _module_name(name)
        for (name, weight), slope in zip(weights.items(), slopes, strict=True)
        if slope is None or (weight.ndim > 1 and not bool(slope.abs().sum() > 0))
    ]
    return ", ".join(dict.fromkeys(dead))


def _module_name(parameter: str) -> str:
    """``encoders.0`` for ``encoders.0.layers.1.weight``, ``block1`` for ``block1.2.bias``."""
    first, *rest = parameter.split(".")
    listed = len(rest) > 2 and rest[0].isdigit()
    return f"{first}.{rest[0]}" if listed else first


def gradient_finding(dead: str | None) -> Finding:
    """What :func:`without_gradient` found, in words."""
    if dead is None:
        return Finding(False, "The output carries no gradient: was something detached?")
    if dead:
        return Finding(
            False, f"No gradient reaches {dead}: is it used, and is nothing detached behind it?"
        )
    return Finding(True, "gradients reach every parameter")


def rows_finding(
    out: Tensor, outputs: Values, shape: tuple[int, ...], lots: Tensor | None = None
) -> Finding:
    """Each item is answered on its own, and the same way twice.

    Needs ``single``, the answer to item 0 alone; ``again``; and ``other_t``, the answer to a batch
    in which only item 0 has another time. With ``lots``, ``drawn`` is the answer to these items.
    """
    for name in ("single", "again", "other_t"):
        wanted = (1, *shape[1:]) if name == "single" else shape
        problem = form_problem("forward", outputs[name], wanted)
        if problem:
            return Finding(False, problem)
    if not close(outputs["again"], out, SAME):
        return Finding(False, "The same input gave two different outputs.")
    alone = close(outputs["single"][0], out[0], 1e-3)
    alone = alone and (lots is None or same_items(outputs["drawn"], out[lots], 1e-3))
    if alone and close(outputs["other_t"][1:], out[1:], 1e-3):
        return Finding(True, "each item of the batch is answered on its own")
    return Finding(
        False,
        "The items of a batch influence each other: was t or y broadcast, or averaged, across the "
        "batch?",
    )


def moved(outputs: Values, name: str, out: Tensor) -> Tensor | None:
    """For each item, whether the output changed with ``name``; None if it has another form now."""
    if form_problem("forward", outputs[name], tuple(out.shape)):
        return None
    gap = (outputs[name] - out).abs().flatten(1).amax(dim=1)
    return gap > 1e-6 * float(out.abs().max())


def shapes_hint(crash: Crash) -> str | None:
    """Advice where matrices or names do not fit, the same for several jobs."""
    if "mat1 and mat2" in crash.message:
        return "t_embed and y_embed may have different sizes: did they change places?"
    if "inplace operation" in crash.message:
        return "x += … writes into the x that you were given; x = x + … makes a new one."
    if 'missing the required "forward"' in crash.message:
        return "A ModuleList is a list: loop over it, and call each of its layers."
    return None
