"""`course grade`, while something it stands on is killed at a random moment.

A round kills a worker, a fork server (or its fork that serves one lab), the command itself or the
database, and repeats the command where it did not come to its end. Then each submission has one
result, the right one, and nothing of the command runs any more. `COURSE_ROUNDS=100` tries as many
moments, and `COURSE_SEED` others.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from gradebooks import ask, new_url

from grading.boxes import BoxError
from grading.demo import fill_in, jobs_of
from grading.notebooks import is_answer, is_graded, notebook_text, read_notebook
from grading.release import release, source_of
from grading.sandbox import choose

if TYPE_CHECKING:
    from postgres import Server

pytest_plugins = ["postgres"]  # one server for all files

ROOT = Path(__file__).parents[2]
LAB = "mnist"
NEEDED = ("mnist-imports", "mnist-linear")
POINTS = {"1.1": 2.0, "1.2": 3.0, "1.3": 3.0, "1.4": 2.0}
SOLVED = {
    "all": ("1.1", "1.2", "1.3", "1.4"),
    "first": ("1.1",),
    "last": ("1.4",),
    "middle": ("1.2", "1.3"),
    "none": (),
    "three": ("1.1", "1.2", "1.4"),
}
VICTIMS = ("worker", "coordinator", "fork server", "database")
ROUNDS = int(os.environ.get("COURSE_ROUNDS", "2"))
SEED = int(os.environ.get("COURSE_SEED", "1"))
REPEATS, PATIENCE = 3, 240.0
SCORES = """SELECT s.student_id, count(DISTINCT s.id), count(DISTINCT n.id), count(g.id),
sum(g.auto_score) FROM submitted_assignment s
JOIN submitted_notebook n ON n.assignment_id = s.id JOIN grade g ON g.notebook_id = n.id
GROUP BY s.student_id"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder with lab 1 and a class that has solved some of its jobs."""
    folder = tmp_path_factory.mktemp("class")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    (folder / "solutions").mkdir()
    shutil.copytree(ROOT / "solutions" / LAB, folder / "solutions" / LAB)
    release(folder)
    blank, solution = read_notebook(folder / f"notebooks/{LAB}/{LAB}.ipynb"), source_of(ROOT, LAB)
    assert set(POINTS) <= set(jobs_of(solution))
    for student, jobs in SOLVED.items():
        notebook = fill_in(blank, solution, jobs)
        keep = (c for c in notebook.cells if c.id in NEEDED or is_answer(c) or is_graded(c))
        notebook.cells = list(keep)
        path = folder / "submitted" / student / LAB / f"{LAB}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(notebook_text(notebook), encoding="utf-8")
    return folder


@dataclass
class Command:
    """`course grade` on the class, as a process that can be watched and killed."""

    place: Path
    url: str
    log: Path
    jobs: int = 2
    process: subprocess.Popen[bytes] | None = None
    seen: set[psutil.Process] = field(default_factory=set)

    def start(self) -> None:
        """Start it, or start it again."""
        words = ("grade", LAB, "--course-dir", str(self.place), "--jobs", str(self.jobs))
        words = (*words, "--db", self.url)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from grading.cli import main; main()", *words],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def running(self) -> bool:
        """Whether it has not ended; notes what runs below it."""
        assert self.process is not None
        if self.process.poll() is not None:
            return False
        try:
            self.seen |= set(psutil.Process(self.process.pid).children(recursive=True))
        except psutil.Error:
            return self.process.poll() is None
        return True

    def below(self, victim: str) -> list[psutil.Process]:
        """Its running workers, or the fork servers below these."""
        assert self.process is not None
        workers = _children([self.process.pid], "grading.worker")
        if victim == "worker":
            return workers
        servers = _children([worker.pid for worker in workers], "grading.forkserver")
        return servers + _children([server.pid for server in servers], "grading.forkserver")

    def results(self) -> int:
        """How many results are stored."""
        return len(list(self.place.glob(".grades/*/*.gz")))

    def ended(self) -> int:
        """Wait until it ends; its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.running():
            assert time.monotonic() < deadline, f"still running:\n{self.said()}"
            time.sleep(0.1)
        assert self.process is not None
        return int(self.process.returncode)

    def said(self) -> str:
        """The end of what it printed."""
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""


def _children(pids: list[int], module: str) -> list[psutil.Process]:
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            found += [p for p in psutil.Process(pid).children() if module in p.cmdline()]
    return found


@pytest.fixture
def command(place: Path, tmp_path: Path) -> Iterator[Command]:
    """The command with nothing graded yet; what is left of it afterwards is cleared away."""
    for name in (".grades", "autograded"):
        shutil.rmtree(place / name, ignore_errors=True)
    (place / "grades.json").unlink(missing_ok=True)
    made = Command(place, "", tmp_path / "log")
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    for process in made.seen:
        if process.is_running():
            process.kill()


def at_a_random_moment(command: Command, chance: random.Random, victim: str) -> bool:
    """Wait for some results and a bit more, then until there is a victim; False if it ended."""
    results, more = chance.randrange(len(SOLVED)), chance.uniform(0, 1.5)
    while command.results() < results:
        if not command.running():
            return False
        time.sleep(0.02)
    time.sleep(more)
    while command.running():
        if victim in ("coordinator", "database") or command.below(victim):
            return True
        time.sleep(0.02)
    return False


def kill(command: Command, chance: random.Random, victim: str, server: Server | None) -> None:
    """The kill itself; a database comes up again at once."""
    if victim == "database":
        assert server is not None
        server.end(signal.SIGKILL)
        server.start()
    elif victim == "coordinator":
        assert command.process is not None
        command.process.send_signal(signal.SIGKILL)
    else:
        doomed = command.below(victim)
        if doomed:
            chance.choice(doomed).kill()


def check_scores(command: Command) -> None:
    """One submission, one notebook and the right score for each student, in book and file."""
    told = {student: sum(POINTS[job] for job in jobs) for student, jobs in SOLVED.items()}
    rows, file = ask(command.url, SCORES), (command.place / "grades.json").read_text()
    assert {row[0]: row[4] or 0.0 for row in rows} == told, file
    assert {row[1:3] for row in rows} == {(1, 1)} and len({row[3] for row in rows}) == 1
    entries = json.loads(file)["entries"]
    wrong = [entry for entry in entries if entry["score"] != told[entry["student"]]]
    assert not wrong, f"{wrong}\n{command.said()}"
    assert len(entries) == len(told) == command.results()


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_every_submission_ends_with_one_right_result(
    round_: int, command: Command, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    victim = VICTIMS[round_ % len(VICTIMS)]
    from postgres import programs

    try:
        choose("namespaces" if victim == "fork server" else "auto")
    except BoxError as error:
        pytest.skip(str(error))
    chance = random.Random(f"{SEED} {round_}")
    # Every second kill of anything else happens beside PostgreSQL, too.
    served = victim == "database" or (programs() is not None and (round_ // len(VICTIMS)) % 2 == 1)
    server = request.getfixturevalue("postgres_server") if served else None
    command.url = new_url("postgresql" if served else "sqlite", request, tmp_path)
    command.jobs = 1 + round_ // len(VICTIMS) % 2
    command.start()
    hit = at_a_random_moment(command, chance, victim)
    if hit:
        kill(command, chance, victim, server)
    code, repeats = command.ended(), 0
    if victim in ("worker", "fork server"):
        assert code == 0, f"a killed {victim} is the command's own to mend:\n{command.said()}"
    while code != 0:
        repeats += 1
        assert repeats <= REPEATS, command.said()
        command.start()
        code = command.ended()
    check_scores(command)
    left = psutil.wait_procs([p for p in command.seen if p.is_running()], timeout=20)[1]
    assert not left, f"{victim} killed, and still there: {left}"
