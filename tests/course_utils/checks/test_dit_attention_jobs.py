"""Job 4.2 names what went wrong in attention, in more ways than the corpus has answers."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from einops import rearrange
from torch import Tensor, nn

from course_utils.checks.core import Report, run
from course_utils.checks.dit import LAB
from course_utils.solved.dit import MHA


def report(target: object, seed: int = 0) -> Report:
    return run(LAB.jobs["4.2"], target, seed)


def told(found: Report) -> str:
    return " ".join(finding.message for finding in found.findings if not finding.ok)


def attention(
    weigh: Callable[[Tensor, Tensor], Tensor] = lambda q, k: right(q, k),
    join: Callable[[Tensor], Tensor] = lambda heard: rearrange(heard, "b h n d -> b n (h d)"),
    out: Callable[[Any, Tensor], Tensor] = lambda self, x: self.out(x),
) -> type:
    """The reference with one thing done otherwise."""

    def forward(self: Any, x: Tensor) -> Any:
        qkv = rearrange(self.qkv(x), "b n (three h d) -> three b h n d", three=3, h=self.heads)
        q, k, v = qkv
        return out(self, join(weigh(q, k) @ v))

    return mha(forward)


def mha(forward: Callable[..., Any]) -> type:
    return type("MHA", (MHA,), {"forward": forward})


def right(q: Tensor, k: Tensor) -> Tensor:
    return (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)


def scaled(scale: Callable[[int, int], float]) -> type:
    """Attention with a factor that depends on the number of heads and the size of each."""
    return attention(lambda q, k: (q @ k.mT * scale(q.shape[1], q.shape[3])).softmax(dim=-1))


def blind(q: Tensor, k: Tensor) -> Tensor:
    own = torch.eye(q.shape[2], dtype=torch.bool)
    return (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(own, -math.inf).softmax(dim=-1)


def at_once(q: Tensor, k: Tensor) -> Tensor:
    sharp = q @ k.mT / q.shape[-1] ** 0.5
    return sharp.flatten(2).softmax(-1).unflatten(2, sharp.shape[2:])


def reshaped(self: Any, x: Tensor) -> Tensor:
    b, n, dim = x.shape
    q, k, v = (p.reshape(b, self.heads, n, -1) for p in self.qkv(x).chunk(3, dim=-1))
    return self.out((right(q, k) @ v).reshape(b, n, dim))


def values_are_queries(self: Any, x: Tensor) -> Tensor:
    q, k, _ = rearrange(self.qkv(x), "b n (three h d) -> three b h n d", three=3, h=self.heads)
    return self.out(rearrange(right(q, k) @ q, "b h n d -> b n (h d)"))


class NoProjection(MHA):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__(dim, heads)
        del self.out

    forward = attention(out=lambda self, x: x).forward


class NoProjections(nn.Module):
    """Three maps, and none behind them."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v = (nn.Linear(dim, dim) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        parts = (rearrange(f(x), "b n (h d) -> b h n d", h=self.heads)
                 for f in (self.q, self.k, self.v))  # fmt: skip
        q, k, v = parts
        return rearrange(right(q, k) @ v, "b h n d -> b n (h d)")


WRONG = {
    "divided by dim": scaled(lambda heads, size: 1 / (heads * size)),
    "√heads": scaled(lambda heads, size: heads**-0.5),
    "No token notices": attention(lambda q, k: torch.eye(q.shape[2]).expand(*q.shape[:2], -1, -1)),
    "do the weights of each query sum to 1": attention(lambda q, k: q @ k.mT),
    "softmax is missing": attention(lambda q, k: q @ k.mT),
    "queries and keys at once": attention(at_once),
    "does not see itself": attention(blind),
    "weights are transposed": attention(lambda q, k: right(q, k).mT),
    "exponentials are not divided": attention(lambda q, k: (q @ k.mT / q.shape[-1] ** 0.5).exp()),
    "weights average the queries": mha(values_are_queries),
    "split by a reshape alone": mha(reshaped),
    "the heads' answers meet": NoProjection,
    "the output projection, which": NoProjections,
    "no gradient": attention(out=lambda self, x: self.out(x).detach()),
    "b h n n": attention(join=lambda heard: heard),
}


@pytest.mark.parametrize("seed", [0, 1, 9411])
@pytest.mark.parametrize("words", WRONG)
def test_wrong_attention(words: str, seed: int) -> None:
    found = report(WRONG[words], seed)
    assert found.earned < 5 and words in told(found), told(found)
    # A right value needs right weights, whatever the properties say.
    if words not in ("no gradient",):
        assert found.earned <= 2, told(found)


class Strange(MHA):
    """A parameter that no reading of the weights knows."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__(dim, heads)
        self.gain = nn.Parameter(torch.ones(heads, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = rearrange(self.qkv(x), "b n (three h d) -> three b h n d", three=3, h=self.heads)
        return self.out(rearrange(self.gain * (right(q, k) @ v), "b h n d -> b n (h d)"))


def test_weights_that_cannot_be_read_are_not_held_against_an_answer() -> None:
    found = report(Strange)
    assert found.passed and any("a way of your own" in f.message for f in found.findings)
