"""`course train`: the networks that the labs ship, made by one command each."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from grading.notebooks import CourseError


class Network(StrEnum):
    """What can be trained."""

    classifier = "classifier"
    unet = "unet"
    dit = "dit"
    diffusion = "diffusion"
    noisy_classifier = "noisy_classifier"


class HowMuch(StrEnum):
    """The budgets."""

    smoke = "smoke"
    laptop = "laptop"
    full = "full"


def register(app: typer.Typer) -> None:
    """Add the command of this module to the `course` application."""
    app.command()(train)


def train(
    network: Annotated[Network, typer.Argument(help="What to train.")],
    budget: Annotated[
        HowMuch,
        typer.Option(
            envvar="COURSE_BUDGET",
            help="smoke: seconds; laptop: minutes on two cores; full: for a GPU.",
        ),
    ] = HowMuch.laptop,
    run_dir: Annotated[
        Path, typer.Option(help="Where runs are kept; this one is RUN_DIR/NETWORK-BUDGET.")
    ] = Path("runs"),
    out: Annotated[
        Path | None, typer.Option(help="Where the weights go. [default: the run's folder]")
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Start over instead of resuming the run.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the weights and of everything drawn.")] = 0,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write event files for TensorBoard, too.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be trained; write nothing.")
    ] = False,
) -> None:
    """Train a network and write its weights (safetensors) with a model card.

    Interrupted, the same command goes on from the last checkpoint. The run's folder holds
    losses.csv, metrics.csv and samples as it goes. Each process that torchrun starts adds a batch.

    Example: course train unet --budget laptop

    On two GPUs: torchrun --nproc-per-node 2 -m grading.cli train dit --budget full
    """
    run_folder = run_dir / f"{network.value}-{budget.value}"
    if dry_run:
        begin = "resumed" if run_folder.exists() and not restart else "begun"
        print(f"Would be {begin}: {run_folder}; its weights go to {out or run_folder}.")
        return
    os.environ["COURSE_BUDGET"] = budget.value
    from course_utils import distributed
    from grading.train import train as run

    main = distributed.is_main()
    say = print if main else _nothing
    try:
        path = run(
            network.value, budget.value, run_dir, out=out, resume=not restart, seed=seed,
            tensorboard=tensorboard, say=say,
        )  # fmt: skip
    except (ValueError, FloatingPointError) as problem:
        raise CourseError(str(problem)) from None
    if main:
        print(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB) and {path.with_suffix('.md')}.")


def _nothing(line: str) -> None:
    """What a process that is not the main one says."""
