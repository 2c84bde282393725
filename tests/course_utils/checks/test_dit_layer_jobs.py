"""Jobs 4.3 and 4.4 accept any right adaLN-Zero and any right stack, and name what went wrong."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from course_utils.checks import dit_stand_ins, stand_ins
from course_utils.checks.core import Report, run
from course_utils.checks.dit import LAB
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


def layer(forward: Callable[..., Any], base: type = DiffusionTransformerLayer) -> type:
    return type("DiffusionTransformerLayer", (base,), {"forward": forward})


def variant(
    *,
    norm1: Callable[[Any, Tensor], Tensor] = lambda s, x: s.norm1(x),
    norm2: Callable[[Any, Tensor], Tensor] = lambda s, x: s.norm2(x),
    steer: Callable[[Tensor, Tensor, Tensor], Tensor] = modulate,
    parts: Callable[..., tuple[Tensor, ...]] = lambda *six: six,
    attend: Callable[[Any, Tensor], Tensor] = lambda s, x: s.attention(x),
    think: Callable[[Any, Tensor], Tensor] = lambda s, x: s.mlp(x),
    add: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda x, gate, said: x + gate * said,
    told: Callable[[Tensor], Tensor] = lambda c: c,
    base: type = DiffusionTransformerLayer,
) -> type:
    """The right layer with one thing done otherwise."""

    def forward(self: Any, x: Tensor, c: Tensor) -> Tensor:
        a, b, g, d, e, f = parts(*self.ada_ln(told(c)).chunk(6, dim=-1))
        x = add(x, g[:, None], attend(self, steer(norm1(self, x), a, b)))
        return add(x, f[:, None], think(self, steer(norm2(self, x), d, e)))

    return layer(forward, base)


WRONG_LAYERS = {
    "have its gate?": variant(add=lambda x, gate, said: x + said),
    "one changes nothing": variant(parts=lambda a, b, g, d, e, f: (a, b, g, d, b, f)),
    "four times as large": variant(norm2=lambda s, x: x),
    "without a tanh or a sigmoid": variant(add=lambda x, gate, said: x + gate * gate * said),
    "does not change with c": variant(told=lambda c: torch.ones_like(c)),
    "changes other items": variant(told=lambda c: c + c.mean(dim=0)),
    "depend on places": variant(
        attend=lambda s, x: s.attention(x) * torch.arange(x.shape[1])[:, None]
    ),
    "2 of the two branches": variant(norm2=lambda s, x: layer_norm(x, x.shape[1:])),
    "no gradient": variant(add=lambda x, gate, said: (x + gate * said).detach()),
    "The MLP speaks first": variant(
        attend=lambda s, x: s.mlp(x), think=lambda s, x: s.attention(x)
    ),
}


@pytest.mark.parametrize("words", WRONG_LAYERS)
def test_wrong_layers(words: str) -> None:
    found = report("4.3", WRONG_LAYERS[words])
    assert found.earned < 5 and words in told(found), told(found)


# --- 4.4


def stack(forward: Callable[..., Any]) -> type:
    return type("DiffusionTransformer", (DiffusionTransformer,), {"forward": forward})


def through(
    positions: Callable[[Any], Any] = lambda s: s.positions,
    places: Callable[[Any], Any] = lambda s: 1.0,
    layers: Callable[[Any], Any] = lambda s: s.layers,
    told: Callable[[Tensor], Tensor] = lambda c: c,
) -> type:
    def forward(self: Any, x: Tensor, c: Tensor) -> Tensor:
        x = x * places(self) + positions(self)
        for layer in layers(self):
            x = layer(x, told(c))
        return x

    return stack(forward)


class OneTooFew(DiffusionTransformer):
    def __init__(self, depth: int, n_tokens: int, dim: int, heads: int) -> None:
        super().__init__(depth - 1, n_tokens, dim, heads=heads)


WRONG_STACKS = {
    "The model has 2 layers": OneTooFew,
    "2 of 3 layers": through(layers=lambda s: s.layers[1:]),
    "6 times in all": through(layers=lambda s: [*s.layers, *s.layers]),
    "does not change with c": through(told=lambda c: torch.ones_like(c)),
    "influence each other": through(told=lambda c: c.mean(0, keepdim=True).expand_as(c)),
    "are the positions multiplied": through(positions=lambda s: 0.0, places=lambda s: s.positions),
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
    assert (
        found.passed
        and found.crash is None
        and any("stand-in" in f.message for f in found.findings)
    ), told(found)
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

    with stand_ins.standing_in(MNISTDiffusionTransformer, dit_stand_ins.STAND_INS):
        assert dit.MHA is dit_stand_ins.MHA
    assert dit.MHA is MHA


def returns_none(self: Any, *args: Any) -> None:
    return None


def test_a_job_counts_although_the_ones_before_it_are_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(MHA, "forward", returns_none)
    found = report("4.3", DiffusionTransformerLayer)
    assert found.passed and any("look at the jobs before" in f.message for f in found.findings)
    monkeypatch.setattr(DiffusionTransformerLayer, "forward", lambda self, x, c: x.detach())
    assert report("4.4", DiffusionTransformer).passed
    assert report("4.6", MNISTDiffusionTransformer).passed


def test_a_wrong_answer_is_judged_beside_stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MHA, "forward", returns_none)
    found = report("4.3", variant(norm1=lambda s, x: x))
    assert "normalisations missing" in told(found) and found.crash is None


def test_a_layer_that_needs_its_own_attention_is_judged_with_it() -> None:
    """Stand-ins lack the parts that this layer's constructor touches."""

    class Layer(DiffusionTransformerLayer):
        def __init__(self, dim: int, heads: int) -> None:
            super().__init__(dim, heads)
            nn.init.xavier_uniform_(self.attention.qkv.weight)

    assert report("4.3", Layer).passed
