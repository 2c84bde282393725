"""Difficulty and discrimination, against the formulas of test theory."""

from __future__ import annotations

import math
import random
from statistics import correlation, stdev

import pytest
from odd_class import REPORT, STUB

from grading.engine import CellScore
from grading.items import OUTCOMES, items
from grading.report import Entry, Report


def report(rows: list[list[float | None]], tops: list[float]) -> Report:
    """A lab whose jobs have these points, a row for each student."""
    entries = []
    for number, row in enumerate(rows):
        pairs = enumerate(zip(row, tops, strict=True), 1)
        made = tuple(CellScore(f"c{i}", score, top, job=f"1.{i}") for i, (score, top) in pairs)
        status = "waiting" if None in row else "graded"
        score = sum(one or 0.0 for one in row)
        entries.append(Entry(f"s{number}", "lab", status, score, sum(tops), made))
    return Report(("lab",), "", tuple(entries), "")


def test_discrimination_is_henryssons_corrected_correlation() -> None:
    drawn = random.Random(5)
    skill = [drawn.random() for _ in range(60)]
    rows = [[round(4 * s * drawn.random()) for _ in range(5)] for s in skill]
    found = items(report(rows, [4.0] * 5))
    totals = [float(sum(row)) for row in rows]
    for index, item in enumerate(found):
        own = [float(row[index]) for row in rows]
        r, s_t, s_i = correlation(own, totals), stdev(totals), stdev(own)
        expected = (r * s_t - s_i) / math.sqrt(s_t**2 + s_i**2 - 2 * r * s_t * s_i)
        assert item.discrimination == pytest.approx(expected)
        assert item.share == pytest.approx(sum(own) / 60 / 4)
        assert item.compared == 60


def test_what_waits_is_no_zero() -> None:
    rows: list[list[float | None]] = [[2, 2, None], [0, 1, 1], [2, 2, None], [1, 0, 0]]
    one, two, three = items(report(rows, [2.0, 2.0, 1.0]))
    assert (three.scored, three.submissions, three.share) == (2, 4, 0.5)
    assert three.discrimination is None and three.compared == 2  # too few have points
    # Others are compared without the job that waits somewhere.
    assert one.discrimination == pytest.approx(correlation([2, 0, 2, 1], [2, 1, 2, 0]))
    assert two.discrimination == pytest.approx(one.discrimination)
    assert three.outcomes["waits for a human"] == 2


def test_equal_points_have_no_correlation() -> None:
    same, other = items(report([[1, 0], [1, 1], [1, 2]], [1.0, 2.0]))
    assert same.discrimination is None and other.discrimination is None
    [alone] = items(report([[1], [0], [1]], [1.0]))
    assert alone.discrimination is None


def test_failed_and_missing_submissions_do_not_count() -> None:
    found = {(item.lab, item.job): item for item in items(REPORT)}
    first = found["b", "1.1"]
    assert (first.submissions, first.scored, first.max) == (5, 5, 2.0)
    assert first.share == pytest.approx(7 / 5 / 2)
    assert list(first.outcomes.values()) == [3, 1, 1, 0, 0]
    assert list(found["a", "1.2"].outcomes.values()) == [3, 3, 1, 0, 1]
    assert all(sum(item.outcomes.values()) == item.submissions for item in found.values())


def test_a_job_that_was_not_begun_is_told_from_a_wrong_one() -> None:
    cells = [
        (CellScore("x", 0.0, 2.0, None, "1", False, told),)
        for told in ((STUB,), (STUB, "Not yet: y."), ())
    ]
    entries = tuple(Entry(f"s{i}", "lab", "graded", 0.0, 2.0, c) for i, c in enumerate(cells))
    [item] = items(Report(("lab",), "", entries, ""))
    assert item.outcomes == dict.fromkeys(OUTCOMES, 0) | {"not written": 1, "no points": 2}


def test_a_job_with_several_cells_has_points_when_all_have() -> None:
    cells = (CellScore("x", 1.0, 1.0, job="1"), CellScore("y", None, 2.0, job="1", manual=True))
    entries = (Entry("s", "lab", "waiting", 1.0, 3.0, cells),)
    [item] = items(Report(("lab",), "", entries, ""))
    assert (item.max, item.scored, item.share) == (3.0, 0, None)
