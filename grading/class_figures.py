"""The figures of the class report, as pictures that stand in the page itself, each with its text.

The text says what the picture shows, for readers who do not see it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from course_utils.figures import PAGE, course_style, palette
from grading.items import OUTCOMES, Item, ran
from grading.report import Report, number

BINS = 12
WORDS = {"graded": "graded", "waiting": "so far (an answer waits)"}


@dataclass(frozen=True)
class Picture:
    """A picture as a data address, and what it shows in words."""

    address: str
    text: str


def scores(report: Report, lab: str, jobs: Sequence[Item]) -> Picture | None:
    """The scores of a lab, and what became of each of its jobs; None where nobody has any."""
    entries = ran(report.entries, lab)
    if not entries:
        return None
    points = [entry.score or 0.0 for entry in entries]
    top = max(entry.max_score for entry in entries)
    height = 0.9 + 0.28 * max(len(jobs), 7)
    with _drawn() as (plt, sns):
        figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE, height), width_ratios=(2, 3))
        whole = [WORDS[entry.status] for entry in entries]
        order = [word for word in WORDS.values() if word in whole]
        sns.histplot(
            x=points, hue=whole, hue_order=order, multiple="stack", binrange=(0, top),
            bins=int(min(BINS, max(top, 1))), palette=palette(len(order)), alpha=1, ax=left,
        )  # fmt: skip
        below = {"bbox_to_anchor": (0, -0.3), "ncols": 2, "frameon": False, "title": None}
        sns.move_legend(left, "upper left", **below, columnspacing=1, handlelength=1)
        left.set(xlabel=f"points of {number(top)}", ylabel="submissions", xlim=(0, top))
        for axis in (left.xaxis, left.yaxis):
            axis.get_major_locator().set_params(integer=True)
        left.set_title("Scores", loc="left")
        _outcomes(sns, right, jobs)
        right.set_title("Jobs", loc="left")
        figure.tight_layout()
        address = _address(figure)
    return Picture(address, f"Scores of lab {lab}: {_spread(points, top)}. {_told(jobs)}")


def _outcomes(sns: Any, axes: Any, jobs: Sequence[Item]) -> None:
    names = [item.job for item in jobs for _ in range(item.submissions)]
    words = [
        word for item in jobs for word in OUTCOMES for _ in range(item.outcomes[word])
    ]  # fmt: skip
    colours = dict(zip(OUTCOMES, _shades(), strict=True))
    there = [word for word in reversed(OUTCOMES) if word in words]  # drawn from the right
    sns.histplot(
        y=names, hue=words, hue_order=there, multiple="stack", shrink=0.8,
        palette=[colours[word] for word in there], alpha=1, ax=axes,
    )  # fmt: skip
    axes.set(xlabel="submissions", ylabel="")
    axes.xaxis.get_major_locator().set_params(integer=True)
    beside = {"bbox_to_anchor": (1, 1), "frameon": False, "title": None, "reverse": True}
    sns.move_legend(axes, "upper left", **beside)


def _shades() -> list[str]:
    # From dark to light, so that they differ on grey paper, too; what waits stands apart.
    return ["#0a4f7a", "#4f96c4", "#d55e00", "#f0c7a4", "#d9d9d9"]


def times(report: Report) -> Picture | None:
    """How long the submissions of each lab ran; None where none did."""
    by_lab = {lab: [e.seconds for e in ran(report.entries, lab)] for lab in report.labs}
    by_lab = {lab: seconds for lab, seconds in by_lab.items() if seconds}
    if not by_lab:
        return None
    with _drawn() as (plt, sns):
        figure, axes = plt.subplots(figsize=(PAGE, 0.8 + 0.45 * len(by_lab)))
        names = [lab for lab, seconds in by_lab.items() for _ in seconds]
        seconds = [one for found in by_lab.values() for one in found]
        sns.stripplot(x=seconds, y=names, color="#4f96c4", size=5, jitter=False, alpha=0.6, ax=axes)
        sns.pointplot(
            x=seconds, y=names, estimator="median", errorbar=None, linestyle="none",
            color="#d55e00", marker="|", markersize=18, markeredgewidth=3, ax=axes,
        )  # fmt: skip
        axes.set(xlabel="seconds; the bar is the median", ylabel="", xlim=(0, None))
        figure.tight_layout()
        address = _address(figure)
    told = "; ".join(
        f"{lab}: {number(min(s))} to {number(max(s))} s, half of them below {number(median(s))} s"
        for lab, s in by_lab.items()
    )
    return Picture(address, f"Seconds that a submission ran. {told}.")


def _spread(points: Sequence[float], top: float) -> str:
    return (
        f"{len(points)} submissions, from {number(min(points))} to {number(max(points))} of"
        f" {number(top)} points, the median {number(median(points))}"
    )


def _told(jobs: Sequence[Item]) -> str:
    rows = (
        f"{item.job}: "
        + ", ".join(f"{item.outcomes[word]} {word}" for word in OUTCOMES if item.outcomes[word])
        for item in jobs
    )
    return "; ".join(rows) + "."


@contextmanager
def _drawn() -> Iterator[tuple[Any, Any]]:
    import matplotlib
    import seaborn as sns

    was = matplotlib.get_backend()
    matplotlib.use("agg")
    try:
        with course_style() as plt, plt.rc_context({"svg.hashsalt": "course"}):
            yield plt, sns
    finally:
        matplotlib.use(was)


def _address(figure: Any) -> str:
    out = io.BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(out.getvalue()).decode()}"
