"""What a grading run found: the JSON file, the table in the terminal, and CSV.

The JSON file is the record of a run; everything else here is made from it.
"""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.table import Table
from rich.text import Text

from grading.engine import ENGINE_VERSION, CellScore, Result, Status
from grading.notebooks import CourseError
from grading.spreadsheet import disarmed

STATUS_WORDS: dict[str, str] = {
    "graded": "graded",
    "waiting": "waits for manual grading",
    "failed": "failed",
    "missing": "missing",
}
COLOURS = {"graded": "green", "waiting": "yellow", "failed": "red", "missing": "dim"}


@dataclass(frozen=True)
class Move:
    """An automatic score that a run changed: from what, to what, and why; None is no score."""

    cell: str
    before: float | None
    after: float | None
    why: str


@dataclass(frozen=True)
class Entry:
    """One student's lab in the report; `score` is None where it failed or is missing. `moved` are
    the scores that the run changed."""

    student: str
    lab: str
    status: Status
    score: float | None
    max_score: float
    cells: tuple[CellScore, ...] = ()
    seconds: float = 0.0
    reason: str | None = None
    notes: tuple[str, ...] = ()
    moved: tuple[Move, ...] = ()

    @staticmethod
    def of(student: str, lab: str, result: Result) -> Entry:
        """The entry of a graded submission."""
        return Entry(
            student,
            lab,
            result.status,
            result.score,
            result.max_score,
            result.cells,
            result.seconds,
            result.reason if result.status == "failed" else None,
            result.notes,
        )


@dataclass(frozen=True)
class Report:
    """A grading run: which labs, from where, when, and an entry for each student and lab."""

    labs: tuple[str, ...]
    submissions_dir: str
    entries: tuple[Entry, ...]
    created: str
    engine: str = ENGINE_VERSION

    @staticmethod
    def now(labs: Sequence[str], submissions_dir: Path, entries: Sequence[Entry]) -> Report:
        """A report of this moment, its entries sorted by student and lab."""
        order = {lab: index for index, lab in enumerate(labs)}
        ranked = sorted(entries, key=lambda e: (e.student, order[e.lab]))
        created = datetime.now(UTC).isoformat(timespec="seconds")
        return Report(tuple(labs), str(submissions_dir), tuple(ranked), created)

    def after(self, earlier: Report, students: Sequence[str] | None = None) -> Report:
        """This run's record with those of an earlier one that it did not grade again.

        `students` are those whom this run was restricted to; without a restriction, the labs that
        it graded are known by it alone.
        """
        graded = {(entry.student, entry.lab) for entry in self.entries}
        kept = [
            entry
            for entry in earlier.entries
            if (entry.student, entry.lab) not in graded
            and (entry.lab not in self.labs or (students and entry.student not in students))
        ]
        labs = [*earlier.labs, *(lab for lab in self.labs if lab not in earlier.labs)]
        whole = Report.now(labs, Path(self.submissions_dir), [*kept, *self.entries])
        return replace(whole, created=self.created, engine=self.engine)

    def count(self, status: Status) -> int:
        """How many entries have a status."""
        return sum(entry.status == status for entry in self.entries)


# ---------------------------------------------------------------- the JSON file


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under a temporary name and rename it: it is there in full or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(report: Report, path: Path) -> None:
    """Store a report as JSON."""
    write_whole(path, (json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> Report:
    """A report as `write_json` stored it.

    Raises `CourseError` where the file is missing or is no report.
    """
    try:
        tree = json.loads(path.read_bytes())
        return Report(
            tuple(tree["labs"]),
            tree["submissions_dir"],
            tuple(_entry(item) for item in tree["entries"]),
            tree["created"],
            tree["engine"],
        )
    except OSError as error:
        raise CourseError(
            f"The report {path} could not be read ({error.strerror}); expected the file that"
            " `course grade --json FILE` wrote: run that first, or name the file."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise CourseError(
            f"{path} is not a report; expected the JSON that `course grade --json FILE` wrote:"
            " name that file, or grade again."
        ) from None


def _entry(item: Mapping[str, Any]) -> Entry:
    cells = tuple(
        CellScore(**cell | {"findings": tuple(cell.get("findings", ()))}) for cell in item["cells"]
    )
    moved = tuple(Move(**move) for move in item.get("moved", ()))
    return Entry(**{**item, "cells": cells, "notes": tuple(item["notes"]), "moved": moved})


# ---------------------------------------------------------------- tables


def number(value: float) -> str:
    """Points in their shortest form: 3, 2.5."""
    return f"{round(value, 2):g}"


def verdict(entry: Entry) -> str:
    """An entry in a few words: '7 / 9', '5 / 9 so far', 'failed', 'missing'."""
    if entry.score is None:
        return STATUS_WORDS[entry.status]
    so_far = " so far" if entry.status == "waiting" else ""
    return f"{number(entry.score)} / {number(entry.max_score)}{so_far}"


def mean_score(report: Report, lab: str) -> float | None:
    """The mean over the submissions of a lab that have a score."""
    scores = [e.score for e in report.entries if e.lab == lab and e.score is not None]
    return fmean(scores) if scores else None


def grid(report: Report) -> dict[str, dict[str, Entry]]:
    """Entries by student, then by lab."""
    rows: dict[str, dict[str, Entry]] = {}
    for entry in report.entries:
        rows.setdefault(entry.student, {})[entry.lab] = entry
    return rows


def class_table(report: Report) -> Table:
    """The class in the terminal: students by labs, with the means below."""
    table = Table(title="Class report", show_footer=True)
    table.add_column("student", footer="mean")
    for lab in report.labs:
        mean = mean_score(report, lab)
        table.add_column(lab, footer="-" if mean is None else number(mean), justify="right")
    for student, entries in grid(report).items():
        cells = [entries.get(lab) for lab in report.labs]
        table.add_row(
            Text(student),
            *(Text(verdict(e), style=COLOURS[e.status]) if e else Text("-") for e in cells),
        )
    return table


def told(report: Report) -> list[str]:
    """One line for each submission that failed or was repaired."""
    lines = []
    for entry in report.entries:
        for remark in ([entry.reason] if entry.reason else []) + list(entry.notes):
            lines.append(f"{entry.student}, {entry.lab}: {remark}")
    return lines


def told_moves(report: Report, most: int = 20) -> list[str]:
    """One line for each submission whose automatic scores moved, and a count of the rest."""
    moved = [entry for entry in report.entries if entry.moved]
    lines = [f"{e.student}, {e.lab}: {'; '.join(map(_told_move, e.moved))}" for e in moved[:most]]
    rest = len(moved) - most
    return [*lines, f"and {rest} more submissions: see the record"] if rest > 0 else lines


def _told_move(move: Move) -> str:
    before, after = ("none" if p is None else number(p) for p in (move.before, move.after))
    return f"{move.cell} {before} → {after} ({move.why})"


# ---------------------------------------------------------------- files


def as_csv(report: Report) -> str:
    """One row for each student and lab; an empty score is not a zero."""
    stream = io.StringIO()
    # With "\n" alone, a carriage return in a cell would not be quoted, and begin a row.
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(("student", "lab", "status", "score", "max_score", "reason"))
    for e in report.entries:
        score = "" if e.score is None else number(e.score)
        row = (e.student, e.lab, e.status, score, number(e.max_score), e.reason or "")
        writer.writerow(disarmed(field) for field in row)
    return stream.getvalue()
