"""Many submissions on this machine's cores: worker processes, and results as they arrive."""

from __future__ import annotations

import base64
import hashlib
import queue
import threading
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from grading.engine import Options, Result, failed
from grading.store import Store, key_of
from grading.wire import options_as_json, result_from_json
from grading.worker import WorkerEndedError, WorkerProcess

WORKER_START_SECONDS = 180.0
TRIES = 2  # a worker that was killed is not the submission's fault, twice in a row is


@dataclass(frozen=True)
class Task:
    """One submission to grade: whose, of which lab, and where it lies."""

    student: str
    lab: str
    path: Path
    master: bytes


@dataclass(frozen=True)
class Done:
    """A task with its result. `final` is False where the grader failed, not the submission:
    such a result is reported, and found out anew by the next run."""

    task: Task
    result: Result
    final: bool = True


def known_results(tasks: Sequence[Task], store: Store, options: Options) -> Iterator[Done]:
    """Those of the tasks whose results are in the store already."""
    for task in tasks:
        try:
            key = key_of(task.path.read_bytes(), task.master, options)
        except OSError:
            continue  # said when it is graded
        result = store.get(task.lab, key)
        if result is not None:
            yield Done(task, result)


def keep(done: Done, store: Store, options: Options) -> None:
    """Put a final result into the store."""
    if done.final:
        key = key_of(done.task.path.read_bytes(), done.task.master, options)
        store.put(done.task.lab, key, done.result)


def grade_many(
    tasks: Sequence[Task], workers: int, options: Options | None = None
) -> Iterator[Done]:
    """Grade tasks in `workers` processes; yields each with its result, in order of arrival.

    A worker that dies costs only the work in its hands: the submission is run once more, and
    reported as failed if it takes the next worker with it, too. Closing the iterator ends all
    workers and what they run.
    """
    options = options or Options()
    idle: queue.SimpleQueue[WorkerProcess] = queue.SimpleQueue()
    crew = [WorkerProcess() for _ in range(max(1, min(workers, len(tasks))))]
    stopping = threading.Event()
    for worker in crew:
        idle.put(worker)

    def grade(task: Task) -> Done:
        worker = idle.get()
        try:
            return _grade_with(worker, task, options, stopping)
        except Exception as error:  # one submission never stops the others
            reason = f"The grader failed ({type(error).__name__}: {error})."
            return Done(task, failed(task.master, reason), final=False)
        finally:
            idle.put(worker)

    with ThreadPoolExecutor(len(crew)) as threads:
        waiting = {threads.submit(grade, task) for task in tasks}
        try:
            for future in as_completed(list(waiting)):
                waiting.discard(future)
                yield future.result()
        finally:
            stopping.set()
            for future in waiting:
                future.cancel()
            for worker in crew:
                worker.kill() if waiting else worker.close()


def _grade_with(
    worker: WorkerProcess, task: Task, options: Options, stopping: threading.Event
) -> Done:
    try:
        submission = task.path.read_bytes()
    except OSError as error:
        reason = f"The file could not be read ({error.strerror})."
        return Done(task, failed(task.master, reason), final=False)
    job = {
        "submission": base64.b64encode(submission).decode(),
        "master": base64.b64encode(task.master).decode(),
        "options": options_as_json(options),
        "mark": uuid.uuid4().hex,
    }
    limits = options.limits
    grace = limits.cell_seconds + limits.interrupt_seconds + WORKER_START_SECONDS
    for _ in range(TRIES):
        try:
            answer = worker.ask(job, limits.wall_seconds + grace)
            if "grader" not in answer:
                return Done(task, result_from_json(answer))
            ended = str(answer["grader"])
        except WorkerEndedError as error:
            ended = str(error)
        if stopping.is_set():
            break
    said = f"The grader tried {TRIES} times and got no result ({ended}). Run the command again."
    digest = hashlib.sha256(submission).hexdigest()
    return Done(task, failed(task.master, said, digest), final=False)
