"""Seconds that nbval needs for every solution notebook under the smoke budget, without MNIST.

python benchmarks/notebooks.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    environment = os.environ | {"COURSE_BUDGET": "smoke", "COURSE_OFFLINE": "1"}
    environment.pop("COURSE_DATA", None)
    notebooks = sorted(ROOT.glob("solutions/*/*.ipynb"))
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "-p", "no:cacheprovider"]
    options = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", "120"]
    started = time.perf_counter()
    subprocess.run([*command, *options, *map(str, notebooks)], env=environment, check=True)
    seconds = time.perf_counter() - started
    print(f"nbval over {len(notebooks)} solution notebooks, one after another: {seconds:.0f} s")


if __name__ == "__main__":
    main()
