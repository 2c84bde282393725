"""Job 3.3: the encoder and decoder; and what its check and that of 3.2 have in common."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.checks.core import Crash, Finding, Values
from course_utils.checks.probes import generator
from course_utils.checks.unet_parts import (
    gradient_finding,
    moved,
    named,
    pick,
    randomised,
    rows_finding,
    shapes_hint,
    without_gradient,
)
from course_utils.checks.verdicts import form_problem


def sizes(seed: int) -> tuple[Values, torch.Generator]:
    """Sizes that differ from seed to seed, and among each other: swapped arguments then show."""
    stream = generator(seed)
    return {
        "b": pick((3, 4, 5), stream),
        "h": pick((6, 8, 10), stream),
        "w": pick((12, 14), stream),
        "t_dim": pick((18, 20, 40), stream),
        "y_dim": pick((16, 22, 36), stream),
        "seed": seed,
    }, stream


def embeddings(inputs: Values, stream: torch.Generator) -> Values:
    b = inputs["b"]
    return {
        "x": torch.randn(b, inputs["channels_in"], inputs["h"], inputs["w"], generator=stream),
        "t_embed": torch.randn(b, inputs["t_dim"], generator=stream),
        "y_embed": torch.randn(b, inputs["y_dim"], generator=stream),
    }


def answers(model: nn.Module, inputs: Values) -> Values:
    """What ``model`` says to the inputs, and to others that differ in one respect each."""
    x, t, y = inputs["x"], inputs["t_embed"], inputs["y_embed"]
    other_t = torch.cat([-t[:1], t[1:]])
    seen = x.clone()
    return {
        "out": model(seen, t.clone(), y.clone()),
        "x_after": seen,
        "again": model(x.clone(), t.clone(), y.clone()),
        "single": model(x[:1].clone(), t[:1].clone(), y[:1].clone()),
        "other_t": model(x.clone(), other_t, y.clone()),
        "other_y": model(x.clone(), t.clone(), -y),
    }


def told_findings(out: Tensor, outputs: Values) -> list[Finding]:
    """Whether the output depends on t and on y: ``other_t`` changed item 0, ``other_y`` all."""
    findings = []
    for name, letter in (("other_t", "t"), ("other_y", "y")):
        changed = moved(outputs, name, out)
        if changed is None:
            findings.append(Finding(False, f"forward gave no proper output for another {letter}."))
        elif not bool(changed[0]):
            other = "y" if letter == "t" else "t"
            findings.append(
                Finding(False, f"The output does not change with {letter}_embed. Was {letter} "
                        f"forgotten, or {other} used in its place?")
            )  # fmt: skip
        else:
            findings.append(Finding(True, f"the output depends on {letter}"))
    return findings


def kept_finding(inputs: Values, outputs: Values) -> list[Finding]:
    if isinstance(outputs["x_after"], Tensor) and torch.equal(outputs["x_after"], inputs["x"]):
        return []
    return [
        Finding(False, "Your code writes into x (an operation in place, such as x += …): the "
                "caller still needs it, as a skip for example.")
    ]  # fmt: skip


@dataclass
class _StandIn:
    """A right residual layer with a formula, in place of the student's: 3.3 is judged by itself."""

    channels: int | None
    t_weights: Tensor
    y_weights: Tensor
    gain: Tensor = field(default_factory=lambda: torch.tensor(0.1, requires_grad=True))
    told: list[tuple[Tensor, Tensor]] = field(default_factory=list)

    def __call__(self, x: Tensor, t_embed: Tensor, y_embed: Tensor) -> Tensor:
        if self.channels not in (None, x.shape[1]):
            raise RuntimeError(
                f"a residual layer for {self.channels} channels was given {x.shape[1]} channels"
            )
        self.told.append((t_embed.detach().clone(), y_embed.detach().clone()))
        told = t_embed @ self.t_weights[:, None] + y_embed @ self.y_weights[:, None]
        # b 1 -> b 1 1 1; a plain shift or scale would be lost in a normalisation behind it
        return x + self.gain * told[:, :, None, None] * torch.sin(3 * x)


def _replace(layer: nn.Module, stand_in: _StandIn) -> None:
    """Let ``layer`` answer as ``stand_in``, whatever its arguments are called."""
    names = inspect.signature(layer.forward)

    def forward(*args: Any, **kwargs: Any) -> Tensor:
        try:
            given = names.bind(*args, **kwargs)
        except TypeError:  # not as they are called there: then by the lab's names
            return stand_in(*args, **kwargs)
        return stand_in(*given.arguments.values())

    layer.forward = forward


def _stand_ins(model: nn.Module, inputs: Values) -> tuple[list[nn.Module], list[_StandIn]]:
    stream = generator(inputs["seed"] + 23)
    layers, stand_ins = named(model, "ResidualLayer"), []
    for layer in layers:
        square = [p for p in layer.parameters() if p.ndim == 4 and len(p) == p.shape[1]]
        wide = len(square[0]) if square else None  # a depthwise convolution does not tell
        t_weights = torch.randn(inputs["t_dim"], generator=stream)
        y_weights = torch.randn(inputs["y_dim"], generator=stream)
        stand_ins.append(_StandIn(wide, t_weights, y_weights))
        _replace(layer, stand_ins[-1])
    return layers, stand_ins


def _resample_inputs(seed: int, decoder: bool) -> Values:
    inputs, stream = sizes(seed)
    inputs["channels_in"] = pick((32, 64), stream)
    inputs["channels_out"] = 96 - inputs["channels_in"]
    inputs["layers"] = pick((2, 3), stream)
    inputs["decoder"] = decoder
    return {**inputs, **embeddings(inputs, stream)}


def encoder_inputs(seed: int) -> Values:
    return _resample_inputs(seed, decoder=False)


def decoder_inputs(seed: int) -> Values:
    return _resample_inputs(seed, decoder=True)


def _resample_probe(index: int) -> Callable[[Any, Values], Values]:
    def probe(targets: Any, inputs: Values) -> Values:
        names = ("channels_in", "channels_out", "layers", "t_dim", "y_dim")
        model = randomised(targets[index](*(inputs[name] for name in names)), inputs["seed"])
        layers, stand_ins = _stand_ins(model, inputs)
        outputs = answers(model, inputs)
        outputs["dead"] = without_gradient(outputs["out"], model, apart=layers)
        outputs["layers"] = len(layers)
        for number, stand_in in enumerate(stand_ins):
            outputs |= _record(number, stand_in, outputs["out"])
        return outputs

    return probe


encoder_probe = _resample_probe(0)
decoder_probe = _resample_probe(1)


def _record(number: int, stand_in: _StandIn, out: object) -> Values:
    """How often a layer was called for each of the five answers, and whether it was of use."""
    slope = None
    if isinstance(out, Tensor) and out.requires_grad:
        (slope,) = torch.autograd.grad(
            out.square().sum(), [stand_in.gain], allow_unused=True, retain_graph=True
        )
    told, calls = stand_in.told, len(stand_in.told) / 5
    heard = {"t": True, "y": True}
    if calls == 1:  # out, again, single, other_t, other_y: one call each, in this order
        heard = {
            "t": not torch.equal(told[0][0][:1], told[3][0][:1]),
            "y": not torch.equal(told[0][1][:1], told[4][1][:1]),
        }
    return {
        f"calls {number}": calls,
        f"counts {number}": slope is not None and bool(slope.abs() > 0),
        f"hears t {number}": heard["t"],
        f"hears y {number}": heard["y"],
    }


def resample_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    decoder = inputs["decoder"]
    name = "Decoder" if decoder else "Encoder"
    b, h, w = inputs["b"], inputs["h"], inputs["w"]
    h, w = (2 * h, 2 * w) if decoder else (h // 2, w // 2)
    shape = (b, inputs["channels_out"], h, w)
    out = outputs["out"]
    problem = form_problem(f"{name}.forward", out, shape)
    if problem:
        told = " Was self.upsample called?" if decoder else " Was self.downsample called?"
        same = isinstance(out, Tensor) and out.shape == inputs["x"].shape
        return [Finding(False, problem + told * same)]
    scale = "doubles" if decoder else "halves"
    findings = [Finding(True, f"{name} {scale} height and width, and changes the channels")]
    layers = _layers_problem(inputs, outputs)
    if layers:
        findings.append(Finding(False, f"{name}: {layers}"))
    elif outputs["layers"]:
        findings.append(Finding(True, f"{name} uses each of its residual layers, with t and y"))
    else:
        findings += told_findings(out, outputs)
    findings += kept_finding(inputs, outputs)
    rest = [rows_finding(out, outputs, shape), gradient_finding(outputs["dead"])]
    # The layers were found out of order already: what follows from that would only repeat it.
    return findings + [finding for finding in rest if not (layers and not finding.ok)]


def _layers_problem(inputs: Values, outputs: Values) -> str:
    """What is wrong with the way in which the residual layers are called."""
    found, wanted = outputs["layers"], inputs["layers"]
    if 0 < found < wanted:
        return f"there should be {wanted} residual layers; yours has {found}."
    calls = [outputs[f"calls {number}"] for number in range(found)]
    if any(count == 0 for count in calls):
        return f"{calls.count(0)} of its {found} residual layers are never called."
    if any(count != 1 for count in calls):
        return f"each residual layer is called once; yours are called {_listed(calls)} times."
    ignored = sum(not outputs[f"counts {number}"] for number in range(found))
    if ignored:
        return (
            f"what {ignored} of its {found} residual layers return is not used. Each layer goes on "
            "with what the one before it returned: x = layer(x, …). Is a gradient cut off?"
        )
    for letter in ("t", "y"):
        deaf = sum(not outputs[f"hears {letter} {number}"] for number in range(found))
        if deaf:
            return f"{deaf} of its {found} residual layers are not handed {letter}_embed."
    return ""


def _listed(calls: list[float]) -> str:
    return " and ".join(f"{count:g}" for count in dict.fromkeys(calls))


def resample_hint(crash: Crash) -> str | None:
    if "channels" in crash.message:
        return (
            "The order matters: an Encoder's residual layers work on channels_in, so they come "
            "first and downsample last; a Decoder's work on channels_out, so upsample comes first."
        )
    if "multiply" in crash.message or "mismatch" in crash.message or "size" in crash.message:
        return "t_embed and y_embed may have different sizes: did they change places?"
    return shapes_hint(crash)
