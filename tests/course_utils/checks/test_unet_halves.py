"""Job 3.3 accepts any right encoder and decoder, and names the mistake of a wrong one."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from unet_answers import Strided, Transposed, assert_right, layer, report, told

from course_utils.checks.core import Report
from course_utils.solved.unet import Decoder, Encoder, ResidualLayer


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
