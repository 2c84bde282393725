"""Where and how much to compute: device, seed, budget, progress.

Settings come from the environment, so one notebook serves a laptop, Colab and a grader:

- ``COURSE_DEVICE``: ``cpu``, ``cuda``, ``cuda:1``, ``mps``. Default: the fastest one present.
- ``COURSE_BUDGET``: ``smoke`` (seconds), ``laptop`` (the default), ``full`` (a GPU).
- ``COURSE_RUNS``: the folder of training runs and their checkpoints. Default: ``runs``; on Colab
  the mounted Drive.
- ``COURSE_PROGRESS``: ``0`` no progress bars, ``1`` bars even under the smoke budget.
"""

from __future__ import annotations

import math
import os
import platform
import random
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol, TextIO, TypeVar, cast, get_args, runtime_checkable

import numpy as np
import torch

import course_utils

Budget = Literal["smoke", "laptop", "full"]
Precision = Literal["float32", "bfloat16"]
T = TypeVar("T")

DRIVE = Path("/content/drive/MyDrive")  # where Colab mounts it

_said: set[str] = set()


# ---------------------------------------------------------------------------------------- device


def device() -> torch.device:
    """The device to compute on: ``COURSE_DEVICE``, else cuda, mps or cpu, the first one present.

    Raises ValueError where ``COURSE_DEVICE`` names something unknown or absent.
    """
    wanted = os.environ.get("COURSE_DEVICE", "").strip().lower()
    chosen = _named_device(wanted) if wanted else torch.device(_present_devices()[0])
    if chosen.type == "mps":
        _watch_mps_fallback()
    return chosen


def _present_devices() -> list[str]:
    """Kinds of device on this machine, fastest first."""
    present = ["cuda"] if torch.cuda.is_available() else []
    present += ["mps"] if torch.backends.mps.is_available() else []
    return [*present, "cpu"]


def _named_device(name: str) -> torch.device:
    present = _present_devices()
    expected = f"COURSE_DEVICE={name!r}; expected one of {', '.join(present)} on this machine"
    advice = "change it, or unset it to let the course choose"
    kind, _, index = name.partition(":")
    if kind not in ("cuda", "mps", "cpu") or (":" in name and not index.isdecimal()):
        raise ValueError(f"Unknown device: {expected}. To mend it: {advice}.")
    if kind not in present:
        raise ValueError(f"This machine has no {kind}: {expected}. To mend it: {advice}.")
    devices = torch.cuda.device_count() if kind == "cuda" else 1
    if index and int(index) >= devices:
        raise ValueError(
            f"This machine has {devices} device(s) of kind {kind}, counted from 0: {expected}. "
            f"To mend it: {advice}."
        )
    return torch.device(name)


def _watch_mps_fallback() -> None:
    """Say once, on stdout, what torch would say on stderr at every operation that MPS lacks."""
    if course_utils.torch_was_first:
        _say_once(
            "Notice: torch was imported before course_utils, so operations that Apple's GPU lacks "
            "will fail. Restart the kernel and import course_utils first."
        )
    shown_before = warnings.showwarning
    if not getattr(shown_before, "watches_mps", False):
        warnings.showwarning = _without_mps_fallback(shown_before)


def _without_mps_fallback(show: Callable[..., None]) -> Callable[..., None]:
    def showwarning(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        text = str(message)
        if "MPS" in text and "fall back" in text:
            _say_once(
                "Notice: an operation is missing on Apple's GPU and runs on the CPU instead. "
                "Results are the same, a little slower."
            )
        else:
            show(message, category, filename, lineno, file, line)

    showwarning.watches_mps = True  # type: ignore[attr-defined]
    return showwarning


def _say_once(notice: str) -> None:
    if notice not in _said:
        _said.add(notice)
        print(notice)


def fast_precision(device: torch.device) -> Precision:
    """The precision in which ``device`` multiplies matrices faster, for ``Trainer.train``.

    Some processors have bfloat16 in hardware; others imitate it, up to a hundred times slower: a
    few milliseconds of trying tell.
    """
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    if device.type != "cpu":
        return "float32"
    seconds = {name: _matmul_seconds(getattr(torch, name)) for name in get_args(Precision)}
    return "bfloat16" if seconds["bfloat16"] < 0.8 * seconds["float32"] else "float32"


def _matmul_seconds(dtype: torch.dtype) -> float:
    a, b = torch.ones(512, 128, dtype=dtype), torch.ones(128, 512, dtype=dtype)
    best = math.inf
    for _ in range(5):
        started = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - started)
    return best


def machine(device: torch.device) -> str:
    """What a model card says of the machine: the processor and its cores, or the GPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    name = platform.processor() or platform.machine()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        name = named[0] if named else name
    return f"{os.cpu_count()} cores of {name}" + (" (GPU)" if device.type == "mps" else "")


# ---------------------------------------------------------------------------------- seed, budget


def set_seed(seed: int) -> None:
    """Seed every generator the course draws from: Python's, numpy's and torch's on all devices.

    Raises ValueError unless ``seed`` is in 0 ... 2³² − 1, the range that all of them accept.
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed={seed}; expected a whole number from 0 to 4294967295, such as 0.")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)  # cuda and mps too


def budget() -> Budget:
    """How much every training cell does, from ``COURSE_BUDGET``: smoke, laptop (default), full.

    Raises ValueError where it says anything else.
    """
    given = os.environ.get("COURSE_BUDGET", "").strip().lower() or "laptop"
    if given not in get_args(Budget):
        raise ValueError(
            f"COURSE_BUDGET={given!r}; expected smoke (seconds), laptop (minutes) or full (a GPU). "
            "Change it, or unset it for laptop."
        )
    return cast(Budget, given)


def by_budget(*, smoke: T, laptop: T, full: T) -> T:
    """The value that belongs to the current :func:`budget`."""
    return {"smoke": smoke, "laptop": laptop, "full": full}[budget()]


def in_colab() -> bool:
    """Whether this is a Google Colab runtime."""
    return "COLAB_RELEASE_TAG" in os.environ or "google.colab" in sys.modules


def runs_dir() -> Path:
    """Where training keeps its checkpoints: ``COURSE_RUNS``; on Colab the Drive that is mounted,
    since the machine itself is soon forgotten; else the folder ``runs``.
    """
    given = os.environ.get("COURSE_RUNS", "").strip()
    if given or not in_colab():
        return Path(given or "runs")
    if DRIVE.is_dir():
        return DRIVE / "generative-models" / "runs"
    _say_once(
        "Notice: when this Colab machine ends, its files are gone, checkpoints too. To keep them, "
        "mount your Drive first: from google.colab import drive; drive.mount('/content/drive')"
    )
    return Path("runs")


def setup(lab: str, seed: int = 0) -> torch.device:
    """Seed everything, say so in one line, and return the device to compute on.

    ``device = setup("cfg")`` stands in every lab. Device and budget were told by the first cell
    (``course_utils.start``). Raises ValueError as :func:`device`, :func:`budget` and
    :func:`set_seed` do.
    """
    chosen = device()
    budget()
    set_seed(seed)
    print(f"Lab {lab} · seed {seed} · torch {torch.__version__}")
    return chosen


# -------------------------------------------------------------------------------------- progress


@runtime_checkable
class ProgressBar(Protocol):
    """What :func:`progress` returns: iterate over it, or call ``update`` by hand."""

    def __iter__(self) -> Iterator[Any]: ...
    def update(self, n: int = 1) -> object: ...
    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None: ...
    def close(self) -> None: ...


class _Silent:
    """A progress bar that shows nothing, for graders and continuous integration."""

    def __init__(self, items: Iterable[Any]) -> None:
        self.items = items

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def update(self, n: int = 1) -> None:
        pass

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        pass

    def close(self) -> None:
        pass


def progress(
    iterable_or_total: Iterable[Any] | int,
    description: str,
    *,
    initial: int = 0,
    leave: bool = True,
) -> ProgressBar:
    """The package's one progress bar, with the time left: a widget in Jupyter, else on stdout.

    Give it something to iterate over, or a total (then it counts ``range(total)``; or call
    ``update``). It starts at ``initial``, and stays on the page when done unless ``leave`` is
    False. It shows nothing under the smoke budget or with ``COURSE_PROGRESS=0``; and never
    writes to stderr, which nbgrader would score as a failed test.
    """
    items = range(iterable_or_total) if isinstance(iterable_or_total, int) else iterable_or_total
    wish = os.environ.get("COURSE_PROGRESS", "").strip()
    if wish == "0" or (budget() == "smoke" and wish != "1"):
        return _Silent(items)
    if _has_widgets():
        from tqdm.notebook import tqdm
    else:
        from tqdm import tqdm

    class Bar(tqdm):
        monitor_interval = 0  # no helper thread: a process with one cannot be forked safely

    return cast(
        ProgressBar,
        Bar(
            items,
            desc=description,
            initial=initial,
            leave=leave,
            file=sys.stdout,
            mininterval=0.2,
            miniters=1,  # look at the clock every step, which is what the thread was for
            dynamic_ncols=True,
        ),
    )


def _has_widgets() -> bool:
    """Whether a notebook's kernel runs this and its front end can be sent a widget."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel") and find_spec("ipywidgets") is not None
