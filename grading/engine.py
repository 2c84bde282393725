"""Grade submissions: a pure function of bytes, and many of them on this machine's cores.

`grade_submission` takes the bytes of a submission and of its lab and returns a `Result`. It
touches no database and no shared disk, so it can run in a process, in ten, or elsewhere.
`grade_many` runs it in worker processes and yields results as they arrive.
"""

from __future__ import annotations

import base64
import hashlib
import queue
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from nbformat import NotebookNode, reads, writes
from nbformat.v4 import new_markdown_cell

from grading.execute import Execution, Limits, limit_lines, run_notebook
from grading.notebooks import is_answer, is_graded, job_number, points_of
from grading.restore import UnreadableError, grade_id, read_submission, restore
from grading.worker import WorkerEndedError, WorkerProcess

ENGINE_VERSION = "1"
WORKER_START_SECONDS = 180.0

Status = Literal["graded", "waiting", "failed", "missing"]


@dataclass(frozen=True)
class Options:
    """How submissions are run: their limits, and the `COURSE_*` settings that labs read."""

    limits: Limits = field(default_factory=Limits)
    course: Mapping[str, str] = field(
        default_factory=lambda: {"COURSE_BUDGET": "smoke", "COURSE_PROGRESS": "0"}
    )


@dataclass(frozen=True)
class CellScore:
    """What one graded cell earned.

    `score` is None where there is none yet: a written answer that waits for a human, or a
    test that was never run. `manual` says that the cell is scored by hand; `seconds` is how
    long the cell itself ran.
    """

    id: str
    score: float | None
    max: float
    seconds: float | None = None
    job: str | None = None
    manual: bool = False


@dataclass(frozen=True)
class Result:
    """One graded submission.

    `notebook` holds the bytes of the executed notebook, with restored cells and outputs; of
    a file that could not be read, the lab's graded cells under a notice. `reason` is a
    sentence where the status is "failed", `notes` tell what was repaired or stopped.
    """

    status: Status
    notebook: bytes
    cells: tuple[CellScore, ...]
    seconds: float = 0.0
    reason: str | None = None
    notes: tuple[str, ...] = ()
    engine: str = ENGINE_VERSION

    @property
    def score(self) -> float | None:
        """Points so far; None where the submission failed."""
        return None if self.status == "failed" else sum(cell.score or 0.0 for cell in self.cells)

    @property
    def max_score(self) -> float:
        """Points that the lab has."""
        return sum(cell.max for cell in self.cells)


# ---------------------------------------------------------------- one submission


def grade_submission(
    submission: bytes, master: bytes, options: Options | None = None, mark: str | None = None
) -> Result:
    """Grade one submission.

    Parameters
    ----------
    submission : the bytes that the student handed in, whatever they are.
    master : the lab with hidden tests and cleared solutions, as
        `grading.gradebook.master_notebook` makes it.
    options : limits and settings.
    mark : a word that every process of this run carries, so that a caller can end them.

    Returns a `Result` for any submission; scores are those of nbgrader's `determine_grade`.
    """
    options = options or Options()
    started = time.perf_counter()
    lab = reads(master.decode(), as_version=4)
    digest = hashlib.sha256(submission).hexdigest()
    try:
        notebook, notes = _restored(submission, lab)
        execution = run_notebook(notebook, options.limits, options.course, mark)
    except UnreadableError as error:
        return failed(master, str(error), digest)
    except Exception as error:  # one submission never stops the others
        reason = f"The grader could not run the notebook ({type(error).__name__}: {error})."
        return failed(master, f"{reason} Tell whoever runs the course.", digest)
    cells = _scores(lab, notebook, execution, notes)
    limit_lines(notebook, options.limits)
    return _finished(notebook, execution, cells, notes, digest, time.perf_counter() - started)


def failed(master: bytes, reason: str, digest: str | None = None) -> Result:
    """The result of a submission that could not be run, for `reason`."""
    lab = reads(master.decode(), as_version=4)
    lab.cells = [cell for cell in lab.cells if is_graded(cell)]
    cells = tuple(_score_of(cell, None) for cell in lab.cells)
    return Result("failed", _sealed(lab, "failed", reason, (), digest), cells, 0.0, reason)


def _restored(submission: bytes, lab: NotebookNode) -> tuple[NotebookNode, list[str]]:
    restored = restore(read_submission(submission), lab)
    return restored.notebook, list(restored.notes)


def _scores(
    lab: NotebookNode, notebook: NotebookNode, execution: Execution, notes: list[str]
) -> tuple[CellScore, ...]:
    place = {grade_id(c): i for i, c in enumerate(notebook.cells) if "nbgrader" in c.metadata}
    scores = []
    for model in lab.cells:
        if is_graded(model):
            index = place[grade_id(model)]
            cell = notebook.cells[index]
            # A test without output counts in full for nbgrader, so it must have been run.
            ran = cell.cell_type != "code" or index in execution.finished
            points = _points(cell, notes) if ran else None
            scores.append(_score_of(model, points, execution.seconds.get(index)))
    return tuple(scores)


def _points(cell: NotebookNode, notes: list[str]) -> float | None:
    from nbgrader.utils import determine_grade  # seconds to import: only where needed

    try:
        points, _ = determine_grade(cell)
    except ValueError as error:
        notes.append(f"Cell '{grade_id(cell)}' needs a human: {error}.")
        return None
    return None if points is None else float(points)


def _score_of(cell: NotebookNode, points: float | None, seconds: float | None = None) -> CellScore:
    return CellScore(
        id=grade_id(cell),
        score=points,
        max=points_of(cell),
        seconds=seconds,
        job=job_number(cell),
        manual=is_answer(cell),
    )


def _finished(
    notebook: NotebookNode,
    execution: Execution,
    cells: tuple[CellScore, ...],
    notes: list[str],
    digest: str,
    seconds: float,
) -> Result:
    status: Status = "graded"
    if execution.stopped is not None:
        status = "failed"
    elif any(cell.score is None for cell in cells):
        status = "waiting"
    told = (*notes, *execution.notes)
    data = _sealed(notebook, status, execution.stopped, told, digest)
    return Result(status, data, cells, round(seconds, 3), execution.stopped, told)


def _sealed(
    notebook: NotebookNode,
    status: Status,
    reason: str | None,
    notes: Sequence[str],
    digest: str | None,
) -> bytes:
    """The notebook's bytes, carrying what happened for the feedback page and the next run."""
    record = {"status": status, "reason": reason, "notes": list(notes), "submission": digest}
    course = dict(notebook.metadata.get("course", {}))
    notebook.metadata["course"] = course | {"grading": record | {"engine": ENGINE_VERSION}}
    if reason is not None:
        notice = new_markdown_cell(f"**This submission could not be graded in full.** {reason}")
        notice.id = "grading-notice"
        notebook.cells.insert(0, notice)
    return (writes(notebook).rstrip("\n") + "\n").encode("utf-8", "replace")


# ---------------------------------------------------------------- many submissions


@dataclass(frozen=True)
class Task:
    """One submission to grade: whose, of which lab, and where it lies."""

    student: str
    lab: str
    path: Path
    master: bytes


def grade_many(
    tasks: Sequence[Task], workers: int, options: Options | None = None
) -> Iterator[tuple[Task, Result]]:
    """Grade tasks in `workers` processes; yields each with its result, in order of arrival.

    A worker that dies costs only the submission in its hands, which is reported as failed.
    Closing the iterator ends all workers and what they run.
    """
    options = options or Options()
    idle: queue.SimpleQueue[WorkerProcess] = queue.SimpleQueue()
    crew = [WorkerProcess() for _ in range(max(1, min(workers, len(tasks))))]
    for worker in crew:
        idle.put(worker)

    def grade(task: Task) -> Result:
        worker = idle.get()
        try:
            return _grade_with(worker, task, options)
        except Exception as error:  # one submission never stops the others
            return failed(task.master, f"The grader failed ({type(error).__name__}: {error}).")
        finally:
            idle.put(worker)

    with ThreadPoolExecutor(len(crew)) as threads:
        waiting = {threads.submit(grade, task): task for task in tasks}
        try:
            for future in as_completed(list(waiting)):
                yield waiting.pop(future), future.result()
        finally:
            for future in waiting:
                future.cancel()
            for worker in crew:
                worker.kill() if waiting else worker.close()


def _grade_with(worker: WorkerProcess, task: Task, options: Options) -> Result:
    try:
        submission = task.path.read_bytes()
    except OSError as error:
        return failed(task.master, f"The file could not be read ({error.strerror}).")
    job = {
        "submission": base64.b64encode(submission).decode(),
        "master": base64.b64encode(task.master).decode(),
        "options": asdict(options) | {"course": dict(options.course)},
        "mark": uuid.uuid4().hex,
    }
    limits = options.limits
    grace = limits.cell_seconds + limits.interrupt_seconds + WORKER_START_SECONDS
    try:
        answer = worker.ask(job, limits.wall_seconds + grace)
    except WorkerEndedError as error:
        reason = f"The process that ran the notebook ended without a result ({error}):"
        said = f"{reason} look for a cell that ends processes or uses up the memory."
        return failed(task.master, said, hashlib.sha256(submission).hexdigest())
    return _result_from(answer)


def answer_job(job: Mapping[str, Any]) -> dict[str, Any]:
    """A worker's answer to a job of `grade_many`; both are JSON."""
    settings = job["options"]
    options = Options(Limits(**settings["limits"]), settings["course"])
    submission, master = (base64.b64decode(job[key]) for key in ("submission", "master"))
    result = grade_submission(submission, master, options, job["mark"])
    return asdict(result) | {"notebook": base64.b64encode(result.notebook).decode()}


def _result_from(answer: Mapping[str, Any]) -> Result:
    return Result(
        status=answer["status"],
        notebook=base64.b64decode(answer["notebook"]),
        cells=tuple(CellScore(**cell) for cell in answer["cells"]),
        seconds=answer["seconds"],
        reason=answer["reason"],
        notes=tuple(answer["notes"]),
        engine=answer["engine"],
    )
