"""Worker processes of this machine: each runs one submission after another.

`serve` is the worker's side (`python -m grading.worker`), `WorkerProcess` the grader's. They
exchange one line of JSON a message over the worker's standard input and output. Loading the
libraries takes seconds and is paid once a worker; a worker that dies or hangs is replaced,
and costs only the submission that it was working on.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from typing import Any, BinaryIO

from grading.forkserver import PRELOAD
from grading.plain import end_processes


class WorkerEndedError(Exception):
    """The worker gave no answer: it ended by itself, or its time was up."""


class WorkerProcess:
    """The grader's handle on one worker process, started when it is first needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: BinaryIO | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._mark: str | None = None

    def ask(self, job: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The worker's answer to `job`, which is JSON and names a `mark`.

        Raises `WorkerEndedError` where none comes within `seconds`; the worker and all that the
        job had started are gone then.
        """
        process = self._started()
        assert process.stdin is not None and process.stdout is not None
        self._mark = job["mark"]
        too_late = threading.Event()

        def give_up() -> None:
            too_late.set()
            self.kill()

        timer = threading.Timer(seconds, give_up)
        timer.start()
        try:
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
            answer = json.loads(line) if line.endswith(b"\n") else None
        except (OSError, ValueError):
            answer = None
        finally:
            timer.cancel()
        if isinstance(answer, dict):
            return answer
        said = f"it took longer than {seconds:.0f} s" if too_late.is_set() else self._last_words()
        self.kill()
        raise WorkerEndedError(said)

    def close(self) -> None:
        """Let an idle worker end by itself."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.kill()
        self._forget()

    def kill(self) -> None:
        """End the worker and everything that its submission has started or written."""
        process = self._process
        if process is not None:
            end_processes(process.pid, self._mark or "")
            process.kill()
            process.wait()
        if self._folder is not None:
            self._folder.cleanup()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._forget()
            # Owned here, so that what a killed worker leaves lying is removed.
            self._folder = tempfile.TemporaryDirectory(prefix="grade-", ignore_cleanup_errors=True)
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115
            self._process = subprocess.Popen(
                [sys.executable, "-m", "grading.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=_environment(self._folder.name),
                # Ctrl-C is the grader's to handle, not each worker's.
                start_new_session=True,
            )
        return self._process

    def _last_words(self) -> str:
        if self._errors is None:
            return "it said nothing"
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 2_000))
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return f"its last words: {lines[-1]}" if lines else "it said nothing"

    def _forget(self) -> None:
        for stream in (self._errors, *self._pipes()):
            if stream is not None:
                # A worker that was killed has not read all that waits in its pipe.
                with contextlib.suppress(OSError):
                    stream.close()
        if self._folder is not None:
            self._folder.cleanup()
        self._process, self._errors, self._folder = None, None, None

    def _pipes(self) -> tuple[Any, ...]:
        return (self._process.stdin, self._process.stdout) if self._process is not None else ()


def _environment(folder: str) -> dict[str, str]:
    # A worker needs the grader's Python, and no setting of the labs: each job names its own.
    kept = {k: v for k, v in os.environ.items() if k == PRELOAD or not k.startswith("COURSE_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # see grading.execute
    return kept | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), folder) | {"OMP_NUM_THREADS": "1"}


def answer_job(job: Mapping[str, Any]) -> dict[str, Any]:
    """A worker's answer to a job of `grading.many`; both are JSON.

    A table with `grader` alone says in a sentence why this process cannot grade.
    """
    from grading.boxes import BoxError
    from grading.station import grade_here
    from grading.wire import options_from_json, result_as_json

    submission, master = (base64.b64decode(job[key]) for key in ("submission", "master"))
    options = options_from_json(job["options"])
    try:
        return result_as_json(grade_here(submission, master, options, job["mark"]))
    except BoxError as error:
        return {"grader": str(error)}


def serve() -> None:
    """Answer jobs from standard input until it closes."""
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr  # a stray print must not break the exchange
    for line in sys.stdin.buffer:
        answers.write(json.dumps(answer_job(json.loads(line))).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    serve()
