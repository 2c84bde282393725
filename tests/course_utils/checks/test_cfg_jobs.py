"""Lab 2's checks accept right answers of other shapes and name the mistake of wrong ones."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from course_utils.checks.cfg import LAB
from course_utils.checks.core import Report, run
from course_utils.solved.cfg import (
    BatchedCFGVectorFieldODE,
    CFGTrainer,
    CFGVectorFieldODE,
    MLPConditionalVectorField,
)

SEEDS = (0, 1, 20_261)


def report(number: str, target: object, seed: int = 0) -> Report:
    return run(LAB.jobs[number], target, seed)


def told(found: Report) -> str:
    return " ".join(finding.message for finding in found.findings if not finding.ok)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_reference_earns_full_marks(seed: int) -> None:
    targets = {
        "2.1": MLPConditionalVectorField,
        "2.2": CFGTrainer,
        "2.3": CFGVectorFieldODE,
        "2.4": BatchedCFGVectorFieldODE,
    }
    for number, target in targets.items():
        found = report(number, target, seed)
        assert found.passed, told(found)


# --- 2.1


class Net(nn.Module):
    """Another constructor and other names than the lab's; subclasses answer ``forward``."""

    null_rows = 1

    def __init__(self, dim: int, hidden_dim: int, class_dim: int, num_classes: int) -> None:
        super().__init__()
        self.rows = nn.Embedding(num_classes + self.null_rows, class_dim)
        self.first = nn.Linear(class_dim + 1 + dim, hidden_dim)
        self.last = nn.Linear(hidden_dim, dim)
        nn.init.zeros_(self.last.weight)

    def mix(self, *parts: Tensor) -> Tensor:
        return self.last(torch.relu(self.first(torch.cat(parts, dim=1))))

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return self.mix(self.rows(y), t.unsqueeze(1), x)


class Reshaped(Net):
    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return self.mix(x, t.reshape(len(x), 1) * 2 - 1, self.rows.weight[y])


class ForgetsT(Net):
    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return self.mix(self.rows(y), torch.zeros(len(x), 1), x)


class ForgetsY(Net):
    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return self.mix(self.rows(torch.zeros_like(y)), t[:, None], x)


class MeanTime(Net):
    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return self.mix(self.rows(y), t.mean().expand(len(x), 1), x)


class FlatTime(Net):
    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return self.mix(self.rows(y), t, x)


class NoNullRow(Net):
    null_rows = 0


class Detached(Net):
    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return self.mix(self.rows(y).detach(), t[:, None], x)


class Constant(Net):
    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return torch.zeros_like(x)


class Hidden(Net):
    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return torch.relu(self.first(torch.cat([self.rows(y), t[:, None], x], dim=1)))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("answer", [Net, Reshaped])
def test_other_right_networks(answer: type, seed: int) -> None:
    assert report("2.1", answer, seed).passed


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (ForgetsT, "does not change with t"),
        (ForgetsY, "does not change with y"),
        (MeanTime, "influence each other"),
        (FlatTime, "t[:, None]"),
        (NoNullRow, "num_classes + 1 rows"),
        (Detached, "no gradient"),
        (Constant, "does not change with x"),
        (Hidden, "shape (12, 2)"),
    ],
)
def test_wrong_networks(answer: type, words: str) -> None:
    found = report("2.1", answer)
    assert found.earned == 0 and words in told(found), told(found)


# --- 2.2


def trainer(loss: Callable[..., object]) -> type:
    """A trainer with another loss: ``loss(self, batch_size)``."""
    return type("CFGTrainer", (CFGTrainer,), {"get_train_loss": loss})


def drop(self: CFGTrainer, y: Tensor) -> Tensor:
    return torch.where(torch.rand(len(y)) < self.eta, self.null_label, y)


def in_place_on_images(self: CFGTrainer, batch_size: int) -> Tensor:
    z, y = self.path.p_data.sample(batch_size)
    y[torch.rand(y.shape[0]) < self.eta] = self.null_label
    t = torch.rand(batch_size, 1, 1, 1).to(z)
    x = self.path.sample_conditional_path(z, t)
    error = self.model(x, t, y) - self.path.conditional_vector_field(x, z, t)
    return torch.einsum("bchw -> b", torch.square(error)).mean()


def own_noise(self: CFGTrainer, batch_size: int) -> Tensor:
    z, y = self.path.sample_conditioning_variable(batch_size)
    keep = torch.bernoulli(torch.full((batch_size,), 1 - self.eta)).long()
    y = keep * y + (1 - keep) * self.null_label
    t = torch.rand(batch_size, generator=torch.Generator().manual_seed(5))
    shape = (-1, *[1] * (z.ndim - 1))
    a, b = self.path.alpha(t).view(shape), self.path.beta(t).view(shape)
    da, db = self.path.alpha.dt(t).view(shape), self.path.beta.dt(t).view(shape)
    noise = torch.randn(z.shape)
    out = self.model(a * z + b * noise, t, y=y)
    return nn.functional.mse_loss(out, da * z + db * noise)


def summed_in_float64(self: CFGTrainer, batch_size: int) -> Tensor:
    z, y = self.path.p_data.sample(batch_size)
    t = torch.rand(batch_size) * (1 - self.eps)
    x = self.path.sample_conditional_path(z, t)
    u = self.path.conditional_vector_field(x, z, t)
    error = (self.model(x=x, t=t, y=drop(self, y)) - u).double()
    return error.flatten(1).pow(2).sum(1).mean()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("answer", [in_place_on_images, own_noise, summed_in_float64])
def test_other_right_losses(answer: Callable[..., object], seed: int) -> None:
    found = report("2.2", trainer(answer), seed)
    assert found.passed, told(found)


def test_an_answer_for_images_only_is_warned_of_the_points_that_come() -> None:
    found = report("2.2", trainer(in_place_on_images))
    assert any("points of shape (b, 2)" in finding.message for finding in found.findings)


def variant(
    *,
    labels: Callable[[CFGTrainer, Tensor], Tensor] = drop,
    times: Callable[[int], Tensor] = torch.rand,
    seen: Callable[[Tensor, Tensor], Tensor] = lambda x, z: x,
    loss: Callable[..., object] = lambda out, u, z, x: (out - u).square().mean(),
) -> type:
    """The right loss with one thing done otherwise."""

    def get_train_loss(self: CFGTrainer, batch_size: int) -> object:
        z, y = self.path.p_data.sample(batch_size)
        y, t = labels(self, y), times(batch_size)
        x = self.path.sample_conditional_path(z, t)
        u = self.path.conditional_vector_field(x, z, t)
        return loss(self.model(seen(x, z), t, y), u, z, x)

    return trainer(get_train_loss)


def inverted(self: CFGTrainer, y: Tensor) -> Tensor:
    return torch.where(torch.rand(len(y)) < self.eta, y, self.null_label)


def hard_coded(self: CFGTrainer, y: Tensor) -> Tensor:
    return torch.where(torch.rand(len(y)) < self.eta, 10, y)


def shuffled(self: CFGTrainer, y: Tensor) -> Tensor:
    return drop(self, y[torch.randperm(len(y))])


WRONG_LOSSES = {
    "mask looks inverted": variant(labels=inverted),
    "hard-coded as 10": variant(labels=hard_coded),
    "No label was ever dropped": variant(labels=lambda self, y: y),
    "100% of the labels": variant(labels=lambda self, y: torch.full_like(y, self.null_label)),
    "Labels other than": variant(labels=shuffled),
    "one and the same": variant(times=lambda n: torch.rand(1).expand(n)),
    "not spread evenly": variant(times=lambda n: torch.rand(n) / 2),
    "clean z": variant(seen=lambda x, z: z),
    "x, z and t belong": variant(seen=lambda x, z: x.flip(0)),
    "summed over the batch": variant(loss=lambda out, u, z, x: (out - u).square().sum()),
    "mean absolute": variant(loss=lambda out, u, z, x: (out - u).abs().mean()),
    "square root": variant(loss=lambda out, u, z, x: (out - u).square().mean().sqrt()),
    "before squaring": variant(loss=lambda out, u, z, x: (out - u).mean(0).square().mean()),
    "opposite sign": variant(loss=lambda out, u, z, x: (out + u).square().mean()),
    "clean z; flow": variant(loss=lambda out, u, z, x: (out - z).square().mean()),
    "target is x_t": variant(loss=lambda out, u, z, x: (out - x).square().mean()),
    "no gradient": variant(loss=lambda out, u, z, x: (out.detach() - u).square().mean()),
    "shape ()": variant(loss=lambda out, u, z, x: (out - u).square()),
    "None": variant(loss=lambda out, u, z, x: None),
    "The loss should be": variant(loss=lambda out, u, z, x: 3 * (out - u).square().mean()),
}


@pytest.mark.parametrize("words", WRONG_LOSSES)
def test_wrong_losses(words: str) -> None:
    found = report("2.2", WRONG_LOSSES[words])
    assert found.earned == 0 and words in told(found), told(found)


def test_normal_times_are_refused() -> None:
    found = report("2.2", variant(times=torch.randn))
    assert found.earned == 0 and "t lies in" in told(found)


# --- 2.3 and 2.4


def ode(drift: Callable[..., object]) -> type:
    return type("CFGVectorFieldODE", (CFGVectorFieldODE,), {"drift_coefficient": drift})


def mixed(formula: Callable[[Tensor, Tensor, float], Tensor], null: int | None = None) -> type:
    """A field from a formula of (u∅, u_y, w), with two calls of the network."""

    def drift(self: CFGVectorFieldODE, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        none = torch.full_like(y, self.null_label if null is None else null)
        return formula(self.net(x, t, none), self.net(x, t, y), self.guidance_scale)

    return ode(drift)


def other_order(self: CFGVectorFieldODE, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    both = torch.stack([y, self.null_label + 0 * y]).reshape(-1)
    out = self.net(x.repeat(2, 1, 1, 1), t=t.repeat(2), y=both).reshape(2, *x.shape)
    return out[1] + self.guidance_scale * (out[0] - out[1])


def writes_into_y(self: CFGVectorFieldODE, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    asked = self.net(x, t, y.clone())
    y[:] = self.null_label
    return (1 - self.guidance_scale) * self.net(x, t, y) + self.guidance_scale * asked


RIGHT_ODES = [
    mixed(lambda none, asked, w: none + w * (asked - none)),
    mixed(lambda none, asked, w: torch.lerp(none, asked, w)),
    mixed(lambda none, asked, w: asked.double() * w + none.double() * (1 - w)),
    ode(other_order),
]
WRONG_ODES = {
    "weights look swapped": mixed(lambda none, asked, w: w * none + (1 - w) * asked),
    "hard-coded as 10": mixed(lambda none, asked, w: (1 - w) * none + w * asked, null=10),
    "has no effect": mixed(lambda none, asked, w: asked),
    "other convention": mixed(lambda none, asked, w: (1 + w) * asked - w * none),
    "(1 + w)": mixed(lambda none, asked, w: (1 + w) * none + w * asked),
    "w u(x|y) alone": mixed(lambda none, asked, w: w * asked),
    "difference is turned": mixed(lambda none, asked, w: none - w * (asked - none)),
    "starts from u(x|∅)": mixed(lambda none, asked, w: asked + w * (asked - none)),
    "writes into y": ode(writes_into_y),
    "expected": mixed(lambda none, asked, w: torch.ones_like(none)),
    "None": mixed(lambda none, asked, w: None),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("answer", RIGHT_ODES)
def test_other_right_guided_fields(answer: type, seed: int) -> None:
    found = report("2.3", answer, seed)
    assert found.passed, told(found)


@pytest.mark.parametrize("words", WRONG_ODES)
def test_wrong_guided_fields(words: str) -> None:
    found = report("2.3", WRONG_ODES[words])
    assert found.earned == 0 and words in told(found), told(found)


def test_one_call_in_any_order_is_right_and_two_are_not() -> None:
    assert report("2.4", ode(other_order)).passed
    found = report("2.4", CFGVectorFieldODE)
    assert found.earned == 0 and "called 2 times" in told(found)
