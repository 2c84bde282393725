"""Job 3.1 accepts any right time embedding and names the mistake of a wrong one."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from unet_answers import HIDDEN, Frozen, Original, assert_right, report, told

from course_utils.checks.unet import LAB
from course_utils.solved.unet import (
    Decoder,
    Encoder,
    FourierEncoder,
    MNISTUNet,
    ResidualLayer,
)


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
