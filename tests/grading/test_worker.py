"""Worker processes: what they answer, and what is left of one that dies."""

from __future__ import annotations

import base64
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
