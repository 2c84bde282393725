from typing import Any

import numpy as np
import torch

from course_utils.checks.core import Alien, Crash, Finding, Job, Part, Values, freeze, run


def part(points: float, verdict_ok: bool = True, name: str = "a") -> Part:
    return Part(
        points,
        lambda seed: {"seed": seed},
        lambda target, inputs: {"out": target(inputs["seed"])},
        lambda inputs, outputs: [Finding(verdict_ok, f"{name} {type(outputs['out']).__name__}")],
    )


def job(*parts: Part) -> Job:
    return Job("9.1", "Nine", 1, 5, ("f",), parts)


def test_points_are_the_sum_of_the_parts_that_hold() -> None:
    report = run(job(part(1), part(2, False, "b")), lambda seed: torch.zeros(2))
    assert (report.earned, report.job.points, report.passed) == (1, 3, False)


def test_an_exception_costs_its_own_part_only_and_is_told() -> None:
    def explode(seed: int) -> Any:
        raise KeyError("gone")

    def only_first(seed: int) -> Any:
        return torch.zeros(1) if seed < 5000 else explode(seed)

    report = run(job(part(1), part(2)), only_first)
    assert report.earned == 1 and report.crash is not None
    assert "KeyError" in report.findings[-1].message


def test_a_stub_is_recognised_by_its_message() -> None:
    def stub(seed: int) -> Any:
        raise NotImplementedError("Your job 9.1")

    def other(seed: int) -> Any:
        raise NotImplementedError("abstract")

    assert run(job(part(1)), stub).stub
    assert not run(job(part(1)), other).stub


def test_a_hint_turns_an_exception_into_advice() -> None:
    helpful = Part(1, lambda s: {}, lambda t, i: t(), lambda i, o: [], lambda c: "Try b.")

    def broken() -> Values:
        raise RuntimeError("a")

    assert run(job(helpful), broken).findings[0].message.endswith("Try b.")


def test_the_students_random_stream_is_left_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    run(job(part(1)), lambda seed: torch.randn(10))
    assert torch.equal(torch.rand(3), expected)


def test_the_seed_decides_what_a_check_tries_and_draws() -> None:
    drawn = []
    for seed in (3, 3, 4):
        run(job(part(1)), lambda s: drawn.append(torch.rand(2)), seed)
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])


class Liar(torch.Tensor):
    def __eq__(self, other: object) -> Any:
        return True


def test_frozen_outputs_are_plain_copies() -> None:
    x = torch.ones(2, requires_grad=True)
    frozen = freeze(x)
    assert type(frozen) is torch.Tensor and not frozen.requires_grad
    frozen += 1
    assert x.tolist() == [1, 1]
    assert type(freeze(torch.ones(2).as_subclass(Liar))) is torch.Tensor
    assert freeze(np.ones(2)) == Alien("ndarray")
    assert freeze(None) is None and freeze(2.5) == 2.5


def test_a_crash_is_data() -> None:
    crash = Crash("ValueError", "bad", "line 2: x", False)
    assert crash == Crash("ValueError", "bad", "line 2: x")
