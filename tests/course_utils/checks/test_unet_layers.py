"""Job 3.2 beyond its corpus: what earns its points and a word."""

import torch
from torch import Tensor, nn
from unet_answers import Additive, Plain, report


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


class Dropping(Plain):
    """Dropout is no mixing of items."""

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        hidden = self.first(torch.relu(x)) + self.both(t, y)
        return self.last(nn.functional.dropout(hidden.tanh(), 0.2, self.training)) + x


def test_batchnorm_earns_its_points_and_a_word() -> None:
    found = report("3.2", Batchwise)
    assert found.passed and any("BatchNorm?" in finding.message for finding in found.findings)
    for other in (Plain, Additive, Dropping):
        found = report("3.2", other)
        assert found.passed
        assert not any("BatchNorm" in finding.message for finding in found.findings)
