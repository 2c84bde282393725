"""How the networks of the labs are trained: every number in one place, and one function to run it.

The labs, the ``course train`` command and the benchmarks all call :meth:`Recipe.train`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_utils import distributed, runtime
from course_utils.monitor import RunMonitor, guided
from course_utils.runtime import Budget
from course_utils.training import Trainer

SCALES = (1.0, 1.5, 2.0, 3.0)
"""Guidance scales at which a finished network is measured; the best one counts."""


Draw = Callable[[nn.Module, Int[Tensor, " n"]], Float[Tensor, "n 1 h w"]]
"""How a network that is being trained draws images of the labels that it is given."""


@dataclass(frozen=True)
class Recipe:
    """One network at one budget.

    Attributes:
        name: "unet", "dit", "diffusion" or "noisy_classifier".
        budget: "smoke" (seconds), "laptop" (minutes on two cores) or "full" (a GPU).
        model: keyword arguments of the network's constructor.
        steps, batch_size, lr, warmup_steps, ema_decay, clip_norm: see :meth:`Trainer.train`. The
            learning rate follows half a cosine. Started by torchrun, each process has a batch of
            ``batch_size``.
        eta: the share of labels to drop, for the loss of classifier-free guidance.
        precision: "float32", or "auto": bfloat16 where this machine computes faster in it.
        minutes: what it takes on two cores (smoke, laptop) or one large GPU (full), roughly.
        channels_last: keep images pixel by pixel in memory, in which convolutions run faster.
        compile: let torch compile the network, on a GPU.
        looks: how often on the way samples and their accuracy are recorded.
        learns: what the network returns: a "velocity", a "noise", or which "digit" it is shown.
    """

    name: str
    budget: Budget
    model: Mapping[str, Any]
    steps: int
    batch_size: int
    lr: float | int
    minutes: float | int
    warmup_steps: int = 50
    ema_decay: float | int = 0.995
    clip_norm: float | int | None = 1.0
    eta: float = 0.1
    precision: str = "float32"
    channels_last: bool = False
    compile: bool = False
    looks: int = 6
    learns: Literal["velocity", "noise", "digit"] = "velocity"

    def train(
        self,
        trainer: Trainer,
        net: nn.Module,
        run_name: str | None = None,
        *,
        resume: bool = True,
        seed: int = 0,
        run_dir: str | Path | None = None,
        tensorboard: bool = False,
        draw: Draw | None = None,
    ) -> tuple[Float[np.ndarray, " steps"], Int[np.ndarray, " steps"]]:
        """Train ``net`` on the loss of ``trainer``; return losses and steps.

        In ``run_dir/run_name`` it leaves checkpoints, from which the same call goes on after an
        interrupt; ``losses.csv``; ``metrics.csv`` (step, seconds, loss and accuracy of samples, as
        it goes); and ``samples/``, a picture of the ten digits each time. With ``tensorboard`` it
        also writes event files there. Without a ``run_name`` nothing is written. ``run_dir``: None
        is :func:`runtime.runs_dir`.

        ``draw(net, labels)`` says how samples are drawn. Default: by the velocity, guided at scale
        2; a network that returns no velocity leaves no samples then.

        Raises:
            ValueError: as :meth:`Trainer.train`.
        """
        if self.channels_last:
            net.to(memory_format=torch.channels_last)
        device = next(net.parameters()).device
        if self.compile and device.type == "cuda":
            net.compile()
        every = max(1, self.steps // self.looks)
        root = runtime.runs_dir() if run_dir is None else Path(run_dir)
        folder = None if run_name is None else root / run_name
        watch = None
        if folder and (draw or self.learns == "velocity"):
            watch = RunMonitor(folder, tensorboard, fresh=not resume, draw=draw or guided)
        try:
            return trainer.train(
                net,
                self.steps,
                self.lr,
                self.warmup_steps,
                ckpt_every=every,
                run_name=run_name,
                resume=resume,
                ema_decay=self.ema_decay,
                precision=self._precision(device),
                clip_norm=self.clip_norm,
                lr_schedule="cosine",
                monitor=watch,
                monitor_every=every if watch else 0,
                seed=seed,
                run_dir=root,
                batch_size=self.batch_size * distributed.world_size(),
            )
        finally:
            if watch:
                watch.close()

    def _precision(self, device: torch.device) -> str:
        return runtime.fast_precision(device) if self.precision == "auto" else self.precision


_UNET = {"num_residual_layers": 1, "t_embed_dim": 64, "y_embed_dim": 64}

_JUDGE = {"num_residual_layers": 1, "t_embed_dim": 64, "stem": 2}

_RECIPES = [
    Recipe(
        *("unet", "smoke", {**_UNET, "channels": [16, 32], "stem": 2}),
        *(12, 16, 2e-3),
        minutes=0.1, warmup_steps=4, looks=2, channels_last=True,
    ),
    Recipe(
        *("unet", "laptop", {**_UNET, "channels": [48, 96, 192], "stem": 2}),
        *(1400, 64, 4e-3),
        minutes=9, ema_decay=0.997, channels_last=True, looks=7,
    ),
    Recipe(
        *("unet", "full", {**_UNET, "channels": [64, 128, 256], "num_residual_layers": 2}),
        *(10_000, 256, 1e-3),
        minutes=20, warmup_steps=500, ema_decay=0.999, precision="auto", channels_last=True,
        compile=True, looks=10,
    ),
    Recipe(
        *("dit", "smoke", {"patch_size": 8, "num_layers": 2, "dim": 32, "heads": 2}),
        *(12, 16, 2e-3),
        minutes=0.1, warmup_steps=4, looks=2,
    ),
    Recipe(
        *("dit", "laptop", {"patch_size": 4, "num_layers": 6, "dim": 128, "heads": 4}),
        *(1800, 64, 4e-3),
        minutes=14, ema_decay=0.997, precision="auto",
    ),
    Recipe(
        *("dit", "full", {"patch_size": 4, "num_layers": 8, "dim": 256, "heads": 4}),
        *(20_000, 256, 1e-3),
        minutes=20, warmup_steps=500, ema_decay=0.999, precision="auto", compile=True, looks=10,
    ),
    Recipe(
        *("diffusion", "smoke", {**_UNET, "channels": [16, 32], "stem": 2}),
        *(12, 16, 2e-3),
        minutes=0.1, warmup_steps=4, looks=2, channels_last=True, eta=0.2, learns="noise",
    ),
    Recipe(
        *("diffusion", "laptop", {**_UNET, "channels": [48, 96, 192], "stem": 2}),
        *(1400, 64, 4e-3),
        minutes=9, ema_decay=0.997, channels_last=True, looks=7, eta=0.2, learns="noise",
    ),
    Recipe(
        *("diffusion", "full", {**_UNET, "channels": [64, 128, 256], "num_residual_layers": 2}),
        *(10_000, 256, 1e-3),
        minutes=20, warmup_steps=500, ema_decay=0.999, precision="auto", channels_last=True,
        compile=True, looks=10, eta=0.2, learns="noise",
    ),
    Recipe(
        *("noisy_classifier", "smoke", {**_JUDGE, "channels": [16, 32]}),
        *(12, 32, 2e-3),
        minutes=0.1, warmup_steps=4, channels_last=True, learns="digit",
    ),
    Recipe(
        *("noisy_classifier", "laptop", {**_JUDGE, "channels": [32, 64, 128]}),
        *(1200, 128, 2e-3),
        minutes=4, channels_last=True, learns="digit",
    ),
    Recipe(
        *("noisy_classifier", "full", {**_JUDGE, "channels": [32, 64, 128]}),
        *(6000, 256, 1e-3),
        minutes=5, warmup_steps=500, ema_decay=0.999, channels_last=True, learns="digit",
    ),
]  # fmt: skip


def recipe(name: str, budget: str | None = None) -> Recipe:
    """The recipe of that name, such as "unet", for a budget; default: ``COURSE_BUDGET``.

    Raises:
        ValueError: for another name or budget.
    """
    chosen = runtime.budget() if budget is None else budget
    for candidate in _RECIPES:
        if (candidate.name, candidate.budget) == (name, chosen):
            return candidate
    names = ", ".join(dict.fromkeys(known.name for known in _RECIPES))
    raise ValueError(
        f"There is no recipe {name!r} for the budget {chosen!r}; expected one of {names}, and one "
        f"of {', '.join(get_args(Budget))}."
    )


def milestones(run: str | Path) -> dict[str, Float[Tensor, "n 1 h w"]]:
    """Samples of your own run, such as ``runs_dir() / "dit"``, by step; see :class:`RunMonitor`.

    Raises:
        ValueError: where that run has recorded none.
    """
    return RunMonitor.samples(Path(run))
