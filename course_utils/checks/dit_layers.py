"""Jobs 4.3 and 4.4, a layer and the stack of layers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from course_utils.checks.core import Crash, Finding, Values
from course_utils.checks.dit_probes import (
    alone_finding,
    change,
    construct,
    dead_parameters,
    gradient_finding,
    randomised,
)
from course_utils.checks.probes import generator
from course_utils.checks.verdicts import close, form_problem

BATCH, SIX = 3, 6
SIZES = ((5, 2, 8), (7, 4, 16), (6, 3, 12), (4, 2, 12), (5, 4, 8))


def layer_inputs(seed: int) -> Values:
    n, heads, dim = SIZES[seed % len(SIZES)]
    stream = generator(seed)
    return {
        # Far from normalised, so that a missing normalisation shows.
        "x": 3 * torch.randn(BATCH, n, dim, generator=stream) + 1,
        "c": torch.randn(BATCH, dim, generator=stream),
        "other_c": torch.randn(BATCH, dim, generator=stream),
        "order": torch.arange(n).roll(1),
        "heads": heads,
        "seed": seed,
    }


def _layer(target: Any, inputs: Values) -> Any:
    _, n, dim = inputs["x"].shape
    return construct(target, dim=dim, heads=inputs["heads"], n_tokens=n)


# 4.3, first part: nothing at the start, something after a step


def start_probe(target: Any, inputs: Values) -> Values:
    x, c = inputs["x"], inputs["c"]
    layer = _layer(target, inputs).eval()
    out = layer(x.clone(), c.clone())
    outputs: Values = {"out": out, "later": None}
    if isinstance(out, Tensor) and out.requires_grad and out.shape == x.shape:
        parameters = [p for p in layer.parameters() if p.requires_grad]
        loss = (out - inputs["other_c"][:, None]).pow(2).mean()
        slopes = torch.autograd.grad(loss, parameters, allow_unused=True)
        with torch.no_grad():  # Adam's first step, without the time that torch.optim takes to load
            for parameter, slope in zip(parameters, slopes, strict=True):
                parameter -= 0.0 if slope is None else 1e-2 * slope.sign()
        outputs["later"] = layer(x.clone(), c.clone())
    return outputs


def start_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    x, out = inputs["x"], outputs["out"]
    problem = form_problem("forward(x, c)", out, tuple(x.shape))
    if problem:
        return [Finding(False, problem)]
    departure = float((out - x).norm() / x.norm())
    if departure > 1e-6:
        return [Finding(False, _departure(x, out, departure))]
    found = [Finding(True, "a new layer returns x, exactly")]
    later = outputs["later"]
    if not isinstance(later, Tensor):
        found.append(Finding(False, "The output carries no gradient: was something detached?"))
    elif float((later - x).norm() / x.norm()) < 1e-6:
        found.append(
            Finding(
                False,
                "After a step of an optimizer the layer still returns x: it cannot learn. Is a "
                "branch zero, too, or were its gates left out?",
            )
        )
    else:
        found.append(Finding(True, "and after one step of an optimizer it no longer does"))
    return found


def _departure(x: Tensor, out: Tensor, departure: float) -> str:
    """Why a new layer is not the identity."""
    if float(out.norm()) < 1e-6 * float(x.norm()):
        return "A new layer returns zeros; it should return x: what a branch says is added to x."
    rms = x / x.pow(2).mean(dim=-1, keepdim=True).sqrt()
    if close(out, layer_norm(x, x.shape[-1:]), 1e-3) or close(out, rms, 1e-3):
        return "A new layer returns x normalised. Only a branch sees normalised tokens: add to x."
    return (
        f"A new layer should return x, exactly; yours changes it by {departure:.0%}. Are weight "
        "and bias of the last linear map in ada_ln zero, and does every branch have its gate?"
    )


# 4.3, second part: what it does once its parameters are not zero


def layer_probe(target: Any, inputs: Values) -> Values:
    x, c = inputs["x"], inputs["c"]
    n = x.shape[1]
    layer = randomised(_layer(target, inputs), inputs["seed"], 0.5)
    out = layer(x.clone(), c.clone())
    told = c.clone()
    told[0] = inputs["other_c"][0]
    moved = x[:1].repeat(n, 1, 1)
    moved[torch.arange(n), torch.arange(n)] += 3.0 * torch.randn(
        x.shape[-1], generator=generator(inputs["seed"])
    )
    return {
        "out": out,
        "dead": dead_parameters(layer, out),
        "told": layer(x.clone(), told),
        "single": layer(x[:1].clone(), c[:1].clone()),
        "moved": layer(moved, c[:1].repeat(n, 1)),
        "permuted": layer(x[:, inputs["order"]], c.clone()),
        **_six_parts(layer, inputs),
    }


@torch.no_grad()
def _six_parts(layer: nn.Module, inputs: Values) -> Values:
    """What each sixth of ada_ln's output does, alone and in pairs, if there is such a linear map.

    Its weight becomes zero and its bias one sixth of ones, so that c no longer matters. Which
    sixth is scale, shift or gate need not be known: only the gates open a branch.
    """
    x, c = inputs["x"], inputs["c"]
    dim = x.shape[-1]
    maps = [m for m in layer.modules() if isinstance(m, nn.Linear) and m.out_features == SIX * dim]
    if len(maps) != 1 or maps[0].bias is None:
        return {"pairs": None}
    weight, bias = maps[0].weight, maps[0].bias
    weight.zero_()
    strengths = 0.5 + torch.rand(SIX, dim, generator=generator(inputs["seed"]))

    def answer(tokens: Tensor, *parts: int) -> Tensor:
        chosen = torch.zeros(SIX, dim)
        chosen[list(parts)] = strengths[list(parts)]
        bias.copy_(chosen.flatten())
        return layer(tokens.clone(), c.clone())

    pairs = [torch.stack([answer(x, i, j) for j in range(SIX)]) for i in range(SIX)]
    larger = [answer(4 * x, i) for i in range(SIX)]
    return {"pairs": torch.stack(pairs), "larger": torch.stack(larger), "none": answer(x)}


def layer_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    x, out = inputs["x"], outputs["out"]
    shape = tuple(x.shape)
    problem = form_problem("forward(x, c)", out, shape)
    for name in ("told", "permuted"):
        problem = problem or form_problem("forward(x, c)", outputs[name], shape)
    problem = problem or form_problem("forward(x, c)", outputs["moved"], (shape[1], *shape[1:]))
    if problem:
        return [Finding(False, problem)]
    found = [Finding(True, "tokens in, tokens out, in the shape of x"), *_listens(out, outputs)]
    noticed = change(outputs["moved"], out[0]).amax(dim=-1) > 1e-6
    found.append(
        Finding(True, "tokens learn of each other")
        if float(noticed.float().mean()) > 0.5
        else Finding(False, "Tokens do not notice that another one changed: is attention used?")
    )
    same = close(outputs["permuted"], out[:, inputs["order"]], 1e-3)
    found.append(
        Finding(same, "the order of the tokens does not matter here" if same else
                "Tokens in another order should give the same outputs in that order; yours depend "
                "on places. Is c added to one token only, or an axis mistaken?")
    )  # fmt: skip
    found.append(alone_finding(outputs["single"], out[:1]))
    found.append(gradient_finding(outputs["dead"]))
    return [*found, *_adaln(inputs, outputs)]


def _listens(out: Tensor, outputs: Values) -> list[Finding]:
    """Item 0 was told another c."""
    moved = change(outputs["told"], out).amax(dim=-1)
    if not bool((moved[0] > 1e-6).all()):
        return [Finding(False, "The output does not change with c: do its scales, shifts and gates "
                        "reach the tokens?")]  # fmt: skip
    if bool((moved[1:] > 1e-5).any()):
        return [Finding(False, "The c of one item changes other items: was it broadcast along the "
                        "batch? A dimension for the tokens: c[:, None].")]  # fmt: skip
    return [Finding(True, "all tokens of an item, and no others, listen to its c")]


def _adaln(inputs: Values, outputs: Values) -> list[Finding]:
    """Scale, shift and gate of two branches, told apart by what they do."""
    x, pairs = inputs["x"], outputs["pairs"]
    if not isinstance(pairs, Tensor) or not bool(torch.isfinite(pairs).all()):
        return []
    if change(outputs["none"], x).max() > 1e-6:
        return [Finding(False, "With scales, shifts and gates of zero the layer should return x.")]
    alone = pairs.diagonal(dim1=0, dim2=1).movedim(-1, 0)
    opens = change(alone, x).flatten(1).amax(dim=1) > 1e-6
    gates = opens.nonzero()[:, 0].tolist()
    if len(gates) == SIX:  # not six parts behind each other, but interleaved
        return []
    if len(gates) != 2:
        return [Finding(False, _gates(len(gates)))]
    found = [_branch(x, alone[gate], outputs["larger"][gate]) for gate in gates]
    wrong = [finding for finding in found if not finding.ok]
    if wrong:
        return wrong[:1]
    works = torch.stack([change(pairs[gate], alone[gate]).flatten(1).amax(1) > 1e-6
                         for gate in gates])  # fmt: skip
    works[:, gates] = False
    if works.any(dim=0).sum() < SIX - 2:
        return [Finding(False, "Of the six parts of ada_ln's output, one changes nothing: two "
                        "scales, two shifts and two gates, each used once.")]  # fmt: skip
    if not bool((works.sum(dim=1) == 2).all()):
        return [Finding(False, "Each branch should have a scale and a shift of its own; in yours "
                        "the branches share one.")]  # fmt: skip
    return [Finding(True, "x (1 + scale) + shift for normalised tokens, and a gate, in both "
                    "branches")]  # fmt: skip


def _gates(count: int) -> str:
    if count < 2:
        return (
            f"{count} of the six parts of ada_ln's output opens a branch when all others are zero; "
            "expected two, a gate for the attention and a gate for the MLP. (With scale and shift "
            "at zero, a branch should see the normalised tokens: x (1 + scale) + shift.)"
        )
    return (
        f"{count} of the six parts of ada_ln's output change x on their own; only the two gates "
        "should: scale and shift act inside a branch, before its gate."
    )


def _branch(x: Tensor, opened: Tensor, larger: Tensor) -> Finding:
    """What one open gate adds, for x and for 4 x."""
    said = opened - x
    if float(change(said, said[:, :1]).max()) < 1e-4:
        return Finding(
            False,
            "With a scale of zero, a branch sees the same vector for every token: modulate with "
            "x (1 + scale) + shift, not x scale + shift.",
        )
    if float(change(larger - 4 * x, said).max()) > 0.1:
        return Finding(
            False,
            "A branch says something else when all tokens are four times as large: is one of the "
            "normalisations missing?",
        )
    return Finding(True, "a branch sees normalised tokens")


def layer_hint(crash: Crash) -> str | None:
    if "must match the size" in crash.message or "broadcast" in crash.message:
        return "x is b n dim and a scale is b dim: modulate lines them up, and gate[:, None] too."
    return None


# 4.4 The stack

DEPTHS = (3, 2, 4)


def stack_inputs(seed: int) -> Values:
    return {**layer_inputs(seed), "depth": DEPTHS[seed % len(DEPTHS)]}


def stack_probe(target: Any, inputs: Values) -> Values:
    x, c = inputs["x"], inputs["c"]
    _, n, dim = x.shape
    model = construct(target, depth=inputs["depth"], n_tokens=n, dim=dim, heads=inputs["heads"])
    randomised(model, inputs["seed"])
    layers = [m for m in model.modules() if type(m).__name__ == "DiffusionTransformerLayer"]
    calls = [0] * len(layers)

    def count(index: int) -> Any:
        def hook(*_: Any) -> None:
            calls[index] += 1

        return hook

    hooks = [layer.register_forward_hook(count(i)) for i, layer in enumerate(layers)]
    out = model(x.clone(), c.clone())
    for hook in hooks:
        hook.remove()
    told = c.clone()
    told[0] = inputs["other_c"][0]
    return {
        "out": out,
        "dead": dead_parameters(model, out),
        "layers": len(layers),
        "called": sum(called > 0 for called in calls),
        "calls": sum(calls),
        "maps": sum(isinstance(m, nn.Linear) for m in model.modules()),
        "told": model(x.clone(), told),
        "single": model(x[:1].clone(), c[:1].clone()),
        "permuted": model(x[:, inputs["order"]], c.clone()),
    }


def stack_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    x, out = inputs["x"], outputs["out"]
    problem = form_problem("forward(x, c)", out, tuple(x.shape))
    for name in ("told", "permuted"):
        problem = problem or form_problem("forward(x, c)", outputs[name], tuple(x.shape))
    if problem:
        return [Finding(False, problem)]
    found = [_depth(inputs["depth"], outputs), *_listens(out, outputs)]
    blind = change(outputs["permuted"], out[:, inputs["order"]]).max() < 1e-4
    found.append(
        Finding(not blind, "tokens know their places" if not blind else
                "Tokens in another order give the same outputs in that order: the transformer "
                "cannot tell where a patch was. Add the positions.")
    )  # fmt: skip
    found.append(alone_finding(outputs["single"], out[:1]))
    return [*found, gradient_finding(outputs["dead"])]


def _depth(depth: int, outputs: Values) -> Finding:
    layers, calls = outputs["layers"], outputs["calls"]
    if layers == 0 and outputs["maps"] == 0:
        return Finding(
            False,
            "The model has no layers that an optimizer could find: keep them in an nn.ModuleList, "
            "not in a list.",
        )
    if layers == 1 < depth and calls > 1:
        return Finding(
            False,
            f"One layer is used {calls} times; expected {depth} layers, each with weights of its "
            "own. ([layer] * depth repeats one object.)",
        )
    if layers in (0, depth) and (outputs["called"], calls) == (layers, layers):
        return Finding(True, f"{depth} layers, one after the other")
    if layers != depth:
        return Finding(False, f"The model has {layers} layers; expected depth = {depth}.")
    return Finding(
        False, f"{outputs['called']} of {depth} layers are called, {calls} times in all; each once."
    )


def stack_hint(crash: Crash) -> str | None:
    if "must match the size" in crash.message:
        return "The positions are n dim, x is b n dim: they can be added as they are."
    return None
