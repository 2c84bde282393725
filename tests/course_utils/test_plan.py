"""What a run accepts, and the learning rate of each step."""

import math

import pytest
import torch
from torch import Tensor, nn

from course_utils.plan import Plan, cosine_factor
from course_utils.training import Glance, Trainer


class Line(Trainer):
    """Fits a line, and remembers the learning rate of every step."""

    def __init__(self) -> None:
        self.rates: list[float] = []

    def get_optimizer(self, model: nn.Module, lr: float) -> torch.optim.Optimizer:
        trainer = self

        class Watched(torch.optim.SGD):
            def step(self, *args: object, **kwargs: object) -> None:
                trainer.rates.append(self.param_groups[0]["lr"])
                super().step()

        return Watched(model.parameters(), lr=lr)

    def get_train_loss(self) -> Tensor:
        x = torch.randn(16, 1)
        return (self.model(x) - 2 * x).square().mean()


def test_half_a_cosine_runs_from_one_to_zero() -> None:
    factors = [cosine_factor(step, 8) for step in range(9)]
    assert factors[0] == 1 and factors[4] == pytest.approx(0.5) and factors[8] == 0
    assert factors == sorted(factors, reverse=True)
    assert cosine_factor(99, 8) == 0
    assert cosine_factor(2, 8) == pytest.approx(math.cos(math.pi / 8) ** 2)


def test_the_learning_rate_warms_up_and_decays() -> None:
    trainer = Line()
    trainer.train(nn.Linear(1, 1), 10, 0.1, warmup_steps=2, lr_schedule="cosine")
    expected = [0.1 * min(1, (k + 1) / 2) * cosine_factor(k, 10) for k in range(10)]
    assert trainer.rates == pytest.approx(expected)


def test_without_a_schedule_it_stays() -> None:
    trainer = Line()
    trainer.train(nn.Linear(1, 1), 5, 0.1)
    assert trainer.rates == [0.1] * 5


def test_an_unknown_schedule_is_named() -> None:
    with pytest.raises(ValueError, match="lr_schedule='linear'; expected constant or cosine"):
        Plan(1e-3, 0, None, 1, "float32", None, "linear")


def test_a_cosine_cannot_change_its_length_in_a_resumed_run(tmp_path) -> None:
    settings = {"lr_schedule": "cosine", "run_name": "run", "run_dir": tmp_path}
    Line().train(nn.Linear(1, 1), 4, 0.1, **settings)
    with pytest.raises(ValueError, match="decay_steps=4"):
        Line().train(nn.Linear(1, 1), 8, 0.1, **settings)


def test_a_monitor_sees_averaged_weights_and_changes_nothing() -> None:
    torch.manual_seed(0)
    start = nn.Linear(1, 1).state_dict()
    seen: list[tuple[int, int, float, bool]] = []

    def watch(glance: Glance) -> None:
        seen.append(
            (glance.step, len(glance.losses), glance.model.weight.item(), glance.model.training)
        )
        torch.rand(7)  # draws, like any sampler

    ends = []
    for monitor in (None, watch):
        model = nn.Linear(1, 1)
        model.load_state_dict(start)
        every = 4 if monitor else 0
        losses, _ = Line().train(
            model, 10, 0.1, ema_decay=0.9, seed=0, monitor=monitor, monitor_every=every
        )
        ends.append((model.weight.item(), losses.tolist()))
    assert ends[0] == ends[1]
    assert [(step, count, training) for step, count, _, training in seen] == [
        (4, 4, False), (8, 8, False), (10, 10, False),
    ]  # fmt: skip
    assert seen[-1][2] == ends[1][0]  # the averaged weights, which the model holds at the end


def test_a_monitor_needs_to_know_how_often() -> None:
    with pytest.raises(ValueError, match="monitor_every=0"):
        Line().train(nn.Linear(1, 1), 2, monitor=lambda glance: None)
