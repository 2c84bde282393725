"""Messages are counted by what they diagnose, and not by their numbers."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from odd_class import INVERTED, REPORT, STUB

import course_utils.checks
from course_utils.checks.core import Crash, Part, judge
from grading.diagnosis import Diagnosis, diagnoses, key, named, not_written, plain
from grading.engine import CellScore
from grading.report import Entry

CHECKS = Path(course_utils.checks.__file__).parent
PART = Part(1, lambda seed: {}, lambda target, inputs: {}, lambda inputs, outputs: [])


def crashed(message: str, line: str | None, advice: str | None) -> str:
    """What a check says of an exception."""
    part = Part(1, PART.inputs, PART.probe, PART.verdict, lambda crash: advice)
    [finding] = judge(part, {}, Crash("TypeError", message, line))
    return finding.message


def piece(value: Any) -> str:
    """A piece of text, or the format of a number behind a mark."""
    if isinstance(value, ast.Constant):
        return str(value.value)
    return f"\0{ast.unparse(value.format_spec)[2:-1]}"


def templates() -> Iterator[list[str]]:
    """Each message of the checks that prints formatted numbers: its text in pieces."""
    for path in sorted(CHECKS.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr) and all(
                isinstance(value, ast.Constant) or value.format_spec for value in node.values
            ):
                pieces = [piece(value) for value in node.values]
                if len("".join(pieces)) > 25:
                    yield pieces


def filled(pieces: list[str], number: float) -> str:
    return "".join(format(number, p[1:]) if p.startswith("\0") else p for p in pieces)


TEMPLATES = list(templates())


def test_numbers_of_every_kind_that_checks_print_do_not_matter() -> None:
    assert len(TEMPLATES) > 10
    for pieces in TEMPLATES:
        keys = {key(filled(pieces, n)) for n in (0.5, 12.25, -0.031, 3.0e-7, 41234.5)}
        assert len(keys) == 1, keys


def test_different_diagnoses_stay_apart() -> None:
    """Of all whole sentences in the checks, only these differ in numbers alone."""
    groups: dict[str, set[str]] = defaultdict(set)
    for path in CHECKS.glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        docstrings = {n.value for n in ast.walk(tree) if isinstance(n, ast.Expr)}
        said = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and n not in docstrings]
        for text in (constant.value for constant in said):
            if isinstance(text, str) and text.endswith(".") and "\n" not in text and " " in text:
                groups[key(text)].add(text)
    assert len(groups) > 300
    together = {text for texts in groups.values() if len(texts) > 1 for text in texts}
    assert together == {
        "The logarithm has base 10; use the natural one.",
        "The logarithm has base 2; use the natural one.",
        "Your π is rounded to 3.1416; math.pi has all its digits.",
        "Your π is rounded to 3.14; math.pi has all its digits.",
    }


@pytest.mark.parametrize(
    ("message", "expected", "known"),
    [
        (INVERTED, INVERTED, True),
        ("Not yet: x = 1. At index [1, 2] the check expected 4 and got -4 (…).", "Not yet: x = 1.",
         False),
        ("yours is the str 'Ada'; the caller's own 'x'.",
         "yours is the str '…'; the caller's own '…'.", True),
        (crashed("no 'ada'", "line 3: f('Ada')  # (see). Ada", "Is there a return?"),
         "Your code stopped with TypeError. Is there a return?", True),
        (crashed("no 'ada'", "line 3: f('Ada')", None), "Your code stopped with TypeError.", False),
        (crashed("Ada. Said so", None, None), "Your code stopped with TypeError.", False),
    ],
)  # fmt: skip
def test_what_a_student_wrote_is_left_out(message: str, expected: str, known: bool) -> None:
    assert plain(message) == expected
    assert plain(plain(message)) == expected
    assert named(expected) is known
    assert "Ada" not in plain(message)


def test_students_are_counted_once_for_each_diagnosis() -> None:
    assert diagnoses(REPORT.entries) == [
        Diagnosis("a", "1.1", INVERTED.replace("80", "79"), True, ("=cmd()", "eva"))
    ]


def test_jobs_that_nobody_began_are_no_misconception() -> None:
    cell = CellScore("x", 0.0, 1.0, None, "1.2", False, (STUB, "Not yet: y.", "Not yet: y."))
    found = diagnoses([Entry("ada", "a", "graded", 0.0, 1.0, (cell,))])
    assert not_written(STUB)
    assert [(one.text, one.named, one.students) for one in found] == [
        ("Not yet: y.", False, ("ada",))
    ]
