"""Job 3.2: the residual layer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from course_utils.checks.core import Crash, Finding, Values
from course_utils.checks.probes import sound
from course_utils.checks.unet_layers import (
    answers,
    embeddings,
    kept_finding,
    sizes,
    told_findings,
)
from course_utils.checks.unet_parts import (
    gradient_finding,
    pick,
    randomised,
    rows_finding,
    shapes_hint,
    without_gradient,
)
from course_utils.checks.verdicts import close, form_problem

TINY = 1e-6
"""What every parameter is multiplied with to leave no correction. Zero could mean 0/0 somewhere."""

BENT = {"relu(x)": nn.functional.relu, "silu(x)": nn.functional.silu}
"""What an activation makes of x where it should not stand."""


def residual_inputs(seed: int) -> Values:
    inputs, stream = sizes(seed)
    inputs["channels_in"] = pick((32, 64), stream)
    inputs |= embeddings(inputs, stream)
    return {**inputs, "weights": torch.randn(inputs["x"].shape, generator=stream)}


def residual_probe(target: Any, inputs: Values) -> Values:
    layer = target(inputs["channels_in"], inputs["t_dim"], inputs["y_dim"])
    layer = randomised(layer, inputs["seed"])
    x, t, y = inputs["x"], inputs["t_embed"], inputs["y_embed"]
    outputs = answers(layer, inputs)
    if not sound(outputs["out"], tuple(x.shape)):
        return outputs
    outputs["dead"] = without_gradient(outputs["out"], layer)
    outputs |= _halves(outputs["out"], layer, 2 * inputs["channels_in"])
    # Every pixel alike: what is told about t and y must then be alike for all of them, too.
    flat = layer(torch.ones(1, inputs["channels_in"], 12, 12), t[:1].clone(), y[:1].clone())
    outputs["flat"] = flat[..., 5:7, 5:7]
    outputs["black"] = layer(torch.zeros_like(x), t.clone(), y.clone())
    slopes = _slopes(layer, inputs)
    outputs |= dict(zip(("slope_x", "slope_t", "slope_y"), slopes, strict=True))
    outputs["mixes"] = _mixes(layer, x, t, y)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(TINY)
    outputs["bare"] = layer.eval()(x.clone(), t.clone(), y.clone())
    outputs["bare_slope_x"] = _slopes(layer, inputs)[0]
    return outputs


def _halves(out: Tensor, layer: nn.Module, rows: int) -> Values:
    """How much gradient reaches the scales and the shifts of linear maps to ``rows`` numbers."""
    maps = {
        name: weight
        for name, weight in layer.named_parameters()
        if weight.ndim == 2 and len(weight) == rows and weight.requires_grad
    }
    if not out.requires_grad or not maps:
        return {}
    slopes = torch.autograd.grad(
        out.square().sum(), list(maps.values()), allow_unused=True, retain_graph=True
    )
    return {
        f"halves of {name.partition('.')[0]}": slope.abs().unflatten(0, (2, -1)).sum(dim=(1, 2))
        for name, slope in zip(maps, slopes, strict=True)
        if slope is not None
    }


def _slopes(layer: nn.Module, inputs: Values) -> tuple[Tensor | None, ...]:
    """The gradient of the output, summed with weights, in x, t_embed and y_embed."""
    leaves = [inputs[name].clone().requires_grad_() for name in ("x", "t_embed", "y_embed")]
    out = layer(*(leaf.clone() for leaf in leaves))
    if not isinstance(out, Tensor) or not out.requires_grad:
        return (None, None, None)
    return torch.autograd.grad((out * inputs["weights"]).sum(), leaves, allow_unused=True)


def _mixes(layer: nn.Module, x: Tensor, t: Tensor, y: Tensor) -> float:
    """How much item 0 notices of the others while training."""
    layer.train()
    torch.default_generator.manual_seed(0)  # of a fork: dropout must drop the same twice
    first = layer(x.clone(), t.clone(), y.clone())[0]
    torch.default_generator.manual_seed(0)
    mixed = layer(torch.cat([x[:1], 3 * x[1:] + 1]), t.clone(), y.clone())[0]
    layer.eval()
    return float(((mixed - first).abs().max() / first.abs().max()).detach())


def residual_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    x, out = inputs["x"], outputs["out"]
    shape = tuple(x.shape)
    problem = form_problem("forward(x, t_embed, y_embed)", out, shape)
    if problem:
        return [Finding(False, problem)]
    if close(out, x, 1e-6):
        return [Finding(False, "The output is x and nothing more: where is the correction?")]
    identity, told = _identity_finding(x, outputs), told_findings(out, outputs)
    findings = [Finding(True, "the shape stays that of x"), identity]
    findings += kept_finding(inputs, outputs) + told + _even_finding(outputs["flat"])
    findings += [rows_finding(out, outputs, shape), gradient_finding(outputs["dead"])]
    findings += _halves_finding(outputs)
    if all(finding.ok for finding in findings):  # otherwise it would only repeat what is wrong
        findings += _slopes_finding(inputs, outputs)
    if float(outputs["mixes"]) > 1e-3:
        findings.append(
            Finding(True, "right; but in training mode the items of a batch influence each other "
                    "(BatchNorm?), and they have different noise levels")
        )  # fmt: skip
    return findings


def _identity_finding(x: Tensor, outputs: Values) -> Finding:
    """With every parameter next to zero there is no correction, and x is left."""
    bare = outputs["bare"]
    problem = form_problem("With all parameters near zero, the output", bare, tuple(x.shape))
    if problem:
        return Finding(False, problem)
    assert isinstance(bare, Tensor)
    if close(bare, x, 1e-3):
        return Finding(True, "without a correction (all parameters near zero) x comes out")
    told = "With all parameters near zero there is no correction, so x itself should come out; "
    size = float((bare * x).sum() / x.square().sum())
    if abs(size) < 1e-3:
        return Finding(False, f"{told}yours is 0. {_why_zero(outputs['black'])}")
    if close(bare, size * x, 1e-3):
        return Finding(False, f"{told}yours is {size:.3g} x.")
    for name, bend in BENT.items():
        if close(bare, bend(x), 1e-3):
            return Finding(False, f"{told}yours is {name}: no activation belongs around the sum.")
    return Finding(False, f"{told}yours is something else.")


def _why_zero(black: object) -> str:
    if isinstance(black, Tensor) and not bool(black.any()):
        return "An x of zeros gives 0, too: the correction is added to x, not multiplied."
    return "Is x + … missing, or was x overwritten before it was added?"


def _even_finding(flat: object) -> list[Finding]:
    if not isinstance(flat, Tensor):
        return []
    gap, size = (flat - flat[..., :1, :1]).abs().max(), flat.abs().max()
    if float(gap) <= 1e-3 * float(size):
        return []
    return [
        Finding(False, "Of an image whose pixels are all alike, the inner pixels come out "
                "different: t and y should be told to every pixel in the same way.")
    ]  # fmt: skip


def _halves_finding(outputs: Values) -> list[Finding]:
    """Whether both halves of what an adapter says, the scales and the shifts, are of use."""
    findings = []
    for key, slopes in outputs.items():
        if key.startswith("halves of ") and int((slopes > 0).sum()) == 1:
            half = "second half (the shifts)" if slopes[0] > 0 else "first half (the scales)"
            findings.append(
                Finding(False, f"The {half} of what {key.removeprefix('halves of ')} says is never "
                        "used. The correction is (1 + scale) · norm(block1(x)) + shift.")
            )  # fmt: skip
    return findings


def _slopes_finding(inputs: Values, outputs: Values) -> list[Finding]:
    """Whether gradients pass through the layer to all that it was given, by both roads to x."""
    straight, whole = inputs["weights"], outputs["slope_x"]
    bare = outputs["bare_slope_x"]
    if bare is None or not close(bare, straight, 1e-3):
        return [
            Finding(False, "x is added, but no gradient goes straight back to it: was it detached? "
                    "That way back is what a deep network needs the sum for.")
        ]  # fmt: skip
    if whole is None or close(whole, straight, 1e-5):
        return [
            Finding(False, "No gradient goes back to x through the correction: were the blocks "
                    "given a detached x?")
        ]  # fmt: skip
    deaf = [
        f"{letter}_embed"
        for letter in ("t", "y")
        if outputs[f"slope_{letter}"] is None or not bool(outputs[f"slope_{letter}"].any())
    ]
    if deaf:
        return [
            Finding(False, f"No gradient goes back to {' and '.join(deaf)}: was it detached? What "
                    "makes the embeddings has to learn, too.")
        ]  # fmt: skip
    return [Finding(True, "gradients pass through to x, t_embed and y_embed")]


def residual_hint(crash: Crash) -> str | None:
    if "size of tensor" in crash.message:
        return (
            "The image has shape (b, c, h, w), what the adapters say (b, 2c): [:, :, None, None] "
            "gives it the two missing dimensions, chunk(2, dim=1) makes a scale and a shift of it."
        )
    if "values to unpack" in crash.message:
        return (
            "The 2c channels are dimension 1 of what the adapters say: chunk(2, dim=1) makes two "
            "tensors of c channels. (split(2, dim=1) would make c tensors of two channels.)"
        )
    if "mat1 and mat2" in crash.message:
        return (
            "t_embed and y_embed may have different sizes, and each has its own adapter: did they "
            "change places, or were they joined?"
        )
    return shapes_hint(crash)
