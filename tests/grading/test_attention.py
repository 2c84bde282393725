"""Who needs help, by the rule that the page states."""

from __future__ import annotations

from odd_class import ENTRIES, REPORT, entry

from grading.attention import needing
from grading.report import Entry, Report


def test_the_rule_finds_whom_it_names() -> None:
    found = {one.student: one for one in needing(REPORT)}
    assert set(found) == {"eva", "=cmd()", "stranger", "quote", "-5"}
    assert found["eva"].reasons == ("nothing handed in: b", "0 of 5 decided points")
    assert found["=cmd()"].reasons == ("could not be graded: b", "1.58 of 5 decided points")
    assert found["stranger"].reasons == ("nothing handed in: b",)
    assert found["-5"].reasons == ("3 of 7 decided points",)
    assert found["quote"].reasons == ("4 of 9 decided points",)


def test_points_that_wait_count_on_neither_side() -> None:
    assert not needing(Report(("a",), "", (entry("x", "a", 2, None),), ""))
    [one] = needing(Report(("a",), "", (entry("x", "a", 1, None),), ""))
    assert one.share == 1 / 3


def test_a_lab_that_few_handed_in_is_not_missed() -> None:
    """The next lab may have its deadline still to come."""
    missing = [Entry(name, "b", "missing", None, 4.0) for name in ("x", "y")]
    done = [entry(name, "a", 3, 2) for name in ("x", "y", "z")]
    report = Report(("a", "b"), "", (*done, *missing, entry("z", "b", 2, 2)), "")
    assert not needing(report)


def test_worst_first() -> None:
    order = [one.student for one in needing(Report(("a", "b"), "", ENTRIES, ""))]
    assert order == ["eva", "=cmd()", "stranger", "-5", "quote"]
