"""How the tests of lab 3's checks judge an answer, and right answers that they build on."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from course_utils.checks.core import Report, run
from course_utils.checks.unet import LAB
from course_utils.solved.unet import ResidualLayer

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


class Frozen(Original):
    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        self.weights.requires_grad_(False)
        self.weights.mul_(16)

    def forward(self, t: Tensor) -> Tensor:
        phase = torch.exp(1j * self.angles(t))
        return torch.view_as_real(phase).flatten(1)


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


class Additive(Plain):
    """What is told is added; in two blocks with GroupNorm, as Ho et al. 2020 have it."""

    def __init__(self, channels: int, time_embed_dim: int, y_embed_dim: int) -> None:
        super().__init__(channels, time_embed_dim, y_embed_dim)
        self.block1 = nn.Sequential(nn.GroupNorm(8, channels), nn.SiLU(), self.first)
        self.block2 = nn.Sequential(nn.GroupNorm(8, channels), nn.SiLU(), self.last)
        del self.first, self.last

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return x + self.block2(self.block1(x) + self.both(t, y))


def layer(forward: Callable[[Additive, Tensor, Tensor, Tensor], object]) -> type:
    """The additive layer with another ``forward``."""
    return type("ResidualLayer", (Additive,), {"forward": forward})


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
