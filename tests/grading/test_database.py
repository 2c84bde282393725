"""The database under a gradebook: one writer, humans beside it, schema versions, other readers."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from gradebooks import KINDS, ask, new_url, result, score_by_hand, stored, tables
from gradebooks import small_fixture as small_fixture
from gradebooks import url as url
from gradebooks import writer as writer
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins.export import CsvExportPlugin
from recorder import LAB
from sqlalchemy import event
from tiny_class import Lab
from tiny_class import lab_fixture as lab_fixture
from traitlets.config import Config

from grading.database import usable_url
from grading.gradebook import GradebookWriter
from grading.notebooks import CourseError

pytest_plugins = ["postgres"]  # one server for all files


# ---------------------------------------------------------------- one writer


def test_a_second_writer_waits_and_is_then_refused(
    writer: GradebookWriter, small: Lab, url: str
) -> None:
    with GradebookWriter(url, lock_seconds=0.3) as second:
        words = r"has a writer already.*after 0.3 s.* course grade, process \d+ on .*; expected"
        words += r".*Not stored: the lab tiny\. Wait until the other has finished"
        with pytest.raises(CourseError, match=words):
            second.prepare_lab(LAB, small.master)
        writer.record("ada", LAB, result(small, [2, 1, None]))
        writer.__exit__()
        second.record("ada", LAB, result(small, [1, 1, None]))
    assert stored(url)["tiny-1-1-check"] == (1, False)


def test_a_reader_is_not_refused(writer: GradebookWriter, url: str) -> None:
    for course_id in ("generative-models", "one that is new"):
        with GradebookWriter(url, course_id, lock_seconds=0.3):
            pass


def test_several_may_open_a_new_gradebook_at_once(url: str) -> None:
    def opened(number: int) -> None:
        with GradebookWriter(url, f"course{number}"):
            pass

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(opened, range(4)))
    assert len(ask(url, "SELECT id FROM course")) == 4
    assert len(ask(url, "SELECT version_num FROM alembic_version")) == 1


def beforehand(writer: GradebookWriter, words: str, url: str, statement: str) -> list[str]:
    """Let somebody else commit a statement right before the writer's first that begins so."""
    done: list[str] = []

    def step_in(connection: Any, cursor: Any, sent: str, *_: object) -> None:
        if sent.startswith(words) and not done:
            done.append(sent)
            ask(url, statement)

    event.listen(writer._database._engine, "before_cursor_execute", step_in)
    return done


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_what_a_human_writes_in_mid_transaction_is_seen(
    writer: GradebookWriter, small: Lab, url: str
) -> None:
    """SQLite lets nobody in; PostgreSQL refuses our update, and the next attempt sees theirs."""
    writer.record("ada", LAB, result(small, [2, 1, None]))
    given = """UPDATE grade SET manual_score = 1.5, needs_manual_grade = false
        WHERE needs_manual_grade"""
    done = beforehand(writer, "UPDATE grade", url, given)
    kept = writer.record("ada", LAB, result(small, [1, 0, 0.5]), unchanged=True)
    assert done and [cell.score for cell in kept.cells] == [1, 0, 1.5]
    assert stored(url)["tiny-1-3-answer"] == (0.5, True)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_student_whom_somebody_else_adds_meanwhile_is_one_student(
    writer: GradebookWriter, small: Lab, url: str
) -> None:
    done = beforehand(writer, "INSERT INTO student", url, "INSERT INTO student (id) VALUES ('ada')")
    writer.record("ada", LAB, result(small, [2, 1, None]))
    assert done and ask(url, "SELECT id FROM student") == [("ada",)] and len(stored(url)) == 3


@pytest.mark.parametrize("name", ["a" * 129, "a\0b", "a\udcff"])
def test_a_name_that_not_every_database_holds_is_refused(
    writer: GradebookWriter, small: Lab, name: str
) -> None:
    with pytest.raises(CourseError, match=r"at most 128 printable ones.*rename the folder"):
        writer.record(name, LAB, result(small, [2, 1, None]))
    with pytest.raises(CourseError, match="rename the folder"):
        writer.add_student(name)


# ---------------------------------------------------------------- schema


def test_tables_of_another_program_are_left_alone(url: str, small: Lab) -> None:
    """nbgrader itself takes them for its own, and never notes the version of its tables."""
    ask(url, "CREATE TABLE theirs (x INTEGER)")
    with GradebookWriter(url) as writer:
        writer.prepare_lab(LAB, small.master)
    assert {"theirs", "alembic_version", "grade"} <= tables(url)
    assert len(ask(url, "SELECT version_num FROM alembic_version")) == 1


def test_a_gradebook_whose_creation_was_cut_short_is_completed(
    writer: GradebookWriter, url: str
) -> None:
    version = ask(url, "SELECT version_num FROM alembic_version")
    writer.__exit__()
    ask(url, "DROP TABLE alembic_version")
    ask(url, "DROP TABLE comment")
    with GradebookWriter(url):
        pass
    assert ask(url, "SELECT version_num FROM alembic_version") == version
    assert "comment" in tables(url)


@pytest.mark.parametrize(
    "change",
    [
        ["UPDATE alembic_version SET version_num = '724cde206c17'"],
        ["DROP TABLE alembic_version", "ALTER TABLE student DROP COLUMN lms_user_id"],
    ],
)
def test_another_version_is_explained(writer: GradebookWriter, url: str, change: list[str]) -> None:
    writer.__exit__()
    for statement in change:
        ask(url, statement)
    before = tables(url)
    with pytest.raises(CourseError, match=r"has version .* run `nbgrader db upgrade`"):
        GradebookWriter(url).__enter__()
    assert tables(url) == before


# ---------------------------------------------------------------- URLs


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_postgresql_url_needs_no_driver_in_it(scheme: str) -> None:
    pytest.importorskip("psycopg")
    assert usable_url(f"{scheme}://me@host/course").drivername == "postgresql+psycopg"


def test_the_writer_tells_nbgrader_the_whole_url() -> None:
    assert GradebookWriter("postgresql://me:secret@host/course").url.endswith(
        "://me:secret@host/course"
    )


def test_a_server_that_is_not_there_is_explained_at_once(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    missing = f"postgresql://me@/course?host={tmp_path}"
    with pytest.raises(CourseError, match=r"cannot be used: connection .* failed"):
        GradebookWriter(missing, lock_seconds=60).__enter__()


# ---------------------------------------------------------------- nbgrader reads it


def told(value: Any) -> Any:
    """What nbgrader tells, without the random ids and the kind of database."""
    if isinstance(value, dict):
        return {key: told(v) for key, v in value.items() if key != "id"}
    return [told(item) for item in value] if isinstance(value, list) else value


def seen_by_nbgrader(url: str, course: Path, target: Path) -> list[Any]:
    """What Formgrader's pages and `nbgrader export` show."""
    config = Config()
    config.CourseDirectory.root, config.CourseDirectory.db_url = str(course), url
    config.CourseDirectory.source_directory = "solutions"
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    export = CsvExportPlugin(to=str(target))
    with Gradebook(url) as book:
        export.export(book)
        rows = sorted(target.read_text(encoding="utf-8").splitlines())
        return [
            rows,
            told(api.get_assignment(LAB)),
            told(api.get_notebooks(LAB)),
            told(sorted(api.get_submissions(LAB), key=lambda one: str(one["student"]))),
            told(sorted(api.get_students(), key=lambda one: str(one["id"]))),
            told(api.get_student_submissions("ada")),
            told(sorted(book.notebook_submission_dicts(LAB, LAB), key=lambda o: str(o["student"]))),
            book.average_assignment_score(LAB),
            book.average_notebook_written_score(LAB, LAB),
        ]


def test_formgrader_and_export_show_the_same_from_either(
    small: Lab, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    seen = []
    for kind in KINDS:
        url = new_url(kind, request, tmp_path)
        with GradebookWriter(url) as writer:
            writer.prepare_lab(LAB, small.master)
            writer.record("ada", LAB, result(small, [2, 0.5, None]), timestamp="2026-11-20 12:00")
            writer.record("eva", LAB, result(small, [0, 0, 0], "untouched"))
            writer.add_student("ida")
        score_by_hand(url, 1.5)
        seen.append(seen_by_nbgrader(url, small.folder, tmp_path / f"{kind}.csv"))
    assert seen[0] == seen[1]
    rows = seen[0][0]
    assert any(re.match(r"tiny,,2026-11-20 12:00:00,ada,,,,4.0,0.0,4.0,5.0", row) for row in rows)
    assert len(rows) == 4
