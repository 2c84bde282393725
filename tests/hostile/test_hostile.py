"""Hostile submissions get nowhere, and the harness notices where one would.

`python tests/hostile/run.py` tries all of them, with neighbours beside and after each.
"""

from __future__ import annotations

import ast
import ctypes
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from harness import LIMITS, ChildGrader, Graded, Harness, faults, neighbours
from plants import Plants
from submissions import AIMS, ATTACK_CELL, Attack, attacks, read, submission

QUICK = [attack for attack in attacks() if attack.quick]
ATTACK = Attack("made_up", "Nothing.", "gain", "answer", False, "x = 1\n", {})


# ---------------------------------------------------------------- the corpus


def test_the_corpus_is_wide() -> None:
    found = attacks()
    assert len(found) >= 100 and len(QUICK) >= 12
    assert {attack.aim for attack in found} == set(AIMS)


@pytest.mark.parametrize("attack", attacks(), ids=str)
def test_an_attack_fits_into_the_lab(attack: Attack, plants: Plants, harness: Harness) -> None:
    data = submission(harness.released, attack, plants.facts)
    if attack.change and "data = " in attack.change:
        return  # the file itself is the attack
    cells = {cell["id"]: cell for cell in json.loads(data)["cells"]}
    for cell in cells.values():
        if cell["cell_type"] == "code":
            ast.parse("".join(cell["source"]))
    # Nothing that counts as a find, or as a claim, stands in what is handed in.
    assert plants.found_in(data) == []
    for name, text in attack.pieces.items():
        assert cells[name]["source"] == text
    assert cells[ATTACK_CELL]["source"] == attack.code


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1", "a docstring"),
        ('"""A."""', "Aim"),
        ('"""A.\n\nAim: gain\nWhere: up\n"""', "Where"),
    ],
)
def test_a_file_that_says_too_little(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "attack.py"
    path.write_text(text)
    with pytest.raises(ValueError, match=words):
        read(path)


# ---------------------------------------------------------------- the harness


@pytest.fixture(scope="module")
def plants() -> Iterator[Plants]:
    with Plants(LIMITS) as planted:
        yield planted


POINTS = dict(zip(neighbours().values(), (10.0, 5.0), strict=True))


def honest(data: bytes) -> Graded:
    """A grader that knows the neighbours, and gives all others nothing."""
    points = POINTS.get(data, 0.0)
    notebook = {"cells": [{"id": ATTACK_CELL, "outputs": []}]}
    return Graded("graded", points, json.dumps(notebook).encode(), (("all", points),))


@pytest.fixture
def harness(plants: Plants) -> Harness:
    made = Harness(plants, honest)
    made.prepare()
    made.look()
    return made


def test_an_attack_that_fails_is_no_hit(harness: Harness) -> None:
    outcome = harness.attempt(ATTACK, ("half", "solved"))
    assert outcome.hits == [] and outcome.status == "graded" and outcome.score == 0


def hits(harness: Harness, grade: Callable[[bytes], Graded]) -> str:
    """What the harness says of an attack on another grader."""
    harness.grade = grade
    return "; ".join(harness.attempt(ATTACK, ("half",)).hits)


def test_points_are_noticed(harness: Harness) -> None:
    assert hits(harness, lambda data: replace(honest(data), score=2.0)).startswith("2 points")


def told(text: str) -> Callable[[bytes], Graded]:
    def grade(data: bytes) -> Graded:
        notebook = {"cells": [{"id": "a", "outputs": [{"output_type": "stream", "text": text}]}]}
        return replace(honest(data), notebook=json.dumps(notebook).encode())

    return grade


def test_secrets_and_claims_are_noticed(harness: Harness, plants: Plants) -> None:
    for name, word in plants.words.items():
        assert f"read the secret '{name}'" in hits(harness, told(f"{word[::-1]} in x"))
    # The hidden test itself may stand in a result, as the lab has it.
    assert hits(harness, told(plants.words["hidden test"])) == ""
    assert "read the secret 'beside'" in hits(harness, told(plants.words["beside"]))
    claimed = hits(harness, told(f"{plants.nonce[::-1]} took 5 GB\nmore"))
    assert "took 5 GB" in claimed and "more" not in claimed
    assert "in neighbour 'half'" in claimed


def test_visitors_are_noticed(harness: Harness, plants: Plants) -> None:
    def grade(data: bytes) -> Graded:
        for family, address in (
            (socket.AF_INET, ("127.0.0.1", plants.facts["tcp"])),
            (socket.AF_UNIX, plants.facts["unix"]),
            (socket.AF_UNIX, "\0" + plants.facts["abstract"]),
        ):
            with socket.socket(family) as one:
                one.connect(address)
        with socket.socket(type=socket.SOCK_DGRAM) as one:
            one.sendto(b"x", ("127.0.0.1", plants.facts["udp"]))
        return honest(data)

    said = hits(harness, grade)
    for name in ("TCP", "Unix", "abstract Unix", "UDP"):
        assert f"{name} socket reached" in said


def test_changed_and_left_files_are_noticed(harness: Harness, plants: Plants) -> None:
    left = plants.home / ".config" / "start.py"

    def grade(data: bytes) -> Graded:
        (plants.canary / "one.txt").write_text("changed")
        (plants.canary / "deeper" / "new.txt").touch()
        (plants.place / "daemon").touch()
        left.parent.mkdir(exist_ok=True)
        left.write_text(f"# {plants.nonce}")
        return honest(data)

    said = hits(harness, grade)
    assert "changed canary/one.txt" in said and "changed canary/deeper/new.txt" in said
    assert "changed daemon itself" in said and f"left {left}" in said
    assert not left.exists() and hits(harness, honest) == ""


def test_the_victims_death_is_noticed(harness: Harness, plants: Plants) -> None:
    def grade(data: bytes) -> Graded:
        plants.victim.kill()
        plants.victim.wait()
        return honest(data)

    assert "the victim was ended" in hits(harness, grade)
    assert plants.victim.poll() is None and plants.facts["victim"] == plants.victim.pid


SLEEPER = "import ctypes, time; ctypes.CDLL(None).prctl(15, b'hostile', 0, 0, 0); time.sleep(60)"


def test_survivors_are_noticed(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.SETTLE_SECONDS", 1)
    started: list[subprocess.Popen[bytes]] = []

    def grade(data: bytes) -> Graded:
        for code in (SLEEPER, "import time; time.sleep(60)"):
            started.append(subprocess.Popen([sys.executable, "-S", "-c", code]))
        return honest(data)

    harness.family = psutil.Process().children
    harness.grade = grade
    try:
        said = "; ".join(harness.attempt(ATTACK).hits)
        deadline = time.monotonic() + 10
        while psutil.Process(started[0].pid).name() != "hostile" and time.monotonic() < deadline:
            time.sleep(0.05)
        assert harness._processes()["hostile"] == 1
    finally:
        for process in started:
            process.kill()
            process.wait()
    assert "time.sleep(60)" in said


def test_a_neighbour_with_another_score_is_noticed(harness: Harness) -> None:
    def grade(data: bytes) -> Graded:
        graded = honest(data)
        return graded if graded.score != 5 else replace(graded, cells=(("all", 4.0),), score=4.0)

    assert "neighbour 'half' now gets 4" in hits(harness, grade)


def test_a_neighbour_is_graded_beside_the_attack(harness: Harness) -> None:
    harness.beside = lambda data: replace(honest(data), cells=(("all", 0.0),), score=0.0)
    assert "neighbour 'solved' now gets 0" in hits(harness, honest)


def test_a_grader_that_fails_is_noticed(harness: Harness) -> None:
    def grade(data: bytes) -> Graded:
        raise OSError("gone")

    said = hits(harness, grade)
    assert "the grader failed: OSError: gone" in said and "'half' was not graded" in said


def test_a_result_that_is_none_is_noticed(harness: Harness) -> None:
    assert "is no notebook" in hits(harness, lambda data: Graded("graded", 0.0, b"{", ()))
    big = b'{"cells": [], "x": "' + b"x" * 31_000_000 + b'"}'
    assert "result of 31 MB" in hits(harness, lambda data: replace(honest(data), notebook=big))


def test_an_attack_with_a_fault_of_its_own_is_told() -> None:
    output = {"output_type": "error", "ename": "NameError", "evalue": "x"}
    cell = {"id": ATTACK_CELL, "outputs": [output]}
    assert faults(json.dumps({"cells": [cell]}).encode()) == ["broken: NameError: x"]
    output["ename"] = "PermissionError"
    assert faults(json.dumps({"cells": [cell]}).encode()) == []


@pytest.mark.skipif(not Path("/proc/sysvipc/shm").exists(), reason="no System V memory here")
def test_memory_that_outlives_its_maker_is_noticed(harness: Harness, plants: Plants) -> None:
    libc, made = ctypes.CDLL(None), []

    def grade(data: bytes) -> Graded:
        made.append(libc.shmget(plants.facts["key"], 4096, 0o1600))
        return honest(data)

    try:
        assert "left the System V segment" in hits(harness, grade)
    finally:
        for number in made:
            libc.shmctl(number, 0, None)


# ---------------------------------------------------------------- the engine


@pytest.mark.skipif(sys.platform != "linux", reason="isolation is tried where it is built: Linux")
def test_a_telling_dozen_gets_nowhere(plants: Plants) -> None:
    """One after another on one grader, honest neighbours before and after them all."""
    grader = ChildGrader(plants)
    harness = Harness(plants, grader, grader.family)
    try:
        harness.prepare()
        harness.look()
        last = QUICK[-1].name
        tried = [harness.attempt(a, harness.neighbours if a.name == last else ()) for a in QUICK]
    finally:
        grader.close()
    assert [str(outcome) for outcome in tried if outcome.hits] == []
    assert os.environ.get("HOSTILE_WORD") is None
