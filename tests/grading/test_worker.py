"""Worker processes: what they answer, and what is left of one that dies."""

from __future__ import annotations

import base64
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from grading.worker import WorkerEndedError, WorkerProcess

MASTER = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


def test_worker_answers_with_a_result() -> None:
    worker = WorkerProcess()
    options = {"limits": {}, "course": {}}
    job = {"mark": "m", "submission": "", "master": base64.b64encode(MASTER).decode()}
    answer = worker.ask(job | {"options": options}, seconds=120)
    worker.close()
    assert answer["status"] == "failed" and "file is empty" in answer["reason"]


def test_worker_gives_up_on_a_job_that_takes_too_long() -> None:
    worker = WorkerProcess()
    with pytest.raises(WorkerEndedError, match="longer than 0 s"):
        worker.ask({"mark": "m"}, seconds=0.05)
    worker.close()


def test_a_killed_worker_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    worker = WorkerProcess()
    with pytest.raises(WorkerEndedError):
        worker.ask({"mark": "m"}, seconds=0.05)
    assert list(tmp_path.iterdir()) == []


def test_worker_reports_the_last_words_of_a_dead_process() -> None:
    worker = WorkerProcess()
    with pytest.raises(WorkerEndedError, match="KeyError"):
        worker.ask({"mark": "m"}, seconds=120)
    worker.close()


def test_a_worker_that_is_killed_while_it_is_told_its_job_is_forgotten() -> None:
    worker = WorkerProcess()
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    worker._errors = tempfile.TemporaryFile()  # noqa: SIM115 - the worker closes it
    worker._process = subprocess.Popen(
        sleeper, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=worker._errors
    )
    timer = threading.Timer(0.5, worker._process.kill)
    timer.start()
    with pytest.raises(WorkerEndedError):  # a bit more than a pipe holds, and nobody reads it
        worker.ask({"mark": "", "job": "x" * (2**16 + 1_000)}, 30)
    timer.join()
    worker._forget()
    assert worker._process is None
