"""What a training run shows of itself on the way: samples, their accuracy, and the loss."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_utils import evaluation, guidance
from course_utils.checkpoints import write_beside
from course_utils.runtime import by_budget
from course_utils.training import Glance

NULL_LABEL = 10
SCALE = 2.0
COLUMNS = ("step", "seconds", "accuracy")

# Strips of digits that no disk would take, by folder and step: a lab draws them all the same.
_unwritten: dict[Path, dict[int, np.ndarray]] = {}


def guided(net: nn.Module, labels: Int[Tensor, " n"]) -> Float[Tensor, "n 1 h w"]:
    """Images by the velocity ``net(x, t, y)`` at guidance scale 2, always from the same noise."""
    return guidance.generate(net, labels, SCALE, null_label=NULL_LABEL, num_steps=5)


class RunMonitor:
    """Called by a trainer every few steps; see :meth:`course_utils.training.Trainer.train`.

    It has ``draw(model, labels)`` draw ten digits of each class; writes the first of each as
    ``samples/<step>.png``; and appends the accuracy with which the digit classifier reads all of
    them to ``metrics.csv``. Where these cannot be written, it says so once, and training goes on;
    :meth:`samples` finds the pictures in memory then.
    """

    def __init__(
        self,
        folder: Path,
        tensorboard: bool = False,
        fresh: bool = False,
        draw: Callable[[nn.Module, Tensor], Tensor] = guided,
    ) -> None:
        self.folder, self.draw = folder, draw
        self.complained = False
        if fresh:
            _unwritten.pop(folder.resolve(), None)
            shutil.rmtree(folder / "samples", ignore_errors=True)
            with suppress(OSError):
                (folder / "metrics.csv").unlink()
        self.writer = _event_writer(folder) if tensorboard else None
        self.told = 0  # the last step whose loss TensorBoard knows

    def __call__(self, seen: Glance) -> None:
        """Record samples of the model as it is now."""
        labels = torch.arange(10).repeat(by_budget(smoke=1, laptop=10, full=10))
        images = self.draw(seen.model, labels).cpu()
        right = float((evaluation.describe(images)[1] == labels).double().mean())
        strip = _strip(images[:10])
        if not self._kept(lambda: self._picture(seen.step, strip)):
            _unwritten.setdefault(self.folder.resolve(), {})[seen.step] = strip
        self._kept(lambda: self._append(seen.step, seen.seconds, right))
        if self.writer is not None:
            self._tell_tensorboard(self.writer, seen, images[:10], right)

    def _kept(self, write: Callable[[], None]) -> bool:
        """Whether a file could be written; training does not stop where none can."""
        try:
            write()
        except OSError as problem:
            if not self.complained:
                print(f"Notice: samples of this run cannot be kept on disk ({problem}).")
            self.complained = True
            return False
        return True

    def _picture(self, step: int, strip: np.ndarray) -> None:
        """The ten digits side by side, as ``samples/<step>.png``."""
        from PIL import Image

        png = io.BytesIO()
        Image.fromarray(strip).save(png, "PNG")
        _write(self.folder / "samples" / f"{step:07d}.png", png.getvalue())

    def _append(self, step: int, seconds: float, accuracy: float) -> None:
        """One row more; those of steps that a resumed run takes again give way."""
        table = self.folder / "metrics.csv"
        rows = []
        if table.exists():
            with table.open(newline="") as file:
                rows = list(csv.reader(file))[1:]
        rows = [row for row in rows if int(row[0]) < step]
        rows.append([str(step), f"{seconds:.1f}", f"{accuracy:.3f}"])
        text = io.StringIO(newline="")
        csv.writer(text).writerows([COLUMNS, *rows])
        _write(table, text.getvalue().encode())

    def _tell_tensorboard(self, writer: Any, seen: Glance, images: Tensor, accuracy: float) -> None:
        for step in range(self.told + 1, seen.step + 1):
            writer.add_scalar("loss", seen.losses[step - 1], step)
        self.told = seen.step
        writer.add_scalar("accuracy of samples", accuracy, seen.step)
        writer.add_images("samples", (images + 1) / 2, seen.step)

    def close(self) -> None:
        """Write what is still in memory."""
        if self.writer is not None:
            self.writer.close()

    @staticmethod
    def samples(folder: Path) -> dict[str, Float[Tensor, "n 1 h w"]]:
        """The recorded pictures by step, ``{"step 100": ten images in [-1, 1]}``.

        Raises:
            ValueError: there are none.
        """
        from PIL import Image

        pictures = (folder / "samples").glob("*.png")
        strips = {int(path.stem): np.array(Image.open(path).convert("L")) for path in pictures}
        strips |= _unwritten.get(folder.resolve(), {})
        if not strips:
            raise ValueError(f"{folder} has no samples; expected those of a run that was trained.")
        rows = {}
        for step in sorted(strips):
            strip = torch.from_numpy(strips[step]).float() / 127.5 - 1
            rows[f"step {step:,}"] = torch.stack(strip.chunk(10, dim=-1))[:, None]
        return rows


def _strip(images: Float[Tensor, "n 1 h w"]) -> np.ndarray:
    """Images in [-1, 1] side by side, as bytes."""
    side_by_side = torch.cat([image[0] for image in images.clamp(-1, 1)], dim=1)
    return np.asarray(((side_by_side + 1) * 127.5).round().to(torch.uint8))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_beside(path, content).replace(path)


def _event_writer(folder: Path) -> Any:
    """TensorBoard's writer. Raises ValueError where the package is missing."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ValueError(
            "tensorboard=True, but the package tensorboard is not installed: "
            "`pip install tensorboard`, or leave it out: metrics.csv holds the same numbers."
        ) from None
    return SummaryWriter(str(folder))
