"""Lab 4's checks accept right answers of other shapes and name the mistake of wrong ones.

Attention has a file of its own, and so have the layer and the stack.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from einops import rearrange
from einops.layers.torch import Rearrange
from torch import Tensor, nn
from torch.nn.functional import fold, pixel_shuffle, unfold

from course_utils.checks.core import Report, run
from course_utils.checks.dit import LAB
from course_utils.solved import dit
from course_utils.solved.cfg import MLP, ConditionalVectorField
from course_utils.solved.unet import FourierEncoder

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


class Patchifier2026(nn.Module):
    def __init__(self, img_size: int, patch_size: int, dim: int) -> None:
        super().__init__()
        assert img_size % patch_size == 0
        self.net = nn.Sequential(
            nn.Conv2d(1, dim, kernel_size=patch_size, stride=patch_size),
            Rearrange("b d h w -> b (h w) d"),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class ChannelsPatchifier(Patchifier2026):
    def __init__(self, img_size: int, patch_size: int, c_in: int, dim: int) -> None:
        assert c_in == 1
        super().__init__(img_size, patch_size, dim)


class UnfoldPatchifier(nn.Module):
    def __init__(self, img_size: int, patch_size: int, dim: int) -> None:
        super().__init__()
        self.size, self.n_tokens = patch_size, torch.tensor((img_size // patch_size) ** 2)
        self.linear = nn.Linear(patch_size**2, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(unfold(x, self.size, stride=self.size).transpose(1, 2))


class NormedPatchifier(nn.Module):
    """Linear behind a rearrange that runs through a patch column by column, and a norm."""

    def __init__(self, img_size: int, patch_size: int, dim: int) -> None:
        super().__init__()
        self.p, self.n_tokens = patch_size, (img_size // patch_size) ** 2
        self.net = nn.Sequential(nn.Linear(patch_size**2, dim), nn.GELU(), nn.LayerNorm(dim))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(rearrange(x, "b c (i p) (j q) -> b (i j) (c q p)", p=self.p, q=self.p))


@pytest.mark.parametrize("seed", [*SEEDS, HIDDEN["4.1"]])
@pytest.mark.parametrize(
    "target", [Patchifier2026, ChannelsPatchifier, UnfoldPatchifier, NormedPatchifier]
)
def test_other_right_patchifiers(target: type, seed: int) -> None:
    found = report("4.1", target, seed)
    assert found.passed, told(found)


def patchifier(forward: Callable[..., Any]) -> type:
    return answer(dit.Patchifier, forward)


class OverlappingPatchifier(dit.Patchifier):
    def __init__(self, img_size: int, patch_size: int, dim: int) -> None:
        super().__init__(img_size, patch_size, dim)
        self.embed = nn.Conv2d(1, dim, patch_size + 2, patch_size, padding=1)


class MiscountingPatchifier(dit.Patchifier):
    def __init__(self, img_size: int, patch_size: int, dim: int) -> None:
        super().__init__(img_size, patch_size, dim)
        self.n_tokens = img_size // patch_size


class WastefulPatchifier(dit.Patchifier):
    def __init__(self, img_size: int, patch_size: int, dim: int) -> None:
        super().__init__(img_size, patch_size, dim)
        self.unused = nn.Linear(dim, dim)


WRONG_PATCHIFIERS = {
    "column by column": patchifier(lambda s, x: rearrange(s.embed(x), "b d i j -> b (j i) d")),
    "still stand in a grid": patchifier(lambda s, x: s.embed(x)),
    "swap the last two": patchifier(lambda s, x: s.embed(x).flatten(2)),
    "join the rows and columns": patchifier(lambda s, x: s.embed(x).permute(0, 2, 3, 1)),
    "a reshape mix": patchifier(lambda s, x: s.embed(x).reshape(len(x), s.n_tokens, -1)),
    "Do the patches overlap": OverlappingPatchifier,
    "Patch 0 became token 15": patchifier(
        lambda s, x: s.embed(x).flatten(2).transpose(1, 2).flip(1)
    ),
    "of the pixels reach": patchifier(
        lambda s, x: s.embed(x * (torch.arange(x.shape[-1]) % 5 < 2)).flatten(2).mT
    ),
    "No gradient reaches the image": patchifier(lambda s, x: s.embed(x.detach()).flatten(2).mT),
    "influence each other": patchifier(
        lambda s, x: s.embed(x - x.mean(0, keepdim=True)).flatten(2).mT
    ),
    "there are 16 patches": MiscountingPatchifier,
    "2 parameter tensors": answer(WastefulPatchifier, dit.Patchifier.forward),
    "yours is None": patchifier(lambda s, x: None),
    "a token is all of dim": patchifier(lambda s, x: rearrange(s.embed(x), "b n d -> b n d")),
}


@pytest.mark.parametrize("words", WRONG_PATCHIFIERS)
def test_wrong_patchifiers(words: str) -> None:
    found = report("4.1", WRONG_PATCHIFIERS[words])
    assert found.earned == 0 and words in told(found), told(found)


# --- 4.5


class Depatchifier2026(nn.Module):
    def __init__(self, img_size: int, patch_size: int, dim: int, final_dim: int) -> None:
        super().__init__()
        h = w = img_size // patch_size
        self.net = nn.Sequential(
            nn.RMSNorm(dim, elementwise_affine=False),
            MLP([dim, 4 * dim, final_dim * patch_size**2]),
            Rearrange(
                "b (h w) (f ph pw) -> b f (h ph) (w pw)",
                h=h, w=w, ph=patch_size, pw=patch_size, f=final_dim,
            ),
            nn.Conv2d(final_dim, 1, kernel_size=3, padding=1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class ChannelsDepatchifier(Depatchifier2026):
    def __init__(
        self, img_size: int, patch_size: int, dim: int, final_dim: int, c_out: int
    ) -> None:
        assert c_out == 1
        super().__init__(img_size, patch_size, dim, final_dim)


class ShuffleDepatchifier(nn.Module):
    def __init__(self, img_size: int, patch_size: int, dim: int, final_dim: int = 4) -> None:
        super().__init__()
        self.rows, self.p = img_size // patch_size, patch_size
        self.linear = nn.Linear(dim, final_dim * patch_size**2, bias=False)
        self.out = nn.Conv2d(final_dim, 1, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        grid = self.linear(x).transpose(1, 2).unflatten(2, (self.rows, self.rows))
        return self.out(pixel_shuffle(grid, self.p))


class TransposedDepatchifier(nn.Module):
    """One map from a token to its pixels, without any channels between."""

    def __init__(self, img_size: int, patch_size: int, dim: int) -> None:
        super().__init__()
        self.rows, self.norm = img_size // patch_size, nn.LayerNorm(dim)
        self.paint = nn.ConvTranspose2d(dim, 1, patch_size, stride=patch_size)

    def forward(self, x: Tensor) -> Tensor:
        return self.paint(rearrange(self.norm(x), "b (i j) d -> b d i j", i=self.rows))


class FoldDepatchifier(nn.Module):
    """Pixels before channels, columns of a patch before its rows."""

    def __init__(self, img_size: int, patch_size: int, dim: int, final_dim: int) -> None:
        super().__init__()
        self.size, self.p = img_size, patch_size
        self.net = nn.Sequential(nn.Linear(dim, 32), nn.ReLU(), nn.Linear(32, patch_size**2))

    def forward(self, x: Tensor) -> Tensor:
        columns = rearrange(self.net(x), "b n (q p) -> b (p q) n", p=self.p)
        return fold(columns, self.size, self.p, stride=self.p)


@pytest.mark.parametrize("seed", [*SEEDS, HIDDEN["4.5"]])
@pytest.mark.parametrize(
    "target",
    [
        Depatchifier2026,
        ChannelsDepatchifier,
        ShuffleDepatchifier,
        TransposedDepatchifier,
        FoldDepatchifier,
    ],
)
def test_other_right_depatchifiers(target: type, seed: int) -> None:
    found = report("4.5", target, seed)
    assert found.passed, told(found)


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


def reshaped(self: Any, x: Tensor) -> Tensor:
    size = self.rows * self.patch_size
    return self.smooth(self.pixels(self.norm(x)).reshape(len(x), -1, size, size))


def no_last_map(self: Any, x: Tensor) -> Tensor:
    sizes = {"i": self.rows, "p": self.patch_size, "q": self.patch_size}
    return rearrange(self.pixels(self.norm(x)), "b (i j) (f p q) -> b f (i p) (j q)", **sizes)


WRONG_DEPATCHIFIERS = {
    "column by column": depatchifier("b (j i) (f p q) -> b f (i p) (j q)"),
    "Were the numbers only reshaped": answer(dit.Depatchifier, reshaped),
    "patches, or only some": depatchifier("b (i j) (f p q) -> b f (p i) (q j)"),
    "has 3 channels": answer(dit.Depatchifier, no_last_map),
    "Token 0 paints patch 15": depatchifier(tokens=lambda x: x.flip(1)),
    "changes no pixel": depatchifier(
        tokens=lambda x: torch.cat([x[:, :-1], torch.zeros_like(x[:, :1])], 1)
    ),
    "changes pixels in 16 patches": depatchifier(tokens=lambda x: x + x.mean(1, keepdim=True)),
    "influence each other": depatchifier(tokens=lambda x: x - x.mean(0, keepdim=True)),
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


class Transformer2026(ConditionalVectorField):
    """Two embeddings added as they are, with names of its own."""

    def __init__(self, patch_size: int, num_layers: int, dim: int, heads: int, num_classes: int):
        super().__init__()
        self.time, self.labels = FourierEncoder(dim), nn.Embedding(num_classes + 1, dim)
        self.patchifier = Patchifier2026(32, patch_size, dim)
        n_tokens = (32 // patch_size) ** 2
        self.dit = dit.DiffusionTransformer(
            depth=num_layers, n_tokens=n_tokens, dim=dim, heads=heads
        )
        self.depatchifier = Depatchifier2026(32, patch_size, dim, 4)

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return self.depatchifier(self.dit(self.patchifier(x), self.time(t) + self.labels(y)))


class JoinedTransformer(dit.MNISTDiffusionTransformer):
    """c from both embeddings side by side."""

    def __init__(self, patch_size: int, num_layers: int, dim: int, heads: int, num_classes: int):
        super().__init__(patch_size, num_layers, dim, heads, num_classes)
        self.join = MLP([2 * dim, dim, dim])

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        c = self.join(torch.cat([self.y_embedder(y), self.time_embedder(t)], dim=-1))
        return self.depatchifier(self.transformer(self.patchifier(x), c))


class ShortcutTransformer(dit.MNISTDiffusionTransformer):
    """A velocity that starts from the input, and a table read by hand."""

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        c = self.time_embedder(t.reshape(-1)) + self.y_embedder.weight[y]
        return self.depatchifier(self.transformer(self.patchifier(x), c)) - x


class ZeroTransformer(dit.MNISTDiffusionTransformer):
    """The last convolution begins at zero, as in Peebles and Xie's code."""

    def __init__(
        self, patch_size: int, num_layers: int, dim: int, num_heads: int, num_classes: int
    ):
        super().__init__(patch_size, num_layers, dim, num_heads, num_classes)
        nn.init.zeros_(self.depatchifier.smooth.weight)


@pytest.mark.parametrize("seed", [*SEEDS, HIDDEN["4.6"]])
@pytest.mark.parametrize(
    "target", [Transformer2026, JoinedTransformer, ShortcutTransformer, ZeroTransformer]
)
def test_other_right_transformers(target: type, seed: int) -> None:
    found = report("4.6", target, seed)
    assert found.passed, told(found)


def transformer(c: Callable[..., Any], end: Callable[..., Any] = lambda s, x: s(x)) -> type:
    """The reference with another c, or another end."""

    def forward(self: Any, x: Tensor, t: Tensor, y: Tensor) -> Any:
        tokens = self.transformer(self.patchifier(x), c(self, t, y))
        return end(self.depatchifier, tokens)

    return answer(dit.MNISTDiffusionTransformer, forward)


def right_c(self: Any, t: Tensor, y: Tensor) -> Tensor:
    return self.time_embedder(t) + self.y_embedder(y)


class ElevenRows(dit.MNISTDiffusionTransformer):
    def __init__(self, patch_size: int, num_layers: int, dim: int, heads: int, num_classes: int):
        super().__init__(patch_size, num_layers, dim, heads, num_classes)
        self.y_embedder = nn.Embedding(num_classes, dim)


WRONG_TRANSFORMERS = {
    "not change with t": transformer(lambda s, t, y: s.time_embedder(0 * t) + s.y_embedder(y)),
    "not change with y": transformer(lambda s, t, y: s.time_embedder(t) + s.y_embedder(0 * y)),
    "of one item changes the others": transformer(
        lambda s, t, y: s.time_embedder(t).mean(0) + s.y_embedder(y)
    ),
    "rows": ElevenRows,
    "yours has (6, 16, 16)": transformer(right_c, lambda depatchify, x: x),
    "shape (6, 1, 32, 32)": transformer(right_c, lambda depatchify, x: depatchify(x)[:, 0]),
    "no gradient": transformer(right_c, lambda depatchify, x: depatchify(x).detach()),
    "parameter tensors receive": transformer(
        lambda s, t, y: s.y_embedder(y) + s.time_embedder[0](t)
    ),
    "stopped with": transformer(lambda s, t, y: s.time_embedder(t)[:, None] + s.y_embedder(y)),
    "yours is None": transformer(right_c, lambda depatchify, x: None),
}


@pytest.mark.parametrize("words", WRONG_TRANSFORMERS)
def test_wrong_transformers(words: str) -> None:
    found = report("4.6", WRONG_TRANSFORMERS[words], 1)
    assert found.earned < 3 and words in told(found), told(found)


def test_a_network_that_cannot_learn_loses_a_point() -> None:
    found = report("4.6", transformer(right_c, lambda depatchify, x: 0.05 * depatchify(x).tanh()))
    assert found.earned == 2 and "of the loss is left" in told(found)
