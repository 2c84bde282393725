"""What a training run accepts: its settings, what they make of each step, and its losses."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}
SCHEDULES = ("constant", "cosine")


def warmup_factor(step: int, warmup_steps: int) -> float:
    """What the learning rate is multiplied by at ``step`` = 0, 1, ...: linear up to 1.

    The first step is already taken with 1 / ``warmup_steps``: with 0 it would be wasted.
    """
    return min(1.0, (step + 1) / max(1, warmup_steps))


def cosine_factor(step: int, num_steps: int) -> float:
    """Half a cosine, from 1 at ``step`` 0 to 0 at ``num_steps`` (Loshchilov and Hutter 2017).

    The small steps at the end average over the noise of the batches.
    """
    return 0.5 * (1 + math.cos(math.pi * min(1.0, step / num_steps)))


def ema_decay_at(step: int, ema_decay: float) -> float:
    """The decay d in ``average ← d · average + (1 − d) · weights`` after ``step`` = 0, 1, ...

    It grows as (1 + step) / (10 + step) up to ``ema_decay``, so that a short run's average is not
    made of its random initial weights.
    """
    return min(ema_decay, (1 + step) / (10 + step))


@dataclass(frozen=True)
class Plan:
    """The settings that decide what a step does: a resumed run must have the same ones."""

    lr: float
    warmup_steps: int
    ema_decay: float | None
    accumulate: int
    precision: str
    clip_norm: float | None
    lr_schedule: str = "constant"
    decay_steps: int | None = None  # the length of a cosine; None where there is none

    def __post_init__(self) -> None:
        decay, norm = self.ema_decay, self.clip_norm
        expect(0 < self.lr < math.inf, "a positive number, such as 1e-3", lr=self.lr)
        expect(self.warmup_steps >= 0, "0 or more", warmup_steps=self.warmup_steps)
        expect(decay is None or 0 <= decay < 1, "None, or below 1 such as 0.999", ema_decay=decay)
        expect(self.accumulate >= 1, "at least 1 batch to a step", accumulate=self.accumulate)
        known = f"one of {', '.join(PRECISIONS)}"
        expect(self.precision in PRECISIONS, known, precision=self.precision)
        expect(norm is None or norm > 0, "None, or above 0 such as 1.0", clip_norm=norm)
        expect(self.lr_schedule in SCHEDULES, "constant or cosine", lr_schedule=self.lr_schedule)

    def lr_factor(self, step: int) -> float:
        """What the learning rate is multiplied by at ``step`` = 0, 1, ..."""
        decay = 1.0 if self.decay_steps is None else cosine_factor(step, self.decay_steps)
        return decay * warmup_factor(step, self.warmup_steps)


def expect(holds: bool, expected: str, **given: object) -> None:
    """Raise ValueError, saying what was given and what is expected, unless it ``holds``."""
    if not holds:
        shown = ", ".join(f"{name}={value!r}" for name, value in given.items())
        raise ValueError(f"{shown}; expected {expected}.")


def check_loss_arguments(get_train_loss: Callable[..., object], arguments: dict[str, Any]) -> None:
    """Raise ValueError unless ``get_train_loss`` can be called with these keywords."""
    signature = inspect.signature(get_train_loss)
    try:
        signature.bind(**arguments)
    except TypeError as problem:
        raise ValueError(
            f"train(...) passes the keywords {sorted(arguments)} on to get_train_loss{signature}: "
            f"{problem}."
        ) from None


def check_loss(loss: object) -> None:
    """Raise ValueError unless ``loss`` is one number that depends on the model's parameters."""
    expected = "expected a tensor with one number, such as ((prediction - target) ** 2).mean()"
    if not isinstance(loss, Tensor):
        raise ValueError(f"get_train_loss returned {type(loss).__name__}; {expected}.")
    if loss.ndim != 0:
        raise ValueError(f"get_train_loss returned shape {tuple(loss.shape)}; {expected}.")
    if not loss.requires_grad:
        raise ValueError(
            "The loss does not depend on the model's parameters. Call self.model(...) in "
            "get_train_loss, without torch.no_grad() and without .detach() on its output."
        )
