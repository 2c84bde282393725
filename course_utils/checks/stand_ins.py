"""Right classes in place of a student's other ones, so that a job is judged on its own.

A probe of a class that is made of others runs twice: with the student's own classes, and with
stand-ins in their names. The answer is right if it is right with either: who got an earlier job
wrong loses no points in a later one, and who wrote parts of another form keeps them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

from course_utils.checks.core import Finding, Values

Probe = Callable[[Any, Values], Values]
Verdict = Callable[[Values, Values], list[Finding]]


@contextmanager
def standing_in(target: Any, classes: Iterable[type]) -> Iterator[None]:
    """``classes`` in the names that ``target``'s own code looks up, for a while."""
    functions = [
        function
        for cls in inspect.getmro(target)
        for function in vars(cls).values()
        if type(function) is FunctionType
    ]
    spaces = {id(space): space for f in functions for space in [inspect.unwrap(f).__globals__]}
    stand_ins = {cls.__name__: cls for cls in classes if cls.__name__ != target.__name__}
    kept = [
        (space, {name: space[name] for name in stand_ins if name in space})
        for space in spaces.values()
    ]
    try:
        for space, names in kept:
            space.update({name: stand_ins[name] for name in names})
        yield
    finally:
        for space, names in kept:
            space.update(names)


ALONE = "alone: "


def on_its_own(number: str, probe: Probe, classes: Iterable[type]) -> Probe:
    """``probe`` with the student's other classes and, behind a prefix, with stand-ins for them.

    Where one of the two crashes, the other's outputs are all there is.
    """

    def again(target: Any, inputs: Values) -> Values:
        with standing_in(target, classes):
            return probe(target, inputs)

    return _tried_twice(number, probe, again)


def with_method(
    number: str, probe: Probe, name: str, method: Callable[[Values], Callable[..., Any]]
) -> Probe:
    """``probe`` with the student's class and, behind a prefix, with another method ``name`` in it:
    the one that ``method`` makes of the inputs. Otherwise as :func:`on_its_own`.
    """

    def again(target: Any, inputs: Values) -> Values:
        return probe(type(target.__name__, (target,), {name: method(inputs)}), inputs)

    return _tried_twice(number, probe, again)


def _tried_twice(number: str, probe: Probe, again: Probe) -> Probe:
    def tried(target: Any, inputs: Values) -> Values:
        outputs: Values = {}
        failed: Exception | None = None
        try:
            outputs.update(probe(target, inputs))
        except Exception as error:
            if str(error) == f"Your job {number}" or not inspect.isclass(target):
                raise
            failed = error
            outputs["crash"] = str(error) if _waits(error) else type(error).__name__
        try:
            found = again(target, inputs)
        except Exception as error:
            if failed:
                raise error if _waits(failed) else failed from None
            return outputs
        return outputs | {f"{ALONE}{name}": value for name, value in found.items()}

    return tried


def _waits(error: Exception) -> bool:
    return isinstance(error, NotImplementedError) and str(error).startswith("Your job")


def alone(verdict: Verdict) -> Verdict:
    """``verdict`` on outputs of :func:`on_its_own`, and a word where stand-ins were needed."""

    def judged(inputs: Values, outputs: Values) -> list[Finding]:
        crash = outputs.get("crash")
        own = {name: out for name, out in outputs.items() if not name.startswith(ALONE)}
        found = [] if isinstance(crash, str) else verdict(inputs, own)
        if found and all(finding.ok for finding in found):
            return found
        tried = {
            name.removeprefix(ALONE): out for name, out in outputs.items() if name.startswith(ALONE)
        }
        if not tried:
            return found or [Finding(False, f"Your code stopped with {crash}.")]
        found = verdict(inputs, tried)
        why = f"{crash} is not written yet" if str(crash).startswith("Your job") else ""
        if not why and all(finding.ok for finding in found):
            why = f"with your own there is {crash or 'a difference'}: look at the jobs before"
        note = f"tried with stand-ins for your other classes ({why})"
        return [*([Finding(True, note)] if why else []), *found]

    return judged
