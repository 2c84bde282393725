"""How the jobs of a lab worked as questions: how hard each was, and whom it told apart.

Only submissions that ran to their end count. What waits for a human, what failed and what was
never handed in has no points here, and none of these is a zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import StatisticsError, correlation, fmean

from grading.diagnosis import not_written
from grading.engine import CellScore
from grading.report import Entry, Report

FEWEST = 3  # submissions for a correlation at all
ENOUGH = 20  # below this many, a correlation is mostly chance

OUTCOMES = ("full points", "some points", "no points", "not written", "waits for a human")


@dataclass(frozen=True)
class Item:
    """A job of a lab over the class.

    submissions : how many ran to their end; `scored` of them have points for this job.
    share : the mean share of the points, "difficulty" in test theory: 1 is easiest. None where
        nobody has points.
    discrimination : the correlation between the points of this job and those of the lab's other
        jobs, over `compared` submissions. None where it cannot be computed.
    outcomes : submissions by `OUTCOMES`.
    """

    lab: str
    job: str
    max: float
    submissions: int
    scored: int
    share: float | None
    discrimination: float | None
    compared: int
    outcomes: Mapping[str, int]


@dataclass(frozen=True)
class _Job:
    """One student's job."""

    score: float | None
    max: float
    blank: bool

    @property
    def outcome(self) -> str:
        if self.score is None:
            return "waits for a human"
        if self.blank:
            return "not written"
        if self.score >= self.max:
            return "full points"
        return "some points" if self.score > 0 else "no points"


def items(report: Report) -> list[Item]:
    """The jobs of a report, in the order of its labs."""
    found = []
    for lab in report.labs:
        rows = [_jobs(entry) for entry in ran(report.entries, lab)]
        for job in dict.fromkeys(job for row in rows for job in row):
            found.append(_item(lab, job, [row for row in rows if job in row]))
    return found


def ran(entries: Iterable[Entry], lab: str) -> list[Entry]:
    """The submissions of a lab that ran to their end."""
    return [e for e in entries if e.lab == lab and e.status in ("graded", "waiting")]


def _jobs(entry: Entry) -> dict[str, _Job]:
    """A student's jobs; one with several graded cells has points when all of them have."""
    cells: dict[str, list[CellScore]] = {}
    for cell in entry.cells:
        cells.setdefault(cell.job or cell.id, []).append(cell)
    jobs = {}
    for job, own in cells.items():
        scores = [cell.score for cell in own]
        told = [message for cell in own for message in cell.findings]
        score = None if None in scores else sum(s or 0.0 for s in scores)
        blank = bool(told) and not score and all(map(not_written, told))
        jobs[job] = _Job(score, sum(cell.max for cell in own), blank)
    return jobs


def _item(lab: str, job: str, rows: Sequence[Mapping[str, _Job]]) -> Item:
    own = [row[job] for row in rows]
    points = [one.score for one in own if one.score is not None]
    top = own[0].max
    told = dict.fromkeys(OUTCOMES, 0)
    for one in own:
        told[one.outcome] += 1
    value, compared = _discrimination(job, rows)
    share = fmean(points) / top if points and top else None
    return Item(lab, job, top, len(rows), len(points), share, value, compared, told)


def _discrimination(job: str, rows: Sequence[Mapping[str, _Job]]) -> tuple[float | None, int]:
    """The corrected item-total correlation, r(X, T − X): the job against the rest of its lab.

    The rest are those other jobs that have points in every submission: one that still waits for a
    human somewhere would make totals that cannot be compared.
    """
    others = [
        name
        for name in dict.fromkeys(name for row in rows for name in row)
        if name != job and all(name in row and row[name].score is not None for row in rows)
    ]
    pairs = [
        (row[job].score or 0.0, sum(row[name].score or 0.0 for name in others))
        for row in rows
        if row[job].score is not None
    ]
    if not others or len(pairs) < FEWEST:
        return None, len(pairs)
    try:
        return correlation(*zip(*pairs, strict=True)), len(pairs)
    except StatisticsError:  # everybody has the same points
        return None, len(pairs)
