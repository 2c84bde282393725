"""Hand a hostile submission to a grader, and look for what it got away with.

A grader is any function from a submission's bytes to a `Graded`; `ChildGrader` runs the engine in
a process of its own, so that an attack that reaches its grader ends that one and not the harness.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from plants import LAB, ROOT, Plants, word
from submissions import ATTACK_CELL, Attack, submission

from grading.demo import fill_in, jobs_of
from grading.notebooks import notebook_text, read_notebook

MIB = 2**20
# Smaller than a class gets: what an attack may take of this machine while it is tried.
LIMITS = {
    "cell_seconds": 20,
    "interrupt_seconds": 4,
    "wall_seconds": 100,
    "cell_characters": 1_000_000,
    "cell_lines": 1_000,
    "total_characters": 20_000_000,
    "memory_bytes": 2048 * MIB,
    "processes": 128,
    "file_bytes": 128 * MIB,
    "scratch_bytes": 256 * MIB,
    "cpu_seconds": 200,
}
START_SECONDS = 240
PATIENCE = LIMITS["wall_seconds"] + LIMITS["cell_seconds"] + 60
SETTLE_SECONDS = 5
MOST_RESULT_BYTES = 30_000_000
MOST_GRADER_GROWTH = 1024 * MIB
ALIAS = "hostile"
# Errors that say that an attack is mistaken, not that it was refused.
FAULTS = ("SyntaxError", "IndentationError", "NameError", "UnboundLocalError", "AttributeError")
FAULTS = (*FAULTS, "TypeError", "ImportError", "ModuleNotFoundError", "KeyError", "IndexError")

Cells = tuple[tuple[str, float | None], ...]


@dataclass(frozen=True)
class Graded:
    """A grader's result.

    cells : the scores by cell. told : all that it says beside the notebook. in_force : what held
    the submission in.
    """

    status: str
    score: float
    notebook: bytes
    cells: Cells = ()
    told: str = ""
    in_force: tuple[str, ...] = ()


class GraderEndedError(Exception):
    """The grader died, or gave no answer in time."""


@dataclass
class Outcome:
    """What became of one attack: every success it had, in words; none is as it should be."""

    attack: Attack
    hits: list[str] = field(default_factory=list)
    status: str = "–"
    score: float = 0.0
    seconds: float = 0.0
    megabytes: float = 0.0

    def __str__(self) -> str:
        return f"{self.attack.name} ({self.attack.aim}): {'; '.join(self.hits) or 'nothing'}"


# ---------------------------------------------------------------- the grader as a process


class ChildGrader:
    """The engine in a process of its own, started when it is first needed."""

    def __init__(self, plants: Plants) -> None:
        self._plants = plants
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()
        self.most_bytes = 0  # the process's own memory, at its largest

    def __call__(self, data: bytes) -> Graded:
        """Grade a submission.

        Raises `GraderEndedError` where the grader dies or is silent for `PATIENCE` seconds.
        """
        process = self._started()
        self.most_bytes = 0
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps({"submission": base64.b64encode(data).decode()}) + "\n")
            process.stdin.flush()
        except OSError:
            self.close()
            raise GraderEndedError("the grader was dead already") from None
        answer = self._wait(process, PATIENCE)
        return Graded(
            answer["status"],
            answer["score"] or 0.0,
            base64.b64decode(answer["notebook"]),
            tuple((name, score) for name, score in answer["cells"]),
            answer["told"],
            tuple(answer["in_force"]),
        )

    def family(self) -> list[psutil.Process]:
        """Everything that runs below the grader."""
        if self._process is None:
            return []
        with contextlib.suppress(psutil.Error):
            return psutil.Process(self._process.pid).children(recursive=True)
        return []

    def close(self) -> None:
        """End the grader and what it left running."""
        if self._process is not None:
            doomed = self.family()
            self._process.kill()
            self._process.wait()
            for process in doomed:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
        self._process = None

    def _started(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        plants, self._answers = self._plants, queue.Queue()
        settings = {"course": str(plants.course), "lab": LAB, "limits": LIMITS}
        secret = plants.words.setdefault("grader's command line", word())
        self._process = process = subprocess.Popen(
            [
                sys.executable,
                str(Path(__file__).with_name("child.py")),
                json.dumps(settings),
                secret,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=self._environment(),
        )
        threading.Thread(target=self._read, args=(process, self._answers), daemon=True).start()
        self._wait(process, START_SECONDS)
        return process

    def _environment(self) -> dict[str, str]:
        secret = self._plants.words.setdefault("grader's environment", word())
        planted = {"HOSTILE_WORD": secret, "PGPASSWORD": secret, "HOME": str(self._plants.home)}
        fonts = os.environ.get("MPLCONFIGDIR", str(Path.home() / ".cache/matplotlib"))
        folders = {"TMPDIR": str(self._plants.temporary), "MPLCONFIGDIR": fonts}
        return dict(os.environ) | planted | folders | {"PYTHONPATH": str(ROOT)}

    @staticmethod
    def _read(process: subprocess.Popen[str], answers: queue.Queue[str]) -> None:
        assert process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            for line in process.stdout:
                answers.put(line)
        answers.put("")

    def _wait(self, process: subprocess.Popen[str], seconds: float) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                line = self._answers.get(timeout=0.1)
                if not line:
                    code = process.wait()
                    self.close()
                    raise GraderEndedError(f"the grader's process ended with code {code}")
                return dict(json.loads(line))
            with contextlib.suppress(psutil.Error):
                self.most_bytes = max(
                    self.most_bytes, psutil.Process(process.pid).memory_info().rss
                )
        self.close()
        raise GraderEndedError(f"the grader gave no answer within {seconds:.0f} s")


# ---------------------------------------------------------------- trying an attack


def released() -> dict[str, Any]:
    """The lab as students get it, as JSON has it."""
    return dict(json.loads((ROOT / f"notebooks/{LAB}/{LAB}.ipynb").read_text("utf-8")))


def neighbours() -> dict[str, bytes]:
    """What two honest students hand in: all jobs, and the first half of them."""
    blank = read_notebook(ROOT / f"notebooks/{LAB}/{LAB}.ipynb")
    solution = read_notebook(ROOT / f"solutions/{LAB}/{LAB}.ipynb")
    jobs = jobs_of(solution)
    chosen = {"solved": jobs, "half": jobs[: (len(jobs) + 1) // 2]}
    return {name: notebook_text(fill_in(blank, solution, j)).encode() for name, j in chosen.items()}


class Harness:
    """Tries attacks on a grader.

    Parameters
    ----------
    grade : the grader under attack.
    family : what runs below it, for a look at what an attack leaves there.
    beside : a second grader, of the neighbour that is graded at the same time; may be None.
    """

    def __init__(
        self,
        plants: Plants,
        grade: Callable[[bytes], Graded],
        family: Callable[[], Iterable[psutil.Process]] = tuple,
        beside: Callable[[bytes], Graded] | None = None,
    ) -> None:
        self.plants, self.grade, self.family, self.beside = plants, grade, family, beside
        self.released, self.neighbours = released(), neighbours()
        self.expected: dict[str, Cells] = {}
        self.plain = 0.0
        self.in_force: tuple[str, ...] = ()

    def prepare(self) -> None:
        """Grade the honest neighbours, and the wrong answers alone, before any attack.

        Raises `ValueError` where the neighbours do not get more than the wrong answers.
        """
        scores = {}
        self.plain = self.begin()
        for name, data in self.neighbours.items():
            graded = self.grade(data)
            self.expected[name], scores[name] = graded.cells, graded.score
            self.in_force = graded.in_force
        if self.beside is not None:
            self.beside(self.neighbours["solved"])
        if not self.plain < scores["half"] < scores["solved"]:
            raise ValueError(f"The grader gives {scores} and {self.plain:g} for wrong answers.")

    def begin(self) -> float:
        """Have the grader start what it keeps running; the points of the wrong answers alone."""
        score = self.grade(submission(self.released, None, {})).score
        self.look()
        return score

    def attempt(self, attack: Attack, after: Iterable[str] = ()) -> Outcome:
        """Grade one attack, with a neighbour beside it, and the neighbours `after` it."""
        outcome = Outcome(attack)
        before = self._processes()
        base = getattr(self.grade, "most_bytes", 0)
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(self.beside, self.neighbours["solved"]) if self.beside else None
            self._grade(outcome)
            outcome.megabytes = max(0, getattr(self.grade, "most_bytes", 0) - base) / MIB
            if other is not None:
                self._look_at_neighbour(outcome, "solved", other.result)
        for name in after:
            self._look_at_neighbour(outcome, name, lambda n=name: self.grade(self.neighbours[n]))
        outcome.hits += [*self._survivors(before), *self.look()]
        if outcome.megabytes * MIB > MOST_GRADER_GROWTH:
            outcome.hits.append(f"the grader grew by {outcome.megabytes:.0f} MB")
        return outcome

    def look(self) -> list[str]:
        """What was reached, changed and left behind since the last look."""
        return [*self.plants.visitors(), *self.plants.changed(), *self.plants.left_behind()]

    def _grade(self, outcome: Outcome) -> None:
        data = submission(self.released, outcome.attack, self.plants.facts)
        started = time.monotonic()
        try:
            graded = self.grade(data)
        except Exception as error:
            outcome.hits.append(f"the grader failed: {type(error).__name__}: {error}")
            return
        finally:
            outcome.seconds = time.monotonic() - started
        outcome.status, outcome.score = graded.status, graded.score
        if graded.score > self.plain:
            outcome.hits.append(f"{graded.score:g} points instead of {self.plain:g}")
        if len(graded.notebook) > MOST_RESULT_BYTES + len(data):
            outcome.hits.append(f"a result of {len(graded.notebook) / 1e6:.0f} MB")
        outcome.hits += self.plants.found_in(graded.notebook + graded.told.encode())
        outcome.hits += faults(graded.notebook)

    def _look_at_neighbour(self, outcome: Outcome, name: str, grade: Callable[[], Graded]) -> None:
        try:
            graded = grade()
        except Exception as error:
            outcome.hits.append(f"neighbour '{name}' was not graded: {error}")
            return
        if graded.cells != self.expected[name]:
            outcome.hits.append(f"neighbour '{name}' now gets {graded.score:g}")
        found = self.plants.found_in(graded.notebook + graded.told.encode())
        outcome.hits += [f"in neighbour '{name}': {what}" for what in found]

    def _processes(self) -> Counter[str]:
        """By command line, how many run below the grader; what attacks start, anywhere."""
        found: Counter[str] = Counter()
        for process in self.family():
            with contextlib.suppress(psutil.Error):
                if process.status() != psutil.STATUS_ZOMBIE:
                    found[" ".join(process.cmdline())[:80]] += 1
        for process in psutil.process_iter(["name", "status"]):
            if process.info["name"] == ALIAS and process.info["status"] != psutil.STATUS_ZOMBIE:
                found[ALIAS] += 1
        return found

    def _survivors(self, before: Mapping[str, int]) -> list[str]:
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            # A server that was not there before is told by the engine's own tests.
            more = self._processes() - Counter(before)
            if not more or time.monotonic() > deadline:
                return [f"{count} × '{name}' still run" for name, count in more.items()]
            time.sleep(0.1)


def faults(notebook: bytes) -> list[str]:
    """Errors in an attack's own cell that are its own fault: it proves nothing then."""
    try:
        tree = json.loads(notebook.decode())
        cells = {cell["id"]: cell.get("outputs", []) for cell in tree["cells"]}
    except (ValueError, KeyError, TypeError) as error:
        return [f"a result that is no notebook ({type(error).__name__}: {error})"]
    return [
        f"broken: {output['ename']}: {str(output.get('evalue'))[:120]}"
        for output in cells.get(ATTACK_CELL, [])
        if output["output_type"] == "error" and output["ename"] in FAULTS
    ]
