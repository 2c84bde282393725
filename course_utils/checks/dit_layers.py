"""Job 4.3, a layer: what it does at first, and which of its six knobs do what."""

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
    knobs = _knobs(layer, inputs)
    outputs: Values = {
        "out": out,
        "later": None,
        "weight": max((float(m.weight.detach().abs().max()) for m in knobs), default=None),
        "bias": max((float(m.bias.detach().abs().max()) for m in knobs), default=None),
    }
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
        start = (outputs["weight"], outputs["bias"])
        return [Finding(False, _departure(x, out) or _not_zero(departure, *start))]
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


def _departure(x: Tensor, out: Tensor) -> str | None:
    """Why a new layer is not the identity, if it shows."""
    if float(out.norm()) < 1e-6 * float(x.norm()):
        return "A new layer returns zeros; it should return x: what a branch says is added to x."
    rms = x / x.pow(2).mean(dim=-1, keepdim=True).sqrt()
    if close(out, layer_norm(x, x.shape[-1:]), 1e-3) or close(out, rms, 1e-3):
        return "A new layer returns x normalised. Only a branch sees normalised tokens: add to x."
    return None


def _not_zero(departure: float, weight: float | None, bias: float | None) -> str:
    """Which start of the last map in ada_ln makes the difference."""
    told = f"A new layer should return x, exactly; yours changes it by {departure:.0%}. "
    if weight == 0.0 and bias == 0.0:
        return told + "ada_ln starts at zero as it should: does every branch have its gate?"
    if weight is None or bias is None:
        told += "Are weight and bias of the last linear map in ada_ln zero, and has every branch "
        return told + "its gate?"
    if weight == 0.0 or bias == 0.0:
        one, other = ("weight", "bias") if weight == 0.0 else ("bias", "weight")
        return told + f"The {one} of the last linear map in ada_ln is zero, its {other} is not."
    return told + "Weight and bias of the last linear map in ada_ln should both begin at zero."


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


def _knobs(layer: nn.Module, inputs: Values) -> list[Any]:
    """The linear maps that compute the six knobs: those that hear c alone, the last where one does.

    Empty where the knobs come from something else.
    """
    x, c = inputs["x"], inputs["c"]
    heard: dict[int, nn.Linear] = {}

    def note(module: nn.Linear, given: Any) -> None:
        if given and given[0].numel() == c.numel():
            heard[id(module)] = module

    linears = [m for m in layer.modules() if isinstance(m, nn.Linear)]
    hooks = [linear.register_forward_pre_hook(note) for linear in linears]
    layer(x.clone(), c.clone())
    for hook in hooks:
        hook.remove()
    found = [m for m in heard.values() if m.bias is not None]
    whole = [m for m in found if m.out_features == SIX * x.shape[-1]]
    if len(whole) == 1:
        return whole
    return found if len(found) == len(heard) else []


@torch.no_grad()
def _six_parts(layer: nn.Module, inputs: Values) -> Values:
    """What each sixth of ada_ln's output does, alone and in pairs, if there is such a linear map.

    Its weight becomes zero and its bias one sixth of ones, so that c no longer matters. Which
    sixth is scale, shift or gate need not be known: only the gates open a branch.
    """
    x, c = inputs["x"], inputs["c"]
    dim, maps = x.shape[-1], _knobs(layer, inputs)
    total = sum(m.out_features for m in maps)
    if total != SIX * dim:
        return {"pairs": None, "knobs": total / dim}
    for linear in maps:
        linear.weight.zero_()
    strengths = 0.5 + torch.rand(SIX, dim, generator=generator(inputs["seed"]))

    def answer(tokens: Tensor, *parts: int, times: float = 1.0) -> Tensor:
        chosen = torch.zeros(SIX, dim)
        chosen[list(parts)] = times * strengths[list(parts)]
        sizes = [m.out_features for m in maps]
        for linear, part in zip(maps, chosen.flatten().split(sizes), strict=True):
            linear.bias.copy_(part)
        return layer(tokens.clone(), c.clone())

    alone, other = [answer(x, i) for i in range(SIX)], x.clone()
    other[:, 0] = x.flip(0)[:, -1]
    pairs = [torch.stack([answer(x, i, j) for j in range(SIX)]) for i in range(SIX)]
    chained = [torch.stack([answer(one, j) for j in range(SIX)]) for one in alone]
    found = {
        "pairs": torch.stack(pairs),
        "chained": torch.stack(chained),
        "larger": torch.stack([answer(4 * x, i) for i in range(SIX)]),
        "doubled": torch.stack([answer(x, i, times=2.0) for i in range(SIX)]),
        "other": torch.stack([answer(other, i) for i in range(SIX)])[:, :, 1:],
        "none": answer(x),
        "knobs": float(SIX),
    }
    for parameter in layer.parameters():
        parameter.zero_()
    return found | {"silent": answer(x, *range(SIX))}


def layer_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    x, out = inputs["x"], outputs["out"]
    shape = tuple(x.shape)
    problem = form_problem("forward(x, c)", out, shape)
    for name in ("told", "permuted"):
        problem = problem or form_problem("forward(x, c)", outputs[name], shape)
    problem = problem or form_problem("forward(x, c)", outputs["moved"], (shape[1], *shape[1:]))
    if problem:
        return [Finding(False, problem)]
    found = [Finding(True, "tokens in, tokens out, in the shape of x"), *listens(out, outputs)]
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


def listens(out: Tensor, outputs: Values) -> list[Finding]:
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
    if outputs["knobs"] == 3.0:
        return [Finding(False, "ada_ln makes three parts, which both branches share; expected six, "
                        "a scale, a shift and a gate for each branch.")]  # fmt: skip
    if not isinstance(pairs, Tensor) or not bool(torch.isfinite(pairs).all()):
        return []
    alone = pairs.diagonal(dim1=0, dim2=1).movedim(-1, 0)
    used = change(pairs, alone[:, None]).flatten(2).amax(dim=2) > 1e-6
    if change(outputs["none"], x).max() > 1e-6:
        told = _departure(x, outputs["none"]) or _never_shut(int(used.any(dim=0).sum()))
        return [Finding(False, told)]
    opens = change(alone, x).flatten(1).amax(dim=1) > 1e-6
    gates = opens.nonzero()[:, 0].tolist()
    if len(gates) == SIX:  # not six parts behind each other, but interleaved
        return []
    if len(gates) != 2:
        return [Finding(False, _gates(len(gates)))]
    problem = _branches(x, alone, outputs, gates) or _steering(used, gates)
    if problem:
        return [Finding(False, problem)]
    silent = outputs["silent"]
    if not bool(torch.isfinite(silent).all()) or change(silent, x).max() > 1e-6:
        return [Finding(False, "Where the branches say nothing but zeros, the layer should return "
                        "x: what a branch says is multiplied by its gate.")]  # fmt: skip
    return [Finding(True, "x (1 + scale) + shift for normalised tokens, and a gate, in both "
                    "branches")]  # fmt: skip


def _never_shut(used: int) -> str:
    if used == SIX:
        return (
            "With scales, shifts and gates of zero the layer should return x; yours still lets a "
            "branch speak: gate × branch, not (1 + gate) × branch."
        )
    return (
        "With scales, shifts and gates of zero the layer should return x; yours still lets a "
        f"branch speak, and of the six parts only {used} are used: a branch has no gate."
    )


def _branches(x: Tensor, alone: Tensor, outputs: Values, gates: list[int]) -> str | None:
    """What is wrong with two gates that open a branch each, and with the branches' order."""
    for gate in gates:
        problem = _branch(x, alone[gate], outputs["larger"][gate])
        if problem:
            return problem
        if not close(outputs["doubled"][gate] - x, 2 * (alone[gate] - x), 1e-3):
            return (
                "A gate twice as wide does not let twice as much through: multiply what a branch "
                "says by its gate as it is, without a tanh or a sigmoid."
            )
    rest = change(outputs["other"], alone[:, :, 1:]).flatten(1).amax(dim=1) > 1e-6
    mixing = [gate for gate in gates if rest[gate]]
    if len(mixing) != 1:
        return (
            f"{len(mixing)} of the two branches let tokens notice each other; expected one, the "
            "attention. Norms and the MLP look at one token at a time."
        )
    first, second = mixing[0], gates[1 - gates.index(mixing[0])]
    both, chained = outputs["pairs"][first, second], outputs["chained"]
    if close(both, chained[first, second], 1e-4):
        return None
    if close(both, alone[first] + alone[second] - x, 1e-4):
        return (
            "Both branches see the same x: the second one should see what the attention has "
            "already added."
        )
    if close(both, chained[second, first], 1e-4):
        return "The MLP speaks first in your layer; expected the attention, then the MLP."
    return "With both gates open the layer does not do the one branch, and then the other."


def _steering(used: Tensor, gates: list[int]) -> str | None:
    """Whether each branch has a scale and a shift; ``used[i, j]``: part j matters beside part i."""
    works = used[gates].clone()
    works[:, gates] = False
    if works.any(dim=0).sum() < SIX - 2:
        return (
            "Of the six parts of ada_ln's output, one changes nothing: two scales, two shifts and "
            "two gates, each used once."
        )
    if not bool((works.sum(dim=1) == 2).all()):
        return (
            "Each branch should have a scale and a shift of its own; in yours the branches share "
            "one."
        )
    return None


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


def _branch(x: Tensor, opened: Tensor, larger: Tensor) -> str | None:
    """What is wrong with what one open gate adds, for x and for 4 x."""
    said = opened - x
    if float(change(said, said[:, :1]).max()) < 1e-4:
        return (
            "With a scale of zero, a branch sees the same vector for every token: modulate with "
            "x (1 + scale) + shift, not x scale + shift."
        )
    if float(change(larger - 4 * x, said).max()) > 0.1:
        return (
            "A branch says something else when all tokens are four times as large: is one of the "
            "normalisations missing?"
        )
    return None


def layer_hint(crash: Crash) -> str | None:
    if "must match the size" in crash.message or "broadcast" in crash.message:
        return "x is b n dim and a scale is b dim: modulate lines them up, and gate[:, None] too."
    return None
