"""Lab 3's checks accept right answers of other shapes and name the mistake of wrong ones."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from course_utils.checks.core import Report, run
from course_utils.checks.unet import LAB
from course_utils.solved.unet import (
    Decoder,
    Encoder,
    FourierEncoder,
    Midcoder,
    MNISTUNet,
    ResidualLayer,
)

HIDDEN = {"3.1": 9310, "3.2": 9311, "3.3": 9312, "3.4": 9313}


def report(number: str, target: object, seed: int = 0) -> Report:
    return run(LAB.jobs[number], target, seed)


def told(found: Report) -> str:
    return " ".join(finding.message for finding in found.findings if not finding.ok)


def assert_right(number: str, target: object) -> None:
    for seed in (0, 1, 2, HIDDEN[number]):
        found = report(number, target, seed)
        assert found.passed, f"seed {seed}: {told(found)}"


def assert_wrong(number: str, target: object, words: str) -> None:
    for seed in (0, HIDDEN[number]):
        found = report(number, target, seed)
        assert found.earned == 0 and words in told(found), told(found)


def test_the_reference_earns_full_marks() -> None:
    assert_right("3.1", FourierEncoder)
    assert_right("3.2", ResidualLayer)
    assert_right("3.3", (Encoder, Decoder))
    assert_right("3.4", MNISTUNet)


def test_a_seed_chooses_the_sizes() -> None:
    for number, names in {
        "3.1": ("dim",),
        "3.2": ("channels_in", "h", "t_dim", "y_dim"),
        "3.3": ("channels_in", "layers", "t_dim", "y_dim"),
        "3.4": ("channels", "num_classes", "t_dim", "y_dim"),
    }.items():
        for name in names:
            tried = {LAB.jobs[number].parts[0].inputs(seed)[name] for seed in range(20)}
            assert len(tried) > 1, (number, name)


# --- 3.1


class Original(nn.Module):
    """Trained frequencies, sines first, as in the lab that this one follows."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.half_dim = dim // 2
        self.weights = nn.Parameter(torch.randn(1, self.half_dim))

    def angles(self, t: Tensor) -> Tensor:
        return t.view(-1, 1) * self.weights * 2 * math.pi

    def forward(self, t: Tensor) -> Tensor:
        angles = self.angles(t)
        return torch.cat([torch.sin(angles), torch.cos(angles)], dim=-1) * math.sqrt(2)


class Interleaved(Original):
    def forward(self, t: Tensor) -> Tensor:
        angles = self.angles(t)
        return torch.stack([angles.cos(), -angles.sin()], dim=-1).flatten(1)


class Ladder(nn.Module):
    """Fixed frequencies 1, 1.6, 2.6, …, without 2π, filled in place; kept in float64."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("steps", 1.6 ** torch.arange(dim // 2, dtype=torch.float64))

    def forward(self, t: Tensor) -> Tensor:
        waves = torch.empty(len(t), 2 * len(self.steps))
        waves[:, 1::2] = torch.einsum("b,d->bd", t.double(), self.steps).sin()
        waves[:, 0::2] = torch.einsum("b,d->bd", t.double(), self.steps).cos()
        return 2**0.5 * waves


class ZeroStart(Original):
    """Trained frequencies may begin anywhere."""

    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        nn.init.zeros_(self.weights)


class Frozen(Original):
    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        self.weights.requires_grad_(False)
        self.weights.mul_(16)

    def forward(self, t: Tensor) -> Tensor:
        phase = torch.exp(1j * self.angles(t))
        return torch.view_as_real(phase).flatten(1)


class Plainly(nn.Module):
    """Frequencies in a plain tensor, moved by hand to where t is."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.frequencies = torch.linspace(0.5, 4, dim // 2)

    def forward(self, t: Tensor) -> Tensor:
        angles = torch.outer(t, 2 * torch.pi * self.frequencies.to(t.device))
        return torch.hstack([angles.cos(), angles.sin()])


@pytest.mark.parametrize("answer", [Original, Interleaved, Ladder, ZeroStart, Frozen, Plainly])
def test_other_right_waves(answer: type) -> None:
    assert_right("3.1", answer)


def waves(forward: Callable[[Original, Tensor], Tensor]) -> type:
    return type("FourierEncoder", (Original,), {"forward": forward})


class LeftBehind(FourierEncoder):
    """Frequencies that are neither saved nor moved."""

    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        del self.frequencies
        self.frequencies = torch.randn(dim // 2)


def of_one_frequency(self: Original, t: Tensor) -> Tensor:
    angles = self.angles(t) * 0 + 2 * math.pi * t[:, None]
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def mismatched(self: Original, t: Tensor) -> Tensor:
    angles = self.angles(t)
    return torch.cat([angles.sin(), (2 * angles).cos()], dim=-1)


def bent(self: Original, t: Tensor) -> Tensor:
    angles = self.angles(t * t)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def redrawn(self: Original, t: Tensor) -> Tensor:
    angles = t[:, None] * torch.randn(self.half_dim)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def of_the_mean(self: Original, t: Tensor) -> Tensor:
    angles = self.angles(t - t.mean() + t)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def flat_time(self: Original, t: Tensor) -> Tensor:
    return (t * self.weights).sin()


WRONG_WAVES = {
    "sines only": waves(lambda self, t: self.angles(t).sin().repeat(1, 2)),
    "cosines only": waves(lambda self, t: self.angles(t).cos().repeat(1, 2)),
    "a sine and a cosine, side by side": waves(lambda self, t: self.angles(t).sin()),
    "a dimension too many": waves(
        lambda self, t: torch.stack([self.angles(t).sin(), self.angles(t).cos()], dim=1)
    ),
    "should have shape": waves(lambda self, t: torch.cat([t[:, None].sin(), t[:, None].cos()])),
    "is the angle the product": waves(
        lambda self, t: torch.cat(
            [(t[:, None] + self.weights).sin(), (t[:, None] + self.weights).cos()], dim=-1
        )
    ),
    "same frequency: two close": waves(of_one_frequency),
    "add up to the same number": waves(mismatched),
    "are no waves": waves(bent),
    "drawn once": waves(redrawn),
    "times of a batch": waves(of_the_mean),
    "go up to 2": waves(lambda self, t: math.sqrt(2) * Original.forward(self, t)),
    "does not change with t": waves(lambda self, t: Original.forward(self, 0 * t + 0.3)),
    "t[:, None]": waves(flat_time),
    "None": waves(lambda self, t: None),
    "another device": LeftBehind,
}


@pytest.mark.parametrize("words", WRONG_WAVES)
def test_wrong_waves(words: str) -> None:
    for seed in (0, HIDDEN["3.1"]):
        found = report("3.1", WRONG_WAVES[words], seed)
        assert found.earned == 0 and words.lower() in told(found).lower(), told(found)


# --- 3.2


class Plain(nn.Module):
    """A residual layer of its own: other names, no normalisation, linear conditioning."""

    def __init__(self, channels: int, time_embed_dim: int, y_embed_dim: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.last = nn.Conv2d(channels, channels, 3, padding=1)
        self.of_t = nn.Linear(time_embed_dim, channels)
        self.of_y = nn.Linear(y_embed_dim, channels)
        nn.init.zeros_(self.last.weight)

    def both(self, t: Tensor, y: Tensor) -> Tensor:
        return (self.of_t(t) + self.of_y(y)).unsqueeze(-1).unsqueeze(-1)

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        hidden = self.first(torch.relu(x)) + self.both(t, y)
        return self.last(torch.relu(hidden)) + x


class Batchwise(nn.Module):
    """As in the lab that this one follows, with BatchNorm."""

    def __init__(self, channels: int, time_embed_dim: int, y_embed_dim: int) -> None:
        super().__init__()
        self.block1, self.block2 = (
            nn.Sequential(
                nn.SiLU(), nn.BatchNorm2d(channels), nn.Conv2d(channels, channels, 3, padding=1)
            )
            for _ in range(2)
        )
        self.time_adapter, self.y_adapter = (
            nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, channels))
            for dim in (time_embed_dim, y_embed_dim)
        )

    def forward(self, x: Tensor, t_embed: Tensor, y_embed: Tensor) -> Tensor:
        res = x.clone()
        x = self.block1(x)
        x = x + self.time_adapter(t_embed).unsqueeze(-1).unsqueeze(-1)
        x = x + self.y_adapter(y_embed).unsqueeze(-1).unsqueeze(-1)
        return self.block2(x) + res


class FiLM(Plain):
    """Scale from t and shift from y behind a normalisation (Perez et al. 2018)."""

    def __init__(self, channels: int, time_embed_dim: int, y_embed_dim: int) -> None:
        super().__init__(channels, time_embed_dim, y_embed_dim)
        self.norm = nn.InstanceNorm2d(channels)

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        scale, shift = self.of_t(t)[:, :, None, None], self.of_y(y)[:, :, None, None]
        hidden = self.norm(self.first(x)) * (1 + scale) + shift
        return x + self.last(nn.functional.gelu(hidden))


class Side(Plain):
    """One adapter for t and y together, and dropout."""

    def __init__(self, channels: int, time_embed_dim: int, y_embed_dim: int) -> None:
        super().__init__(channels, time_embed_dim, y_embed_dim)
        del self.of_t, self.of_y
        self.adapter = nn.Linear(time_embed_dim + y_embed_dim, channels)
        self.drop = nn.Dropout(0.2)
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        told = self.adapter(torch.cat([t, y], dim=1))
        hidden = self.first(x) + torch.einsum("bc,bchw->bchw", told, torch.ones_like(x))
        return x + self.gain * self.last(self.drop(hidden.tanh()))


class Additive(Plain):
    """What is told is added; in two blocks with GroupNorm, as Ho et al. 2020 have it."""

    def __init__(self, channels: int, time_embed_dim: int, y_embed_dim: int) -> None:
        super().__init__(channels, time_embed_dim, y_embed_dim)
        self.block1 = nn.Sequential(nn.GroupNorm(8, channels), nn.SiLU(), self.first)
        self.block2 = nn.Sequential(nn.GroupNorm(8, channels), nn.SiLU(), self.last)
        del self.first, self.last

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return x + self.block2(self.block1(x) + self.both(t, y))


@pytest.mark.parametrize("answer", [Plain, Batchwise, FiLM, Side, Additive])
def test_other_right_residual_layers(answer: type) -> None:
    assert_right("3.2", answer)


def test_batchnorm_earns_its_points_and_a_word() -> None:
    found = report("3.2", Batchwise)
    assert found.passed and any("BatchNorm?" in finding.message for finding in found.findings)
    for other in (Plain, Side):  # dropout is no mixing of items
        assert not any("BatchNorm" in finding.message for finding in report("3.2", other).findings)


def layer(forward: Callable[[Additive, Tensor, Tensor, Tensor], object]) -> type:
    """The additive layer with another ``forward``."""
    return type("ResidualLayer", (Additive,), {"forward": forward})


def adaptive(forward: Callable[[ResidualLayer, Tensor, Tensor, Tensor], object]) -> type:
    """The lab's own layer with another ``forward``."""
    return type("ResidualLayer", (ResidualLayer,), {"forward": forward})


def overwritten(self: Additive, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    x = self.block1(x)
    return x + self.block2(x + self.both(t, y))


def in_place(self: Additive, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    out = x + self.block2(self.block1(x.clone()) + self.both(t, y))
    x.copy_(out.detach())
    return out


def added_in_place(self: Additive, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    x += self.block2(self.block1(x) + self.both(t, y))
    return x


def t_twice(self: Additive, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    told = self.of_t(t) + self.of_t(t)
    return x + self.block2(self.block1(x) + told[:, :, None, None])


def y_only(self: Additive, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    return x + self.block2(self.block1(x) + self.of_y(y)[:, :, None, None])


def averaged(self: Additive, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    return x + self.block2(self.block1(x) + self.both(t, y).mean(dim=0))


def striped(self: Additive, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    stripes = torch.linspace(-3, 3, x.shape[-1])
    return x + self.block2(self.block1(x) + self.both(t, y) * stripes)


def told_in_full(self: ResidualLayer, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    told = (self.time_adapter(t) + self.y_adapter(y))[:, :, None, None]
    return x + self.block2(self.norm(self.block1(x)) + told)


def without_norm(self: ResidualLayer, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    told = self.time_adapter(t) + self.y_adapter(y)
    scale, shift = told[:, :, None, None].chunk(2, dim=1)
    return x + self.block2(self.block1(x) * (1 + scale) + shift)


def scale_alone(self: ResidualLayer, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    told = self.time_adapter(t) + self.y_adapter(y)
    scale, _ = told[:, :, None, None].chunk(2, dim=1)
    return self.block2(self.norm(self.block1(x)) * (1 + scale))


WRONG_LAYERS = {
    "x + … missing": layer(lambda self, x, t, y: self.block2(self.block1(x) + self.both(t, y))),
    "was x overwritten": layer(overwritten),
    "writes into x (an": layer(in_place),
    "writes into the x": layer(added_in_place),
    "does not change with y_embed": layer(t_twice),
    "does not change with t_embed": layer(y_only),
    "influence each other": layer(averaged),
    "every pixel in the same way": layer(striped),
    "No gradient reaches block1": layer(lambda self, x, t, y: x + self.block2(x + self.both(t, y))),
    "No gradient reaches block1, block2": layer(lambda self, x, t, y: x + self.both(t, y)),
    "No gradient reaches of_t": layer(
        lambda self, x, t, y: x + self.block2(self.block1(x) + self.both(t, y).detach())
    ),
    "yours is 2 x": layer(
        lambda self, x, t, y: 2 * x + self.block2(self.block1(x) + self.both(t, y))
    ),
    "the two missing dimensions": layer(
        lambda self, x, t, y: x + self.block2(self.block1(x) + self.both(t, y)[:, :, 0, 0])
    ),
    "change places": layer(lambda self, x, t, y: x + self.block2(self.block1(x) + self.both(y, t))),
    "chunk(2, dim=1)": adaptive(told_in_full),
    "No gradient reaches norm": adaptive(without_norm),
    "x + … missing, or": adaptive(scale_alone),
    "Is there a return?": layer(lambda self, x, t, y: None),
}


@pytest.mark.parametrize("words", WRONG_LAYERS)
def test_wrong_residual_layers(words: str) -> None:
    assert_wrong("3.2", WRONG_LAYERS[words], words)


# --- 3.3


def encoder(forward: Callable[..., object]) -> type:
    return type("Encoder", (Encoder,), {"forward": forward})


def decoder(forward: Callable[..., object]) -> type:
    return type("Decoder", (Decoder,), {"forward": forward})


class Pooled(nn.Module):
    """An encoder that averages, with a norm, and with the layers in a Sequential's place."""

    def __init__(self, wide: int, narrow: int, layers: int, t_dim: int, y_dim: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleDict(
            {f"block {n}": ResidualLayer(wide, t_dim, y_dim) for n in range(layers)}
        )
        self.last = nn.Sequential(
            nn.AvgPool2d(2), nn.GroupNorm(4, wide), nn.Conv2d(wide, narrow, kernel_size=1)
        )

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        for block in self.blocks.values():
            x = block(t_embed=t, y_embed=y, x=x)
        return self.last(x)


class Transposed(nn.Module):
    def __init__(self, wide: int, narrow: int, layers: int, t_dim: int, y_dim: int) -> None:
        super().__init__()
        self.first = nn.ConvTranspose2d(wide, narrow, kernel_size=2, stride=2)
        self.blocks = nn.ModuleList([ResidualLayer(narrow, t_dim, y_dim) for _ in range(layers)])

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        x = self.first(x)
        for block in reversed(self.blocks):
            x = block.forward(x, t, y)
        return x


class Strided(nn.Module):
    """Layers of another class name: then they are judged by what they do."""

    def __init__(self, wide: int, narrow: int, layers: int, t_dim: int, y_dim: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Plain(wide, t_dim, y_dim) for _ in range(layers)])
        self.fold = nn.Conv2d(4 * wide, narrow, 1)

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, t, y)
        return self.fold(nn.functional.pixel_unshuffle(x, 2))


class OneMore(Encoder):
    """A further residual layer behind the step down."""

    def __init__(self, wide: int, narrow: int, layers: int, t_dim: int, y_dim: int) -> None:
        super().__init__(wide, narrow, layers, t_dim, y_dim)
        self.behind = ResidualLayer(narrow, t_dim, y_dim)

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return self.behind(super().forward(x, t, y), t, y)


class Bilinear(Decoder):
    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        x = self.upsample[1](nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear"))
        for number in range(len(self.layers)):
            x = self.layers[number](x, t, y)
        return x


@pytest.mark.parametrize(
    "answer",
    [(Pooled, Transposed), (Strided, Bilinear), (OneMore, Transposed), (Pooled, Bilinear)],
)
def test_other_right_encoders_and_decoders(answer: tuple[type, type]) -> None:
    assert_right("3.3", answer)


def test_an_encoder_is_judged_apart_from_the_residual_layer() -> None:
    """Stand-ins answer for the layers: a mistake of job 3.2 costs no points in 3.3."""

    class Broken(Encoder):
        def __init__(self, *sizes: int) -> None:
            super().__init__(*sizes)
            for part in self.layers:
                part.__class__ = layer(lambda self, x, t, y: 0 * x)

    assert report("3.3", (Broken, Decoder)).passed


def half(number: int, answer: type) -> Report:
    """The report where only one of the two is not the reference."""
    return report("3.3", (answer, Decoder) if number == 0 else (Encoder, answer))


def around(self: nn.Module, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    for part in self.layers:
        out = part(x, t, y)
    return out


def through(self: nn.Module, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    for part in self.layers:
        x = part(x, t, y)
    return x


def first_only(self: Encoder, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    return self.downsample(self.layers[0](x, t, y))


def detached(self: Encoder, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    return self.downsample(through(self, x, t, y).detach())


def layers_written_into(self: Decoder, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    x.mul_(2)
    return through(self, self.upsample(x), t, y)


def one_deaf(self: Encoder, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    x = self.layers[0](x, torch.zeros_like(t), y)
    for part in self.layers[1:]:
        x = part(x, t, y)
    return self.downsample(x)


class OneLess(Encoder):
    def __init__(self, wide: int, narrow: int, layers: int, t_dim: int, y_dim: int) -> None:
        super().__init__(wide, narrow, 1, t_dim, y_dim)


WRONG_HALVES = {
    "yours has 1": (0, OneLess),
    "Was self.downsample called?": (0, encoder(through)),
    "Was self.upsample called?": (
        1,
        type("Decoder", (Decoder,), {"forward": lambda self, x, t, y: x}),
    ),
    "residual layers are never called": (0, encoder(first_only)),
    "residual layers return is not used": (
        0,
        encoder(lambda self, x, t, y: self.downsample(around(self, x, t, y))),
    ),
    "is a gradient cut off": (0, encoder(detached)),
    "they come first and downsample last": (
        0,
        encoder(lambda self, x, t, y: through(self, self.downsample(x), t, y)),
    ),
    "so upsample comes first": (
        1,
        decoder(lambda self, x, t, y: self.upsample(through(self, x, t, y))),
    ),
    "change places": (1, decoder(lambda self, x, t, y: through(self, self.upsample(x), y, t))),
    "not handed t_embed": (0, encoder(one_deaf)),
    "not handed y_embed": (
        1,
        decoder(lambda self, x, t, y: through(self, self.upsample(x), t, 0 * y)),
    ),
    "called 2 times": (
        1,
        decoder(
            lambda self, x, t, y: through(self, through(self, self.upsample(x), t, y), t, y)
        ),
    ),
    "writes into x": (1, decoder(layers_written_into)),
    "loop over it": (
        0,
        encoder(lambda self, x, t, y: self.downsample(self.layers(x, t, y))),
    ),
    "None": (0, encoder(lambda self, x, t, y: None)),
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG_HALVES)
def test_wrong_encoders_and_decoders_cost_their_half(words: str) -> None:
    found = half(*WRONG_HALVES[words])
    assert found.earned == 2 and words.lower() in told(found).lower(), told(found)


def test_one_of_two_stubs_is_partial_credit() -> None:
    def stub(self: Encoder, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        raise NotImplementedError("Your job 3.3")

    found = report("3.3", (encoder(stub), Decoder))
    assert found.stub and found.earned == 2


# --- 3.4


def network(
    forward: Callable[[MNISTUNet, Tensor, Tensor, Tensor], object] | None = None,
    middle: Callable[[MNISTUNet, Tensor, Tensor, Tensor], Tensor] | None = None,
) -> type:
    """The reference's constructor with another ``forward``, or another part of it alone."""

    def whole(self: MNISTUNet, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        assert middle is not None
        t_embed, y_embed = self.time_embedder(t), self.y_embedder(y)
        x = self.init_conv(nn.functional.pixel_unshuffle(x, self.stem))
        x = middle(self, x, t_embed, y_embed)
        return nn.functional.pixel_shuffle(self.final_conv(x), self.stem)

    return type("MNISTUNet", (MNISTUNet,), {"forward": forward or whole})


def recursive(self: MNISTUNet, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    """The U as a function that calls itself, with modules called by ``forward``."""

    def inside(depth: int, x: Tensor) -> Tensor:
        if depth == len(self.encoders):
            return x + self.midcoder.forward(x, t, y)
        below = inside(depth + 1, self.encoders[depth].forward(x, t_embed=t, y_embed=y))
        up = self.decoders[len(self.encoders) - 1 - depth]
        return x + up.forward(below, t, y)

    return inside(0, x)


def by_index(self: MNISTUNet, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    states = [x]
    for down in self.encoders:
        states += [down(states[-1], t, y)]
    x = self.midcoder(states[-1], t, y)
    for up, skip in zip(self.decoders, states[::-1], strict=False):
        x = up(torch.add(x, skip.clone()), t, y)
    return x + states[0]


class Wider(MNISTUNet):
    """Skips by concatenation; no stem but a strided one; frozen waves; other norms."""

    def __init__(
        self,
        channels: list[int],
        num_residual_layers: int,
        t_embed_dim: int,
        y_embed_dim: int,
        num_classes: int = 10,
        stem: int = 1,
    ) -> None:
        nn.Module.__init__(self)
        sizes = (num_residual_layers, t_embed_dim, y_embed_dim)
        self.clock, self.names = Frozen(t_embed_dim), nn.Embedding(num_classes + 1, y_embed_dim)
        self.first = nn.Conv2d(1, channels[0], kernel_size=stem, stride=stem)
        pairs = list(pairwise(channels))
        self.down = nn.ModuleList(Encoder(a, b, *sizes) for a, b in pairs)
        self.across = Midcoder(channels[-1], *sizes)
        self.up = nn.ModuleList(Decoder(2 * b, a, *sizes) for a, b in pairs)
        self.last = nn.ConvTranspose2d(2 * channels[0], 1, kernel_size=stem, stride=stem)
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        told = (self.clock(t), self.names(y))
        skips = [self.first(x)]
        for down in self.down:
            skips.append(down(skips[-1], *told))
        x = self.across(skips[-1], *told)
        for up in reversed(self.up):
            x = up(torch.cat([x, skips.pop()], dim=1), *told)
        return self.last(torch.cat([skips.pop(), x], dim=1))


class OwnClasses(nn.Module):
    """Nothing named as in the lab: the parts that halve the image are found by what they do."""

    def __init__(self, channels: list[int], num_residual_layers: int, t_embed_dim: int,
                 y_embed_dim: int, num_classes: int = 10, stem: int = 1) -> None:  # fmt: skip
        super().__init__()
        sizes = (num_residual_layers, t_embed_dim, y_embed_dim)
        self.stem, (a, *_, b) = stem, channels
        self.waves, self.rows = Original(t_embed_dim), nn.Embedding(num_classes + 1, y_embed_dim)
        self.start, self.end = nn.Conv2d(stem**2, a, 3, padding=1), nn.Conv2d(a, stem**2, 1)
        self.down, self.up = Strided(a, b, *sizes), Transposed(b, a, *sizes)
        self.floor = Plain(b, t_embed_dim, y_embed_dim)

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        told = (self.waves(t), self.rows(y))
        top = self.start(nn.functional.pixel_unshuffle(x, self.stem))
        low = self.down(top, *told)
        up = self.up(low + self.floor(low, *told), *told)
        return nn.functional.pixel_shuffle(self.end(up + top), self.stem)


@pytest.mark.parametrize(
    "answer", [network(middle=recursive), network(middle=by_index), Wider, OwnClasses]
)
def test_other_right_networks(answer: type) -> None:
    assert_right("3.4", answer)


def u(
    first: bool = True,
    take: Callable[[list[Tensor]], Tensor] = lambda skips: skips.pop(),
    keep: Callable[[Tensor], Tensor] = lambda x: x,
    join: Callable[[Tensor, Tensor], Tensor] = torch.add,
    across: bool = True,
) -> type:
    """The right network with one thing done otherwise."""

    def middle(self: MNISTUNet, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        skips = [keep(x)] if first else []
        for down in self.encoders:
            x = down(x, t, y)
            skips.append(keep(x))
        x = self.midcoder(x, t, y) if across else x
        for up in self.decoders:
            x = up(join(x, take(skips)), t, y)
        return join(x, take(skips)) if first else x

    return network(middle=middle)


def without_lowest(self: MNISTUNet, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    skips = []
    for down in self.encoders:
        skips.append(x)
        x = down(x, t, y)
    x = self.midcoder(x, t, y)
    for up in self.decoders:
        x = up(x, t, y) + skips.pop()
    return x


def one_encoder_short(self: MNISTUNet, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    low = self.encoders[0](x, t, y)
    return x + self.decoders[-1](low, t, y)


def main_road_lost(self: MNISTUNet, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    skips = [x]
    for down in self.encoders:
        x = down(x, t, y)
        skips.append(x)
    x = self.midcoder(x, t, y)
    for up in self.decoders:
        x = up(skips.pop(), t, y)
    return x + skips.pop()


def one_label(self: MNISTUNet, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    return MNISTUNet.forward(self, x, t, y * 0)


def one_time(self: MNISTUNet, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    return MNISTUNet.forward(self, x, t * 0, y)


def mean_time(self: MNISTUNet, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    return MNISTUNet.forward(self, x, t.mean().expand(len(x)), y)


class TenRows(MNISTUNet):
    """The table's size as a number."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.y_embedder = nn.Embedding(3, self.y_embedder.embedding_dim)


class NoStem(MNISTUNet):
    def __init__(
        self, channels: list[int], num_residual_layers: int, t_embed_dim: int, y_embed_dim: int
    ) -> None:
        super().__init__(channels, num_residual_layers, t_embed_dim, y_embed_dim)


def squashed(self: MNISTUNet, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    return 40 + MNISTUNet.forward(self, x, t, y).sigmoid()


WRONG_NETWORKS = {
    "Not used: the skip at 32×32": u(first=False),
    "what the midcoder returns": network(middle=without_lowest),
    "No skip is used": u(join=lambda x, skip: x),
    "No gradient flows back": u(keep=Tensor.detach),
    "first one taken up": u(take=lambda skips: skips.pop(0)),
    "skips[-1] leaves it there": u(take=lambda skips: skips[-1]),
    "add the skip, or": u(join=lambda x, skip: torch.cat([x, skip], dim=1)),
    "No gradient reaches midcoder": u(across=False),
    "gradient reaches": network(middle=main_road_lost),
    "1 of 2 encoders are called": network(middle=one_encoder_short),
    "does not change with y": network(one_label),
    "does not change with t": network(one_time),
    "influence each other": network(mean_time),
    "num_classes + 1 rows": TenRows,
    "others call it by their name": NoStem,
    "should fall clearly": network(squashed),
    "None": network(lambda self, x, t, y: None),
}


@pytest.mark.parametrize("words", WRONG_NETWORKS)
def test_wrong_networks(words: str) -> None:
    found = report("3.4", WRONG_NETWORKS[words])
    assert found.earned == 0 and words in told(found), told(found)


def test_a_skip_too_few_is_explained() -> None:
    def forgets_to_keep(self: MNISTUNet, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        skips = []
        for down in self.encoders:
            x = down(x, t, y)
            skips.append(x)
        x = self.midcoder(x, t, y)
        for up in self.decoders:
            x = up(x + skips.pop(), t, y)
        return x + skips.pop()

    assert_wrong("3.4", network(middle=forgets_to_keep), "one from init_conv")


def test_a_stub_of_an_earlier_job_is_named() -> None:
    def stub(self: nn.Module, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        raise NotImplementedError("Your job 3.2")

    class Waiting(MNISTUNet):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)
            for part in self.modules():
                if isinstance(part, ResidualLayer):
                    part.__class__ = layer(stub)

    found = report("3.4", Waiting)
    assert found.stub and "Your job 3.2" in told(found)


def test_a_network_is_judged_apart_from_its_waves() -> None:
    """Nor is the stub of job 3.1 the first thing that an unsolved job 3.4 tells."""

    def stub(self: FourierEncoder, t: Tensor) -> Tensor:
        raise NotImplementedError("Your job 3.1")

    class Waiting(MNISTUNet):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)
            self.time_embedder = type("FourierEncoder", (FourierEncoder,), {"forward": stub})(8)

    assert report("3.4", Waiting).passed
