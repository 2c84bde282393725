"""The one writer of nbgrader's gradebook.

Everything that is stored goes through nbgrader's own API, from one process, so that
Formgrader, `nbgrader export` and the rest of nbgrader read it as their own. Workers only
compute; they never see the database.
"""

from __future__ import annotations

import copy
import json
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import nbgrader.api
from alembic.script import ScriptDirectory
from nbformat import NotebookNode, reads, writes
from nbgrader.api import Gradebook, InvalidEntry, MissingEntry
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import SaveCells
from nbgrader.utils import compute_checksum
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    NoSuchModuleError,
    OperationalError,
    SAWarning,
    SQLAlchemyError,
)
from traitlets.config import Config

from grading.engine import CellScore, Result
from grading.notebooks import CourseError

LOCK_SECONDS = 30.0
ATTEMPT_SECONDS = 2.0

T = TypeVar("T")


def default_url(course_dir: Path) -> str:
    """The gradebook that nbgrader itself uses in a course folder."""
    return f"sqlite:///{(course_dir / 'gradebook.db').resolve()}"


def submission_digest(autograded: Path) -> str | None:
    """The digest of the submission that an autograded file was made from, if it tells."""
    try:
        return digest_in(autograded.read_bytes())
    except OSError:
        return None


def digest_in(notebook: bytes) -> str | None:
    """The digest of the submission that an executed notebook was made from, if it tells."""
    try:
        digest = json.loads(notebook)["metadata"]["course"]["grading"]["submission"]
    except (ValueError, KeyError, TypeError):
        return None
    return digest if isinstance(digest, str) else None


# ---------------------------------------------------------------- the lab as it is graded


def master_notebook(source: NotebookNode, lab: str, config: Config) -> bytes:
    """The lab's bytes for grading: hidden tests in, solutions cleared, checksums computed.

    These are nbgrader's own steps of `generate_assignment`, as `config` names them, up to
    the point where it saves the cells to its gradebook.
    """
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    notebook = copy.deepcopy(source)
    resources: dict[str, Any] = {
        "unique_key": lab,
        "metadata": {"name": lab, "path": ""},
        "nbgrader": {"notebook": lab, "assignment": lab, "student": ".", "db_url": ""},
    }
    for step in converter.preprocessors:
        if step is SaveCells:
            return (writes(notebook) + "\n").encode()
        notebook, resources = step(parent=converter, config=config)(notebook, resources)
    raise CourseError(
        f"GenerateAssignment.preprocessors in nbgrader_config.py has {len(converter.preprocessors)}"
        " steps without SaveCells; the lab's cells are taken where SaveCells stands: put it back."
    )


# ---------------------------------------------------------------- writing


class GradebookWriter:
    """Writes results into one gradebook; a context manager.

    Parameters
    ----------
    url : any SQLAlchemy URL; SQLite and PostgreSQL are what nbgrader is used with.
    course_id : the course that new labs belong to, as `CourseDirectory.course_id` names it.
    lock_seconds : how long to wait, in all, for a gradebook that another program has locked.

    Raises `CourseError` where the gradebook cannot be opened, is no gradebook, or stays locked.
    """

    def __init__(
        self, url: str, course_id: str = "default_course", lock_seconds: float = LOCK_SECONDS
    ) -> None:
        self.course_id, self.lock_seconds = course_id, lock_seconds
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise CourseError(
                f"--db was given {url!r}, which is not a database URL; expected something like"
                " sqlite:////home/me/course/gradebook.db or postgresql://user@host/course."
            ) from None
        self.name = parsed.render_as_string(hide_password=True)
        if parsed.get_backend_name() == "sqlite" and "timeout" not in parsed.query:
            parsed = parsed.update_query_dict({"timeout": str(min(ATTEMPT_SECONDS, lock_seconds))})
        self._url = parsed.render_as_string(hide_password=False)
        self._gradebook: Gradebook | None = None

    def __enter__(self) -> GradebookWriter:
        with _schema_version_at_hand():
            self._gradebook = self._patiently(lambda: Gradebook(self._url, self.course_id))
        return self

    def __exit__(self, *exception: object) -> None:
        if self._gradebook is not None:
            self._gradebook.close()
            self._gradebook = None

    def prepare_lab(self, lab: str, master: bytes) -> None:
        """Create the lab in the gradebook, or bring its cells up to date.

        Raises `CourseError` where submissions stand in the way of added or removed cells.
        """
        self._patiently(lambda: self._save_cells(lab, reads(master.decode(), as_version=4)))

    def record(
        self,
        student: str,
        lab: str,
        result: Result,
        *,
        unchanged: bool = False,
        timestamp: str | None = None,
    ) -> Result:
        """Store one result; returns it with a human's scores in place of automatic ones.

        Manual scores, extra credit and comments are kept. A cell that a human has scored asks
        for another look only where the submission is not `unchanged` or its automatic score
        moved. Storing the same result again changes nothing.
        """
        return self._patiently(lambda: self._record(student, lab, result, unchanged, timestamp))

    def add_student(self, student: str) -> None:
        """Make a student known who has handed in nothing."""
        self._patiently(lambda: self._student(student))

    # ------------------------------------------------------------ inside one attempt

    @property
    def _open(self) -> Gradebook:
        assert self._gradebook is not None, "used outside its with block"
        return self._gradebook

    def _save_cells(self, lab: str, master: NotebookNode) -> None:
        self._open.update_or_create_assignment(lab)
        resources = {"nbgrader": {"notebook": lab, "assignment": lab, "db_url": self._url}}
        try:
            SaveCells().preprocess(master, resources)
        except RuntimeError as error:
            raise CourseError(
                f"Lab '{lab}' has other cells than when its submissions were graded into"
                f" {self.name} ({error}); expected the same graded and locked cells. Take the"
                " change back, or grade into a fresh gradebook with --db."
            ) from None

    def _student(self, student: str) -> None:
        try:
            self._open.find_student(student)
        except MissingEntry:
            self._open.add_student(student)

    def _record(
        self, student: str, lab: str, result: Result, unchanged: bool, timestamp: str | None
    ) -> Result:
        book = self._open
        self._student(student)
        when = {"timestamp": timestamp} if timestamp else {}
        book.update_or_create_submission(lab, student, **when)
        stored = book.find_submission_notebook(lab, lab, student)
        grades = {grade.name: grade for grade in stored.grades}
        for cell in result.cells:
            _store(grades[cell.id], cell, unchanged)
        comments = {comment.name: comment for comment in stored.comments}
        for name, said in _automatic_comments(result).items():
            if name in comments:
                comments[name].auto_comment = said
        waiting = any(grade.needs_manual_grade for grade in grades.values())
        cells = tuple(_as_graded(cell, grades[cell.id]) for cell in result.cells)
        book.db.commit()
        if not waiting:
            return replace(result, status="graded", cells=cells)
        return replace(result, cells=cells, status="failed" if result.reason else "waiting")

    def _patiently(self, attempt: Callable[[], T]) -> T:
        """Try until it works or `lock_seconds` are over; only a lock is tried again."""
        deadline = time.monotonic() + self.lock_seconds
        while True:
            try:
                with _quiet():
                    return attempt()
            except (SQLAlchemyError, InvalidEntry, ImportError) as error:
                if self._gradebook is not None:
                    self._gradebook.db.rollback()
                if not _is_lock(error):
                    raise self._unusable(error) from error
                if time.monotonic() > deadline:
                    raise self._in_use() from error
            time.sleep(0.1)

    def _in_use(self) -> CourseError:
        return CourseError(
            f"The gradebook {self.name} is in use: another program has held it locked for more"
            f" than {self.lock_seconds:.0f} s; expected to be the one that writes. Close"
            " Formgrader and other nbgrader commands, then run the same command again."
        )

    def _unusable(self, error: Exception) -> CourseError:
        if isinstance(error, (NoSuchModuleError, ImportError)):
            why = f"its driver is not installed ({error})"
        else:
            why = str(getattr(error, "orig", None) or error).splitlines()[0]
        return CourseError(
            f"The gradebook {self.name} cannot be used: {why}. Expected a database that nbgrader"
            " can read and write: check the path or URL in --db, and its permissions."
        )


def _store(grade: Any, cell: CellScore, unchanged: bool) -> None:
    settled = not grade.needs_manual_grade and grade.manual_score is not None
    settled = settled and unchanged and grade.auto_score == cell.score
    grade.auto_score = cell.score
    undecided = cell.score is None or grade.manual_score is not None
    grade.needs_manual_grade = undecided and not settled


def _as_graded(cell: CellScore, grade: Any) -> CellScore:
    points = grade.manual_score if grade.manual_score is not None else cell.score
    if points is not None and grade.extra_credit:
        points += grade.extra_credit
    return replace(cell, score=points)


def _automatic_comments(result: Result) -> dict[str, str | None]:
    """nbgrader's remark on answers that still hold the stub, by grade id."""
    comments: dict[str, str | None] = {}
    for cell in reads(result.notebook.decode(), as_version=4).cells:
        nbgrader = cell.metadata.get("nbgrader", {})
        if nbgrader.get("solution"):
            # What stands in for a file that could not be read is nobody's response.
            untouched = nbgrader.get("checksum") == compute_checksum(cell)
            untouched = untouched and result.status != "failed"
            comments[nbgrader["grade_id"]] = "No response." if untouched else None
    return comments


def _is_lock(error: Exception) -> bool:
    said = str(error).lower()
    return isinstance(error, (OperationalError, InvalidEntry)) and "locked" in said


@contextmanager
def _quiet() -> Iterator[None]:
    # nbgrader logs each database error with its traceback; ours are told in a sentence. Its
    # way of adding a submission makes SQLAlchemy warn, without consequence.
    log = logging.getLogger("tornado.application")
    was, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)
            yield
    finally:
        log.disabled = was


@contextmanager
def _schema_version_at_hand() -> Iterator[None]:
    # To create a gradebook, nbgrader asks the program `alembic` for the newest version of its
    # schema: seconds, and a failure where this Python's programs are not on the path. The same
    # answer is to be had in this process.
    was = nbgrader.api.get_alembic_version
    nbgrader.api.get_alembic_version = _schema_version
    try:
        yield
    finally:
        nbgrader.api.get_alembic_version = was


def _schema_version() -> str:
    folder = Path(nbgrader.api.__file__).with_name("alembic")
    return str(ScriptDirectory(str(folder)).get_current_head())
