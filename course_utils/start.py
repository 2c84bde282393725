"""The end of each notebook's first cell: is all there that the lab needs, and where does it run?

The cell has found this package, or fetched it. What is small and missing is installed here; torch
and what belongs to it never are: whoever has a torch keeps it.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

SMALL = {
    "einops": ("einops>=0.7",),
    "jaxtyping": ("jaxtyping>=0.2.25", "wadler-lindig"),
    "safetensors": ("safetensors>=0.4",),
    "tqdm": ("tqdm>=4.65",),
}
"""What may be fetched without the packages that it asks for, by the name that is imported."""

LARGE = {
    "IPython": "ipython",
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "seaborn": "seaborn",
    "torch": "torch",
    "torchvision": "torchvision",
}
"""What must be there already, by the name that is imported."""

TORCH = (2, 2)

_ADVICE = (
    "\nNotice: this machine has an NVIDIA GPU, but its torch was built for the CPU alone. All "
    "works, slowly; https://pytorch.org/get-started shows how to install a torch that uses the GPU."
)


class SetupError(Exception):
    """The lab cannot begin. Jupyter shows the one sentence and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def start(lab: str, how: str, began: float, target: str | Path | None = None) -> None:
    """Say in one line that the lab can begin, and on what.

    Args:
        lab: its name.
        how: what the cell did, such as "course_utils found in ../..".
        began: ``time.perf_counter()`` when the cell began.
        target: the folder into which the course was fetched; small packages go there, too.
            Default: pip's own place.

    Raises:
        SetupError: a package is missing and cannot be fetched, torch is too old or does not
            start, or a setting (``COURSE_DEVICE``, ``COURSE_BUDGET``) makes no sense.
    """
    missing = [name for name in LARGE if find_spec(name) is None]
    if missing:
        names = " ".join(LARGE[name] for name in missing)
        raise SetupError(
            f"This Python ({sys.executable}) lacks {names.replace(' ', ', ')}. Install what "
            f"requirements.txt names, or run `pip install {names}` in a terminal; then restart the "
            "kernel and run this cell again."
        )
    _check_torch()
    _find_room_for_matplotlib()
    wanted = [one for name, these in SMALL.items() if find_spec(name) is None for one in these]
    if wanted:
        _fetch(wanted, target)
        how += f", and fetched {', '.join(re.split('[>=]', one)[0] for one in wanted)}"
    seconds = time.perf_counter() - began
    print(f"Lab {lab} is ready: {how} ({seconds:.1f} s) · {_machine()}")


def _check_torch() -> None:
    try:
        version = metadata.version("torch")
    except metadata.PackageNotFoundError:  # built by hand: nobody knows
        return
    numbers = tuple(int(digits) for digits in re.findall(r"\d+", version)[:2])
    if numbers < TORCH:
        least = ".".join(map(str, TORCH))
        raise SetupError(
            f"torch is {version} here, and the course needs {least} or newer: run "
            "`pip install --upgrade torch torchvision` in a terminal, or choose a kernel with a "
            "newer torch; then run this cell again."
        )


def _find_room_for_matplotlib() -> None:
    """Where the home folder cannot be written, matplotlib would complain at length on stderr."""
    if "MPLCONFIGDIR" in os.environ:
        return
    try:
        for name, usual in (("XDG_CONFIG_HOME", "~/.config"), ("XDG_CACHE_HOME", "~/.cache")):
            folder = Path(os.environ.get(name) or usual, "matplotlib").expanduser()
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
    except (OSError, RuntimeError):  # RuntimeError: nobody knows where the home folder is
        os.environ["MPLCONFIGDIR"] = tempfile.mkdtemp(prefix="matplotlib-")


def _fetch(wanted: Sequence[str], target: str | Path | None) -> None:
    place = [] if target is None else ["--target", str(target)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", *place, *wanted]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        names = " ".join(f"'{one}'" for one in wanted)
        raise SetupError(
            f"pip could not fetch {names} ({_last_line(done.stderr)}). Is there a network? If so, "
            f"run `pip install {names}` in a terminal; then run this cell again."
        )
    importlib.invalidate_caches()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("ERROR: ") if lines else "it did not say why"


def _is_blind_to_a_gpu() -> bool:
    import torch

    built_without = torch.version.cuda is None and torch.version.hip is None
    return built_without and sys.platform != "darwin" and shutil.which("nvidia-smi") is not None


def _machine() -> str:
    """Device and budget. This imports torch, on which the next cells would wait all the same."""
    try:
        from course_utils import runtime

        told = f"device {runtime.device()} · budget {runtime.budget()}"
        return told + (_ADVICE if _is_blind_to_a_gpu() else "")
    except ValueError as problem:
        raise SetupError(str(problem)) from None
    except (ImportError, OSError, RuntimeError, AttributeError) as problem:
        reason = str(problem).partition("\n")[0]
        raise SetupError(
            f"torch is installed, but does not start here ({type(problem).__name__}: {reason}). "
            "Install torch and torchvision again, both from the same place; then restart the "
            "kernel."
        ) from None
