"""One place for the numbers, and one call that trains, records, and can go on."""

import csv
import errno
import io
import os
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from course_utils import evaluation, recipes
from course_utils.evaluation import DigitClassifier
from course_utils.monitor import RunMonitor
from course_utils.training import Glance, Trainer


class Still(nn.Module):
    """A field with three numbers to learn."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1)
        self.told = nn.Embedding(11, 1)

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return self.conv(x) + self.told(y)[:, :, None, None] * t[:, None, None, None]


class Fit(Trainer):
    def __init__(self) -> None:
        self.batch_sizes: list[int] = []

    def get_train_loss(self, batch_size: int) -> Tensor:
        self.batch_sizes.append(batch_size)
        x, t = torch.randn(batch_size, 1, 32, 32), torch.rand(batch_size)
        y = torch.randint(11, (batch_size,))
        return (self.model(x, t, y) + x).square().mean()


@pytest.fixture(autouse=True)
def judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that needs no file: what is recorded is tested here, not how good it is."""
    torch.manual_seed(0)
    untrained = DigitClassifier().eval()
    monkeypatch.setattr(evaluation.classifier, "digit_classifier", lambda: untrained)


def rows(run: Path, name: str) -> list[dict[str, str]]:
    with (run / name).open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["unet", "dit", "diffusion", "noisy_classifier"])
@pytest.mark.parametrize("budget", ["smoke", "laptop", "full"])
def test_there_is_one_recipe_for_each_network_and_budget(name: str, budget: str) -> None:
    recipe = recipes.recipe(name, budget)
    assert (recipe.name, recipe.budget) == (name, budget)
    assert 0 < recipe.eta < 1 and recipe.warmup_steps < recipe.steps


def test_the_budget_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_BUDGET", "full")
    assert recipes.recipe("dit").budget == "full"


@pytest.mark.parametrize(("name", "budget"), [("vae", "laptop"), ("unet", "huge")])
def test_an_unknown_recipe_is_named(name: str, budget: str) -> None:
    with pytest.raises(ValueError, match="expected one of unet, dit, diffusion, noisy_classifier"):
        recipes.recipe(name, budget)


def test_a_run_leaves_losses_metrics_and_samples(tmp_path: Path) -> None:
    recipe = recipes.recipe("unet", "smoke")
    trainer, net = Fit(), Still()
    losses, steps = recipe.train(trainer, net, "run", run_dir=tmp_path)
    assert len(losses) == len(steps) == recipe.steps
    assert trainer.batch_sizes == [recipe.batch_size] * recipe.steps
    assert not net.training
    run = tmp_path / "run"
    assert [float(row["loss"]) for row in rows(run, "losses.csv")] == losses.tolist()
    seen = rows(run, "metrics.csv")
    every = recipe.steps // recipe.looks
    assert [int(row["step"]) for row in seen] == list(range(every, recipe.steps + 1, every))
    assert all(0 <= float(row["accuracy"]) <= 1 and float(row["seconds"]) >= 0 for row in seen)
    images = recipes.milestones(run)
    assert list(images) == [f"step {int(row['step'])}" for row in seen]
    assert all(row.shape == (10, 1, 32, 32) for row in images.values())
    assert all(float(row.min()) >= -1 and float(row.max()) <= 1 for row in images.values())


def test_samples_are_drawn_as_the_caller_says(tmp_path: Path) -> None:
    recipe, asked = recipes.recipe("diffusion", "smoke"), []

    def draw(net: nn.Module, labels: Tensor) -> Tensor:
        assert isinstance(net, Still) and not net.training
        asked.append(labels.tolist())
        return torch.full((len(labels), 1, 32, 32), 0.5)

    recipe.train(Fit(), Still(), "run", run_dir=tmp_path, draw=draw)
    assert asked == [list(range(10))] * recipe.looks
    assert all(
        torch.allclose(row, torch.tensor(0.5), atol=0.01)
        for row in recipes.milestones(tmp_path / "run").values()
    )


@pytest.mark.parametrize("name", ["diffusion", "noisy_classifier"])
def test_what_returns_no_velocity_leaves_no_samples_by_itself(name: str, tmp_path: Path) -> None:
    recipe = recipes.recipe(name, "smoke")
    recipe.train(Fit(), Still(), "run", run_dir=tmp_path)
    assert len(rows(tmp_path / "run", "losses.csv")) == recipe.steps
    with pytest.raises(ValueError, match="has no samples"):
        recipes.milestones(tmp_path / "run")


def test_looking_changes_nothing(tmp_path: Path) -> None:
    recipe = recipes.recipe("unet", "smoke")
    nets = [Still(), Still()]
    nets[1].load_state_dict(nets[0].state_dict())
    watched, _ = recipe.train(Fit(), nets[0], "run", run_dir=tmp_path)
    alone, _ = recipe.train(Fit(), nets[1])
    assert np.array_equal(watched, alone)
    assert torch.equal(nets[0].conv.weight, nets[1].conv.weight)


def test_an_interrupted_run_goes_on_to_the_same_end(tmp_path: Path) -> None:
    recipe = recipes.recipe("unet", "smoke")
    start = Still().state_dict()

    class Interrupted(Fit):
        def get_train_loss(self, batch_size: int) -> Tensor:
            if len(self.batch_sizes) == 8:
                raise KeyboardInterrupt
            return super().get_train_loss(batch_size)

    whole, parts = Still(), Still()
    whole.load_state_dict(start), parts.load_state_dict(start)
    losses, _ = recipe.train(Fit(), whole, "whole", run_dir=tmp_path)
    with redirect_stdout(io.StringIO()) as said:
        recipe.train(Interrupted(), parts, "parts", run_dir=tmp_path)
        again = Still()
        resumed, _ = recipe.train(Fit(), again, "parts", run_dir=tmp_path)
    assert "goes on after step 8 of 12" in said.getvalue()
    assert np.array_equal(losses, resumed)
    assert torch.equal(whole.conv.weight, again.conv.weight)
    assert [row["step"] for row in rows(tmp_path / "parts", "metrics.csv")] == ["6", "12"]


def test_starting_over_forgets_what_was_recorded(tmp_path: Path) -> None:
    watch = RunMonitor(tmp_path)
    watch(Glance(99, 1.0, [0.5] * 99, Still().eval()))
    assert list(RunMonitor.samples(tmp_path)) == ["step 99"]
    RunMonitor(tmp_path, fresh=True)
    assert not (tmp_path / "metrics.csv").exists()
    with pytest.raises(ValueError, match="has no samples"):
        RunMonitor.samples(tmp_path)


def test_a_disk_that_takes_nothing_stops_no_training_and_hides_no_samples(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runs").touch()  # a file where the folder should be
    losses, _ = recipes.recipe("unet", "smoke").train(
        Fit(), Still(), "unet", run_dir=tmp_path / "runs"
    )
    assert len(losses) == 12
    said = capfd.readouterr().out
    assert said.count("samples of this run cannot be kept on disk") == 1
    assert "checkpoint of step 12 could not be written" in said
    assert list(recipes.milestones(tmp_path / "runs" / "unet")) == ["step 6", "step 12"]


def test_a_disk_that_fills_up_costs_no_row_that_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = RunMonitor(tmp_path)
    watch(Glance(1, 1.0, [0.5], Still().eval()))
    before = (tmp_path / "metrics.csv").read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    watch(Glance(2, 2.0, [0.5] * 2, Still().eval()))
    monkeypatch.undo()
    assert (tmp_path / "metrics.csv").read_bytes() == before
    assert [path.name for path in (tmp_path / "samples").iterdir()] == ["0000001.png"]
    assert list(RunMonitor.samples(tmp_path)) == ["step 1", "step 2"]


def test_tensorboard_is_told_everything(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    recipe = recipes.recipe("unet", "smoke")
    losses, _ = recipe.train(Fit(), Still(), "run", run_dir=tmp_path, tensorboard=True)
    events = EventAccumulator(str(tmp_path / "run")).Reload()
    told = [event.value for event in events.Scalars("loss")]
    assert told == pytest.approx(losses.tolist(), rel=1e-5)
    assert [event.step for event in events.Scalars("accuracy of samples")] == [6, 12]
    assert events.Tags()["images"]


def test_without_tensorboard_its_absence_is_told(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    with pytest.raises(ValueError, match="pip install tensorboard"):
        RunMonitor(tmp_path, tensorboard=True)
