"""Who needs help, by a rule that stands on the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grading.report import Entry, Report, grid, number

HALF = 0.5
RULE = (
    "A student is listed who, in a lab that at least half of the class handed in, handed in"
    " nothing, or something that could not be graded; or who has less than half of the points"
    " that are decided so far, over all labs that were graded. Points that wait for a human count"
    " on neither side."
)


@dataclass(frozen=True)
class Needing:
    """A student to speak to, and why. `share` is that of the decided points, None without any;
    `lost` are the labs without a grade."""

    student: str
    share: float | None
    lost: int
    reasons: tuple[str, ...]


def needing(report: Report) -> list[Needing]:
    """Those whom the rule names: with most reasons first, then labs lost, then the lowest share."""
    rows = grid(report)
    current = {
        lab
        for lab in report.labs
        if sum(e.status != "missing" for e in report.entries if e.lab == lab) >= HALF * len(rows)
    }
    found = []
    for student, entries in rows.items():
        known = [entries[lab] for lab in report.labs if lab in entries]
        reasons, lost = [], 0
        for status, what in (("missing", "nothing handed in"), ("failed", "could not be graded")):
            labs = [e.lab for e in known if e.status == status and e.lab in current]
            lost += len(labs)
            if labs:
                reasons.append(f"{what}: {', '.join(labs)}")
        earned, decided = _decided(known)
        share = earned / decided if decided else None
        if share is not None and share < HALF:
            reasons.append(f"{number(earned)} of {number(decided)} decided points")
        if reasons:
            found.append(Needing(student, share, lost, tuple(reasons)))
    return sorted(found, key=_worst)


def _worst(one: Needing) -> tuple[float | str, ...]:
    share = -1.0 if one.share is None else one.share
    return -len(one.reasons), -one.lost, share, one.student


def _decided(entries: Sequence[Entry]) -> tuple[float, float]:
    cells = [
        cell
        for entry in entries
        if entry.status in ("graded", "waiting")
        for cell in entry.cells
        if cell.score is not None
    ]
    return sum(cell.score or 0.0 for cell in cells), sum(cell.max for cell in cells)
