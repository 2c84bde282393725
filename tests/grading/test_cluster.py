"""Submissions on a Dask cluster: same results, clear errors, no task that waits for ever."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_class import LAB, Lab, packed
from tiny_class import lab_fixture as lab_fixture

from grading import cluster
from grading.cluster import grade_on_cluster
from grading.engine import Options
from grading.many import Task
from grading.notebooks import CourseError

distributed = pytest.importorskip("distributed")
PLAIN = Options(trusted=True, backend="plain")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(processes=True, resources={"grade": 1}, **settings) as made:
        yield made.scheduler_address


def _tasks(lab: Lab, folder: Path, *names: str) -> list[Task]:
    for name in names:
        (folder / name).write_bytes(packed(lab.honest[name]))
    return [Task(name, LAB, folder / name, lab.master) for name in names]


@pytest.mark.timeout(180)
def test_a_cluster_grades_as_this_machine_does(address: str, lab: Lab, tmp_path: Path) -> None:
    tasks = [
        *_tasks(lab, tmp_path, "solved", "untouched"),
        Task("c", LAB, tmp_path / "c", lab.master),
    ]
    done = {each.task.student: each for each in grade_on_cluster(tasks, address, PLAIN)}
    assert done["solved"].result.score == 3 and done["solved"].final
    assert done["untouched"].result.score == 0
    assert "could not be read" in str(done["c"].result.reason) and not done["c"].final


@pytest.mark.timeout(180)
def test_what_ends_its_worker_is_reported(
    address: str, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "run_there", _end_this_worker)
    (done,) = grade_on_cluster(_tasks(lab, tmp_path, "solved"), address, PLAIN)
    assert done.result.status == "failed" and not done.final
    assert "worker ended 2 times" in str(done.result.reason)


def _end_this_worker(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_an_address_without_a_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    for address in ("tcp://127.0.0.1:9", "no address"):
        with pytest.raises(CourseError, match="no Dask scheduler answers"):
            list(grade_on_cluster([], address, PLAIN))


def test_workers_must_offer_themselves_and_be_of_this_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as made:
        with pytest.raises(CourseError, match=r"none of them offers .*--nthreads 1"):
            list(grade_on_cluster([], made.scheduler_address, PLAIN))
        monkeypatch.setattr(cluster, "RESOURCE", "cores")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None,
        resources={"cores": 1},
    ) as made:  # fmt: skip
        monkeypatch.setattr(cluster, "version_there", _name_of_this_thread)
        with pytest.raises(CourseError, match="1 workers have another version"):
            list(grade_on_cluster([], made.scheduler_address, PLAIN))


def _name_of_this_thread() -> tuple[str, str]:
    # A worker in this process still runs in a thread of its own.
    return "1", threading.current_thread().name
