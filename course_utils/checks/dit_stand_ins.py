"""Plain parts with the signatures of lab 4's, for judging each of its jobs on its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MHA(nn.Module):
    """No attention, but a mixing of tokens with the same signature."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.own, self.mean = nn.Linear(dim, dim), nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.own(x) + self.mean(x).mean(dim=1, keepdim=True).tanh()


class DiffusionTransformerLayer(nn.Module):
    """Not adaLN-Zero, but a layer that mixes tokens and listens to c."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.mix, self.told = MHA(dim, heads), nn.Linear(dim, dim)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return x + (self.mix(x) + self.told(c)[:, None]).tanh()


class DiffusionTransformer(nn.Module):
    """No stack: one of the above, and tokens that are turned by their places and by the depth.

    A stack of as many layers as are asked for is what the job of the same name is about.
    """

    def __init__(self, depth: int, n_tokens: int, dim: int, **layer_kwargs: int) -> None:
        super().__init__()
        self.places = nn.Parameter(torch.linspace(0.5, 1.5, n_tokens * dim).view(dim, n_tokens).T)
        self.lifts = nn.Parameter(0.1 * torch.randn(depth, dim))
        self.layer = DiffusionTransformerLayer(dim, **layer_kwargs)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return self.layer(x * self.places + self.lifts.sum(dim=0), c)


class Patchifier(nn.Module):
    """Tokens of as many pixels as a patch has, but cut in strips."""

    def __init__(self, img_size: int, patch_size: int, dim: int) -> None:
        super().__init__()
        self.n_tokens, self.pixels = (img_size // patch_size) ** 2, patch_size**2
        self.net = nn.Linear(self.pixels, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.flatten(1).unflatten(1, (self.n_tokens, self.pixels)))


class Depatchifier(nn.Module):
    """An image of the strips that the tokens are for :class:`Patchifier`."""

    def __init__(self, img_size: int, patch_size: int, dim: int, final_dim: int) -> None:
        super().__init__()
        self.img_size = img_size
        self.net = nn.Linear(dim, patch_size**2)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).flatten(1).unflatten(1, (1, self.img_size, self.img_size))


STAND_INS = (MHA, DiffusionTransformerLayer, DiffusionTransformer, Patchifier, Depatchifier)
