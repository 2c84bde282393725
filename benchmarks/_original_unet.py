"""The U-Net of the labs that this course descends from, as a baseline: same layout and sizes.

Full resolution from the first layer, BatchNorm, trainable frequencies, skips behind the encoders
only; 1.2 million parameters, trained with Adam at 1e-3 on batches of 250.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

CHANNELS, LAYERS, EMBEDDING = (32, 64, 128), 2, 40
LEARNING_RATE, BATCH_SIZE = 1e-3, 250


class Waves(nn.Module):
    """√2 [sin 2πwt, cos 2πwt] with w learned."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(torch.randn(1, dim // 2))

    def forward(self, t: Tensor) -> Tensor:
        angles = 2 * math.pi * t.reshape(-1, 1) * self.frequencies
        return math.sqrt(2) * torch.cat([angles.sin(), angles.cos()], dim=1)


def _block(channels: int) -> nn.Sequential:
    conv = nn.Conv2d(channels, channels, 3, padding=1)
    return nn.Sequential(nn.SiLU(), nn.BatchNorm2d(channels), conv)


def _adapter(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(EMBEDDING, EMBEDDING), nn.SiLU(), nn.Linear(EMBEDDING, channels))


class Residual(nn.Module):
    """Two blocks, told t and y in between."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = _block(channels), _block(channels)
        self.time, self.label = _adapter(channels), _adapter(channels)

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        told = self.time(t) + self.label(y)
        return x + self.second(self.first(x) + told[:, :, None, None])


class Level(nn.Module):
    """A change of resolution before or behind residual layers."""

    def __init__(self, channels: int, before: nn.Module | None, behind: nn.Module | None) -> None:
        super().__init__()
        self.before, self.behind = before or nn.Identity(), behind or nn.Identity()
        self.layers = nn.ModuleList(Residual(channels) for _ in range(LAYERS))

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        x = self.before(x)
        for layer in self.layers:
            x = layer(x, t, y)
        return self.behind(x)


def _up(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.Conv2d(channels_in, channels_out, 3, padding=1),
    )


class OriginalUNet(nn.Module):
    """u_t(x|y) for images 1×32×32."""

    def __init__(self) -> None:
        super().__init__()
        first, last = CHANNELS[0], CHANNELS[-1]
        self.start = nn.Sequential(
            nn.Conv2d(1, first, 3, padding=1), nn.BatchNorm2d(first), nn.SiLU()
        )
        self.time, self.label = Waves(EMBEDDING), nn.Embedding(11, EMBEDDING)
        self.down = nn.ModuleList(
            Level(a, None, nn.Conv2d(a, b, 3, stride=2, padding=1)) for a, b in pairwise(CHANNELS)
        )
        self.middle = Level(last, None, None)
        self.up = nn.ModuleList(Level(b, _up(a, b), None) for a, b in pairwise(CHANNELS[::-1]))
        self.end = nn.Conv2d(first, 1, 3, padding=1)

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        waves, told = self.time(t), self.label(y)
        x, skips = self.start(x), []
        for level in self.down:
            x = level(x, waves, told)
            skips.append(x)
        x = self.middle(x, waves, told)
        for level in self.up:
            x = level(x + skips.pop(), waves, told)
        return self.end(x)
