"""What a training run leaves on disk, and how it is found again.

A run is a folder, ``runs/<name>/``, with ``checkpoint.pt`` (everything needed to go on, readable
with ``torch.load(weights_only=True)``), ``previous.pt`` (the one before it) and ``losses.csv``.

Every file is written under a temporary name and then renamed, so a run that is killed at any moment
leaves a whole checkpoint behind: the new one or the last one.
"""

from __future__ import annotations

import hashlib
import inspect
import io
import os
import random
import re
import secrets
import signal
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

VERSION = 1
_AN_HOUR = 3600.0
# A name that is a valid folder on Linux, macOS and Windows, and that stays inside ``runs``.
_NAME = re.compile(r"\w([\w .+=@-]*[\w+=@-])?")


class RunFolder:
    """The folder of one run: ``root / name``, or where ``name`` is None a new one with a name
    such as ``cfg-trainer-2026-11-22-1405``, chosen and made when something is first saved.

    With ``start_over``, what an earlier run left there counts as absent, and is replaced when
    something is first saved. Raises ValueError where ``name`` cannot name a folder.
    """

    def __init__(
        self, root: str | Path, name: str | None, kind: str = "Run", start_over: bool = False
    ) -> None:
        if name is not None and not _NAME.fullmatch(name):
            raise ValueError(
                f"run_name={name!r}; expected the name of a folder, of letters, digits, dashes "
                "and dots, such as 'unet-small'."
            )
        self.root, self.name, self.kind, self.start_over = Path(root), name, kind, start_over
        self.mark, self.marked = secrets.token_hex(8), False

    @property
    def path(self) -> Path:
        """``root / name``. Raises ValueError while an unnamed run has not saved anything."""
        if self.name is None:
            raise ValueError("This run has no name until something is saved.")
        return self.root / self.name

    def save(self, state: Mapping[str, Any], losses: Sequence[float]) -> None:
        """Write ``checkpoint.pt`` and ``losses.csv``; the last checkpoint becomes ``previous.pt``.

        Raises OSError where the disk is full or not writable; what was there before is then
        untouched. So it is where another notebook began to save the same run.
        """
        with uninterrupted():
            self._save(state, losses)

    def _save(self, state: Mapping[str, Any], losses: Sequence[float]) -> None:
        self._make()
        self._claim()
        latest, previous = self.path / "checkpoint.pt", self.path / "previous.pt"
        # By way of memory: of a full disk, torch would only say "unexpected pos 73920 vs 73808".
        whole = io.BytesIO()
        torch.save(dict(state), whole)
        fresh = write_beside(latest, whole.getbuffer())
        if self.start_over:
            previous.unlink(missing_ok=True)
            self.start_over = False
        elif latest.exists():
            # Killed between these two renames, a run still has ``previous.pt``: load() knows.
            latest.replace(previous)
        fresh.replace(latest)
        table = self.path / "losses.csv"
        rows = "".join(f"{step},{loss!r}\n" for step, loss in enumerate(losses, start=1))
        text = f"step,loss\n{rows}".encode()
        write_beside(table, text).replace(table)

    def _claim(self) -> None:
        """Leave a mark, and look for that of another: two notebooks would undo each other's steps.

        The last to begin keeps the run. A clock would be simpler, but a mounted Drive has its own.
        """
        writer = self.path / ".writer"
        if self.marked and writer.exists() and writer.read_text() != self.mark:
            raise OSError(
                f"another notebook trains the run {self.name}, too: stop one of the two, or give "
                "this one another run_name"
            )
        if not self.marked:
            text = self.mark.encode()
            write_beside(writer, text).replace(writer)
            self.marked = True
            for half in self.path.glob("*.tmp"):
                if time.time() - half.stat().st_mtime > _AN_HOUR:
                    half.unlink(missing_ok=True)  # of a program that was killed

    def load(self) -> dict[str, Any] | None:
        """The last checkpoint, on the CPU; None where the run has none.

        A damaged one is set aside as ``damaged.pt``, said in one line on stdout, and the previous
        one is loaded. Raises ValueError, and changes nothing, where no readable one is left.
        """
        if self.name is None or self.start_over:
            return None
        latest, previous = self.path / "checkpoint.pt", self.path / "previous.pt"
        problems: list[str] = []
        for path in (latest, previous):
            if not path.exists():
                continue
            try:
                state = read_checkpoint(path)
            except ValueError as problem:
                problems.append(str(problem))
                continue
            if problems:
                latest.replace(self.path / "damaged.pt")
                print(
                    f"Notice: {problems[0]} It is now called damaged.pt, and the run goes back "
                    f"to the checkpoint before it, of step {state['step']}."
                )
            return state
        if problems:
            raise ValueError(
                f"{' '.join(problems)} No other checkpoint is left to go back to; nothing was "
                "changed. Start over with resume=False, or choose another run_name."
            )
        return None

    def _make(self) -> None:
        if self.name is not None:
            self.path.mkdir(parents=True, exist_ok=True)
            return
        self.root.mkdir(parents=True, exist_ok=True)
        name = f"{_dashed(self.kind)}-{datetime.now():%Y-%m-%d-%H%M}"
        for attempt in range(1, 1000):
            unique = name if attempt == 1 else f"{name}-{attempt}"
            try:
                (self.root / unique).mkdir()
            except FileExistsError:
                continue
            self.name = unique
            return
        raise OSError(f"{self.root} already has 999 runs called {name}; remove some of them.")


def _dashed(name: str) -> str:
    """``CFGTrainer`` → ``cfg-trainer``."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name)
    return parts.strip("_").lower()


def write_beside(path: Path, content: bytes | memoryview) -> Path:
    """A finished file next to ``path``, ready to be renamed.

    Raises OSError, and then leaves nothing.
    """
    # Of two notebooks that write the same file at once, neither may spoil the other's half.
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # or a power cut could rename it before its bytes arrive
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """The checkpoint at ``path``, on the CPU, read without running any code that it may hold.

    Raises ValueError, naming the file, where it is cut off, changed on disk, or something else.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:  # torch.load verifies no checksums
            broken = archive.testzip()
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as problem:
        reason = str(problem).partition("\n")[0].rstrip(".")
        raise ValueError(f"The checkpoint {path} is damaged ({reason}).") from problem
    if broken:
        raise ValueError(f"The checkpoint {path} is damaged (wrong checksum of {broken}).")
    if not isinstance(state, dict) or state.get("version") != VERSION:
        raise ValueError(f"{path} is not a checkpoint that this version of the course has written.")
    return state


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold an interrupt (SIGINT) back until the block is done."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is None or threading.current_thread() is not threading.main_thread():
        yield  # Python delivers interrupts to the main thread only
        return
    held: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if held:
        signal.raise_signal(signal.SIGINT)


# ---------------------------------------------------------------------------------- fingerprints


def architecture(model: nn.Module) -> dict[str, list[int]]:
    """Names and shapes of the model's parameters and buffers: what a checkpoint must agree with."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return {name: list(tensor.shape) for name, tensor in tensors}


def check_architecture(saved: Mapping[str, list[int]], model: nn.Module, where: str) -> None:
    """Raise ValueError, naming the first differences, unless ``saved`` is ``model``'s own."""
    mine = architecture(model)
    if saved == mine:
        return

    def shape(of: Mapping[str, list[int]], name: str) -> str:
        return f"shape {tuple(of[name])}" if name in of else "absent"

    differing = [name for name in {**mine, **saved} if saved.get(name) != mine.get(name)]
    shown = "; ".join(
        f"{name} is {shape(saved, name)} there and {shape(mine, name)} in the model given"
        for name in differing[:3]
    )
    more = f"; and {len(differing) - 3} more" if len(differing) > 3 else ""
    raise ValueError(
        f"{where} holds another architecture: {shown}{more}. Build the model as it was, choose "
        "another run_name, or start over with resume=False."
    )


def check_settings(saved: Mapping[str, Any], mine: Mapping[str, Any], where: str) -> None:
    """Raise ValueError, naming every difference, unless both runs would take the same steps."""
    differing = [name for name in {**saved, **mine} if saved.get(name) != mine.get(name)]
    if differing:
        before = ", ".join(f"{name}={saved.get(name)!r}" for name in differing)
        now = ", ".join(f"{name}={mine.get(name)!r}" for name in differing)
        raise ValueError(
            f"{where} was begun with {before}; this call says {now}. Go on with the values it was "
            "begun with, choose another run_name, or start over with resume=False."
        )


def code_of(function: Callable[..., object]) -> str:
    """A fingerprint of a function's source, "" where it has none: has it been edited since?"""
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        return ""
    return hashlib.sha256(source.encode()).hexdigest()


# -------------------------------------------------------------------------------- random numbers


def rng_state() -> dict[str, Any]:
    """The states of all random generators that a loss may draw from, on every device.

    Cheap enough for every step (about 0.1 ms); :func:`portable` makes it fit for a checkpoint.
    """
    state: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "cpu": torch.get_rng_state(),
    }
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        state["cuda"] = torch.cuda.get_rng_state_all()
    if torch.backends.mps.is_available():
        state["mps"] = torch.mps.get_rng_state()
    return state


def portable(state: Mapping[str, Any]) -> dict[str, Any]:
    """The same with numpy's state as plain numbers: weights_only loading admits no arrays."""
    kind, keys, position, has_gauss, gauss = state["numpy"]
    return {**state, "numpy": (kind, torch.tensor(keys.tolist()), position, has_gauss, gauss)}


def restore_rng_state(state: Mapping[str, Any]) -> None:
    """Put every generator back, as far as this machine has the devices of the one that saved."""
    random.setstate(state["python"])
    kind, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((kind, np.asarray(keys, dtype=np.uint32), position, has_gauss, gauss))
    torch.set_rng_state(state["cpu"])
    if "cuda" in state and torch.cuda.is_available():
        for index, saved in enumerate(state["cuda"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(saved, index)
    if "mps" in state and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["mps"])
