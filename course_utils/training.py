"""One training loop for every lab: a lab's trainer says only what the loss of a random batch is.

Warmup, an average of the weights (EMA), gradient accumulation, mixed precision, gradient clipping,
checkpoints, resuming and the progress bar are here, each off unless asked for.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_utils import checkpoints, distributed, runtime
from course_utils.checkpoints import RunFolder
from course_utils.plan import (
    PRECISIONS,
    Plan,
    check_loss,
    check_loss_arguments,
    ema_decay_at,
    expect,
)

# Reading a loss waits until an accelerator has caught up: there, this many are read at once.
_READ_TOGETHER = 25


class Glance(NamedTuple):
    """What a monitor sees of a run: the steps and seconds of training so far, the loss of each
    step, and the model, in eval mode and with its averaged weights."""

    step: int
    seconds: float
    losses: Sequence[float]
    model: nn.Module


class Trainer(ABC):
    """Trains ``self.model``, which :meth:`train` sets, on :meth:`get_train_loss`."""

    model: nn.Module

    @abstractmethod
    def get_train_loss(self, *args: Any, **kwargs: Any) -> Float[Tensor, ""]:
        """The loss of one random batch: one number that depends on ``self.model``."""

    def get_optimizer(self, model: nn.Module, lr: float) -> torch.optim.Optimizer:
        """Adam (Kingma and Ba 2015) with its default settings; override it for another one."""
        return torch.optim.Adam(model.parameters(), lr=lr)

    def train(
        self,
        model: nn.Module,
        num_steps: int,
        lr: float = 1e-3,
        warmup_steps: int = 0,
        ckpt_every: int = 0,
        run_name: str | None = None,
        *,
        resume: bool = True,
        ema_decay: float | None = None,
        accumulate: int = 1,
        precision: str = "float32",
        clip_norm: float | None = None,
        lr_schedule: str = "constant",
        monitor: Callable[[Glance], None] | None = None,
        monitor_every: int = 0,
        seed: int | None = None,
        run_dir: str | Path | None = None,
        **kwargs: Any,
    ) -> tuple[Float[np.ndarray, " steps"], Int[np.ndarray, " steps"]]:
        """Take optimizer steps until ``model`` has had ``num_steps``; return losses and steps.

        Args:
            model: trained in place, on the device where its parameters are. When this returns or
                raises it is in eval mode.
            num_steps: the steps of the whole run, those before a resume included.
            lr: the learning rate, reached after ``warmup_steps`` steps of linear growth.
            ckpt_every: steps between checkpoints. 0: none on the way.
            run_name: the run's folder is ``run_dir/run_name``. A run of that name is resumed from
                its last checkpoint, unless ``resume`` is False, and one is written at the end.
                None: a new run each time; it is given a folder and a readable name only where
                ``ckpt_every`` or an interrupt asks for a checkpoint.
            run_dir: None is :func:`runtime.runs_dir`, ``runs`` on most machines.
            ema_decay: such as 0.999. When this returns, ``model`` holds the exponential moving
                average of the weights, which samples better than the last weights do; those
                stay in the checkpoint. See :func:`ema_decay_at`.
            accumulate: batches to a step. Their gradients are averaged, so ``accumulate=4`` with
                ``batch_size=64`` steps like ``batch_size=256`` in a quarter of the memory.
            precision: "float32"; or "bfloat16" or (cuda only, with loss scaling) "float16", in
                which ``get_train_loss`` then runs where torch deems it safe (autocast).
            clip_norm: the gradient's largest L2 norm, over all parameters together.
            lr_schedule: "constant"; or "cosine", half a cosine from ``lr`` down to 0 at
                ``num_steps``, which a resumed run must then keep. See :func:`plan.cosine_factor`.
            monitor: called with a :class:`Glance` every ``monitor_every`` steps and after the
                last one. What it draws changes nothing.
            seed: set before a new run's first step. A resumed run goes on with the random
                numbers that it would have drawn.
            **kwargs: passed on to ``get_train_loss``, such as ``batch_size=250``.

        Returns:
            The loss before each step, and the steps' numbers 1, 2, ..., from the run's beginning.

        An interrupt (Ctrl-C, or the notebook's stop button) writes a checkpoint, says in one line
        how to go on, and returns what was reached. On the CPU a run that was interrupted or killed
        and then resumed ends with the same weights, bit for bit, as one that was not.

        Raises:
            ValueError: for bad arguments, for a loss that is not one number depending on the
                model, and for a run folder that holds another architecture, other settings, or
                only damaged checkpoints; nothing in it is changed then.
            FloatingPointError: where the loss becomes infinite or NaN, naming the step.
        """
        if not isinstance(model, nn.Module):
            raise ValueError(f"model is {model!r}; expected a torch.nn.Module, such as MLP(...).")
        expect(num_steps >= 1, "at least 1", num_steps=num_steps)
        expect(ckpt_every >= 0, "a number of steps, or 0 for none", ckpt_every=ckpt_every)
        decay_steps = num_steps if lr_schedule == "cosine" else None
        plan = Plan(
            *(float(lr), warmup_steps, ema_decay, accumulate, precision, clip_norm),
            *(lr_schedule, decay_steps),
        )
        root = runtime.runs_dir() if run_dir is None else run_dir
        folder = RunFolder(root, run_name, type(self).__name__, start_over=not resume)
        self.model = model
        try:
            with distributed.together(_device_of(model)):
                run = _Run(self, plan, kwargs)
                if monitor is not None:
                    run.watch(monitor, monitor_every)
                if not run.resume(folder, num_steps) and seed is not None:
                    runtime.set_seed(seed)
                run.go(num_steps, ckpt_every, folder)
        finally:
            self.model = model.eval()
        run.use_average()
        return np.asarray(run.losses, dtype=np.float64), np.arange(1, run.step + 1)


class _Run:
    """The state of one run: one step of it, and what a checkpoint holds."""

    def __init__(self, trainer: Trainer, plan: Plan, loss_arguments: dict[str, Any]) -> None:
        self.trainer, self.model, self.plan = trainer, trainer.model, plan
        self.loss_arguments = loss_arguments
        check_loss_arguments(trainer.get_train_loss, loss_arguments)
        self.parameters = dict(self.model.named_parameters())
        if not any(parameter.requires_grad for parameter in self.parameters.values()):
            raise ValueError(f"{type(self.model).__name__} has no parameters to train.")
        self.device = _device_of(self.model)
        if distributed.world_size() > 1:
            trainer.model = distributed.Shared(self.model)
        if plan.precision == "float16" and self.device.type != "cuda":
            raise ValueError(
                f"precision='float16' on {self.device.type}, but its loss scaling is for cuda. "
                "Use 'bfloat16' or 'float32'."
            )
        self.optimizer = trainer.get_optimizer(self.model, plan.lr)
        for group in self.optimizer.param_groups:
            group["initial_lr"] = group["lr"]  # what warmup leads up to
        self.scaler = _loss_scaler() if plan.precision == "float16" else None
        self.average: dict[str, Tensor] = {}
        if plan.ema_decay is not None:
            self.average = {name: p.detach().clone() for name, p in self.parameters.items()}
        self.losses: list[float] = []
        self.unread: list[Tensor] = []
        self.seconds = 0.0
        self.monitor: Callable[[Glance], None] | None = None
        self.monitor_every = 0

    @property
    def step(self) -> int:
        """How many steps the model has had."""
        return len(self.losses) + len(self.unread)

    def go(self, num_steps: int, ckpt_every: int, folder: RunFolder) -> None:
        """Steps up to ``num_steps``, with checkpoints and a bar; an interrupt ends them quietly."""
        if self.step >= num_steps:
            return
        self.remember()
        self.model.train()
        title = folder.name or type(self.trainer).__name__
        bar = runtime.progress(num_steps, title, initial=self.step)
        try:
            while self.step < num_steps:
                started = time.perf_counter()
                self.take_step()
                self.seconds += time.perf_counter() - started
                last = self.step == num_steps
                if last or self.device.type == "cpu" or len(self.unread) == _READ_TOGETHER:
                    self.read_losses()
                    bar.set_postfix_str(f"loss {self.losses[-1]:.4g}", refresh=False)
                bar.update()
                if self.monitor_every and (last or self.step % self.monitor_every == 0):
                    self.look()
                due = ckpt_every > 0 and (last or self.step % ckpt_every == 0)
                if due or (last and folder.name is not None):
                    self.save(folder)
        except KeyboardInterrupt:
            self.save_interrupted(folder, num_steps)
        finally:
            bar.close()
            self.optimizer.zero_grad(set_to_none=True)

    # ---------------------------------------------------------------------------------- one step

    def take_step(self) -> None:
        loss = self._gradients()
        with checkpoints.uninterrupted():  # half-updated weights could not be resumed from
            self._update()
            self.unread.append(loss)
            self.remember()

    def remember(self) -> None:
        """What a step changes before its update, to be put back where it is interrupted there."""
        self.rng = checkpoints.rng_state()
        self.buffers = [buffer.clone() for buffer in self.model.buffers()]

    def _gradients(self) -> Tensor:
        """Averaged over the step's batches; returns the loss averaged over them, detached."""
        self.optimizer.zero_grad(set_to_none=True)
        shares = []
        for _ in range(self.plan.accumulate):
            with self._autocast():
                loss = self.trainer.get_train_loss(**self.loss_arguments)
            check_loss(loss)
            if self.device.type == "cpu":  # where looking is free: before the weights are spoilt
                self._check_finite(loss.item(), self.step + 1)
            share = loss / self.plan.accumulate
            (share if self.scaler is None else self.scaler.scale(share)).backward()
            shares.append(share.detach())
        return torch.stack(shares).sum()

    def _autocast(self) -> AbstractContextManager[Any]:
        dtype = PRECISIONS[self.plan.precision]
        return torch.autocast(self.device.type, dtype=dtype) if dtype else nullcontext()

    def _update(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * self.plan.lr_factor(self.step)
        if self.plan.clip_norm is not None:
            if self.scaler is not None:
                self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.parameters.values(), self.plan.clip_norm)
        if self.scaler is None:
            self.optimizer.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        if self.plan.ema_decay is not None:
            weight = 1 - ema_decay_at(self.step, self.plan.ema_decay)
            for name, average in self.average.items():
                average.lerp_(self.parameters[name].detach(), weight)

    def read_losses(self) -> None:
        values = torch.stack(self.unread).tolist() if self.unread else []
        for step, value in enumerate(values, start=len(self.losses) + 1):
            self._check_finite(value, step)
        self.losses += values
        self.unread.clear()

    def _check_finite(self, loss: float, step: int) -> None:
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"The loss is {loss} at step {step}. Try a smaller lr (it is {self.plan.lr:g}), "
                "more warmup_steps, or clip_norm=1.0; and look for a division by zero in "
                "get_train_loss, at t = 0 or t = 1."
            )

    @torch.no_grad()
    def use_average(self) -> None:
        """Give the model the averaged weights, where there are any."""
        for name, average in self.average.items():
            self.parameters[name].copy_(average)

    # ----------------------------------------------------------------------------- on the way

    def watch(self, monitor: Callable[[Glance], None], every: int) -> None:
        expect(every >= 1, "at least 1 step between two calls of monitor", monitor_every=every)
        self.monitor, self.monitor_every = monitor, every

    def look(self) -> None:
        """Show the monitor the averaged weights; then everything is as before."""
        if self.monitor is None or not distributed.is_main():
            return
        self.read_losses()
        latest = {name: p.detach().clone() for name, p in self.parameters.items()}
        self.use_average()
        self.model.eval()
        try:
            self.monitor(Glance(self.step, self.seconds, self.losses, self.model))
        finally:
            with torch.no_grad():
                for name, value in latest.items():
                    self.parameters[name].copy_(value)
            self.model.train()
            checkpoints.restore_rng_state(self.rng)

    # ------------------------------------------------------------------------------- checkpoints

    def save(self, folder: RunFolder) -> bool:
        """Write a checkpoint; say so, and train on, where the disk does not let it."""
        self.read_losses()
        if not distributed.is_main():
            return True
        state = {
            "version": checkpoints.VERSION,
            "step": self.step,
            "seconds": self.seconds,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict() if self.scaler else {},
            "average": self.average,
            "losses": torch.tensor(self.losses, dtype=torch.float64),
            "rng": checkpoints.portable(self.rng),
            "architecture": checkpoints.architecture(self.model),
            "settings": self._settings(),
            "loss_code": checkpoints.code_of(self.trainer.get_train_loss),
        }
        try:
            folder.save(state, self.losses)
        except OSError as problem:
            print(
                f"Notice: the checkpoint of step {self.step} could not be written ({problem}). "
                "The one before it, if any, is untouched."
            )
            return False
        finally:
            # Whatever drew a number on the way: the next step must not depend on ckpt_every.
            checkpoints.restore_rng_state(self.rng)
        return True

    def save_interrupted(self, folder: RunFolder, num_steps: int) -> None:
        for buffer, before in zip(self.model.buffers(), self.buffers, strict=True):
            buffer.copy_(before)
        saved = self.save(folder)
        print(
            f"Interrupted after step {self.step} of {num_steps}."
            + f' To go on: train(..., run_name="{folder.name}", resume=True).' * saved
        )

    def resume(self, folder: RunFolder, num_steps: int) -> bool:
        """Take up the folder's last checkpoint, and say so; False where there is none."""
        state = folder.load()
        if state is None:
            return False
        run = f"Run {folder.path.as_posix()}"
        checkpoints.check_architecture(state["architecture"], self.model, run)
        checkpoints.check_settings(state["settings"], self._settings(), run)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.scaler is not None:
            self.scaler.load_state_dict(state["scaler"])
        for name, average in self.average.items():
            average.copy_(state["average"][name])
        self.losses = state["losses"].tolist()
        self.seconds = state.get("seconds", 0.0)
        checkpoints.restore_rng_state(state["rng"])
        if self.step < num_steps:
            print(f"{run} goes on after step {self.step} of {num_steps}.")
        else:
            print(f"{run} has had its {self.step} steps already; resume=False starts it over.")
        if state["loss_code"] != checkpoints.code_of(self.trainer.get_train_loss):
            print(
                "Notice: get_train_loss has been edited since this run began. Its first "
                f"{self.step} steps used the old one; resume=False starts it over."
            )
        return True

    def _settings(self) -> dict[str, Any]:
        """What must not change between the parts of a run, as plain values for the checkpoint."""
        plain = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in {**asdict(self.plan), **self.loss_arguments}.items()
            if value is None or isinstance(value, (bool, int, float, str, np.generic))
        }
        return {**plain, "optimizer": type(self.optimizer).__name__}


def _device_of(model: nn.Module) -> torch.device:
    parameter = next(model.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device


def _loss_scaler() -> Any:
    """torch's own for float16; it moved in torch 2.3."""
    home = torch.amp if hasattr(torch.amp, "GradScaler") else torch.cuda.amp
    return home.GradScaler()
