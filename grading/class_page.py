"""The class as one page: it needs no other file, runs no script, and can be read on paper."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from jinja2 import Environment, StrictUndefined

from grading import class_figures
from grading.attention import RULE, needing
from grading.diagnosis import diagnoses
from grading.items import ENOUGH, FEWEST, OUTCOMES, Item, items, ran
from grading.report import Report, grid, mean_score, number, verdict
from grading.spreadsheet import disarmed
from grading.standing import Standing

TEMPLATE = Path(__file__).with_name("class_page.html")
MOST = 30  # diagnoses on the page
SLOWEST = 3


def class_page(standing: Standing, anonymous: bool = False) -> str:
    """The page of a class; `anonymous` only says so: see `grading.anonymous`."""
    report = standing.report
    jobs = items(report)
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["number"] = lambda value: "–" if value is None else number(value)
    environment.filters["percent"] = lambda value: "–" if value is None else f"{value:.0%}"
    environment.filters["verdict"] = verdict
    environment.filters["late"] = standing.days_late
    found = _diagnoses(report, jobs)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        report=report,
        anonymous=anonymous,
        students=len(grid(report)),
        glance=[_glance(standing, lab) for lab in report.labs],
        rule=RULE,
        needing=needing(report),
        labs=[_lab(report, lab, jobs) for lab in report.labs],
        outcomes=OUTCOMES,
        fewest=FEWEST,
        enough=ENOUGH,
        diagnoses=found[:MOST],
        more=len(found[MOST:]),
        time=class_figures.times(report),
        seconds=list(_seconds(report)),
        told=list(_told(report)),
        strangers=standing.strangers,
        silent=standing.silent,
        grid=grid(report),
    )


def _glance(standing: Standing, lab: str) -> dict[str, Any]:
    entries = [entry for entry in standing.report.entries if entry.lab == lab]
    scores = [entry.score for entry in entries if entry.score is not None]
    counts: dict[str, Any] = {
        status: sum(entry.status == status for entry in entries)
        for status in ("graded", "waiting", "failed", "missing")
    }
    return counts | {
        "lab": lab,
        "max": max((entry.max_score for entry in entries), default=None),
        "zero": sum(entry.status == "graded" and entry.score == 0 for entry in entries),
        "late": sum(standing.days_late(entry) > 0 for entry in entries),
        "mean": mean_score(standing.report, lab),
        "median": median(scores) if scores else None,
    }


def _lab(report: Report, lab: str, jobs: list[Item]) -> dict[str, Any]:
    own = [item for item in jobs if item.lab == lab]
    return {"name": lab, "jobs": own, "picture": class_figures.scores(report, lab, own)}


def _diagnoses(report: Report, jobs: list[Item]) -> list[dict[str, Any]]:
    wrote = {(i.lab, i.job): i.submissions - i.outcomes["not written"] for i in jobs}
    entries = [entry for lab in report.labs for entry in ran(report.entries, lab)]
    return [
        vars(one) | {"share": len(one.students) / wrote[one.lab, one.job]}
        for one in diagnoses(entries)
    ]


def _seconds(report: Report) -> Iterator[dict[str, Any]]:
    for lab in report.labs:
        entries = sorted(ran(report.entries, lab), key=lambda e: (-e.seconds, e.student))
        if entries:
            yield {
                "lab": lab,
                "count": len(entries),
                "median": median(entry.seconds for entry in entries),
                "longest": entries[0].seconds,
                "who": [f"{e.student} ({number(e.seconds)} s)" for e in entries[:SLOWEST]],
            }


def _told(report: Report) -> Iterator[dict[str, str]]:
    for e in report.entries:
        remarks = [("failed", e.reason)] if e.reason else []
        for kind, text in [*remarks, *(("note", note) for note in e.notes)]:
            yield {"student": e.student, "lab": e.lab, "kind": kind, "text": text}


def jobs_csv(standing: Standing) -> str:
    """The jobs of a class as a table: how hard, whom they told apart, what became of them."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    head = ("lab", "job", "max", "submissions", "scored", "mean_share", "discrimination", "n")
    writer.writerow([*head, *(word.replace(" ", "_") for word in OUTCOMES)])
    for item in items(standing.report):
        share = "" if item.share is None else f"{item.share:.4f}"
        value = "" if item.discrimination is None else f"{item.discrimination:.4f}"
        told = (number(item.max), item.submissions, item.scored, share, value)
        writer.writerow(
            [
                disarmed(item.lab),
                disarmed(item.job),
                *told,
                item.compared,
                *(item.outcomes[word] for word in OUTCOMES),
            ]
        )
    return out.getvalue()
