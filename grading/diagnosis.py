"""What a check's message says was wrong, as a name under which a class can be counted.

A message carries numbers, which differ from run to run, and may quote the student: a line of the
code, an exception's text, a value. `plain` leaves out what is the student's, and `key` the numbers,
too: two messages with one key are one diagnosis.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from grading.report import Entry

# As `course_utils.checks.core.judge` writes them.
_CRASH = re.compile(r"Your code stopped with (\w+): (.*)", re.DOTALL)
_LINE = " (line "
_NOT_WRITTEN = " is not written yet."
_UNNAMED = ("Not yet: ", "Your code stopped with ")
_NUMBER = re.compile(r"[-+−]?(?<![\w.,])\d+(?:[.,]\d+)*(?:e[-+]?\d+)?%?|\b(?:nan|inf)\b")
_LIST = re.compile(r"[\[(]#(?:, ?#)*,?[\])]")
_COMPARED = re.compile(r" At index [\[(].*", re.DOTALL)
# Not the apostrophe of "the caller's tensors".
_QUOTED = re.compile(r"(?<!\w)'[^']*'(?!\w)|(?<!\w)\"[^\"]*\"(?!\w)")


@dataclass(frozen=True)
class Diagnosis:
    """What several students were told about one job. `named` is false where the check only saw that
    something is wrong; `students` are those who were told it."""

    lab: str
    job: str
    text: str
    named: bool
    students: tuple[str, ...]


def not_written(message: str) -> bool:
    """Whether a message only says that a job still holds the stub."""
    return message.endswith(_NOT_WRITTEN)


def plain(message: str) -> str:
    """A message without what it quotes from the student, and without the numbers it compares."""
    crash = _CRASH.fullmatch(message)
    if crash:
        # The advice, if there is any, follows the line of code in parentheses.
        _, line, rest = crash[2].partition(_LINE)
        advice = rest.rpartition("). ")[2] if line and "). " in rest else ""
        return f"Your code stopped with {crash[1]}. {advice}".rstrip()
    return _QUOTED.sub("'…'", _COMPARED.sub("", message))


def key(message: str) -> str:
    """What two messages share that differ in numbers alone."""
    return _LIST.sub("#", _NUMBER.sub("#", plain(message)))


def named(text: str) -> bool:
    """Whether a plain message names a mistake, and does not only show that there is one."""
    advice = text.partition(". ")[2]
    return not text.startswith(_UNNAMED) or (text.startswith(_UNNAMED[1]) and bool(advice))


@dataclass
class _Group:
    texts: Counter[str] = field(default_factory=Counter)
    students: set[str] = field(default_factory=set)


def diagnoses(entries: Iterable[Entry]) -> list[Diagnosis]:
    """What the checks found wrong, by lab and job, those of most students first.

    A student counts once for each, however often a check says it. Jobs that nobody began are left
    out: they are no mistake.
    """
    groups: dict[tuple[str, str, str], _Group] = defaultdict(_Group)
    for entry in entries:
        for cell in entry.cells:
            for message in cell.findings:
                if not_written(message):
                    continue
                group = groups[entry.lab, cell.job or cell.id, key(message)]
                group.texts[plain(message)] += 1
                group.students.add(entry.student)
    found = [
        Diagnosis(lab, job, text, named(text), tuple(sorted(group.students)))
        for (lab, job, _), group in groups.items()
        for text in [min(group.texts, key=lambda text: (-group.texts[text], text))]
    ]
    return sorted(found, key=lambda d: (-len(d.students), not d.named, d.lab, d.job, d.text))
