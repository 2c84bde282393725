"""Seconds that nbval needs for the solution notebooks, one after another.

    python benchmarks/notebooks.py                              # all, smoke budget
    python benchmarks/notebooks.py classifier_guidance --budget laptop

The smoke budget takes the embedded digits; the laptop budget takes MNIST, if COURSE_DATA has it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CELL_SECONDS = {"smoke": "120", "laptop": "1200"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labs", nargs="*", metavar="LAB", help="such as unet (default: all)")
    parser.add_argument("--budget", choices=CELL_SECONDS, default="smoke")
    chosen = parser.parse_args()
    environment = os.environ | {"COURSE_BUDGET": chosen.budget, "COURSE_OFFLINE": "1"}
    if chosen.budget == "smoke":
        environment.pop("COURSE_DATA", None)
    labs = chosen.labs or sorted(path.stem for path in ROOT.glob("solutions/*/*.ipynb"))
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "-p", "no:cacheprovider"]
    options = ["--nbval-lax", "--nbval-current-env"]
    options += ["--nbval-cell-timeout", CELL_SECONDS[chosen.budget]]
    first = time.perf_counter()
    for lab in labs:
        started = time.perf_counter()
        path = ROOT / "solutions" / lab / f"{lab}.ipynb"
        subprocess.run([*command, *options, str(path)], env=environment, check=True)
        print(f"{lab}, {chosen.budget} budget: {time.perf_counter() - started:.0f} s", flush=True)
    print(f"{len(labs)} notebooks, one after another: {time.perf_counter() - first:.0f} s")


if __name__ == "__main__":
    main()
