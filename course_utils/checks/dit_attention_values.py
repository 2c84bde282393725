"""Job 4.2's values: what attention computes from a student's weights, rightly and wrongly.

Which weights are whose is not known. Every usual layout is tried, and every order of q, k and v.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import permutations

import torch
from einops import rearrange
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

Linear = tuple[Tensor, Tensor]
Stack = tuple[Linear, Linear, tuple[str, ...]]
TOGETHER = ("three h d", "h three d", "three d h", "d three h", "h d three", "d h three")
APART = ("three h d", "three d h")


def readings(linears: list[Linear], raw: list[Tensor], dim: int) -> Iterator[list[Linear]]:
    """The weights as linear maps, in each way to read parameters that are no nn.Linear's."""
    if not raw:
        yield linears
        return
    matrices = [p for p in raw if p.ndim in (2, 3) and dim in p.shape]
    biases = [p for p in raw if p.ndim == 1]
    if len(matrices) + len(biases) != len(raw) or len(biases) not in (0, len(matrices)):
        return
    for turned in (True, False):
        weights = [_rows(p, dim, turned) for p in matrices]
        if not linears:  # the last one maps from the heads
            last = matrices[-1]
            weights[-1] = _rows(last, dim, turned) if last.ndim == 2 else weights[-1].T
        zeros = [torch.zeros(len(weight), dtype=weight.dtype) for weight in weights]
        yield [*zip(weights, biases or zeros, strict=True), *linears]


def _rows(parameter: Tensor, dim: int, turned: bool) -> Tensor:
    """A matrix as nn.Linear keeps it, `rows dim`; a square one can be meant in two ways."""
    if parameter.shape == (dim, dim):
        return parameter.T if turned else parameter
    axis = parameter.shape.index(dim)
    return parameter.movedim(axis, -1).reshape(-1, dim)


def usual(given: list[Linear], dim: int) -> bool:
    """Whether :func:`stacks_of` knows every way to read these weights."""
    return sorted(len(weight) for weight, _ in given) in ([dim, 3 * dim], [dim] * 4)


def stacks_of(given: list[Linear], dim: int) -> Iterator[Stack]:
    """Ways to read the weights: q, k and v as one map, the map behind them, possible layouts."""
    rows = [len(weight) for weight, _ in given]
    if sum(rows) != 4 * dim or any(weight.shape[1] != dim for weight, _ in given):
        return
    layouts = APART if rows == [dim] * 4 else TOGETHER
    # The last map is most often defined last: a difference is told against that reading.
    for index in reversed(range(len(given))):
        if rows[index] == dim:
            rest = [pair for other, pair in enumerate(given) if other != index]
            qkv = torch.cat([w for w, _ in rest]), torch.cat([b for _, b in rest])
            yield qkv, given[index], layouts


def lacks_output(given: list[Linear], dim: int) -> bool:
    return sorted(len(weight) for weight, _ in given) in ([3 * dim], [dim] * 3)


def right_values(x: Tensor, heads: int, stacks: list[Stack]) -> Iterator[Tensor]:
    for qkv, last, layouts in stacks:
        for q, k, v in _splits(x, qkv, heads, layouts):
            for merged in _merges(_attend(q, k, v)):
                yield _apply(merged, last)


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
    return scaled_dot_product_attention(q, k, v, scale=scale)


def _merges(heard: Tensor) -> Iterator[Tensor]:
    yield rearrange(heard, "b h n d -> b n (h d)")
    yield rearrange(heard, "b h n d -> b n (d h)")


# --- what goes wrong

NO_OUTPUT = (
    "The values are right up to the last step: the output projection, which lets the heads' "
    "answers meet, is missing."
)
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
_BATCH = (
    "Your tokens ask the tokens of other images: the first dimension is the batch. "
    "(nn.MultiheadAttention needs batch_first=True.)"
)
_RESIDUAL = "That is attention, and x added to it: the layer of job 4.3 adds x, not attention."


def mistakes(x: Tensor, heads: int, stacks: list[Stack]) -> Iterator[tuple[str, Tensor]]:
    """What known misconceptions compute from the same weights, with their messages."""
    for qkv, last, layouts in stacks:
        for q, k, v in _splits(x, qkv, heads, layouts):
            for message, heard in _wrong_heads(q, k, v):
                for merged in _merges(heard):
                    yield message, _apply(merged, last)
            heard = _attend(q, k, v)
            yield NO_OUTPUT, next(_merges(heard))
            yield _RESIDUAL, x + _apply(next(_merges(heard)), last)
            yield _TORN, _apply(heard.reshape(x.shape), last)
            across = _attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
            yield _ACROSS, _apply(across.flatten(2), last)
            yield _ACROSS, _apply(across.transpose(1, 2).reshape(x.shape), last)
            yield from _one_head(q, k, v, last)
            yield from _reshaped(q, k, v, last)
        for q, k, v in _splits(x.transpose(0, 1), qkv, heads, layouts):
            yield _BATCH, _apply(next(_merges(_attend(q, k, v))), last).transpose(0, 1)


def _wrong_heads(q: Tensor, k: Tensor, v: Tensor) -> Iterator[tuple[str, Tensor]]:
    """What the heads hear by wrong formulas, `b h n d`."""
    size = q.shape[3]
    scores = q @ k.transpose(-2, -1)
    weights = (scores / math.sqrt(size)).softmax(dim=-1)
    for message, scale in _wrong_scales(*q.shape[1:]):
        yield message, _attend(q, k, v, scale)
    for message, wrong in _wrong_weights(scores, weights, size):
        yield message, wrong @ v
    yield (
        "Each query is compared with queries: where are the keys? The scores are q kᵀ.",
        _attend(q, q, v),
    )
    yield (
        "The weights average the keys; what a token hears is the weighted mean of the values v.",
        weights @ k,
    )
    yield (
        "The weights average the queries; what a token hears is the weighted mean of the values v.",
        weights @ q,
    )


def _wrong_scales(heads: int, n: int, size: int) -> Iterator[tuple[str, float]]:
    yield "The scores are not divided by √d, the root of a head's size.", 1.0
    yield (
        "The scores are divided by √dim; each head compares d = dim / heads numbers, so divide "
        "by √d.",
        (heads * size) ** -0.5,
    )
    yield "The scores are divided by d; divide by its root, √d.", 1 / size
    yield "The scores are divided by dim; divide by √d, d = dim / heads.", 1 / (heads * size)
    yield "The scores are multiplied by √d; divide by it.", math.sqrt(size)
    yield "The scores are divided by √n, the number of tokens; divide by √d.", n**-0.5
    yield "The scores are divided by √heads; divide by √d, a head's size.", heads**-0.5


def _wrong_weights(scores: Tensor, weights: Tensor, size: int) -> Iterator[tuple[str, Tensor]]:
    n, sharp = scores.shape[-1], scores / math.sqrt(size)
    later = torch.ones(n, n, dtype=torch.bool).triu(1)
    yield (
        "The softmax runs over the queries; the weights of one query, over all keys, should sum "
        "to 1: softmax over the last dimension.",
        sharp.softmax(dim=-2),
    )
    yield (
        "The softmax runs over the heads; it should run over the keys, the last dimension.",
        sharp.softmax(dim=1),
    )
    yield (
        "The softmax runs over queries and keys at once; it should run over the keys, the last "
        "dimension.",
        sharp.flatten(-2).softmax(dim=-1).unflatten(-1, (n, n)),
    )
    yield (
        "Each token sees only the ones before it; an image has no before: leave out the mask.",
        sharp.masked_fill(later, -math.inf).softmax(dim=-1),
    )
    yield (
        "A token does not see itself; here every token may ask every token: leave out the mask.",
        sharp.masked_fill(torch.eye(n, dtype=torch.bool), -math.inf).softmax(dim=-1),
    )
    yield "The scores are used as weights as they are: the softmax is missing.", sharp
    yield "The scores are used as weights as they are: the softmax is missing.", scores
    yield (
        "The weights are divided by √d behind the softmax; divide the scores, before it.",
        scores.softmax(dim=-1) / math.sqrt(size),
    )
    yield "The weights are transposed before they meet the values: weights @ v.", weights.mT
    yield (
        "The exponentials are not divided by their sum: the weights of a query should sum to 1.",
        sharp.exp(),
    )


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
