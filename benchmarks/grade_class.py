"""Grading: isolated submissions a minute and a core, beside plain `nbgrader autograde`.

    python benchmarks/grade_class.py               # a quarter of an hour
    python benchmarks/grade_class.py --no-baseline  # ours alone

The class is the example class of `make demo`, twice: complete, half-done, mistaken and untouched
submissions of every lab. Both graders see the same files, one after the other, in one run.
The last lines simulate a large class from the seconds that were measured.
"""

from __future__ import annotations

import argparse
import heapq
import logging
import os
import random
import shutil
import tempfile
import threading
import time
from pathlib import Path

import psutil

from grading.classroom import find, lab_settings, open_class
from grading.demo import STORIES, hold_class
from grading.engine import Options, Result
from grading.many import Task, grade_many
from grading.release import nbgrader_config

ROOT = Path(__file__).parents[1]
STUDENTS = tuple(name for name in STORIES if name != "damaged")
BASELINE = "complete"
BUDGETS = ("smoke", "laptop")  # what our engine sets, and what a notebook takes if nobody says
CLASS, LABS, CORES = 1400, 5, (16, 64)


class MemoryWatch(threading.Thread):
    """The largest private memory that any kernel in a box had, looked at a few times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.largest, self.done = 0, threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.2):
            for pid in _boxed():
                self.largest = max(self.largest, _private(pid))


def _boxed() -> list[int]:
    """Processes of this machine that are the second of a PID namespace: the kernels."""
    found = []
    for pid in psutil.pids():
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            continue
        spaces = next((line.split()[1:] for line in lines if line.startswith("NSpid:")), [])
        if len(spaces) > 1 and spaces[-1] == "2":
            found.append(pid)
    return found


def _private(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    lines = (line.split() for line in text.splitlines() if line.startswith("Private_"))
    return 1024 * sum(int(words[1]) for words in lines)


def ours(
    tasks: list[Task], workers: int, options: Options
) -> tuple[float, float, dict[Path, Result]]:
    """Seconds in all, submissions a minute once every worker has started, and the results."""
    started = time.perf_counter()
    found, times = {}, []
    for done in grade_many(tasks, workers, options):
        found[done.task.path] = done.result
        times.append(time.perf_counter() - started)
    steady = times[-1] - times[workers - 1]
    return times[-1], 60 * (len(tasks) - workers) / steady if steady else 0.0, found


def baseline(place: Path, labs: list[str], budget: str) -> tuple[float, dict[str, float]]:
    """Seconds and scores of `nbgrader autograde` for one student, called as a library."""
    from nbgrader.api import Gradebook
    from nbgrader.apps import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    config = nbgrader_config(place)
    config.CourseDirectory.root = str(place)
    config.CourseDirectory.db_url = url = f"sqlite:///{place}/plain.db"
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    for lab in labs:
        assert api.generate_assignment(lab, force=True)["success"]
    logging.disable(logging.WARNING)  # what each of its kernels says of itself
    os.environ["COURSE_BUDGET"] = budget
    started = time.perf_counter()
    for lab in labs:
        assert api.autograde(lab, BASELINE, force=True)["success"]
    seconds = time.perf_counter() - started
    with Gradebook(url) as book:
        found = {
            lab: sum(
                g.auto_score or 0 for g in book.find_submission_notebook(lab, lab, BASELINE).grades
            )
            for lab in labs
        }
    return seconds, found


def simulate(seconds: dict[str, list[float]], cores: int, seed: int = 0) -> float:
    """Hours for the whole class: each core takes the next submission when it is free."""
    stream = random.Random(seed)
    free = [0.0] * cores
    heapq.heapify(free)
    for lab in seconds:
        for _ in range(CLASS):
            heapq.heappush(free, heapq.heappop(free) + stream.choice(seconds[lab]))
    return max(free) / 3600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-baseline", action="store_true")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    chosen = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="bench-grading-"))
    labs = hold_class(ROOT, place)
    course = open_class(place, place / "submitted", labs)
    found = [find(course.submissions, one, lab) for lab in labs for one in 2 * STUDENTS]
    tasks = [Task(f.student, f.lab, f.path, course.masters[f.lab]) for f in found if f.path]
    options = Options(course=lab_settings(ROOT))
    watch = MemoryWatch()
    watch.start()
    seconds: dict[str, list[float]] = {lab: [] for lab in labs}
    first = 0.0
    for workers in chosen.workers:
        wall, rate, results = ours(tasks, workers, options)
        first = first or rate / workers
        cores = min(workers, os.cpu_count() or 1)
        print(
            f"{workers} workers on {cores} cores: {len(tasks)} submissions in {wall:.0f} s with the"
            f" start; then {rate:.1f} a minute, {rate / cores:.1f} a core, efficiency"
            f" {rate / cores / first:.0%}", flush=True,
        )  # fmt: skip
        if workers == chosen.workers[0]:
            for task in tasks:
                seconds[task.lab].append(results[task.path].seconds)
            for lab, each in seconds.items():
                told = ", ".join(f"{s} {x:.1f}" for s, x in zip(2 * STUDENTS, each, strict=True))
                print(f"  seconds of {lab}: {told}")
    watch.done.set()
    print(f"largest private memory of a kernel: {watch.largest / 2**20:.0f} MB")
    for cores in CORES if chosen.workers else ():
        minutes = 60 * simulate(seconds, cores)
        print(f"simulated: {CLASS} students x {LABS} labs on {cores} cores: {minutes:.0f} min")
    if not chosen.no_baseline:
        mine = list({task.path: task for task in tasks if task.student == BASELINE}.values())
        wall, _, results = ours(mine, 1, options)
        for budget in BUDGETS:
            theirs, scores = baseline(place, labs, budget)
            same = all(results[t.path].score == scores[t.lab] for t in mine)
            print(
                f"one after another, {len(mine)} complete submissions: ours {wall:.0f} s, nbgrader"
                f" autograde on the budget {budget} {theirs:.0f} s: {theirs / wall:.1f} times;"
                f" scores {'agree' if same else 'DIFFER'}: {scores}", flush=True,
            )  # fmt: skip
    shutil.rmtree(place)


if __name__ == "__main__":
    main()
