"""Job 4.2, attention: judged by its properties, and by its value on a copy of its weights.

A student may name and lay out the weights as they please: q, k and v from one linear map or three,
heads before or behind the numbers of a head. The verdict tries every layout.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.checks.core import Crash, Finding, Values
from course_utils.checks.dit_attention_values import (
    NO_OUTPUT,
    lacks_output,
    mistakes,
    readings,
    right_values,
    stacks_of,
    usual,
)
from course_utils.checks.dit_probes import (
    alone_finding,
    change,
    construct,
    dead_parameters,
    gradient_finding,
    randomised,
)
from course_utils.checks.probes import generator
from course_utils.checks.verdicts import close, compare, form_problem

BATCH = 2
# Batch, tokens, heads and a head's size all differ, so that no two can be confused unnoticed.
SIZES = ((5, 3, 4), (7, 3, 6), (5, 4, 6), (7, 4, 3), (6, 3, 4), (9, 4, 6))


def _sizes(seed: int) -> tuple[int, int, int]:
    return SIZES[seed % len(SIZES)]


def attention_inputs(seed: int) -> Values:
    n, heads, size = _sizes(seed)
    stream = generator(seed)
    x = torch.randn(BATCH, n, heads * size, generator=stream)
    order = torch.randperm(n, generator=stream)
    if torch.equal(order, torch.arange(n)):
        order = order.roll(1)
    return {"x": x, "order": order, "heads": heads, "seed": seed}


def _model(target: Any, inputs: Values, spread: float) -> Any:
    model = construct(target, dim=inputs["x"].shape[-1], heads=inputs["heads"])
    return randomised(model, inputs["seed"], spread)


# --- properties, which need no weights


def property_probe(target: Any, inputs: Values) -> Values:
    x = inputs["x"]
    model = _model(target, inputs, 0.5)
    out = model(x.clone())
    n = x.shape[1]
    # Item j differs from the others in token j alone.
    moved = x[:1].repeat(n, 1, 1)
    moved[torch.arange(n), torch.arange(n)] += 1.5
    return {
        "out": out,
        "dead": dead_parameters(model, out),
        "permuted": model(x[:, inputs["order"]]),
        "single": model(x[:1].clone()),
        "alike": model(x[:, :1].repeat(1, n, 1)),
        "one": model(x[:, :1].clone()),
        "moved": model(moved),
    }


def property_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    x, out = inputs["x"], outputs["out"]
    shape = tuple(x.shape)
    problem = form_problem("forward(x)", out, shape)
    if problem:
        return [Finding(False, problem)]
    for name, expected in {"permuted": shape, "alike": shape, "one": (BATCH, 1, shape[2]),
                           "moved": (shape[1], *shape[1:])}.items():  # fmt: skip
        problem = form_problem("forward(x)", outputs[name], expected)
        if problem:
            return [Finding(False, problem)]
    found = [Finding(True, "a new vector for each token, in the shape of x")]
    found.append(alone_finding(outputs["single"], out[:1]))
    found.append(_mixing(out[0], outputs["moved"]))
    found.append(
        _holds(
            close(outputs["permuted"], out[:, inputs["order"]], 1e-3),
            "tokens in another order give the same outputs in that order",
            "Tokens in another order should give the same outputs in that order. Yours depend on "
            "places: is there a mask, or a reshape that mixes tokens with heads?",
        )
    )
    found.append(
        _holds(
            close(outputs["alike"], outputs["one"].expand(shape), 1e-3),
            "tokens that are all alike hear the same, however many there are",
            "If all tokens are alike, their weighted mean is that token, however many there are. "
            "Yours is not: do the weights of each query sum to 1?",
        )
    )
    return [*found, gradient_finding(outputs["dead"])]


def _holds(ok: bool, yes: str, no: str) -> Finding:
    return Finding(ok, yes if ok else no)


def _mixing(out: Tensor, moved: Tensor) -> Finding:
    """``moved[j]`` is the output after token j changed: does every token i notice?"""
    noticed = change(moved, out).amax(dim=-1) > 1e-6
    others = noticed | torch.eye(len(noticed), dtype=torch.bool)
    if bool(others.all()):
        return Finding(True, "every token sees every token")
    if not bool((noticed & ~torch.eye(len(noticed), dtype=torch.bool)).any()):
        return Finding(
            False,
            "No token notices another one. Do your scores compare tokens? A product q @ kᵀ runs "
            "over the last two dimensions, which should be n and d.",
        )
    j, i = (~others).nonzero()[0].tolist()
    return Finding(
        False, f"Token {i} does not notice token {j}, but here every token may ask every token."
    )


# --- the value, on copied weights


def value_probe(target: Any, inputs: Values) -> Values:
    """The output for large weights, which make the softmax sharp, and all that produced it."""
    model = _model(target, inputs, 1.5)
    out = model(inputs["x"].clone())
    linears = list(_linears(model))
    held = {id(p) for pair in linears for p in pair if p is not None}
    others = [p for p in model.parameters() if id(p) not in held]
    outputs: Values = {"out": out, "count": len(linears), "others": len(others)}
    outputs |= {f"raw {index}": other for index, other in enumerate(others)}
    for index, (weight, bias) in enumerate(linears):
        outputs[f"weight {index}"] = weight
        outputs[f"bias {index}"] = torch.zeros(len(weight)) if bias is None else bias
    return outputs


def _linears(model: nn.Module) -> Iterator[tuple[Tensor, Tensor | None]]:
    for module in model.modules():
        if isinstance(module, nn.Linear):
            yield module.weight, module.bias
        elif isinstance(module, nn.MultiheadAttention) and module.in_proj_weight is not None:
            yield module.in_proj_weight, module.in_proj_bias


def value_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    x, heads, out = inputs["x"].double(), inputs["heads"], outputs["out"]
    problem = form_problem("forward(x)", out, tuple(x.shape))
    if problem:
        return [Finding(False, problem)]
    linears = [
        (outputs[f"weight {index}"].double(), outputs[f"bias {index}"].double())
        for index in range(outputs["count"])
    ]
    raw = [outputs[f"raw {index}"].double() for index in range(outputs["others"])]
    stacks = [stack for given in readings(linears, raw, x.shape[-1])
              for stack in stacks_of(given, x.shape[-1])]  # fmt: skip
    if not stacks:
        if not raw and lacks_output(linears, x.shape[-1]):
            return [Finding(False, NO_OUTPUT)]
        return [Finding(True, FOREIGN)]
    if any(close(out, value) for value in right_values(x, heads, stacks)):
        return [Finding(True, RIGHT)]
    for message, wrong in mistakes(x, heads, stacks):
        if close(out, wrong):
            return [Finding(False, message)]
    if raw or not usual(linears, x.shape[-1]):  # there are more ways to read these than we try
        return [Finding(True, FOREIGN)]
    return [compare(RIGHT, out, next(right_values(x, heads, stacks)), {})]


RIGHT = "the values are softmax(q kᵀ / √d) v in every head"
FOREIGN = "its weights are laid out in a way of your own; the rest fits"


def attention_hint(crash: Crash) -> str | None:
    if "mat1 and mat2" in crash.message or "must match the size" in crash.message:
        return (
            "Look at the shapes line by line: self.qkv(x) is b n 3·dim; q, k and v are b h n d; "
            "the scores are b h n n."
        )
    if "einops" in crash.type_name.lower() or "pattern" in crash.message:
        return "einops needs to know three=3 and h=self.heads to take the last dimension apart."
    return None
