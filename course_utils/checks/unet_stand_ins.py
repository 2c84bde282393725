"""Plain parts with the signatures of lab 3's, for judging a network apart from its parts."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class FourierEncoder(nn.Module):
    """No waves: a hill over each of some times."""

    places: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("places", torch.linspace(0, 1, dim))

    def forward(self, t: Tensor) -> Tensor:
        return 2 * (-8 * (t.reshape(-1, 1) - self.places).square()).exp()


class ResidualLayer(nn.Module):
    """One convolution behind a scale that t and y decide."""

    def __init__(self, channels: int, time_embed_dim: int, y_embed_dim: int) -> None:
        super().__init__()
        self.time, self.label = (
            nn.Linear(time_embed_dim, channels),
            nn.Linear(y_embed_dim, channels),
        )
        self.conv = nn.Conv2d(channels, channels, kernel_size=3, padding=1)

    def forward(self, x: Tensor, t_embed: Tensor, y_embed: Tensor) -> Tensor:
        told = self.time(t_embed) + self.label(y_embed)
        return x + self.conv(torch.tanh(x) * (1 + told[:, :, None, None]))


class _Layers(nn.Module):
    """Some residual layers, one after another."""

    def __init__(self, channels: int, number: int, t_dim: int, y_dim: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(ResidualLayer(channels, t_dim, y_dim) for _ in range(number))

    def through(self, x: Tensor, t_embed: Tensor, y_embed: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x, t_embed, y_embed)
        return x


class Encoder(_Layers):
    """The layers, then half the height and width."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        num_residual_layers: int,
        t_embed_dim: int,
        y_embed_dim: int,
    ) -> None:
        super().__init__(channels_in, num_residual_layers, t_embed_dim, y_embed_dim)
        self.downsample = nn.Conv2d(channels_in, channels_out, kernel_size=2, stride=2)

    def forward(self, x: Tensor, t_embed: Tensor, y_embed: Tensor) -> Tensor:
        return self.downsample(self.through(x, t_embed, y_embed))


class Decoder(_Layers):
    """Twice the height and width, then the layers."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        num_residual_layers: int,
        t_embed_dim: int,
        y_embed_dim: int,
    ) -> None:
        super().__init__(channels_out, num_residual_layers, t_embed_dim, y_embed_dim)
        self.upsample = nn.ConvTranspose2d(channels_in, channels_out, kernel_size=2, stride=2)

    def forward(self, x: Tensor, t_embed: Tensor, y_embed: Tensor) -> Tensor:
        return self.through(self.upsample(x), t_embed, y_embed)


STAND_INS = (FourierEncoder, ResidualLayer, Encoder, Decoder)
