"""Job 4.2 accepts attention of any layout and names what went wrong in others."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from einops import einsum, rearrange
from einops.layers.torch import Rearrange
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from course_utils.checks.core import Report, run
from course_utils.checks.dit import LAB
from course_utils.solved.dit import MHA

SEEDS = (0, 1, 2, 9411, 20_261)


def report(target: object, seed: int = 0) -> Report:
    return run(LAB.jobs["4.2"], target, seed)


def told(found: Report) -> str:
    return " ".join(finding.message for finding in found.findings if not finding.ok)


class MHA2026(nn.Module):
    """Heads folded into the batch."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.scale = (dim // heads) ** -0.5
        self.qkv, self.out = nn.Linear(dim, dim * 3), nn.Linear(dim, dim)
        self.fold_heads = Rearrange("b n (h d) -> (b h) n d", h=heads)
        self.unfold_heads = Rearrange("(b h) n d -> b n (h d)", h=heads)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = map(self.fold_heads, self.qkv(x).chunk(3, dim=-1))
        weights = torch.softmax(torch.einsum("bid,bjd->bij", q, k) * self.scale, dim=-1)
        return self.out(self.unfold_heads(torch.einsum("bij,bjd->bid", weights, v)))


class Fused(nn.Module):
    """torch's own attention, the numbers of a head before the heads, and no biases."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.heads = num_heads
        self.to_out = nn.Linear(dim, dim, bias=False)
        self.to_qkv = nn.Linear(dim, 3 * dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = rearrange(
            self.to_qkv(x), "b n (d h three) -> three b h n d", three=3, h=self.heads
        )
        heard = scaled_dot_product_attention(q, k, v)
        return self.to_out(rearrange(heard, "b h n d -> b n (d h)"))


class Apart(nn.Module):
    """Three maps, the last of which stands first, and a product written with names."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.out = nn.Linear(dim, dim)
        self.keys, self.values, self.queries = (nn.Linear(dim, dim) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        def split(y: Tensor) -> Tensor:
            return y.unflatten(-1, (self.heads, -1))

        q, k, v = split(self.queries(x)), split(self.keys(x)), split(self.values(x))
        scores = einsum(q, k, "b i h d, b j h d -> b h i j") / math.sqrt(q.shape[-1])
        weights = (scores - scores.amax(-1, keepdim=True)).exp()
        weights = weights / weights.sum(-1, keepdim=True)
        return self.out(einsum(weights, v, "b h i j, b j h d -> b i h d").flatten(2))


class OneByOne(nn.Module):
    """A loop over heads, with raw matrices."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.q, self.k, self.v = (
            nn.Parameter(torch.randn(heads, dim, dim // heads) / dim**0.5) for _ in range(3)
        )
        self.o = nn.Parameter(torch.randn(heads, dim // heads, dim) / dim**0.5)

    def forward(self, x: Tensor) -> Tensor:
        total = torch.zeros_like(x)
        for q, k, v, o in zip(self.q, self.k, self.v, self.o, strict=True):
            scores = (x @ q) @ (x @ k).mT / q.shape[-1] ** 0.5
            total = total + scores.softmax(-1) @ (x @ v) @ o
        return total


class Packed(nn.Module):
    """torch's own module."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(dim, heads, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x, x, x, need_weights=False)[0]


class TwoMaps(nn.Module):
    """Queries from one map, keys and values from another."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.kv, self.out = (nn.Linear(dim, size) for size in (dim, 2 * dim, dim))

    def forward(self, x: Tensor) -> Tensor:
        parts = (self.q(x), *self.kv(x).chunk(2, dim=-1))
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        return self.out(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("target", [MHA2026, Fused, Apart, OneByOne, Packed, TwoMaps])
def test_other_right_attention(target: type, seed: int) -> None:
    found = report(target, seed)
    assert found.passed, told(found)


def attention(
    weigh: Callable[[Tensor, Tensor], Tensor] = lambda q, k: right(q, k),
    split: str = "b n (three h d) -> three b h n d",
    join: Callable[[Tensor], Tensor] = lambda heard: rearrange(heard, "b h n d -> b n (h d)"),
    out: Callable[[Any, Tensor], Tensor] = lambda self, x: self.out(x),
) -> type:
    """The reference with one thing done otherwise."""

    def forward(self: Any, x: Tensor) -> Any:
        q, k, v = rearrange(self.qkv(x), split, three=3, h=self.heads)
        return out(self, join(weigh(q, k) @ v))

    return type("MHA", (MHA,), {"forward": forward})


def right(q: Tensor, k: Tensor) -> Tensor:
    return (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)


def scaled(scale: Callable[[int, int], float]) -> type:
    """Attention with a factor that depends on the number of heads and the size of each."""
    return attention(lambda q, k: (q @ k.mT * scale(q.shape[1], q.shape[3])).softmax(dim=-1))


def masked(q: Tensor, k: Tensor) -> Tensor:
    later = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool).triu(1)
    return (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(later, -math.inf).softmax(dim=-1)


def reshaped(self: Any, x: Tensor) -> Tensor:
    b, n, dim = x.shape
    q, k, v = (p.reshape(b, self.heads, n, -1) for p in self.qkv(x).chunk(3, dim=-1))
    return self.out((right(q, k) @ v).reshape(b, n, dim))


def half_reshaped(self: Any, x: Tensor) -> Tensor:
    b, n, dim = x.shape
    q, k, v = (p.reshape(b, self.heads, n, -1) for p in self.qkv(x).chunk(3, dim=-1))
    return self.out((right(q, k) @ v).transpose(1, 2).reshape(b, n, dim))


def folded(self: Any, x: Tensor) -> Tensor:
    """Heads folded into the batch in one order, and taken out in the other."""
    q, k, v = rearrange(self.qkv(x), "b n (three h d) -> three (b h) n d", three=3, h=self.heads)
    return self.out(rearrange(right(q, k) @ v, "(h b) n d -> b n (h d)", h=self.heads))


def single(self: Any, x: Tensor) -> Tensor:
    q, k, v = self.qkv(x).chunk(3, dim=-1)
    return self.out(right(q, k) @ v)


class NoProjection(MHA):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__(dim, heads)
        del self.out


def mha(forward: Callable[..., Any]) -> type:
    return type("MHA", (MHA,), {"forward": forward})


ACROSS = attention(split="b n (three h d) -> three b n h d", join=lambda heard: heard.flatten(2))
WRONG = {
    "not divided by √d": scaled(lambda heads, size: 1.0),
    "divided by √dim": scaled(lambda heads, size: (heads * size) ** -0.5),
    "divided by d; divide by its root": scaled(lambda heads, size: 1 / size),
    "multiplied by √d": scaled(lambda heads, size: size**0.5),
    "runs over the queries": attention(lambda q, k: (q @ k.mT / q.shape[-1] ** 0.5).softmax(-2)),
    "runs over the heads": attention(lambda q, k: (q @ k.mT / q.shape[-1] ** 0.5).softmax(1)),
    "leave out the mask": attention(masked),
    "softmax is missing": attention(lambda q, k: q @ k.mT / q.shape[-1] ** 0.5),
    "split by a reshape alone": mha(reshaped),
    "in front of n": mha(half_reshaped),
    "put together by a reshape alone": attention(
        join=lambda heard: heard.reshape(heard.shape[0], heard.shape[2], -1)
    ),
    "compare heads instead of tokens": ACROSS,
    "No token notices": ACROSS,
    "influence each other": mha(folded),
    "a single head": mha(single),
    "output projection": attention(out=lambda self, x: x),
    "the heads' answers meet": type(
        "MHA", (NoProjection,), {"forward": attention(out=lambda self, x: x).forward}
    ),
    "no gradient": attention(out=lambda self, x: self.out(x).detach()),
    "b h n n": attention(join=lambda heard: heard),
    "expected": attention(out=lambda self, x: self.out(x) + 1),
    "yours is None": mha(lambda self, x: None),
}  # fmt: skip


@pytest.mark.parametrize("seed", [0, 1, 9411])
@pytest.mark.parametrize("words", WRONG)
def test_wrong_attention(words: str, seed: int) -> None:
    found = report(WRONG[words], seed)
    assert found.earned < 5 and words in told(found), told(found)
    # A right value needs right weights, whatever the properties say.
    if words not in ("no gradient",):
        assert found.earned <= 2, told(found)
