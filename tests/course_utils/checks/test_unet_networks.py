"""Job 3.4 accepts any right network and names the mistake of a wrong one."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from unet_answers import (
    Frozen,
    Original,
    Plain,
    Strided,
    Transposed,
    assert_right,
    assert_wrong,
    layer,
    report,
    told,
)

from course_utils.solved.unet import (
    Decoder,
    Encoder,
    FourierEncoder,
    Midcoder,
    MNISTUNet,
    ResidualLayer,
)


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
