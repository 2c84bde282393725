import re
from collections.abc import Sequence

import pytest
import torch
from colours import contrast

from course_utils.checks.core import Finding, Job, Part, Report
from course_utils.checks.display import Lab, NotYet, Points, Question, as_html, as_text

PAGES = ("#ffffff", "#111111")  # of JupyterLab's light and dark theme


def target() -> torch.Tensor:
    return torch.ones(1)


def other() -> torch.Tensor:
    raise NotImplementedError("Your job 9.2")


def part(points: float, ok: bool) -> Part:
    message = "it holds" if ok else "a < b & c"
    return Part(points, lambda s: {}, lambda t, i: {"x": t()}, lambda i, o: [Finding(ok, message)])


def lab(*parts: Part) -> Lab:
    return Lab(
        "nine",
        [
            Job("9.1", "First", 1, 5, ("target",), parts),
            Job("9.2", "Second", 2, 5, ("other",), (part(2, True),)),
        ],
    )


def test_full_marks_return_nothing_and_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert lab(part(2, True)).check(target) is None
    shown = capsys.readouterr()
    assert "9.1 First · done · 2 of 2 points" in shown.out and "✓ it holds" in shown.out
    assert not shown.err


def test_partial_credit_is_a_number_that_nbgrader_reads() -> None:
    earned = lab(part(1.5, True), part(1, False)).check(target)
    assert isinstance(earned, Points) and repr(earned) == "1.5" and float(repr(earned)) == 1.5


def test_no_points_raise_and_the_traceback_is_the_message() -> None:
    with pytest.raises(NotYet, match="a < b") as caught:
        lab(part(1, False)).check(target)
    rendered = caught.value._render_traceback_()
    assert "not yet" in rendered[0] and "a < b & c" in rendered[1] and len(rendered) == 2


def test_a_long_message_is_broken_between_words_where_an_error_box_shows_it() -> None:
    said = " ".join(["velocity"] * 30)
    report = Report(Job("9.1", "First", 1, 5, ("target",), ()), 0, [Finding(False, said)])
    rendered = [re.sub(r"\x1b\[[\d;]*m", "", x) for x in NotYet(report)._render_traceback_()][1:]
    assert len(rendered) > 2 and max(map(len, rendered)) < 100
    assert " ".join(rendered).split()[1:] == said.split()
    assert said in as_text(report)


def test_a_stub_raises_its_own_error() -> None:
    with pytest.raises(NotImplementedError, match=r"^Your job 9\.2$") as caught:
        lab(part(1, True)).check(other)
    assert len(caught.value._render_traceback_()) == 1  # type: ignore[attr-defined]


def test_html_is_escaped() -> None:
    record = lab(part(1, True), part(1, False))
    record.check(target)
    page = as_html(record.reports["9.1"])
    assert "a &lt; b &amp; c" in page and "partly done" in as_text(record.reports["9.1"])


def test_the_job_is_found_by_name_or_number() -> None:
    record = lab(part(1, True))
    assert record.find((target,), None).number == "9.1"
    assert record.find((lambda: 0,), "9.2").number == "9.2"
    with pytest.raises(ValueError, match=r"no job '9\.7'.*9\.1, 9\.2"):
        record.find((target,), "9.7")
    with pytest.raises(ValueError, match="does not say which job"):
        record.find((lambda: 0,), None)


def test_ready_waits_until_the_stub_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    record = lab(part(1, False))
    assert not record.ready("9.1", "9.2")
    assert "waits for your job 9.1 First, 9.2 Second" in capsys.readouterr().out
    with pytest.raises(NotYet):
        record.check(target)
    # Wrong, but written: the figures may show it.
    assert record.ready("9.1")
    with pytest.raises(NotImplementedError):
        record.check(other)
    assert not record.ready("9.2")


def test_after_a_check_stand_the_points_so_far_and_what_comes_next(
    capsys: pytest.CaptureFixture[str],
) -> None:
    record = lab(part(1.5, True))
    record.questions = (Question("9.3", "Why", 2),)
    record.check(target)
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == (
        "So far 1.5 of 3.5 points, and 2 more for answers in words."
        " Next: 9.2 Second (about 5 minutes)."
    )


def test_when_all_checks_pass_only_the_words_are_left(capsys: pytest.CaptureFixture[str]) -> None:
    record = Lab("one", [Job("9.1", "First", 1, 5, ("target",), (part(1, True),))])
    record.check(target)
    assert capsys.readouterr().out.endswith("So far 1 of 1 points. All checks pass.\n")
    record.questions = (Question("9.2", "Why", 2), Question("9.3", "Who", 1))
    assert record.outlook().endswith("All checks pass. Left to write: 9.2, 9.3.")


def test_progress_shows_each_job_in_order_with_state_and_points(
    capsys: pytest.CaptureFixture[str],
) -> None:
    jobs = [
        Job("9.1", "First", 1, 5, ("target",), (part(1, True), part(1, False))),
        Job("9.2", "Second", 1, 5, ("other",), (part(2, True),)),
        Job("9.3", "Third", 1, 5, ("b",), (part(2, False),)),
        Job("9.10", "Tenth", 1, 5, ("a",), (part(2, True),)),
    ]
    record = Lab("nine", jobs, (Question("9.4", "Why", 3),))
    record.check(target)
    for wrong, number in ((other, "9.2"), (target, "9.3")):
        with pytest.raises((NotYet, NotImplementedError)):
            record.check(wrong, job=number)
    capsys.readouterr()
    record.progress()
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "◐ 9.1 First partly done 1 of 2",
        "9.2 Second not written yet 0 of 2",
        "✗ 9.3 Third not right yet 0 of 2",
        "9.4 Why in words up to 3",
        "9.10 Tenth not checked yet 0 of 2",
        "So far 1 of 8 points, and 3 more for answers in words. Next: 9.1 First (about 5 minutes).",
    ]


def test_a_front_end_gets_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython.core.getipython
    import IPython.display

    shown = []
    monkeypatch.setattr(IPython.core.getipython, "get_ipython", lambda: object())
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: shown.append(data))
    record = lab(part(1, True))
    record.questions = (Question("9.3", "x < y", 2),)
    record.check(target)
    record.progress()
    assert "So far 1 of 3 points" in shown[0]["text/html"]
    assert "So far 1 of 3 points" in shown[0]["text/plain"]
    assert shown[1]["text/html"].count("<tr>") == 4 and "x &lt; y" in shown[1]["text/html"]


def test_marks_are_read_on_a_light_and_on_a_dark_page() -> None:
    record = lab(part(1, True), part(1, False))
    record.check(target)
    report = record.reports["9.1"]
    page = as_html(report)
    painted = re.findall(r"[\";]color:([^;\"]+);background-color:([^;\"]+)", page)
    assert len(painted) == 2 == page.count(";background-color:") == len(set(painted))
    coded = re.findall(r"38;2;(\d+);(\d+);(\d+);48;2;(\d+);(\d+);(\d+)m", as_text(report, True))
    assert len(coded) == 2
    painted += [(_hex(code[:3]), _hex(code[3:])) for code in coded]
    assert all(contrast(ink, paper) >= 4.5 for ink, paper in painted)
    # Everything else is written in the page's own colour; the bar is no text.
    (bar,) = re.findall(r"border-left:4px solid (#\w+)", page)
    assert page.count("color:") == 4 and all(contrast(bar, back) >= 3 for back in PAGES)


def _hex(levels: Sequence[str]) -> str:
    return "#" + bytes(int(level) for level in levels).hex()
