"""What a question carries into a kernel, and what verdicts make of whatever comes back."""

from __future__ import annotations

import io
import pickle
import random
import time
import types
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import torch
from judged import LABS, PARTS, notebook_with

from course_utils.checks import core, exchange
from course_utils.checks.core import Alien, Crash, Finding, Part, Values
from grading import judge as module
from grading.client import Unanswered
from grading.judge import MALFORMED, opened, pickled, verdict

# ---------------------------------------------------------------- what travels


class Reader(pickle.Unpickler):
    """Reads a pickle, noting what it takes from modules."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self.modules: set[str] = set()

    def find_class(self, name: str, attribute: str) -> Any:
        self.modules.add(name)
        return super().find_class(name, attribute)


def carried(thing: Any, monkeypatch: pytest.MonkeyPatch) -> set[types.FunctionType]:
    """The functions of the checks that are pickled with `thing`."""
    found: set[types.FunctionType] = set()
    original = module._Pickler.reducer_override

    def note(self: Any, obj: Any) -> Any:
        if isinstance(obj, types.FunctionType) and "course_utils.checks" in str(obj.__module__):
            found.add(module._bare(obj))
        return original(self, obj)

    with monkeypatch.context() as patch:
        patch.setattr(module._Pickler, "reducer_override", note)
        pickled(thing)
    return found


def texts_of(function: types.FunctionType) -> set[str]:
    """The texts in a function's code that are long enough to be its own, without docstrings."""

    def walk(code: types.CodeType) -> Iterator[str]:
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                yield from walk(constant)
            elif isinstance(constant, str) and len(constant) > 12 and " " in constant:
                yield constant

    return {text for text in walk(function.__code__) if text != function.__doc__}


@pytest.mark.parametrize(("lab", "number", "index"), PARTS)
def test_no_verdict_travels_with_a_probe(
    lab: str, number: str, index: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = LABS[lab].jobs[number].parts[index]
    sent = carried(part.probe, monkeypatch)
    kept = (carried(part.verdict, monkeypatch) | carried(part.hint, monkeypatch)) - sent
    names = {function.__qualname__ for function in sent}
    words = ("verdict", "hint", "finding", "mistake", "compare", "problem", "judge", "exact")
    assert not {name for name in names if any(word in name.lower() for word in words)}
    data = pickled(part.probe)
    own = [function for function in kept if function.__code__.co_filename != "<string>"]
    told = {text for function in own for text in texts_of(function)}
    assert told and not {text for text in told if text.encode() in data}


@pytest.mark.parametrize(("lab", "number", "index"), PARTS)
def test_a_probe_needs_no_module_of_the_checks(lab: str, number: str, index: int) -> None:
    reader = Reader(pickled(LABS[lab].jobs[number].parts[index].probe))
    assert callable(reader.load())
    assert not {name for name in reader.modules if name.startswith("course_utils.checks")}
    assert not {name for name in reader.modules if name.startswith("course_utils.solved")}


@pytest.mark.parametrize(
    ("number", "index", "answers"),
    [
        ("5.1", 0, set()), ("5.2", 0, set()), ("5.4", 0, {"jump"}),
        ("5.3", 0, {"jump", "posterior"}), ("5.6", 0, {"jump", "posterior", "prediction"}),
        ("5.6", 1, {"jump", "posterior", "prediction", "steered_mean"}),
        ("5.7", 0, {"jump", "posterior", "prediction", "steered_mean"}),
        ("5.7", 1, {"jump", "posterior", "prediction", "steered_mean", "steered_score"}),
    ],
)  # fmt: skip
def test_no_question_carries_the_answer_to_itself(
    number: str, index: int, answers: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lab 5's right answers to other jobs stand in: those of earlier jobs, asked by then."""
    sent = carried(LABS["classifier_guidance"].jobs[number].parts[index].probe, monkeypatch)
    known = {"jump", "posterior", "prediction", "steered_mean", "steered_score"}
    # Where lab 5's trainer and forms are built, the posterior is needed, too.
    assert {f.__name__ for f in sent} & known <= answers | {"posterior", "jump"}


def test_a_pickle_leaves_the_checks_as_they_were() -> None:
    pickled(LABS["mnist"].jobs["1.2"].parts[0].probe)
    assert b"course_utils.checks" in pickle.dumps(Finding(True, "x"))
    assert "course_utils.checks" not in module.cloudpickle.list_registry_pickle_by_value()


# ---------------------------------------------------------------- hostile observations


@cache
def right(lab: str, number: str, index: int) -> tuple[Part, Values, Values]:
    """A part, inputs, and what a right answer makes of them."""
    part = LABS[lab].jobs[number].parts[index]
    space = notebook_with(lab, number, "")
    targets = [space[name] for name in LABS[lab].jobs[number].targets]
    inputs = part.inputs(77)
    with core.own_stream(77):
        observed = core.observe(part, tuple(targets) if len(targets) > 1 else targets[0], inputs)
    observed = exchange.unpack(exchange.pack(observed))
    assert isinstance(observed, dict)
    return part, inputs, observed


def passes(found: list[Finding]) -> bool:
    return bool(found) and all(finding.ok for finding in found)


def junk(stream: random.Random, value: Any) -> Any:
    """Something else in the place of a value, often of nearly the right form."""
    like = value if isinstance(value, torch.Tensor) and value.ndim else torch.zeros(3, 4)
    return stream.choice([
        None, "x" * 2000, -1, 10**200, float("nan"), Alien("Tensor"), torch.zeros(0),
        torch.zeros(200_000), torch.zeros([1] * 8), like[..., None], like[:1], like.flatten(),
        like.to(torch.int64), like.bool(), like.float() * torch.nan, like.float() + torch.inf,
        like.double() * 1e200, torch.cat([like.reshape(-1)] * 3), like.half(), {},
    ])  # fmt: skip


@pytest.mark.parametrize(("lab", "number", "index"), PARTS)
def test_no_observation_makes_a_verdict_raise(lab: str, number: str, index: int) -> None:
    part, inputs, observed = right(lab, number, index)
    assert passes(verdict(part, inputs, observed))
    stream, began = random.Random(f"{lab}{number}{index}"), time.process_time()
    for _ in range(12):
        changed = dict(observed)
        for name in stream.sample(list(observed), min(len(observed), stream.randint(1, 3))):
            if stream.random() < 0.2:
                del changed[name]
            else:
                changed[name] = junk(stream, observed[name])
        found = verdict(part, inputs, changed)
        assert found and all(isinstance(finding, Finding) for finding in found)
    assert time.process_time() - began < 30
    for nothing in ({}, {"x": 1}, Unanswered("silence"), opened(b"junk"), Crash("E", "m")):
        assert not passes(verdict(part, inputs, nothing))


@pytest.mark.parametrize(("lab", "number", "index"), PARTS)
def test_repeated_outputs_earn_nothing(lab: str, number: str, index: int) -> None:
    """What a right answer made of other inputs is wrong for these."""
    part, _, observed = right(lab, number, index)
    assert not any(passes(verdict(part, part.inputs(seed), observed)) for seed in range(900, 912))


def test_a_verdict_without_findings_earns_nothing() -> None:
    part = Part(1, lambda seed: {}, lambda target, inputs: {}, lambda inputs, outputs: [])
    assert verdict(part, {}, {}) == [Finding(False, MALFORMED)]
