"""Train the networks of the labs, measure them, and write weights with a model card."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from course_utils import distributed, evaluation, guidance, pretrained, recipes, runtime
from course_utils.evaluation.classifier import ClassifierTrainer, accuracy_on
from course_utils.mnist import NUM_CLASSES, MNISTSampler
from course_utils.runtime import Budget
from course_utils.training import Trainer
from grading import noise
from grading.measure import Say, best_scores
from grading.notebooks import CourseError

NETWORKS = ("classifier", "unet", "dit", "diffusion", "noisy_classifier")
CLASSIFIER_STEPS: dict[Budget, int] = {"smoke": 20, "laptop": 600, "full": 6000}
HEUN_STEPS = 8
"""Steps of a measured sample: 15 evaluations, each with and without the label, so 30 calls."""
DDIM_STEPS = 25


def train(
    name: str,
    budget: Budget,
    run_dir: Path,
    *,
    out: Path | None = None,
    resume: bool = True,
    seed: int = 0,
    tensorboard: bool = False,
    say: Say = print,
) -> Path:
    """Train ``name`` at ``budget`` and write ``<name>.safetensors`` and its card ``<name>.md``.

    Args:
        run_dir: the run's folder is ``run_dir/<name>-<budget>``: checkpoints, ``losses.csv``,
            ``metrics.csv`` and samples. A run that is there is resumed, unless ``resume`` is False.
        out: where the weights go. Default: the run's folder.
        tensorboard: write event files, too.
        say: told what happens, line by line.

    Raises:
        CourseError: another name.
        ValueError: the run's folder holds a run with other settings.
    """
    if name not in NETWORKS:
        raise CourseError(f"There is no network {name!r}; expected one of {', '.join(NETWORKS)}.")
    run_name = f"{name}-{budget}"
    target = (out or run_dir / run_name) / f"{name}.safetensors"
    device = distributed.local_device(runtime.device())
    if name == "classifier":
        return _train_classifier(budget, device, run_dir, run_name, target, resume, seed, say)
    recipe = recipes.recipe(name, budget)
    data = MNISTSampler().to(device)
    runtime.set_seed(seed)
    net = build(recipe).to(device)
    trainer = trainer_for(data, recipe, device)
    say(f"{name}: {_size(net)}, {recipe.steps:,} steps on {_named(data)}, {_where(device)}")
    losses, _ = recipe.train(
        trainer, net, run_name, resume=resume, seed=seed, run_dir=run_dir, tensorboard=tensorboard,
        draw=noise.draw if recipe.learns == "noise" else None,
    )  # fmt: skip
    if not distributed.is_main():
        return target
    _expect_finished(len(losses), recipe.steps)
    metrics = measure(pretrained.rounded(net).to(device), recipe, data.source, say)
    seconds = _seconds(run_dir / run_name)
    card = pretrained.Card(
        f"{name} ({budget})", _named(data), recipe.steps, seconds, _where(device), _command(),
        metrics, f"{type(net).__name__}({_arguments(recipe)}), {_size(net)}",
    )  # fmt: skip
    drawn = {} if recipe.learns == "digit" else recipes.milestones(run_dir / run_name)
    return pretrained.write(target, net, card, _probe(recipe), _milestones(drawn))


def measure(
    net: nn.Module, recipe: recipes.Recipe, source: str, say: Say = print
) -> dict[str, str]:
    """What the card of a finished network says."""
    if recipe.learns == "digit":
        return noise.measure_classifier(net, source, say)

    def draw(labels: Tensor, w: float) -> Tensor:
        if recipe.learns == "noise":
            return noise.draw(net, labels, w, num_steps=DDIM_STEPS)
        return guidance.generate(net, labels, w, null_label=NUM_CLASSES, num_steps=HEUN_STEPS)

    return best_scores(draw, source, say)


def _train_classifier(
    budget: Budget,
    device: torch.device,
    run_dir: Path,
    run_name: str,
    target: Path,
    resume: bool,
    seed: int,
    say: Say,
) -> Path:
    """The judge of all others, on every kind of digit that is at hand."""
    sources = _sources(train=True)
    runtime.set_seed(seed)
    net = evaluation.DigitClassifier().to(device).to(memory_format=torch.channels_last)
    steps = CLASSIFIER_STEPS[budget]
    names = " and ".join(_named(source) for source in sources)
    say(f"classifier: {_size(net)}, {steps:,} steps on {names}, {_where(device)}")
    losses, _ = ClassifierTrainer(*(source.to(device) for source in sources)).train(
        net, steps, lr=3e-3, warmup_steps=50, ckpt_every=250, run_name=run_name, resume=resume,
        lr_schedule="cosine", seed=seed, run_dir=run_dir, batch_size=256,
    )  # fmt: skip
    _expect_finished(len(losses), steps)
    judge = pretrained.rounded(net)
    metrics, references = {}, []
    for source in _sources(train=False):
        right, reference = accuracy_on(source, judge)
        metrics[f"accuracy on the {len(source):,} test images of {source.source}"] = f"{right:.2%}"
        references.append(reference)
    for key, value in metrics.items():
        say(f"{key}: {value}")
    card = pretrained.Card(
        f"classifier ({budget})", names, steps, _seconds(run_dir / run_name), _where(device),
        _command(), metrics, f"DigitClassifier, {_size(net)}",
    )  # fmt: skip
    return pretrained.write(target, net, card, _probe(), references[0].tensors())


def _sources(train: bool) -> list[MNISTSampler]:
    best = MNISTSampler(train=train)
    digits = MNISTSampler(train=train, source="digits")
    return [best] if best.source == "digits" else [best, digits]


def build(recipe: recipes.Recipe) -> nn.Module:
    """The reference network of a recipe, with random weights."""
    from course_utils.solved.classifier_guidance import NoisyDigitClassifier
    from course_utils.solved.dit import MNISTDiffusionTransformer
    from course_utils.solved.unet import MNISTUNet

    networks: dict[str, Callable[..., nn.Module]] = {
        "unet": MNISTUNet,
        "dit": MNISTDiffusionTransformer,
        "diffusion": MNISTUNet,
        "noisy_classifier": NoisyDigitClassifier,
    }
    return networks[recipe.name](**recipe.model)


def trainer_for(data: MNISTSampler, recipe: recipes.Recipe, device: torch.device) -> Trainer:
    """The loss that a recipe is trained on: lab 2's, on lab 1's linear path; or one of lab 5."""
    if recipe.learns != "velocity":
        return noise.trainer_for(data, recipe, device)
    from course_utils.solved.cfg import CFGTrainer
    from course_utils.solved.mnist import (
        GaussianConditionalProbabilityPath,
        LinearAlpha,
        LinearBeta,
    )

    path = GaussianConditionalProbabilityPath(data, data.shape, LinearAlpha(), LinearBeta())
    return CFGTrainer(path.to(device), eta=recipe.eta, null_label=NUM_CLASSES)


def _expect_finished(steps: int, planned: int) -> None:
    if steps < planned:
        raise CourseError(
            f"The run was interrupted after {steps:,} of {planned:,} steps, so there are no "
            "weights yet. The same command goes on from there."
        )


def _probe(recipe: recipes.Recipe | None = None) -> tuple[Tensor, ...]:
    """Inputs for which the shipped file stores the output: two images, and what else is asked."""
    stream = torch.Generator().manual_seed(0)
    x = torch.randn(2, 1, 32, 32, generator=stream)
    if recipe is None:
        return (x,)
    if recipe.learns == "digit":
        return x, torch.tensor([100, 600])
    return x, torch.tensor([0.3, 0.8]), torch.tensor([7, NUM_CLASSES])


def _milestones(pictures: dict[str, Tensor]) -> dict[str, Tensor]:
    """The last six as bytes, under the names that :func:`pretrained.milestones` reads."""
    return {
        "milestone." + name.removeprefix("step ").replace(",", ""): (
            ((images + 1) * 127.5).round().to(torch.uint8)
        )
        for name, images in list(pictures.items())[-6:]
    }


def _seconds(folder: Path) -> float:
    from course_utils.checkpoints import read_checkpoint

    return float(read_checkpoint(folder / "checkpoint.pt")["seconds"])


def _size(net: nn.Module) -> str:
    return f"{sum(parameter.numel() for parameter in net.parameters()) / 1e6:.2f} M parameters"


def _named(data: MNISTSampler) -> str:
    kind = "MNIST" if data.source == "mnist" else "scikit-learn's digits"
    return f"{len(data):,} images of {kind}"


def _where(device: torch.device) -> str:
    count = distributed.world_size()
    return runtime.machine(device) + (f", {count} processes" if count > 1 else "")


def _arguments(recipe: recipes.Recipe) -> str:
    return ", ".join(f"{name}={value}" for name, value in recipe.model.items())


def _command() -> str:
    """The command as typed, without the folders of this machine."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
