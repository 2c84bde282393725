"""Lab 4's checks accept right answers of other shapes and name the mistake of wrong ones.

Attention has a file of its own, and so have the layer and the stack.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from einops import rearrange
from torch import Tensor, nn

from course_utils.checks.core import Report, run
from course_utils.checks.dit import LAB
from course_utils.solved import dit

SEEDS = (0, 1, 2, 20_261)
HIDDEN = {"4.1": 9410, "4.2": 9411, "4.3": 9412, "4.4": 9413, "4.5": 9414, "4.6": 9415}


def report(number: str, target: object, seed: int = 0) -> Report:
    return run(LAB.jobs[number], target, seed)


def told(found: Report) -> str:
    return " ".join(finding.message for finding in found.findings if not finding.ok)


def answer(base: type, forward: Callable[..., Any], **members: Any) -> type:
    """The reference with another ``forward``."""
    return type(base.__name__, (base,), {"forward": forward, **members})


@pytest.mark.parametrize("number", HIDDEN)
def test_the_reference_earns_full_marks(number: str) -> None:
    for seed in (*SEEDS, HIDDEN[number]):
        found = report(number, getattr(dit, LAB.jobs[number].targets[0]), seed)
        assert found.passed, told(found)


# --- 4.1


def patchifier(forward: Callable[..., Any]) -> type:
    return answer(dit.Patchifier, forward)


class WastefulPatchifier(dit.Patchifier):
    def __init__(self, img_size: int, patch_size: int, dim: int) -> None:
        super().__init__(img_size, patch_size, dim)
        self.unused = nn.Linear(dim, dim)


WRONG_PATCHIFIERS = {
    "% of the pixels reach": patchifier(
        lambda s, x: s.embed(x * (torch.arange(x.shape[-1]) % 5 < 2)).flatten(2).mT
    ),
    "No gradient reaches the image": patchifier(lambda s, x: s.embed(x.detach()).flatten(2).mT),
    "receive no gradient (unused.weight, unused.bias)": WastefulPatchifier,
    "with their one channel": patchifier(lambda s, x: s.embed(x.repeat(1, 3, 1, 1))),
    "at another place": patchifier(
        lambda s, x: s.embed(x).flatten(2).mT + torch.arange(s.n_tokens)[:, None]
    ),
}


@pytest.mark.parametrize("words", WRONG_PATCHIFIERS)
def test_wrong_patchifiers(words: str) -> None:
    found = report("4.1", WRONG_PATCHIFIERS[words])
    assert found.earned == 0 and words in told(found), told(found)


# --- 4.5


def depatchifier(
    layout: str = "b (i j) (f p q) -> b f (i p) (j q)",
    tokens: Callable[[Tensor], Tensor] = lambda x: x,
) -> type:
    """The reference with another layout, or other tokens."""

    def forward(self: Any, x: Tensor) -> Tensor:
        pixels = self.pixels(self.norm(tokens(x)))
        i, p = self.rows, self.patch_size
        return self.smooth(rearrange(pixels, layout, i=i, j=i, p=p, q=p))

    return answer(dit.Depatchifier, forward)


WRONG_DEPATCHIFIERS = {
    "(j q), not (q j)": depatchifier("b (i j) (f p q) -> b f (i p) (q j)"),
    "changes pixels in 16 patches": depatchifier(tokens=lambda x: x + x.mean(1, keepdim=True)),
    "no gradient": answer(
        dit.Depatchifier, lambda s, x: dit.Depatchifier.forward(s, x).detach()
    ),
    "4 parameter tensors": answer(
        dit.Depatchifier,
        lambda s, x: rearrange(
            s.norm(x)[..., :1].expand(-1, -1, s.patch_size**2),
            "b (i j) (p q) -> b 1 (i p) (j q)", i=s.rows, p=s.patch_size,
        ),
    ),
    "channels stand behind the batch": answer(
        dit.Depatchifier, lambda s, x: s.smooth(s.pixels(s.norm(x))[:, None])
    ),
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG_DEPATCHIFIERS)
def test_wrong_depatchifiers(words: str) -> None:
    found = report("4.5", WRONG_DEPATCHIFIERS[words])
    assert found.earned == 0 and words in told(found), told(found)


# --- 4.6


def transformer(c: Callable[..., Any], end: Callable[..., Any] = lambda s, x: s(x)) -> type:
    """The reference with another c, or another end."""

    def forward(self: Any, x: Tensor, t: Tensor, y: Tensor) -> Any:
        tokens = self.transformer(self.patchifier(x), c(self, t, y))
        return end(self.depatchifier, tokens)

    return answer(dit.MNISTDiffusionTransformer, forward)


def right_c(self: Any, t: Tensor, y: Tensor) -> Tensor:
    return self.time_embedder(t) + self.y_embedder(y)


WRONG_TRANSFORMERS = {
    "not change with t": transformer(lambda s, t, y: s.time_embedder(0 * t) + s.y_embedder(y)),
    "not change with y": transformer(lambda s, t, y: s.time_embedder(t) + s.y_embedder(0 * y)),
    "not change with x": answer(
        dit.MNISTDiffusionTransformer,
        lambda s, x, t, y: dit.MNISTDiffusionTransformer.forward(s, 0 * x, t, y),
    ),
    "yours has (6, 16, 16, 1)": transformer(right_c, lambda depatchify, x: x[..., None]),
    "no gradient": transformer(right_c, lambda depatchify, x: depatchify(x).detach()),
}


@pytest.mark.parametrize("words", WRONG_TRANSFORMERS)
def test_wrong_transformers(words: str) -> None:
    found = report("4.6", WRONG_TRANSFORMERS[words], 1)
    assert found.earned < 3 and words in told(found), told(found)
