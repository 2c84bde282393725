"""Job 3.2 accepts any right residual layer and names the mistake of a wrong one."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from unet_answers import Additive, Plain, assert_right, assert_wrong, layer, report

from course_utils.solved.unet import ResidualLayer


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


@pytest.mark.parametrize("answer", [Plain, Batchwise, FiLM, Side, Additive])
def test_other_right_residual_layers(answer: type) -> None:
    assert_right("3.2", answer)


def test_batchnorm_earns_its_points_and_a_word() -> None:
    found = report("3.2", Batchwise)
    assert found.passed and any("BatchNorm?" in finding.message for finding in found.findings)
    for other in (Plain, Side):  # dropout is no mixing of items
        assert not any("BatchNorm" in finding.message for finding in report("3.2", other).findings)


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
