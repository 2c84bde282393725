"""`course train` from the command line: weights with a card, and a run that can go on."""

import csv
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from course_utils import pretrained, recipes
from course_utils.evaluation.classifier import DigitClassifier
from grading import noise, train
from grading.cli import app
from grading.notebooks import CourseError


@pytest.fixture(autouse=True)
def _digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    monkeypatch.setenv("COURSE_BUDGET", "smoke")  # the command sets it: put it back afterwards
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.chdir(os.environ.get("TMPDIR", "/tmp"))


def call(*words: str) -> str:
    done = CliRunner().invoke(app, ["train", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("name", ["unet", "dit", "diffusion"])
def test_a_network_is_trained_measured_and_written(name: str, tmp_path: Path) -> None:
    said = call(name, "--budget", "smoke", "--run-dir", str(tmp_path), "--out", str(tmp_path))
    recipe = recipes.recipe(name, "smoke")
    assert "1,497 images of scikit-learn's digits" in said and "w = 1.5:" in said
    path = tmp_path / f"{name}.safetensors"
    card = pretrained.read(path).card
    assert card.steps == recipe.steps and card.seconds > 0
    assert "accuracy of 20 samples" in card.metrics and "Fréchet distance" in card.metrics
    assert path.with_suffix(".md").is_file()
    torch.manual_seed(1)
    assert pretrained.load(train.build(recipe), path)
    assert [row.shape for row in pretrained.milestones(path).values()] == [(10, 1, 32, 32)] * 2
    with (tmp_path / f"{name}-smoke" / "metrics.csv").open() as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == [6, 12]


def test_the_noise_aware_classifier_is_measured_at_several_steps(tmp_path: Path) -> None:
    call("noisy_classifier", "--budget", "smoke", "--run-dir", str(tmp_path))
    path = tmp_path / "noisy_classifier-smoke" / "noisy_classifier.safetensors"
    told = pretrained.read(path).card.metrics
    assert [f"accuracy at step {step} of 1,000" for step in noise.LOOKS_AT] == list(told)
    assert pretrained.load(train.build(recipes.recipe("noisy_classifier", "smoke")), path)
    assert not pretrained.milestones(path)


def test_a_finished_run_is_measured_again_and_not_trained_again(tmp_path: Path) -> None:
    call("dit", "--budget", "smoke", "--run-dir", str(tmp_path))
    first = pretrained.read(tmp_path / "dit-smoke" / "dit.safetensors")
    said = call("dit", "--budget", "smoke", "--run-dir", str(tmp_path))
    assert "has had its 12 steps already" in said
    again = pretrained.read(tmp_path / "dit-smoke" / "dit.safetensors")
    assert first.card.seconds == again.card.seconds
    assert all(torch.equal(value, again.tensors[key]) for key, value in first.tensors.items())


def test_the_classifier_is_written_with_statistics_of_real_digits(tmp_path: Path) -> None:
    call("classifier", "--budget", "smoke", "--run-dir", str(tmp_path), "--out", str(tmp_path))
    weights = pretrained.read(tmp_path / "classifier.safetensors")
    assert "accuracy on the 300 test images of digits" in weights.card.metrics
    assert weights.group("reference")["mean"].shape == (64,)
    pretrained.fill(DigitClassifier(), tmp_path / "classifier.safetensors")


def test_two_processes_take_the_steps_of_one_with_twice_the_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    launcher += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0", "-m", "grading.cli"]
    command = [*launcher, "train", "unet", "--budget", "smoke", "--run-dir", str(tmp_path / "two")]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "COURSE_PROGRESS": "0"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("Wrote ") == 1 and "2 processes" in done.stdout
    recipe = recipes.recipe("unet", "smoke")
    twice = replace(recipe, batch_size=2 * recipe.batch_size)
    monkeypatch.setattr(recipes, "recipe", lambda name, budget=None: twice)
    train.train("unet", "smoke", tmp_path / "one", say=lambda line: None)
    curves = []
    for folder in ("one", "two"):
        with (tmp_path / folder / "unet-smoke" / "losses.csv").open() as file:
            curves.append([float(row["loss"]) for row in csv.DictReader(file)])
    assert len(curves[0]) == recipe.steps
    assert curves[0] == pytest.approx(curves[1], rel=1e-4)


def test_an_interrupted_run_writes_no_weights(tmp_path: Path, monkeypatch) -> None:
    def interrupted(*args: object, **kwargs: object) -> tuple[list[float], list[int]]:
        return [0.1] * 3, [1, 2, 3]

    monkeypatch.setattr(recipes.Recipe, "train", interrupted)
    with pytest.raises(CourseError, match="interrupted after 3 of 12 steps"):
        train.train("unet", "smoke", tmp_path, say=lambda line: None)
    assert not list(tmp_path.rglob("*.safetensors"))


def test_an_unknown_network_is_named(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="expected one of classifier, unet, dit"):
        train.train("gan", "smoke", tmp_path)


@pytest.mark.parametrize("name", ["classifier", "unet", "dit"])
def test_what_ships_fits_its_network_and_says_where_it_comes_from(name: str) -> None:
    net = DigitClassifier() if name == "classifier" else train.build(recipes.recipe(name, "laptop"))
    card = pretrained.fill(net, name)
    assert "MNIST" in card.data and card.command.startswith("course train ")
    assert (
        pretrained.FOLDER.joinpath(f"{name}.md").read_text(encoding="utf-8") == card.as_markdown()
    )


def test_what_ships_is_small() -> None:
    assert sum(path.stat().st_size for path in pretrained.FOLDER.iterdir()) < 25e6
