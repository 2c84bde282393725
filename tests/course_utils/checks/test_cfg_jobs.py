"""Lab 2's checks: what the corpus in tests/corpus/cfg, whose answers are files, cannot say."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from course_utils.checks.cfg import LAB
from course_utils.checks.core import Report, run
from course_utils.checks.verdicts import noise_problem, sample_mistake
from course_utils.solved.cfg import (
    BatchedCFGVectorFieldODE,
    CFGTrainer,
    CFGVectorFieldODE,
    MLPConditionalVectorField,
)


def report(number: str, target: object, seed: int = 0) -> Report:
    return run(LAB.jobs[number], target, seed)


def told(found: Report) -> str:
    return " ".join(finding.message for finding in found.findings if not finding.ok)


@pytest.mark.parametrize("seed", [*range(20), 20_261])
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


# --- 2.2


def trainer(loss: Callable[..., object]) -> type:
    """A trainer with another loss: ``loss(self, batch_size)``."""
    return type("CFGTrainer", (CFGTrainer,), {"get_train_loss": loss})


def variant(
    *,
    labels: Callable[[CFGTrainer, Tensor], Tensor] | None = None,
    times: Callable[[int], Tensor] = torch.rand,
    seen: Callable[[Tensor, Tensor], Tensor] = lambda x, z: x,
    loss: Callable[..., object] = lambda out, u, z, x: (out - u).square().mean(),
) -> type:
    """The right loss with one thing done otherwise."""

    def get_train_loss(self: CFGTrainer, batch_size: int) -> object:
        z, y = self.path.p_data.sample(batch_size)
        t = times(batch_size)
        if labels is None:
            y = torch.where(torch.rand(len(y)) < self.eta, self.null_label, y)
        else:
            y = labels(self, y)
        x = self.path.sample_conditional_path(z, t)
        u = self.path.conditional_vector_field(x, z, t)
        return loss(self.model(seen(x, z), t, y), u, z, x)

    return trainer(get_train_loss)


def test_an_answer_for_images_only_is_warned_of_the_points_that_come() -> None:
    found = report("2.2", variant(loss=lambda out, u, z, x: (out - u).square().mean((1, 2, 3))[0]))
    assert not found.passed
    images = variant(loss=lambda out, u, z, x: (out - u).square().mean((1, 2, 3)).mean())
    found = report("2.2", images)
    assert found.passed
    assert any("points of shape (b, 2)" in finding.message for finding in found.findings)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("not spread evenly", variant(times=lambda n: torch.rand(n) / 2)),
        ("x, z and t belong", variant(seen=lambda x, z: x.flip(0))),
        ("target is x_t", variant(loss=lambda out, u, z, x: (out - x).square().mean())),
        ("The loss should be", variant(loss=lambda out, u, z, x: 3 * (out - u).square().mean())),
        ("is a part of it detached", variant(
            loss=lambda out, u, z, x: (0.5 * out + 0.5 * out.detach() - u).square().mean())),
        ("Labels other than", variant(labels=lambda self, y: y.flip(0))),
    ],
)  # fmt: skip
def test_wrong_losses(words: str, answer: type) -> None:
    found = report("2.2", answer)
    assert found.earned == 0 and words in told(found), told(found)


def halves(self: CFGTrainer, batch_size: int, split_first: bool) -> Tensor:
    """The two halves of a batch in two calls, the later one first."""
    z, y = self.path.p_data.sample(batch_size)
    y = torch.where(torch.rand(batch_size) < self.eta, self.null_label, y)
    t = (1 - self.eps) * torch.rand(batch_size)
    x, u = self.path.sample_training_pair(z, t)
    parts = [part for each in (z, x, u, t, y) for part in each.chunk(2)]
    errors = []
    for half in (1, 0):
        z, x, u, t, y = parts[half::2]
        if split_first:
            x, u = self.path.sample_training_pair(z, t)
        errors.append(self.model(x, t, y) - u)
    return torch.cat(errors).square().mean()


@pytest.mark.parametrize("split_first", [False, True])
def test_calls_for_parts_of_the_batch_are_put_in_order(split_first: bool) -> None:
    found = report("2.2", trainer(lambda self, batch_size: halves(self, batch_size, split_first)))
    assert found.passed, told(found)


@pytest.mark.parametrize("seed", range(100))
def test_random_numbers_raise_no_false_alarm(seed: int) -> None:
    found = report("2.2", CFGTrainer, seed + 1000)
    assert found.passed, told(found)


def test_noise_that_knows_the_data_is_told_from_noise() -> None:
    z, noise = torch.randn(2, 256, 16, generator=torch.Generator().manual_seed(0))
    assert noise_problem(noise, z) is None
    mixed = 0.98 * noise + 0.2 * z
    assert "a part of z" in (noise_problem(mixed, z) or "")


def test_a_sample_that_no_known_formula_explains() -> None:
    z, x = torch.randn(2, 256, 16, generator=torch.Generator().manual_seed(0))
    t = torch.full((256, 1), 0.5)
    assert sample_mistake(3 * x + 1, z, t, [t, 1 - t, t / t, -t / t]) is None


# --- 2.3 and 2.4


def test_two_calls_are_no_answer_to_the_last_job() -> None:
    found = report("2.4", CFGVectorFieldODE)
    assert found.earned == 0 and "called 2 times" in told(found)


@pytest.mark.parametrize("number", ["2.3", "2.4"])
def test_shortcuts_at_no_guidance_are_right(number: str) -> None:
    class Shortcut(BatchedCFGVectorFieldODE):
        def drift_coefficient(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
            if self.guidance_scale == 1:
                return self.net(x, t, y)
            return super().drift_coefficient(x, t, y)

    assert report(number, Shortcut).passed
