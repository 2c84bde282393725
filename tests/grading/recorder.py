"""A process of its own that records results until somebody kills it.

It imports once, reads jobs as JSON lines, forks for each, tells the child's process id, waits for
its end and tells how it ended; so a test can kill many without waiting for imports. Run as

    python recorder.py master.ipynb
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from grading.engine import CellScore, Result
from grading.gradebook import GradebookWriter, default_url

LAB = "tiny"
CELLS = (("tiny-1-1-check", 2.0), ("tiny-1-2-check", 1.0), ("tiny-1-3-answer", 2.0))


def scores(student: int, lap: int) -> list[float]:
    """What the cells of a student get in a lap: no two laps, cells or students get the same."""
    return [1000.0 * lap + 10.0 * student + cell for cell in range(len(CELLS))]


def _result(master: bytes, student: int, lap: int) -> Result:
    given = zip(CELLS, scores(student, lap), strict=True)
    return Result("graded", master, tuple(CellScore(name, s, top) for (name, top), s in given))


def _say(*words: object) -> None:
    os.write(1, (" ".join(str(word) for word in words) + "\n").encode())


def _die_at(moment: int) -> None:
    """End this process at its n-th moment: before a statement, or before a commit."""
    moments = itertools.count(1)

    def pass_by(*_: object) -> None:
        if next(moments) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", pass_by)
    event.listen(Engine, "commit", pass_by)


def _record(master: bytes, job: dict[str, Any]) -> None:
    if job["die_at"]:
        _die_at(job["die_at"])
    with GradebookWriter(job["url"], lock_seconds=job["lock_seconds"]) as writer:
        writer.prepare_lab(LAB, master)
        for lap in range(job["first"], job["last"] + 1):
            for student in range(job["students"]):
                writer.record(f"s{student}", LAB, _result(master, student, lap))
                _say("stored", student, lap)


def _child(master: bytes, job: dict[str, Any]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        _record(master, job)
        os._exit(0)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)


def main() -> None:
    """Serve jobs until the input ends."""
    master = Path(sys.argv[1]).read_bytes()
    # What SQLAlchemy and Alembic prepare at first use is then there for every child.
    with TemporaryDirectory() as folder, GradebookWriter(default_url(Path(folder))) as writer:
        writer.prepare_lab(LAB, master)
        writer.record("s0", LAB, _result(master, 0, 1))
        writer.record("s0", LAB, _result(master, 0, 2))
    _say("ready")
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _child(master, json.loads(line))
        _say("began", child)
        _say("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


class Recorder:
    """The process, from a test's side."""

    def __init__(self, master: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(master)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._hear()

    def begin(self, url: str, **job: Any) -> int:
        """Begin a job; returns the process that does it.

        `students` are recorded one after another in each of the laps `first` to `last`.
        """
        usual = {"students": 1, "first": 1, "last": 1, "lock_seconds": 20.0, "die_at": 0}
        assert self._process.stdin is not None
        print(json.dumps(usual | {"url": url} | job), file=self._process.stdin, flush=True)
        # The child may say that it has stored something before its process id is told.
        self._early: list[list[str]] = []
        while (said := self._hear())[0] != "began":
            self._early.append(said)
        return int(said[1])

    def stored(self) -> tuple[int, int] | None:
        """The next student and lap that are stored; None when the process has ended."""
        said = self._early.pop(0) if self._early else self._hear()
        if said[0] == "ended":
            self.exit_code = int(said[1])
            return None
        return int(said[1]), int(said[2])

    def _hear(self) -> list[str]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the recorder ended"
        return line.split()

    def close(self) -> None:
        """End it, and what it began."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()


if __name__ == "__main__":
    main()
