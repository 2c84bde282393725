"""A report without names: the same numbers, and nobody whom a reader could know.

A pseudonym follows from the student's name and a secret of the course folder, so it is the same in
each report, and whoever knows the class list cannot work it out.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from grading.diagnosis import plain
from grading.report import Entry, Report
from grading.roster import Roster, Student
from grading.standing import Standing

SECRET = Path(".grades") / "pseudonyms.key"
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is read as another
LENGTH = 8
_FILE = re.compile(r"\S\.ipynb", re.IGNORECASE)  # students put their names into those of files
_KERNEL = re.compile(r"(?<=kernel is ).*(?=; expected)")  # and of environments


def secret_of(course_dir: Path, keep: bool = True) -> bytes:
    """The secret of a course folder, made when it is first asked for, and kept if it may be.

    Raises `OSError` where it cannot be read or written.
    """
    path = course_dir / SECRET
    if not path.exists():
        if not keep:
            return secrets.token_bytes(32)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32), encoding="utf-8")
    return path.read_bytes()


def pseudonym(student: str, secret: bytes) -> str:
    """What a student is called where no name may stand: "student-" and eight letters."""
    number = int.from_bytes(hmac.digest(secret, student.encode(), hashlib.sha256), "big")
    drawn = []
    for _ in range(LENGTH):
        number, rest = divmod(number, len(LETTERS))
        drawn.append(LETTERS[rest])
    return f"student-{''.join(drawn)}"


def real_names(students: Iterable[str], course_dir: Path) -> dict[str, str]:
    """Students by their pseudonyms in this course folder; nobody where none was given yet."""
    if not (course_dir / SECRET).exists():
        return {}
    secret = secret_of(course_dir)
    return {pseudonym(student, secret): student for student in students}


def anonymous(standing: Standing, secret: bytes, roster: Roster | None = None) -> Standing:
    """The same standing with pseudonyms, in their order, so that a place tells nothing either.

    Remarks on file names are left out, and so is what the checks quote from a student; names,
    addresses and numbers of the roster are replaced wherever they stand.
    """
    report = standing.report
    known = {entry.student for entry in report.entries} | {*standing.strangers, *standing.silent}
    names = {student: pseudonym(student, secret) for student in known}
    veil = _Veil(names, roster.students if roster else ())
    entries = [_veiled(entry, names, veil) for entry in report.entries]
    made = Report.now(report.labs, Path("-"), entries)
    return Standing(
        replace(made, created=report.created, engine=report.engine),
        {(names[s], lab): days for (s, lab), days in standing.late.items() if s in names},
        tuple(sorted(names[student] for student in standing.strangers)),
        tuple(sorted(names[student] for student in standing.silent)),
    )


def _veiled(entry: Entry, names: Mapping[str, str], veil: _Veil) -> Entry:
    cells = tuple(
        replace(cell, findings=tuple(veil.over(plain(told)) for told in cell.findings))
        for cell in entry.cells
    )
    return replace(
        entry,
        student=names[entry.student],
        cells=cells,
        reason=None if entry.reason is None else veil.over(entry.reason),
        notes=tuple(veil.over(note) for note in entry.notes),
    )


class _Veil:
    """Finds what could tell who somebody is."""

    def __init__(self, names: Iterable[str], students: Iterable[Student]) -> None:
        known = set(names)
        for one in students:
            known |= {one.student, one.login, one.name, one.email, *one.numbers}
            known |= set(one.name.replace(",", " ").split())
        longest = sorted(known, key=len, reverse=True)
        # A Latin letter alone is no name; a Chinese one may be.
        words = [re.escape(name) for name in longest if len(name) > 1 or not name.isascii()]
        self._words = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.I) if words else None

    def over(self, text: str) -> str:
        """A text without them."""
        if _FILE.search(text):
            return "Something about the names of files, which this report leaves out."
        text = _KERNEL.sub("another one", text)
        if self._words is None:
            return text
        # Not the pseudonym: somebody may be called by a word that messages have, such as "file".
        return self._words.sub("…", text)
