"""A gradebook whose writer, or whose server, is killed at any moment: nothing lost, nothing twice.

`COURSE_ROUNDS=100` tries as many random moments, and each single statement.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gradebooks import KINDS, ask, identities, laps, new_url, result, score_by_hand, stored, whole
from gradebooks import small_fixture as small_fixture
from nbgrader.api import Gradebook
from recorder import LAB, Recorder
from tiny_class import Lab
from tiny_class import lab_fixture as lab_fixture

from grading.gradebook import GradebookWriter
from grading.notebooks import CourseError

if TYPE_CHECKING:
    from postgres import Server

pytest_plugins = ["postgres"]  # one server for all files

ROUNDS = int(os.environ.get("COURSE_ROUNDS", "10"))
STUDENTS = 5
MANY = 1_000_000  # laps, for a process that will be killed
MOMENTS = 150  # statements and commits that a new gradebook and two laps of two students need


@pytest.fixture(scope="module")
def recorder_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Recorder]]:
    started: list[Recorder] = []
    yield started
    for recorder in started:
        recorder.close()


@pytest.fixture
def recorder(recorder_place: list[Recorder], small: Lab, tmp_path: Path) -> Recorder:
    """The process that forks writers; one for all tests of this file."""
    if not recorder_place:
        master = tmp_path / "master.ipynb"
        master.write_bytes(small.master)
        recorder_place.append(Recorder(master))
    return recorder_place[0]


def seen_until_killed(recorder: Recorder, url: str, process: int, seconds: float) -> dict[int, int]:
    """Kill a writer some seconds after its first result; the last lap it told of each student."""
    told: dict[int, int] = {}
    first = recorder.stored()
    assert first is not None, recorder.exit_code
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)
    while first is not None:
        told[first[0]] = first[1]
        first = recorder.stored()
    assert recorder.exit_code == -signal.SIGKILL
    return told


def complete(recorder: Recorder, url: str, lap: int) -> None:
    """Run once more, to the end."""
    recorder.begin(url, students=STUDENTS, first=lap, last=lap)
    while recorder.stored() is not None:
        pass
    assert recorder.exit_code == 0
    assert laps(url) == dict.fromkeys(range(STUDENTS), lap)


@pytest.mark.parametrize("kind", KINDS)
def test_killed_before_any_statement_or_commit(
    kind: str, recorder: Recorder, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """From an empty database on: its tables, the lab, and each result are there whole or not."""
    url = new_url(kind, request, tmp_path)
    every = range(1, MOMENTS)
    chosen = every if ROUNDS > 10 else sorted(random.Random(kind).sample(every, 6))
    told: dict[int, int] = {}
    for moment in chosen:
        recorder.begin(url, students=2, last=2, die_at=moment)
        while (said := recorder.stored()) is not None:
            told[said[0]] = max(said[1], told.get(said[0], 0))
        assert recorder.exit_code in (0, -signal.SIGKILL)
        after = whole(url)
        assert all(after[student] >= 1 for student in told)
    recorder.begin(url, students=2, last=2)
    while recorder.stored() is not None:
        pass
    assert whole(url) == {0: 2, 1: 2}


@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_random_moments_while_a_human_grades(
    kind: str, recorder: Recorder, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url, rng = new_url(kind, request, tmp_path), random.Random(2026)
    lap, there, points, after = 1, set[str](), dict[str, float](), dict[int, int]()
    for number in range(ROUNDS):
        process = recorder.begin(url, students=STUDENTS, first=lap, last=MANY)
        if after:
            student = f"s{rng.choice(sorted(after))}"
            points[student] = float(number)
            score_by_hand(url, points[student], student=student)
        told = seen_until_killed(recorder, url, process, rng.uniform(0, 0.15))
        after = laps(url)
        for student, last in told.items():
            # What the process told of is stored; it may have stored one more.
            assert after[student] in (last, last + 1), (number, told, after)
        assert there <= identities(url)
        there, lap = identities(url), max(after.values()) + 1
    complete(recorder, url, lap)
    assert there <= identities(url)
    assert manual(url) == points


def manual(url: str) -> dict[str, float]:
    """The points of those whom a human has scored; fails where the comment is not there, too."""
    with Gradebook(url) as book:
        given = {}
        for student in book.students:
            grade = book.find_grade("tiny-1-3-answer", LAB, LAB, student.id)
            comment = book.find_comment("tiny-1-3-answer", LAB, LAB, student.id)
            if grade.manual_score is not None:
                assert comment.comment == "well said"
                given[student.id] = grade.manual_score
        return given


# ---------------------------------------------------------------- the server goes away


@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGKILL])
def test_a_server_that_crashes_in_mid_run_costs_nothing(
    how: signal.Signals, recorder: Recorder, postgres_server: Server
) -> None:
    """`pg_ctl stop -m immediate`, or kill -9 of the server, and a start a moment later."""
    url, rng = postgres_server.database(), random.Random(how)
    process = recorder.begin(url, students=STUDENTS, last=MANY)
    told: dict[int, int] = {}
    for _ in range(max(2, ROUNDS // 5)):
        for _ in range(rng.randrange(1, 12)):
            said = recorder.stored()
            assert said is not None, recorder.exit_code
            told[said[0]] = said[1]
        time.sleep(rng.uniform(0, 0.02))
        postgres_server.end(how)
        time.sleep(rng.uniform(0, 0.3))
        postgres_server.start()
        after = laps(url)
        assert all(after[student] >= lap for student, lap in told.items())
    for _ in range(STUDENTS):
        assert recorder.stored() is not None, "the writer goes on by itself"
    os.kill(process, signal.SIGKILL)
    while recorder.stored() is not None:
        pass
    complete(recorder, url, max(laps(url).values()) + 1)


def test_a_server_that_stays_away_is_told(small: Lab, postgres_server: Server) -> None:
    url = postgres_server.database()
    with GradebookWriter(url, lock_seconds=0.5) as writer:
        writer.prepare_lab(LAB, small.master)
        writer.record("ada", LAB, result(small, [2, 1, None]))
        postgres_server.end()
        words = r"went away.*Not stored: the result of eva, lab tiny.*start the database.*again"
        with pytest.raises(CourseError, match=words):
            writer.record("eva", LAB, result(small, [1, 0, None]))
        with pytest.raises(CourseError, match=r"cannot be used: connection .* failed"):
            GradebookWriter(url, lock_seconds=20).__enter__()
        postgres_server.start()
        writer.record("eva", LAB, result(small, [1, 0, None]))
    assert len(stored(url)) == len(stored(url, "eva")) == 3


def test_a_writer_that_lost_its_connection_takes_its_lock_back(
    small: Lab, postgres_server: Server
) -> None:
    """The server may believe for a while in a connection that the network has lost."""
    url = postgres_server.database()
    with GradebookWriter(url, lock_seconds=5) as writer:
        writer.prepare_lab(LAB, small.master)
        lost, writer._database._connection = writer._database._connection, None
        writer.record("ada", LAB, result(small, [2, 1, None]))
        assert lost is not None
    assert len(stored(url)) == 3
    assert ask(url, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]
