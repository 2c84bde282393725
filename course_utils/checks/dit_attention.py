"""Job 4.2, attention: judged by its properties, and by its value on a copy of its weights.

A student may name and lay out the weights as they please: q, k and v from one linear map or three,
heads before or behind the numbers of a head. The verdict tries every layout.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import torch
from einops import rearrange
from torch import Tensor, nn

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
from course_utils.checks.verdicts import close, compare, form_problem

BATCH = 2
# Batch, tokens, heads and a head's size all differ, so that no two can be confused unnoticed.
SIZES = ((5, 3, 4), (7, 3, 6), (5, 4, 6), (7, 4, 3), (6, 3, 4), (9, 4, 6))

Linear = tuple[Tensor, Tensor]


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
            "the weights of each query sum to 1",
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
    outputs: Values = {"out": out, "count": len(linears)}
    outputs["others"] = sum(id(p) not in held for p in model.parameters())
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
    given = [
        (outputs[f"weight {index}"].double(), outputs[f"bias {index}"].double())
        for index in range(outputs["count"])
    ]
    stacks = list(_stacks(given, x.shape[-1])) if not outputs["others"] else []
    if not stacks:
        if _lacks_output(given, outputs["others"], x.shape[-1]):
            return [Finding(False, NO_OUTPUT)]
        return [Finding(True, "its weights are laid out in a way of your own; the rest fits")]
    for qkv, last, layouts in stacks:
        for q, k, v in _splits(x, qkv, heads, layouts):
            heard = _attend(q, k, v)
            if any(close(out, _apply(merged, last)) for merged in _merges(heard)):
                return [Finding(True, "the values are softmax(q kᵀ / √d) v in every head")]
    for message, wrong in _mistakes(x, heads, stacks):
        if close(out, wrong):
            return [Finding(False, message)]
    qkv, last, layouts = stacks[0]
    expected = _apply(next(_merges(_attend(*next(_splits(x, qkv, heads, layouts))))), last)
    return [compare("the values are softmax(q kᵀ / √d) v in every head", out, expected, {})]


Stack = tuple[Linear, Linear, tuple[str, ...]]
TOGETHER = ("three h d", "h three d", "three d h", "d three h", "h d three", "d h three")
APART = ("three h d", "three d h")


def _stacks(given: list[Linear], dim: int) -> Iterator[Stack]:
    """Ways to read the weights: q, k and v as one map, the map behind them, possible layouts."""
    rows = sorted(len(weight) for weight, _ in given)
    if any(weight.shape[1] != dim for weight, _ in given):
        return
    if rows == [dim, 3 * dim]:
        small, large = sorted(given, key=lambda pair: len(pair[0]))
        yield large, small, TOGETHER
    elif rows == [dim] * 4:
        # The last map is most often defined last: a difference is told against that reading.
        for index in (3, 0, 1, 2):
            rest = [pair for other, pair in enumerate(given) if other != index]
            yield (*map(torch.cat, zip(*rest, strict=True)),), given[index], APART  # type: ignore[misc]


def _lacks_output(given: list[Linear], others: int, dim: int) -> bool:
    rows = sorted(len(weight) for weight, _ in given)
    return not others and rows in ([3 * dim], [dim] * 3)


def _apply(x: Tensor, linear: Linear) -> Tensor:
    return x @ linear[0].T + linear[1]


def _splits(
    x: Tensor, qkv: Linear, heads: int, layouts: tuple[str, ...]
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """q, k, v as `b h n d`, for each layout and each order of the three."""
    rows = _apply(x, qkv)
    for layout in layouts:
        parts = rearrange(rows, f"b n ({layout}) -> three b h n d", three=3, h=heads)
        for one, two, three in permutations(range(3)):
            yield parts[one], parts[two], parts[three]


def _attend(q: Tensor, k: Tensor, v: Tensor, scale: float | None = None) -> Tensor:
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    return torch.softmax(q @ k.transpose(-2, -1) * scale, dim=-1) @ v


def _merges(heard: Tensor) -> Iterator[Tensor]:
    yield rearrange(heard, "b h n d -> b n (h d)")
    yield rearrange(heard, "b h n d -> b n (d h)")


# --- what goes wrong

NO_OUTPUT = (
    "The values are right up to the last step: the output projection, which lets the heads' "
    "answers meet, is missing."
)


def _mistakes(x: Tensor, heads: int, stacks: list[Stack]) -> Iterator[tuple[str, Tensor]]:
    for qkv, last, layouts in stacks:
        for q, k, v in _splits(x, qkv, heads, layouts):
            for message, heard in _wrong_weights(q, k, v):
                for merged in _merges(heard):
                    yield message, _apply(merged, last)
            heard = _attend(q, k, v)
            yield NO_OUTPUT, next(_merges(heard))
            yield _TORN, _apply(heard.reshape(x.shape), last)
            across = _attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
            yield _ACROSS, _apply(across.flatten(2), last)
            yield _ACROSS, _apply(across.transpose(1, 2).reshape(x.shape), last)
            yield from _one_head(q, k, v, last)
            yield from _reshaped(q, k, v, last)


_TORN = (
    "The heads are put together by a reshape alone, which mixes tokens: bring them to b n h d "
    "first, then join h and d."
)
_ACROSS = (
    "Your scores compare heads instead of tokens: a product q @ kᵀ runs over the last two "
    "dimensions, which should be n and d."
)
_FOLDED = (
    "The heads are split by a reshape alone, which mixes tokens: split dim into h and d first, "
    "then bring h in front of n."
)


def _wrong_weights(q: Tensor, k: Tensor, v: Tensor) -> Iterator[tuple[str, Tensor]]:
    heads, n, size = q.shape[1:]
    scores = q @ k.transpose(-2, -1)
    sharp = scores / math.sqrt(size)
    later = torch.ones(n, n, dtype=torch.bool).triu(1)
    yield "The scores are not divided by √d, the root of a head's size.", _attend(q, k, v, 1.0)
    yield (
        "The scores are divided by √dim; each head compares d = dim / heads numbers, so divide "
        "by √d.",
        _attend(q, k, v, (heads * size) ** -0.5),
    )
    yield "The scores are divided by d; divide by its root, √d.", _attend(q, k, v, 1 / size)
    yield (
        "The scores are multiplied by √d; divide by it.",
        _attend(q, k, v, math.sqrt(size)),
    )
    yield (
        "The softmax runs over the queries; the weights of one query, over all keys, should sum "
        "to 1: softmax over the last dimension.",
        sharp.softmax(dim=-2) @ v,
    )
    yield (
        "The softmax runs over the heads; it should run over the keys, the last dimension.",
        sharp.softmax(dim=1) @ v,
    )
    yield (
        "Each token sees only the ones before it; an image has no before: leave out the mask.",
        sharp.masked_fill(later, -math.inf).softmax(dim=-1) @ v,
    )
    yield "The scores are used as weights as they are: the softmax is missing.", sharp @ v


def _one_head(q: Tensor, k: Tensor, v: Tensor, last: Linear) -> Iterator[tuple[str, Tensor]]:
    message = "All numbers are compared at once, as if there were a single head."
    one, two, three = (rearrange(part, "b h n d -> b 1 n (h d)") for part in (q, k, v))
    for scale in (None, q.shape[-1] ** -0.5, 1.0):
        yield message, _apply(_attend(one, two, three, scale)[:, 0], last)


def _reshaped(q: Tensor, k: Tensor, v: Tensor, last: Linear) -> Iterator[tuple[str, Tensor]]:
    one, two, three = (
        rearrange(part, "b h n d -> b n (h d)").reshape(part.shape) for part in (q, k, v)
    )
    heard = _attend(one, two, three)
    yield _FOLDED, _apply(heard.reshape(len(heard), heard.shape[2], -1), last)
    yield _FOLDED, _apply(next(_merges(heard)), last)


def attention_hint(crash: Crash) -> str | None:
    if "mat1 and mat2" in crash.message or "must match the size" in crash.message:
        return (
            "Look at the shapes line by line: self.qkv(x) is b n 3·dim; q, k and v are b h n d; "
            "the scores are b h n n."
        )
    if "einops" in crash.type_name.lower() or "pattern" in crash.message:
        return "einops needs to know three=3 and h=self.heads to take the last dimension apart."
    return None
