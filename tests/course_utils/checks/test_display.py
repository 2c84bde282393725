import pytest
import torch

from course_utils.checks.core import Finding, Job, Part
from course_utils.checks.display import Lab, NotYet, Points, as_html, as_text


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
