"""Whatever a check is handed, it answers in words and takes the points of that job alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from answers import LABS, notebook_with, report, target, told
from torch import nn

from course_utils.checks.core import Report, run

JOBS = [(lab, number) for lab, record in LABS.items() for number in record.jobs]


class Liar:
    """Equal to everything, of any length, with every attribute."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Liar()

    def __call__(self, *args: object, **options: object) -> Any:
        return Liar()

    def __len__(self) -> int:
        return 12


class LyingTensor(torch.Tensor):
    """A tensor whose comparisons all come out well."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (torch.equal, torch.allclose, torch.isclose):
            return True
        return super().__torch_function__(func, types, args, kwargs or {})


def gives(value: Callable[[], Any]) -> type:
    """A class whose instances answer every call with the same thing."""

    class Answer(nn.Module):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, *args: object, **options: object) -> Any:
            return value()

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_") or name in ("weight", "training"):
                return super().__getattr__(name)
            return lambda *args, **options: value()

    return Answer


def raises(*args: object, **options: object) -> Any:
    raise KeyError("not what you think")


HANDED: dict[str, Any] = {
    "nothing": None,
    "a number": 3,
    "an array": np.ones(3),
    "a tensor": torch.ones(12, 2),
    "a module": torch.nn,
    "a liar": Liar(),
    "a class of liars": Liar,
    "a function that raises": raises,
    "an empty class": object,
    "None from everything": gives(lambda: None),
    "NaN from everything": gives(lambda: torch.full((12, 2), torch.nan)),
    "arrays from everything": gives(lambda: np.ones((12, 2))),
    "integers from everything": gives(lambda: torch.ones(12, 2, dtype=torch.int64)),
    "tensors that lie": gives(lambda: torch.ones(12, 2).as_subclass(LyingTensor)),
    "a tensor elsewhere": gives(lambda: torch.ones(12, 2, device="meta")),
}


def judged(lab: str, number: str, handed: Any) -> Report:
    job = LABS[lab].jobs[number]
    return run(job, (handed,) * len(job.targets) if len(job.targets) > 1 else handed, 0)


@pytest.mark.parametrize("what", HANDED)
@pytest.mark.parametrize(("lab", "number"), JOBS)
def test_it_is_told_in_a_line_and_earns_nothing(lab: str, number: str, what: str) -> None:
    found = judged(lab, number, HANDED[what])
    assert found.earned == 0, f"{what} earns {found.earned}"
    messages = [finding.message for finding in found.findings if not finding.ok]
    assert messages and all("\n" not in message for message in messages)
    assert not any("object at 0x" in message for message in messages), messages


@pytest.mark.parametrize(("lab", "number"), [job for job in JOBS if job[1] != "5.5"])
def test_an_instance_where_a_class_is_due(lab: str, number: str) -> None:
    """An answer that is right but for a pair of brackets. (5.5 is a function.)"""
    job = LABS[lab].jobs[number]
    found = target(job, notebook_with(lab, number, ""))
    classes = found if isinstance(found, tuple) else (found,)
    instances = tuple(object.__new__(cls) for cls in classes)
    judged = run(job, instances if len(instances) > 1 else instances[0], 0)
    assert judged.earned == 0 and told(judged) and "\n" not in told(judged)


def test_neither_random_stream_moves() -> None:
    torch.manual_seed(1)
    np.random.seed(1)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    for lab, number in JOBS:
        job = LABS[lab].jobs[number]
        assert report(job, notebook_with(lab, number, ""), 0).passed
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()
