"""Grade one submission: a pure function of bytes.

`grade_submission` takes the bytes of a submission and of its lab and returns a `Result`. It
touches no database and no shared disk, so it can run in a process, in ten, or elsewhere
(`grading.many`).
"""

from __future__ import annotations

import compileall
import functools
import hashlib
import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from nbformat import NotebookNode, reads, writes
from nbformat.v4 import new_markdown_cell

import course_utils
from grading.boxes import Backend, BoxError, Limits
from grading.execute import Execution, limit_lines, run_notebook
from grading.intake import inspect
from grading.judge import TRUST, Judge, put_in_order
from grading.notebooks import CourseError, is_answer, is_graded, is_test, job_number, points_of
from grading.restore import grade_id
from grading.view import make_view

ENGINE_VERSION = "2"

Status = Literal["graded", "waiting", "failed", "missing"]


@dataclass(frozen=True)
class Options:
    """How submissions are run.

    limits : see `grading.boxes.Limits`.
    course : the `COURSE_*` settings that labs read.
    backend : the name of what builds boxes; "auto" is the best that this machine has.
    trusted : allows submissions to run as plain processes, and tests of other kinds than
        check(...) to run inside, where a submission can reach them.
    salt : what secret inputs follow from; empty draws a new one for each submission. A
        result names its own, and that one gives the same inputs again.
    """

    limits: Limits = field(default_factory=Limits)
    course: Mapping[str, str] = field(
        default_factory=lambda: {"COURSE_BUDGET": "smoke", "COURSE_PROGRESS": "0"}
    )
    backend: str = "auto"
    trusted: bool = False
    salt: str = ""


@dataclass(frozen=True)
class CellScore:
    """What one graded cell earned.

    `score` is None where there is none yet: a written answer that waits for a human, or a
    test that was never run. `manual` says that the cell is scored by hand; `seconds` is how
    long the cell itself ran; `findings` are the check's words on what was wrong.
    """

    id: str
    score: float | None
    max: float
    seconds: float | None = None
    job: str | None = None
    manual: bool = False
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """One graded submission.

    `notebook` holds the bytes of the executed notebook, with restored cells and outputs; of
    a file that could not be read, the lab's graded cells under a notice. `reason` is a
    sentence where the status is "failed", `notes` tell what was repaired or stopped. `salt` is
    what the judge's inputs followed from, `in_force` what held the submission in.
    """

    status: Status
    notebook: bytes
    cells: tuple[CellScore, ...]
    seconds: float = 0.0
    reason: str | None = None
    notes: tuple[str, ...] = ()
    engine: str = ENGINE_VERSION
    salt: str = ""
    in_force: tuple[str, ...] = ()

    @property
    def score(self) -> float | None:
        """Points so far; None where the submission failed."""
        return None if self.status == "failed" else sum(cell.score or 0.0 for cell in self.cells)

    @property
    def max_score(self) -> float:
        """Points that the lab has."""
        return sum(cell.max for cell in self.cells)


# ---------------------------------------------------------------- grading


def needs_trust(master: bytes) -> str | None:
    """Why a lab's tests cannot be judged from outside, in words for its teacher; None if they can.

    `master` is the lab as `grade_submission` takes it. Such a lab needs `Options.trusted`.
    """
    lab = reads(master.decode(), as_version=4)
    try:
        _judge(lab, Options(), "", "")
    except CourseError as error:
        return str(error)
    return None


def grade_submission(
    submission: bytes,
    master: bytes,
    options: Options | None = None,
    mark: str | None = None,
    backend: Backend | None = None,
    in_force: Sequence[str] = (),
) -> Result:
    """Grade one submission.

    Parameters
    ----------
    submission : the bytes that the student handed in, whatever they are.
    master : the lab with hidden tests and cleared solutions, as
        `grading.gradebook.master_notebook` makes it.
    options : limits and settings.
    mark : a word that every process of this run carries, so that a caller can end them.
    backend : builds the submission's box. None runs it as a plain process, which
        `options.trusted` must allow.
    in_force : what the backend has proved, for the result.

    Returns a `Result` for any submission; scores are those of nbgrader's `determine_grade`.
    Raises `BoxError` where the grader, not the submission, is at fault.
    """
    options = options or Options()
    started = time.perf_counter()
    lab = reads(master.decode(), as_version=4)
    digest = hashlib.sha256(submission).hexdigest()
    salt = options.salt or secrets.token_hex(16)
    try:
        _check_trust(options, backend)
        judge = _judge(lab, options, salt, digest)
        verdict = inspect(submission, lab)
        if verdict.notebook is None:
            return failed(master, str(verdict.reason), digest)
        notebook, notes = verdict.notebook, list(verdict.notes)
        if judge is not None:
            notes += put_in_order(notebook, list(judge.plan))
        execution = run_notebook(
            notebook,
            options.limits,
            options.course,
            mark,
            backend=backend,
            view=_view(lab, master, judge, backend),
            examiner=judge,
        )
    except CourseError as error:
        return failed(master, str(error), digest)
    except BoxError:  # no fault of the submission's, and no result
        raise
    except Exception as error:  # one submission never stops the others
        reason = f"The grader could not run the notebook ({type(error).__name__}: {error})."
        return failed(master, f"{reason} Tell whoever runs the course.", digest)
    cells = _scores(lab, notebook, execution, notes, {} if judge is None else judge.findings)
    limit_lines(notebook, options.limits)
    held = tuple(in_force) or ("plain" if backend is None else backend.name,)
    seconds = time.perf_counter() - started
    return _finished(notebook, execution, cells, notes, digest, seconds, salt, held)


def _check_trust(options: Options, backend: Backend | None) -> None:
    if not options.trusted and (backend is None or not backend.isolated):
        raise BoxError(
            f"nothing would hold the submission in; choose a sandbox, or say {TRUST} where you do"
        )


def _judge(lab: NotebookNode, options: Options, salt: str, digest: str) -> Judge | None:
    """Who judges a lab; None where its tests are run inside, as `options.trusted` allows."""
    if not any(is_test(cell) for cell in lab.cells):
        return None
    try:
        return Judge(lab, _name(lab), salt, digest, options.limits.answer_bytes)
    except CourseError:
        if options.trusted:
            return None
        raise


def _view(
    lab: NotebookNode, master: bytes, judge: Judge | None, backend: Backend | None
) -> Path | None:
    """The `course_utils` that a submission sees; None for what is installed.

    Tests that run inside need all of it, and a plain process has that at hand.
    """
    whole = judge is None and any(is_test(cell) for cell in lab.cells)
    if whole and backend is None:
        return None
    return Path(_made_view(_name(lab), b"" if whole else master).name) / "view"


@functools.lru_cache(maxsize=16)
def _made_view(lab: str, master: bytes) -> tempfile.TemporaryDirectory[str]:
    """A view of a lab, made once and kept as long as this process; without `master` of it all."""
    folder = tempfile.TemporaryDirectory(prefix="view-", ignore_cleanup_errors=True)
    target = Path(folder.name) / "view"
    if master:
        make_view(target, lab, reads(master.decode(), as_version=4))
    else:
        package = Path(course_utils.__file__).parent
        shutil.copytree(package, target / package.name)
    compileall.compile_dir(target, quiet=2)  # inside, nothing can be written here
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def _name(lab: NotebookNode) -> str:
    return str(lab.metadata.get("course", {}).get("lab", ""))


def failed(master: bytes, reason: str, digest: str | None = None) -> Result:
    """The result of a submission that could not be run, for `reason`."""
    lab = reads(master.decode(), as_version=4)
    lab.cells = [cell for cell in lab.cells if is_graded(cell)]
    cells = tuple(_score_of(cell, None) for cell in lab.cells)
    return Result("failed", _sealed(lab, "failed", reason, (), digest), cells, 0.0, reason)


def _scores(
    lab: NotebookNode,
    notebook: NotebookNode,
    execution: Execution,
    notes: list[str],
    findings: Mapping[str, tuple[str, ...]],
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
            told = findings.get(grade_id(model), ())
            scores.append(_score_of(model, points, execution.seconds.get(index), told))
    return tuple(scores)


def _points(cell: NotebookNode, notes: list[str]) -> float | None:
    from nbgrader.utils import determine_grade  # seconds to import: only where needed

    try:
        points, _ = determine_grade(cell)
    except ValueError as error:
        notes.append(f"Cell '{grade_id(cell)}' needs a human: {error}.")
        return None
    return None if points is None else float(points)


def _score_of(
    cell: NotebookNode,
    points: float | None,
    seconds: float | None = None,
    findings: tuple[str, ...] = (),
) -> CellScore:
    return CellScore(
        id=grade_id(cell),
        score=points,
        max=points_of(cell),
        seconds=seconds,
        job=job_number(cell),
        manual=is_answer(cell),
        findings=findings,
    )


def _finished(
    notebook: NotebookNode,
    execution: Execution,
    cells: tuple[CellScore, ...],
    notes: list[str],
    digest: str,
    seconds: float,
    salt: str,
    in_force: tuple[str, ...],
) -> Result:
    status: Status = "graded"
    if execution.stopped is not None:
        status = "failed"
    elif any(cell.score is None for cell in cells):
        status = "waiting"
    told = (*notes, *execution.notes)
    data = _sealed(notebook, status, execution.stopped, told, digest)
    return Result(
        status,
        data,
        cells,
        round(seconds, 3),
        execution.stopped,
        told,
        salt=salt,
        in_force=in_force,
    )


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
