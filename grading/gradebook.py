"""The one writer of nbgrader's gradebook.

Everything that is stored goes through nbgrader's own API, from one process, so that
Formgrader, `nbgrader export` and the rest of nbgrader read it as their own. Workers only
compute; they never see the database.
"""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import nbgrader.api
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from nbformat import NotebookNode, reads, writes
from nbgrader.api import Base, Course, Gradebook, MissingEntry
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import SaveCells, savecells
from nbgrader.utils import compute_checksum
from sqlalchemy import Connection, exists, inspect, select
from sqlalchemy.orm import Session
from traitlets.config import Config

from grading.by_hand import Mark, Stored, store
from grading.changes import Change, adapt, affected, changes, frame_in, frame_of
from grading.database import Database
from grading.engine import CellScore, Result
from grading.notebooks import CourseError

LOCK_SECONDS = 30.0
NAME_CHARACTERS = 128

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

    Each call is one transaction: whatever ends this process or the database, it is stored whole
    or not at all, and repeating it is safe. From its first call to its end, a writer is the only
    one; those who grade by hand go on meanwhile, and what they write is kept.

    Parameters
    ----------
    url : any SQLAlchemy URL; SQLite and PostgreSQL are what nbgrader is used with.
    course_id : the course that new labs belong to, as `CourseDirectory.course_id` names it.
    lock_seconds : how long to wait, in all, for a gradebook that another program has locked or
        writes to, or whose server went away.

    Raises `CourseError` where the gradebook cannot be opened, is no gradebook, or stays locked.
    """

    def __init__(
        self, url: str, course_id: str = "default_course", lock_seconds: float = LOCK_SECONDS
    ) -> None:
        self.course_id = course_id
        self._database = Database(url, lock_seconds)

    @property
    def url(self) -> str:
        """The gradebook's URL as nbgrader can use it: with a driver that is installed."""
        return self._database.url.render_as_string(hide_password=False)

    def __enter__(self) -> GradebookWriter:
        try:
            self._database.patiently(self._prepare, "")
        except BaseException:
            self._database.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._database.close()

    def prepare_lab(self, lab: str, master: bytes) -> None:
        """Create the lab in the gradebook, or bring its cells up to date: see `changes.adapt`.

        Raises `CourseError` where a cell is gone that a human has scored or commented.
        """
        cells = reads(master.decode(), as_version=4)
        self._transact(lambda book: self._save_cells(book, lab, cells), f"the lab {lab}")

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
        _check_name(student)
        return self._transact(
            lambda book: _record(book, student, lab, result, unchanged, timestamp),
            f"the result of {student}, lab {lab}",
        )

    def add_student(self, student: str) -> None:
        """Make a student known who has handed in nothing."""
        _check_name(student)
        self._transact(lambda book: _add_student(book, student), f"the student {student}")

    def score(self, marks: Sequence[Mark], *, force: bool = False, dry_run: bool = False) -> Stored:
        """Store what humans gave, all of it or nothing; see `grading.by_hand.store`."""
        return self._transact(
            lambda book: store(book, marks, force, dry_run), f"{len(marks)} scores"
        )

    def changes(self, lab: str, master: bytes) -> tuple[list[Change], int]:
        """What is other in a lab than when it was last graded, and how many submissions that
        concerns. Changes nothing."""
        new = frame_of(reads(master.decode(), as_version=4))

        def look() -> tuple[list[Change], int]:
            with self._database.reading() as connection:
                book = _Book(connection, self.course_id)
                old = frame_in(book, lab)
                return changes(old, new) if old else [], affected(book, lab)

        return self._database.patiently(look, "")

    # ------------------------------------------------------------ inside one attempt

    def _transact(self, work: Callable[[_Book], T], purpose: str) -> T:
        def attempt() -> T:
            with _quiet(), self._database.writing() as connection:
                book = _Book(connection, self.course_id)
                done = work(book)
                book.db.flush()
                return done

        return self._database.patiently(attempt, purpose)

    def _prepare(self) -> None:
        """Create what a new gradebook lacks; one that is complete is only read."""
        with _quiet():
            with self._database.reading() as connection:
                if has_schema(connection, self._database.name) and connection.scalar(
                    select(exists().where(Course.id == self.course_id))
                ):
                    return
            with self._database.writing(alone=False) as connection:
                if not has_schema(connection, self._database.name):
                    create_schema(connection)
                _Book(connection, self.course_id).check_course(self.course_id)

    def _save_cells(self, book: _Book, lab: str, master: NotebookNode) -> None:
        book.update_or_create_assignment(lab)
        resources = {"nbgrader": {"notebook": lab, "assignment": lab, "db_url": ""}}
        adapt(book, lab, frame_of(master))
        with _opened_by_nbgrader(book):
            SaveCells().preprocess(master, resources)


class _Book(Gradebook):
    """nbgrader's gradebook inside somebody else's transaction.

    nbgrader commits after each of its steps; here that only sends them to the database.
    """

    def __init__(self, connection: Connection, course_id: str) -> None:
        # Without autoflush, because nbgrader looks up this and that between making an object and
        # adding it.
        self.db = Session(connection, autoflush=False, join_transaction_mode="rollback_only")
        self.course_id, self.authenticator = course_id, None

    def close(self) -> None:
        """Nothing: whoever began the transaction ends it."""


def _check_name(student: str) -> None:
    # SQLite takes any name. PostgreSQL does not, and a gradebook may move there.
    if len(student) > NAME_CHARACTERS or not student.isprintable():
        raise CourseError(
            f"A student's folder is called {student!r} ({len(student)} characters); expected at"
            f" most {NAME_CHARACTERS} printable ones, as nbgrader's gradebook holds them: rename"
            " the folder, and grade again."
        )


def _add_student(book: _Book, student: str) -> None:
    try:
        book.find_student(student)
    except MissingEntry:
        book.add_student(student)


def _record(
    book: _Book, student: str, lab: str, result: Result, unchanged: bool, timestamp: str | None
) -> Result:
    _add_student(book, student)
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
    if not waiting:
        return replace(result, status="graded", cells=cells)
    return replace(result, cells=cells, status="failed" if result.reason else "waiting")


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


@contextmanager
def _quiet() -> Iterator[None]:
    # nbgrader logs each database error with its traceback; ours are told in a sentence.
    log = logging.getLogger("tornado.application")

    def nothing(record: logging.LogRecord) -> bool:
        return False

    log.addFilter(nothing)
    try:
        yield
    finally:
        log.removeFilter(nothing)


@contextmanager
def _opened_by_nbgrader(book: _Book) -> Iterator[None]:
    # nbgrader's steps open the gradebook themselves, on a connection of their own; this makes it
    # the one whose transaction is open.
    was = savecells.Gradebook
    savecells.Gradebook = lambda url: book
    try:
        yield
    finally:
        savecells.Gradebook = was


# ---------------------------------------------------------------- a new gradebook


def has_schema(connection: Connection, name: str) -> bool:
    """Whether the database holds nbgrader's tables, all of them, in the version in use.

    Raises `CourseError` where they have another version, or the database another program's.
    """
    version = MigrationContext.configure(connection).get_current_revision()
    found = set(inspect(connection).get_table_names())
    if version == _schema_version():
        return set(Base.metadata.tables) <= found
    if version is None and not _outdated(connection, found):
        return False
    raise CourseError(
        f"The gradebook {name} has version {version} of its tables; expected {_schema_version()},"
        " nbgrader's own. If an older nbgrader made it, copy it and run `nbgrader db upgrade`; if"
        " the database belongs to another program, give the gradebook one of its own."
    )


def create_schema(connection: Connection) -> None:
    """Create nbgrader's tables as nbgrader would, with their version, in the open transaction.

    By itself, nbgrader creates the tables first and notes their version later, and never where
    the database has other tables, too; it could not upgrade such a gradebook.
    """
    Base.metadata.create_all(connection)
    MigrationContext.configure(connection).stamp(_scripts(), "head")


def _outdated(connection: Connection, found: set[str]) -> bool:
    tables = [table for table in Base.metadata.sorted_tables if table.name in found]
    for table in tables:
        there = {column["name"] for column in inspect(connection).get_columns(table.name)}
        if not set(table.columns.keys()) <= there:
            return True
    return False


def _schema_version() -> str:
    return str(_scripts().get_current_head())


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(Path(nbgrader.api.__file__).with_name("alembic")))
