"""Jobs 4.3 and 4.4 accept any right adaLN-Zero and any right stack, and name what went wrong."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from course_utils.checks import dit_probes
from course_utils.checks.core import Report, run
from course_utils.checks.dit import LAB
from course_utils.solved.cfg import MLP
from course_utils.solved.dit import (
    MHA,
    Depatchifier,
    DiffusionTransformer,
    DiffusionTransformerLayer,
    MNISTDiffusionTransformer,
    Patchifier,
    modulate,
)

SEEDS = (0, 1, 2, 20_261)


def report(number: str, target: object, seed: int = 0) -> Report:
    return run(LAB.jobs[number], target, seed)


def told(found: Report) -> str:
    return " ".join(finding.message for finding in found.findings if not finding.ok)


# --- 4.3


class Layer2026(nn.Module):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.RMSNorm(dim, elementwise_affine=False)
        self.norm2 = nn.RMSNorm(dim, elementwise_affine=False)
        self.ada_ln = nn.Sequential(
            nn.RMSNorm(dim, elementwise_affine=False), nn.Linear(dim, dim * 6)
        )
        nn.init.zeros_(self.ada_ln[1].weight)
        nn.init.zeros_(self.ada_ln[1].bias)
        self.attn, self.ff = MHA(dim, heads), MLP([dim, 4 * dim, dim])

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        scale, bias, gate, ff_scale, ff_bias, ff_gate = self.ada_ln(c).unsqueeze(1).chunk(6, -1)
        x = x + gate * self.attn(self.norm1(x) * (1 + scale) + bias)
        return x + ff_gate * self.ff(self.norm2(x) * (1 + ff_scale) + ff_bias)


class SixMaps(nn.Module):
    """A map for each of the six, of which only the gates begin at zero; affine norms."""

    def __init__(self, n_tokens: int, dim: int, num_heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))
        self.branches = nn.ModuleList(
            [nn.MultiheadAttention(dim, num_heads, batch_first=True), MLP([dim, dim, dim], nn.GELU)]
        )
        self.maps = nn.ModuleList(nn.Linear(dim, dim) for _ in range(6))
        for gate in (self.maps[0], self.maps[3]):
            nn.init.zeros_(gate.weight)
            nn.init.zeros_(gate.bias)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        gate1, shift1, scale1, gate2, shift2, scale2 = (m(c)[:, None] for m in self.maps)
        seen = self.norms[0](x) * (1 + scale1) + shift1
        x = x + gate1 * self.branches[0](seen, seen, seen)[0]
        return x + gate2 * self.branches[1](self.norms[1](x) * (1 + scale2) + shift2)


class Interleaved(DiffusionTransformerLayer):
    """The six parts side by side for each number, and a deeper map from c."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__(dim, heads)
        self.ada_ln = MLP([dim, dim, 6 * dim])
        self.ada_ln[-1].weight.data.zero_()
        self.ada_ln[-1].bias.data.zero_()

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        a, b, g, d, e, f = self.ada_ln(c).unflatten(-1, (-1, 6)).unbind(-1)
        x = torch.addcmul(x, g[:, None], self.attention(modulate(self.norm1(x), a, b)))
        return torch.addcmul(x, f[:, None], self.mlp(modulate(self.norm2(x), d, e)))


class OnlyGates(DiffusionTransformerLayer):
    """Zeros in the rows of the gates alone, which stand in front."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__(dim, heads)
        linear = nn.Linear(dim, 6 * dim)
        with torch.no_grad():
            linear.weight[: 2 * dim] = 0
            linear.bias[: 2 * dim] = 0
        self.ada_ln = nn.Sequential(nn.SiLU(), linear)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        gates, scales, shifts = (p.chunk(2, -1) for p in self.ada_ln(c).chunk(3, -1))
        for branch, norm, i in ((self.attention, self.norm1, 0), (self.mlp, self.norm2, 1)):
            x = x + gates[i][:, None] * branch(modulate(norm(x), scales[i], shifts[i]))
        return x


@pytest.mark.parametrize("seed", [*SEEDS, 9412])
@pytest.mark.parametrize("target", [Layer2026, SixMaps, Interleaved, OnlyGates])
def test_other_right_layers(target: type, seed: int) -> None:
    found = report("4.3", target, seed)
    assert found.passed, told(found)


def layer(forward: Callable[..., Any], base: type = DiffusionTransformerLayer) -> type:
    return type("DiffusionTransformerLayer", (base,), {"forward": forward})


def variant(
    *,
    norm1: Callable[[Any, Tensor], Tensor] = lambda s, x: s.norm1(x),
    norm2: Callable[[Any, Tensor], Tensor] = lambda s, x: s.norm2(x),
    steer: Callable[[Tensor, Tensor, Tensor], Tensor] = modulate,
    parts: Callable[..., tuple[Tensor, ...]] = lambda *six: six,
    attend: Callable[[Any, Tensor], Tensor] = lambda s, x: s.attention(x),
    add: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda x, gate, said: x + gate * said,
    told: Callable[[Tensor], Tensor] = lambda c: c,
    base: type = DiffusionTransformerLayer,
) -> type:
    """The right layer with one thing done otherwise."""

    def forward(self: Any, x: Tensor, c: Tensor) -> Tensor:
        a, b, g, d, e, f = parts(*self.ada_ln(told(c)).chunk(6, dim=-1))
        x = add(x, g[:, None], attend(self, steer(norm1(self, x), a, b)))
        return add(x, f[:, None], self.mlp(steer(norm2(self, x), d, e)))

    return layer(forward, base)


class Warm(DiffusionTransformerLayer):
    """ada_ln begins at small random values."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__(dim, heads)
        nn.init.normal_(self.ada_ln[1].weight, std=0.02)


class WarmBias(DiffusionTransformerLayer):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__(dim, heads)
        nn.init.normal_(self.ada_ln[1].bias, std=0.02)


class Stuck(DiffusionTransformerLayer):
    """Branches that are zero behind gates that are zero."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__(dim, heads)
        for linear in (self.attention.out, self.mlp[-1]):
            nn.init.zeros_(linear.weight)
            nn.init.zeros_(linear.bias)


WRONG_LAYERS = {
    "Are weight and bias of the last": Warm,
    "does every branch have its gate": WarmBias,
    "it cannot learn": Stuck,
    "returns zeros": variant(add=lambda x, gate, said: gate * said),
    "returns x normalised": variant(
        add=lambda x, gate, said: layer_norm(x, x.shape[-1:]) + gate * said
    ),
    "have its gate?": variant(add=lambda x, gate, said: x + said),
    "not x scale + shift": variant(steer=lambda x, a, b: x * a[:, None] + b[:, None]),
    "expected two, a gate": variant(parts=lambda a, b, g, d, e, f: (a, b, g, d, e, g)),
    "one changes nothing": variant(parts=lambda a, b, g, d, e, f: (a, a, g, d, e, f)),
    "normalisations missing": variant(norm1=lambda s, x: x),
    "four times as large": variant(norm2=lambda s, x: x),
    "is attention used": variant(attend=lambda s, x: s.attention.out(x)),
    "does not change with c": variant(told=lambda c: torch.ones_like(c)),
    "changes other items": variant(told=lambda c: c + c.mean(dim=0)),
    "depend on places": variant(
        attend=lambda s, x: s.attention(x) * torch.arange(x.shape[1])[:, None]
    ),
    "no gradient": variant(add=lambda x, gate, said: (x + gate * said).detach()),
    "modulate lines them up": variant(add=lambda x, gate, said: x + gate[:, 0] * said),
    "yours is None": layer(lambda self, x, c: None),
}


def two_gates_and_shifts(self: Any, x: Tensor, c: Tensor) -> Tensor:
    """Shifts added behind the gates."""
    a, b, g, d, e, f = (part[:, None] for part in self.ada_ln(c).chunk(6, dim=-1))
    x = x + g * self.attention(self.norm1(x) * (1 + a)) + b
    return x + f * self.mlp(self.norm2(x) * (1 + d)) + e


WRONG_LAYERS["only the two gates"] = layer(two_gates_and_shifts)


def shared_steering(self: Any, x: Tensor, c: Tensor) -> Tensor:
    a, b, g, d, e, f = self.ada_ln(c).chunk(6, dim=-1)
    x = x + g[:, None] * self.attention(modulate(self.norm1(x), a + d, b + e))
    return x + f[:, None] * self.mlp(modulate(self.norm2(x), a, b))


WRONG_LAYERS["the branches share one"] = layer(shared_steering)


@pytest.mark.parametrize("words", WRONG_LAYERS)
def test_wrong_layers(words: str) -> None:
    found = report("4.3", WRONG_LAYERS[words])
    assert found.earned < 5 and words in told(found), told(found)


# --- 4.4


class Sines(DiffusionTransformer):
    """Fixed positions, as a buffer with a dimension for the batch."""

    def __init__(self, depth: int, n_tokens: int, dim: int, **layer_kwargs: int) -> None:
        super().__init__(depth, n_tokens, dim, **layer_kwargs)
        del self.positions
        angles = torch.arange(n_tokens)[:, None] / 100 ** torch.linspace(0, 1, dim // 2)
        self.register_buffer("waves", torch.cat([angles.sin(), angles.cos()], -1)[None])

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        x = x + self.waves
        for layer in self.layers:
            x = layer(x, c)
        return x


class Rows(nn.Module):
    """Positions from a table, layers by name, another order of arguments."""

    def __init__(self, n_tokens: int, dim: int, depth: int, heads: int) -> None:
        super().__init__()
        self.table = nn.Embedding(n_tokens, dim)
        self.blocks = nn.ModuleDict({str(i): Layer2026(dim, heads) for i in range(depth)})

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        x = x + self.table(torch.arange(x.shape[1]))[None]
        for block in self.blocks.values():
            x = block(x, c)
        return x


class Transformer2026(nn.Module):
    def __init__(self, depth: int, n_tokens: int, dim: int, **layer_kwargs: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [DiffusionTransformerLayer(dim=dim, **layer_kwargs) for _ in range(depth)]
        )
        self.pos_encodings = nn.Parameter(torch.randn(n_tokens, dim))

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        x = x + self.pos_encodings.unsqueeze(0)
        for layer in self.layers:
            x = layer(x, c)
        return x


class EveryLayer(DiffusionTransformer):
    """Positions again before each layer, from zero."""

    def __init__(self, depth: int, n_tokens: int, dim: int, heads: int) -> None:
        super().__init__(depth, n_tokens, dim, heads=heads)
        self.positions = nn.Parameter(torch.zeros(1, n_tokens, dim))

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x=x + self.positions, c=c)
        return x


@pytest.mark.parametrize("seed", [*SEEDS, 9413])
@pytest.mark.parametrize("target", [Sines, Rows, Transformer2026, EveryLayer])
def test_other_right_stacks(target: type, seed: int) -> None:
    found = report("4.4", target, seed)
    assert found.passed, told(found)


def stack(forward: Callable[..., Any]) -> type:
    return type("DiffusionTransformer", (DiffusionTransformer,), {"forward": forward})


def through(
    positions: Callable[[Any], Any] = lambda s: s.positions,
    layers: Callable[[Any], Any] = lambda s: s.layers,
    told: Callable[[Tensor], Tensor] = lambda c: c,
) -> type:
    def forward(self: Any, x: Tensor, c: Tensor) -> Tensor:
        x = x + positions(self)
        for layer in layers(self):
            x = layer(x, told(c))
        return x

    return stack(forward)


def forgets(self: Any, x: Tensor, c: Tensor) -> Tensor:
    x = x + self.positions
    for layer in self.layers:
        out = layer(x, c)
    return out


class Repeated(DiffusionTransformer):
    def __init__(self, depth: int, n_tokens: int, dim: int, heads: int) -> None:
        super().__init__(depth, n_tokens, dim, heads=heads)
        self.layers = nn.ModuleList([DiffusionTransformerLayer(dim, heads)] * depth)


class Listed(DiffusionTransformer):
    def __init__(self, depth: int, n_tokens: int, dim: int, heads: int) -> None:
        super().__init__(depth, n_tokens, dim, heads=heads)
        del self.layers
        self.layers = [DiffusionTransformerLayer(dim, heads) for _ in range(depth)]


class OneTooFew(DiffusionTransformer):
    def __init__(self, depth: int, n_tokens: int, dim: int, heads: int) -> None:
        super().__init__(depth - 1, n_tokens, dim, heads=heads)


class OnePosition(DiffusionTransformer):
    def __init__(self, depth: int, n_tokens: int, dim: int, heads: int) -> None:
        super().__init__(depth, n_tokens, dim, heads=heads)
        self.positions = nn.Parameter(torch.zeros(dim))


WRONG_STACKS = {
    "Add the positions": through(positions=lambda s: 0.0),
    "cannot tell where": OnePosition,
    "([layer] * depth": Repeated,
    "nn.ModuleList": Listed,
    "The model has 2 layers": OneTooFew,
    "2 of 3 layers": through(layers=lambda s: s.layers[1:]),
    "6 times in all": through(layers=lambda s: [*s.layers, *s.layers]),
    "receive no gradient": stack(forgets),
    "does not change with c": through(told=lambda c: torch.ones_like(c)),
    "influence each other": through(told=lambda c: c.mean(0, keepdim=True).expand_as(c)),
    "yours is None": stack(lambda self, x, c: None),
}


@pytest.mark.parametrize("words", WRONG_STACKS)
def test_wrong_stacks(words: str) -> None:
    found = report("4.4", WRONG_STACKS[words])
    assert found.earned == 0 and words in told(found), told(found)


# --- jobs whose forerunners are not written yet


def test_a_job_counts_although_the_ones_before_it_are_stubs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stub(number: str) -> Callable[..., Any]:
        def raise_it(*args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError(f"Your job {number}")

        return raise_it

    monkeypatch.setattr(MHA, "forward", stub("4.2"))
    found = report("4.3", DiffusionTransformerLayer)
    assert found.passed and any("stand-in" in f.message for f in found.findings), told(found)
    monkeypatch.setattr(DiffusionTransformerLayer, "__init__", stub("4.3"))
    monkeypatch.setattr(DiffusionTransformerLayer, "forward", stub("4.3"))
    assert report("4.3", DiffusionTransformerLayer).stub
    assert report("4.4", DiffusionTransformer).passed
    monkeypatch.setattr(DiffusionTransformer, "forward", stub("4.4"))
    monkeypatch.setattr(Patchifier, "forward", stub("4.1"))
    monkeypatch.setattr(Depatchifier, "forward", stub("4.5"))
    found = report("4.6", MNISTDiffusionTransformer)
    assert found.passed, told(found)
    wrong = type(
        "MNISTDiffusionTransformer",
        (MNISTDiffusionTransformer,),
        {"forward": lambda s, x, t, y: s.depatchifier(
            s.transformer(s.patchifier(x), s.time_embedder(t)))},
    )  # fmt: skip
    assert "does not change with y" in told(report("4.6", wrong))
    monkeypatch.setattr(MNISTDiffusionTransformer, "forward", stub("4.6"))
    found = report("4.6", MNISTDiffusionTransformer)
    assert found.stub and found.crash and found.crash.message == "Your job 4.6"


def test_stand_ins_leave_the_students_names_alone() -> None:
    assert DiffusionTransformer.__init__.__module__ == "course_utils.solved.dit"
    from course_utils.solved import dit

    with dit_probes.standing_in(MNISTDiffusionTransformer):
        assert dit.MHA is dit_probes.MHA
    assert dit.MHA is MHA
