"""How much longer the whole ground floor of course_utils takes to import than torch alone.

Command: python benchmarks/import_time.py [ROUNDS]
Each import runs in a process of its own, the two in turn, so that both meet the same machine. On a
busy one two imports of torch already differ by more than the limit; so what course_utils adds is
also timed after torch within one process, and that is what the limit is held against.
"""

import os
import statistics
import subprocess
import sys
import time

LIMIT_SECONDS = 0.3
MODULES = (
    "runtime, shapes, distributions, paths, mnist, dynamics, checkpoints, training, evaluation"
)
TORCH_ALONE = "import torch"
COURSE = f"import course_utils; from course_utils import {MODULES}"
SCRIPT = "import time; s = time.perf_counter(); {}; print(time.perf_counter() - s)"


def import_seconds(statement: str, after: str = "pass") -> float:
    """Seconds that a fresh Python process needs for an import statement, after another one."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", f"{after}; {SCRIPT.format(statement)}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    started = time.perf_counter()
    import_seconds(COURSE)  # fills the disk cache; not counted
    alone, course, added = [], [], []
    for _ in range(rounds):
        alone.append(import_seconds(TORCH_ALONE))
        course.append(import_seconds(COURSE))
        added.append(import_seconds(COURSE, after=TORCH_ALONE))
    torch, total, extra = (statistics.median(seconds) for seconds in (alone, course, added))
    print(f"import torch         {torch:5.2f} s   (medians of {rounds})")
    print(f"import course_utils  {total:5.2f} s   with {MODULES}")
    print(f"ratio {total / torch:.2f}, difference {total - torch:+.2f} s")
    print(f"added after torch in one process: {extra:.2f} s, limit {LIMIT_SECONDS} s")
    print(f"[{time.perf_counter() - started:.0f} s]")
    if extra > LIMIT_SECONDS:
        sys.exit("course_utils takes too long to import: look for an import that should be lazy.")


if __name__ == "__main__":
    main()
