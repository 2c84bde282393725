"""How the margins of tolerances are measured; the measurement itself is `make corpus`."""

import ast
import math
from pathlib import Path

import margins
import pytest
import torch

from course_utils import checks

SOURCES = [path.read_text() for path in Path(checks.__file__).parent.glob("*.py")]


@pytest.mark.parametrize(
    ("left", "right", "factors"),
    [
        (1.0, 8.0, {True: 8.0}),
        (torch.tensor([1.0, 4.0, 16.0]), 8, {True: 2.0, False: 2.0}),
        (0.0, 1e-6, {True: math.inf}),
        (-3.0, 4.0, {True: math.inf}),
        (torch.tensor(math.nan), 1.0, {False: math.inf}),
    ],
)
def test_by_how_much_two_sides_differ(
    left: object, right: object, factors: dict[bool, float]
) -> None:
    assert margins._factors(left, right, left < right) == pytest.approx(factors)  # type: ignore[operator]


def test_every_comparison_of_floats_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(margins, "found", {})
    source = (
        "def close(a, b):\n    return abs(a - b) <= 0.5\n\nheld = [\n    close(1.0, 1.25),\n]\n"
    )
    source += "few = len(held) < 3\nmiddle = 0 < 1.0 < 2\n"
    tree = ast.fix_missing_locations(margins.Measured().visit(ast.parse(source)))
    space = {"__measure__": margins.measure}
    exec(compile(tree, "checks.py", "exec"), space)
    assert (space["held"], space["few"], space["middle"]) == ([True], True, True)
    [((site, held), factor)] = margins.found.items()
    # The tolerance belongs to the line that calls; counts are exact.
    assert (site[:2], held, factor) == (("checks", 5), True, pytest.approx(2.0))


def test_every_reason_is_one_of_a_line_in_the_checks() -> None:
    assert not [piece for piece in margins.REASONS if not any(piece in one for one in SOURCES)]


def test_a_margin_without_a_reason_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    near = {(("unet", 7, "if loss < 0.8:"), True): 1.1, (("unet", 9, "if left < LEARNED"), True): 2}
    monkeypatch.setattr(margins, "all_jobs", lambda *asked: (near, []))
    monkeypatch.setattr("sys.argv", ["margins.py"])
    assert margins.main() == 1
    told = capsys.readouterr().out
    assert "WITHOUT A REASON" in told and "1 near without a reason" in told
    near.clear()
    assert margins.main() == 0
