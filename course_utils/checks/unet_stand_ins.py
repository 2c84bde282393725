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


class _Told(nn.Module):
    """No residual layers, but a scale that t and y decide."""

    def __init__(self, channels: int, t_dim: int, y_dim: int) -> None:
        super().__init__()
        self.time, self.label = nn.Linear(t_dim, channels), nn.Linear(y_dim, channels)

    def forward(self, x: Tensor, t_embed: Tensor, y_embed: Tensor) -> Tensor:
        return x * (1 + torch.tanh(self.time(t_embed) + self.label(y_embed))[:, :, None, None])


class Encoder(nn.Module):
    """Half the height and width, however many layers are asked for."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        num_residual_layers: int,
        t_embed_dim: int,
        y_embed_dim: int,
    ) -> None:
        super().__init__()
        self.told = _Told(channels_in, t_embed_dim, y_embed_dim)
        self.smaller = nn.Conv2d(channels_in, channels_out, kernel_size=2, stride=2)

    def forward(self, x: Tensor, t_embed: Tensor, y_embed: Tensor) -> Tensor:
        return self.smaller(self.told(x, t_embed, y_embed))


class Decoder(nn.Module):
    """Twice the height and width, however many layers are asked for."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        num_residual_layers: int,
        t_embed_dim: int,
        y_embed_dim: int,
    ) -> None:
        super().__init__()
        self.told = _Told(channels_in, t_embed_dim, y_embed_dim)
        self.larger = nn.ConvTranspose2d(channels_in, channels_out, kernel_size=2, stride=2)

    def forward(self, x: Tensor, t_embed: Tensor, y_embed: Tensor) -> Tensor:
        return self.larger(self.told(x, t_embed, y_embed))


STAND_INS = (FourierEncoder, ResidualLayer, Encoder, Decoder)
