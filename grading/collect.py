"""Collect what a class handed in: whose it is, all attempts, and the one that counts.

Attempts lie in `collected/<student>/<lab>/`, one file for each, never changed again, and a table of
all of them in `collected/attempts.csv`. What counts is copied to nbgrader's layout,
`submitted/<student>/<lab>/<lab>.ipynb`, with its time in `timestamp.txt`.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from grading.arrivals import METADATA, Piece, pieces
from grading.deadlines import Policy
from grading.intake import lab_in, means
from grading.notebooks import CourseError
from grading.report import write_whole
from grading.roster import Roster
from grading.senders import Sender, in_metadata, senders
from grading.spreadsheet import disarmed, restored

FOLDER, TABLE = "collected", "attempts.csv"
COLUMNS = ("student", "lab", "when", "number", "counts", "days_late", "digest", "source")
TIMESTAMP = "timestamp.txt"


@dataclass(frozen=True)
class Attempt:
    """One notebook of one student. `number` is the learning system's own count, where it has one;
    `source` is where it came from."""

    student: str
    lab: str
    when: datetime | None
    digest: str
    source: str
    number: int = 0
    counts: bool = False
    days_late: int = 0

    @property
    def file(self) -> Path:
        """Where it is kept, in the folder of what was collected."""
        stamp = self.when.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ") if self.when else "no-time"
        return Path(self.student) / self.lab / f"{stamp}-{self.digest[:12]}.ipynb"

    @property
    def _order(self) -> tuple[float, int, str]:
        return (self.when.timestamp() if self.when else 0.0, self.number, self.source)


@dataclass
class Collection:
    """What `collect` did. `unplaced` are files that nobody could be found for, with the reason;
    `left` are submissions that were put there by hand, and so were not touched."""

    attempts: list[Attempt] = field(default_factory=list)
    new: int = 0
    unplaced: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    too_late: list[str] = field(default_factory=list)


def collect(
    source: Path,
    root: Path,
    labs: Sequence[str],
    *,
    roster: Roster | None = None,
    policy: Policy | None = None,
    lab: str | None = None,
    dry_run: bool = False,
) -> Collection:
    """Take in a folder or an archive; what was collected before stays as it is.

    Parameters
    ----------
    source : what the learning system gave away; see `grading.senders` for the systems.
    root : the course folder.
    labs : the course's labs.
    roster : who is in the class; without one, everybody.
    policy : when labs are due.
    lab : what the notebooks are that do not say so themselves.
    dry_run : change nothing.

    Raises `CourseError` where `source` is neither a folder nor a zip file.
    """
    place = root / FOLDER
    done = Collection(read_table(place / TABLE))
    known = {(one.student, one.lab, one.digest) for one in done.attempts}
    told: dict[str, list[Sender]] = {}
    for piece in _metadata_first(source, told):
        for attempt in _attempts(piece, labs, roster or Roster(), told, lab, done.unplaced):
            key = (attempt.student, attempt.lab, attempt.digest)
            if key in known:
                continue
            known.add(key)
            done.attempts.append(attempt)
            done.new += 1
            if not dry_run:
                write_whole(place / attempt.file, piece.data)
    done.attempts = _judged(done.attempts, policy or Policy(), done.too_late)
    if not dry_run:
        write_whole(place / TABLE, _as_csv(done.attempts).encode())
        _hand_in(done, place, root / "submitted")
    return done


def _metadata_first(source: Path, told: dict[str, list[Sender]]) -> Iterator[Piece]:
    """The notebooks; Gradescope says at the end of its archive whose they are."""
    for piece in pieces(source):
        if piece.path.name == METADATA:
            told |= in_metadata(piece.data.decode("utf-8", "replace"))
    yield from (piece for piece in pieces(source) if piece.path.name != METADATA)


def _attempts(
    piece: Piece,
    labs: Sequence[str],
    roster: Roster,
    told: Mapping[str, Sequence[Sender]],
    lab: str | None,
    unplaced: dict[str, str],
) -> Iterator[Attempt]:
    try:
        if piece.trouble:
            raise CourseError(piece.trouble)
        named = _lab_of(piece, labs, lab)
        found = senders(piece.path, labs, told)
        if not found:
            raise CourseError("neither its folder nor its name says whose it is")
        for sender in found:
            student = roster.find(sender.names)
            if student is None:
                who = " or ".join(f"'{name}'" for name in sender.names)
                raise CourseError(f"nobody in the roster fits {who} ({sender.system})")
            yield Attempt(
                student, named, sender.when or piece.when, hashlib.sha256(piece.data).hexdigest(),
                str(piece.path), sender.attempt,
            )  # fmt: skip
    except CourseError as reason:
        unplaced[str(piece.path)] = str(reason)


def _lab_of(piece: Piece, labs: Sequence[str], given: str | None) -> str:
    """The lab that a notebook is: by its metadata, its name or its folders, or as it was said."""
    inside = lab_in(piece.data)
    if inside in labs:
        return str(inside)
    for part in reversed(piece.path.parts):
        name = part if ".ipynb" in part.lower() else f"{part}.ipynb"
        fitting = [one for one in labs if means(name, one)]
        if fitting:
            return max(fitting, key=len)
    if given is not None:
        return given
    what = f"it says that it is lab '{inside}'" if inside else "it does not say which lab it is"
    raise CourseError(f"{what}; the labs are {', '.join(labs)}: name one with --lab")


# ---------------------------------------------------------------- which one counts


def _judged(attempts: Iterable[Attempt], policy: Policy, too_late: list[str]) -> list[Attempt]:
    """The attempts in order, with their lateness, and with those marked that count."""
    by_student: dict[str, dict[str, list[Attempt]]] = {}
    for one in sorted(attempts, key=lambda one: (one.student, one.lab, one._order)):
        by_student.setdefault(one.student, {}).setdefault(one.lab, []).append(one)
    judged = []
    for student, by_lab in by_student.items():
        chosen = policy.choose({lab: [o.when for o in made] for lab, made in by_lab.items()})
        for lab, made in by_lab.items():
            if chosen[lab] is None:
                days = min(policy.days_late(lab, one.when) for one in made)
                too_late.append(f"{student}, {lab}: {days} days late, and no late days are left")
            for index, one in enumerate(made):
                late = policy.days_late(lab, one.when)
                judged.append(replace(one, counts=index == chosen[lab], days_late=late))
    return judged


def _hand_in(done: Collection, place: Path, submitted: Path) -> None:
    """Copy what counts to nbgrader's layout."""
    ours = {(one.student, one.lab, one.digest) for one in done.attempts}
    for one in (one for one in done.attempts if one.counts):
        folder = submitted / one.student / one.lab
        path = folder / f"{one.lab}.ipynb"
        if path.exists():
            there = hashlib.sha256(path.read_bytes()).hexdigest()
            if there == one.digest:
                continue
            if (one.student, one.lab, there) not in ours:
                done.left.append(f"{path}: it was not collected, so it stays as it is")
                continue
        write_whole(path, (place / one.file).read_bytes())
        if one.when is None:
            (folder / TIMESTAMP).unlink(missing_ok=True)
        else:
            stamp = one.when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
            write_whole(folder / TIMESTAMP, stamp.encode())


# ---------------------------------------------------------------- the table


def _as_csv(attempts: Iterable[Attempt]) -> str:
    out = io.StringIO()
    # With "\n" alone, a carriage return in a cell would not be quoted, and begin a row.
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in attempts:
        when = one.when.isoformat() if one.when else ""
        told = (disarmed(one.student), disarmed(one.lab), when, one.number)
        counts = "yes" if one.counts else "no"
        writer.writerow([*told, counts, one.days_late, one.digest, disarmed(one.source)])
    return out.getvalue()


def read_table(path: Path) -> list[Attempt]:
    """All attempts that were collected so far.

    Raises `CourseError` where the table was damaged.
    """
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [_attempt(row) for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f"{path} cannot be read ({type(error).__name__}: {error}); expected the table that"
            " `course collect` writes: restore it from a backup. The attempts lie beside it."
        ) from None


def _attempt(row: dict[str, str]) -> Attempt:
    when = datetime.fromisoformat(row["when"]) if row["when"] else None
    return Attempt(
        restored(row["student"]), restored(row["lab"]), when, row["digest"],
        restored(row["source"]), int(row["number"]),
        row["counts"] == "yes", int(row["days_late"]),
    )  # fmt: skip
