"""Mutants change one thing that a student writes; a few jobs' are killed here, the rest by `make
corpus`."""

import mutants
import pytest
from answers import LABS, Cell, cells
from mutants import Mutant, killed, known, survivors


def made_of(source: str, solution: frozenset[int]) -> set[str]:
    return set(mutants._mutated(Cell("cell", source, "1.1", solution)))


def test_operators_constants_calls_arguments_and_axes_change() -> None:
    changed = made_of("y = a + 1\n", frozenset({1}))
    assert {"y = a - 1\n", "y = a + 2\n"} <= {text.replace("  ", " ") for text in changed}
    changed = made_of("y = torch.sum(x.sqrt(), a, dim=1)\n", frozenset({1}))
    assert {
        "y = (x.sqrt())\n",
        "y = torch.sum((x), a, dim=1)\n",
        "y = torch.sum(a, x.sqrt(), dim=1)\n",
        "y = torch.sum(x.sqrt(), a)\n",
    } <= changed
    assert "y = rearrange(x, 'a b -> b a')\n" in made_of(
        'y = rearrange(x, "a b -> a b")\n', frozenset({1})
    )


def test_given_lines_annotations_and_docstrings_stay() -> None:
    source = 'def f(x: Float[T, "b 1"] = 1) -> int:\n    """1 + 1"""\n    return x\n'
    assert made_of(source, frozenset({2, 3})) == set()
    assert made_of("é = 1\n", frozenset({1})) and not made_of("é = 1\n", frozenset())


@pytest.mark.parametrize(("lab", "job"), [("cfg", "2.3"), ("mnist", "1.4"), ("dit", "4.5")])
def test_every_mutant_of_a_job_is_killed(lab: str, job: str) -> None:
    found = mutants.mutants(lab, job)
    assert len(found) > 10
    assert [str(mutant) for mutant in found if not killed(mutant)] == []


def test_a_mutant_that_runs_for_ever_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "SECONDS", 1)
    (cell,) = [cell for cell in cells("cfg") if cell.job == "2.3"]
    assert killed(Mutant("cfg", "2.3", cell.name, "while True: pass", "", ""))


def test_what_survives_is_a_mutant_and_has_its_reason() -> None:
    jobs = {one.job: mutants.mutants(*one.job.split("/")) for one in survivors()}
    for one in survivors():
        lab, job = one.job.split("/")
        of_line = [m for m in jobs[one.job] if m.was == one.was]
        assert any(one.now in ("*", m.now) for m in of_line), one
        assert job in LABS[lab].jobs and len(one.why) > 10
    first = next(m for m in mutants.mutants("mnist", "1.2") if known(m))
    assert known(first).kind == "same" and not killed(first)


def test_a_survivor_without_a_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a kind"):
        mutants.Survivor("cfg/2.3", "a", "b", "fine", "because")
