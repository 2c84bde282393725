"""What tests of the gradebook share: the lab, gradebooks in SQLite and PostgreSQL, a human."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook
from recorder import CELLS, LAB, scores
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool
from tiny_class import Lab, packed

from grading.engine import CellScore, Result
from grading.gradebook import GradebookWriter, default_url

KINDS = ("sqlite", "postgresql")
TABLES = ("student", "submitted_assignment", "submitted_notebook", "grade", "comment")
_made: list[Lab] = []


@pytest.fixture(name="small")
def small_fixture(request: pytest.FixtureRequest) -> Lab:
    """The tiny lab, made once and shared; nobody changes it."""
    if not _made:
        _made.append(request.getfixturevalue("lab"))
    return _made[0]


def new_url(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of an empty database."""
    if kind == "sqlite":
        return default_url(folder)
    return str(request.getfixturevalue("postgres_server").database())


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of each kind."""
    return new_url(request.param, request, tmp_path)


@pytest.fixture
def writer(small: Lab, url: str) -> Iterator[GradebookWriter]:
    """An open writer of a gradebook with the lab."""
    with GradebookWriter(url, "generative-models", lock_seconds=1.0) as opened:
        opened.prepare_lab(LAB, small.master)
        yield opened


def result(lab: Lab, scores: Sequence[float | None], student: str = "solved") -> Result:
    """A result as the engine would make it, without running anything."""
    notebook = lab.honest[student]
    cells = tuple(CellScore(i, s, m) for (i, m), s in zip(CELLS, scores, strict=True))
    return Result("waiting" if None in scores else "graded", packed(notebook), cells)


@cache
def _engine(url: str) -> Engine:
    return create_engine(url, poolclass=NullPool)


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    """What a database answers, on a connection of its own, past nbgrader and our code."""
    with _engine(url).begin() as connection:
        answer = connection.execute(text(statement))
        return [tuple(row) for row in answer] if answer.returns_rows else []


def tables(url: str) -> set[str]:
    """The tables of a database."""
    if url.startswith("sqlite"):
        return {name for (name,) in ask(url, "SELECT name FROM sqlite_master WHERE type='table'")}
    return {n for (n,) in ask(url, "SELECT tablename FROM pg_tables WHERE schemaname='public'")}


def stored(url: str, student: str = "ada") -> dict[str, tuple[float | None, bool]]:
    """A student's automatic scores, and whether a human is asked."""
    with Gradebook(url) as book:
        grades = book.find_submission_notebook(LAB, LAB, student).grades
        return {grade.name: (grade.auto_score, grade.needs_manual_grade) for grade in grades}


def score_by_hand(
    url: str, points: float, cell: str = "tiny-1-3-answer", student: str = "ada"
) -> None:
    """What Formgrader does when a human enters points and a comment."""
    with Gradebook(url) as book:
        grade = book.find_grade(cell, LAB, LAB, student)
        grade.manual_score, grade.needs_manual_grade = points, False
        book.find_comment("tiny-1-3-answer", LAB, LAB, student).manual_comment = "well said"
        book.db.commit()


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Another program has the gradebook locked."""
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, check_same_thread=False)) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield
        return
    with _engine(url).begin() as connection:
        connection.execute(text("LOCK TABLE alembic_version, student, grade"))
        yield


# ---------------------------------------------------------------- whole, or not there

GRADES = """SELECT s.student_id, c.name, g.auto_score
FROM submitted_assignment s JOIN submitted_notebook n ON n.assignment_id = s.id
JOIN grade g ON g.notebook_id = n.id JOIN base_cell c ON c.id = g.cell_id"""
PARTS = """SELECT s.student_id, count(DISTINCT s.id), count(DISTINCT n.id), count(DISTINCT g.id),
count(DISTINCT k.id) FROM submitted_assignment s
LEFT JOIN submitted_notebook n ON n.assignment_id = s.id LEFT JOIN grade g ON g.notebook_id = n.id
LEFT JOIN comment k ON k.notebook_id = n.id GROUP BY s.student_id"""


def laps(url: str) -> dict[int, int]:
    """Which lap of a recorder is stored for each student.

    Fails unless every submission has each of its parts once, and all scores of one lap.
    """
    for student, *counts in ask(url, PARTS):
        assert counts == [1, 1, 3, 3], (student, counts)
    found: dict[int, dict[str, float]] = {}
    for student, cell, score in ask(url, GRADES):
        found.setdefault(int(student[1:]), {})[cell] = score
    seen = {student: int(min(given.values()) // 1000) for student, given in found.items()}
    for student, given in found.items():
        right = scores(student, seen[student])
        assert given == {name: s for (name, _), s in zip(CELLS, right, strict=True)}
    return seen


def whole(url: str) -> dict[int, int]:
    """As `laps`, of a gradebook that may be nowhere yet, or have no lab yet; all or nothing."""
    there = tables(url)
    if not there:
        return {}
    assert {"alembic_version", "course", *TABLES} <= there
    assert len(ask(url, "SELECT version_num FROM alembic_version")) == 1
    kinds = Counter(kind for (kind,) in ask(url, "SELECT type FROM base_cell"))
    sources = len(ask(url, "SELECT name FROM source_cell"))
    assert (sum(kinds.values()), sources) in ((0, 0), (6, 6)), (kinds, sources)
    return laps(url)


def identities(url: str) -> set[str]:
    """The ids of everything that belongs to submissions."""
    return {f"{table} {row[0]}" for table in TABLES for row in ask(url, f"SELECT id FROM {table}")}
