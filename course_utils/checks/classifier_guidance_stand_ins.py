"""How right answers stand in for a student's other methods while one of lab 5's jobs is judged.

The answers themselves are in `classifier_guidance_answers`, which no handout holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from inspect import signature, unwrap
from types import FunctionType
from typing import Any, NamedTuple

from torch import Tensor

from course_utils.checks.classifier_guidance_probes import Tables
from course_utils.checks.core import Values

Answers = Mapping[str, Callable[..., Any]]
"""From a method's name to a right answer, called with tables and form in front."""

FIELDS = ("mean", "variance", "log_variance", "pred_xstart")


class _Posterior(NamedTuple):
    mean: Tensor
    variance: Tensor
    log_variance: Tensor


class PlainPrediction(NamedTuple):
    mean: Tensor
    variance: Tensor
    log_variance: Tensor
    pred_xstart: Tensor


class _Keys:
    """What a named tuple lacks to be read like a dict."""

    def __getitem__(self, key: Any) -> Any:
        return getattr(self, key) if isinstance(key, str) else super().__getitem__(key)  # type: ignore[misc]

    def keys(self) -> tuple[str, ...]:
        return self._fields  # type: ignore[attr-defined]

    def values(self) -> tuple[Any, ...]:
        return tuple(self)  # type: ignore[arg-type]

    def items(self) -> zip[tuple[str, Any]]:
        return zip(self.keys(), self.values(), strict=True)

    def get(self, key: str, default: Any = None) -> Any:
        return getattr(self, key, default)

    def copy(self) -> dict[str, Any]:
        return dict(self.items())


POSTERIOR: Any = type("Posterior", (_Keys, _Posterior), {})


def read(result: Any, names: tuple[str, ...] = FIELDS) -> Values | str:
    """The fields of a result, by key, by name or in their order; or what keeps us from reading."""
    if isinstance(result, dict):
        missing = [name for name in names if name not in result]
        if missing:
            return f"lacks {' and '.join(missing)}: it has {', '.join(map(str, result)) or 'none'}"
        return {name: result[name] for name in names}
    if all(hasattr(result, name) for name in names):
        return {name: getattr(result, name) for name in names}
    if isinstance(result, tuple | list):
        if len(result) != len(names):
            return f"has {len(result)} parts"
        return dict(zip(names, result, strict=True))
    return "is None; is there a return?" if result is None else f"is a {type(result).__name__}"


def names_of(target: Any) -> list[Values]:
    """The global names that the code of a class looks up: those of a student's notebook."""
    functions = [f for cls in target.__mro__ for f in vars(cls).values() if type(f) is FunctionType]
    spaces = {id(unwrap(f).__globals__): unwrap(f).__globals__ for f in functions}
    return list(spaces.values())


def named_tuple(target: Any, name: str, fields: tuple[str, ...], spare: type) -> type:
    """The notebook's own named tuple of these fields, read like a dict, too."""
    base = spare
    for space in names_of(target):
        given = space.get(name)
        if isinstance(given, type) and getattr(given, "_fields", ()) == fields:
            base = given
    return type(name, (_Keys, base), {})


def _method(function: Callable[..., Any], own: Any) -> Any:
    """A right answer as a method of the student's class, whose own ``self`` it does not need.

    Keywords may have the names that they have in the student's ``own`` method.
    """
    ours, theirs = list(signature(function).parameters), []
    with suppress(TypeError, ValueError):
        theirs = list(signature(own).parameters)[1:]
    names = dict(zip(theirs, ours, strict=False)) | {word: word for word in ours}
    return lambda process, *args, **options: function(
        *args, **{names.get(word, word): value for word, value in options.items()}
    )


@contextmanager
def standing_in(target: Any, tables: Tables, form: Any, answers: Answers) -> Iterator[None]:
    """Right answers in the place of the student's, for a while."""
    methods = {
        name: _method(partial(function, tables, form), getattr(target, name, None))
        for name, function in answers.items()
    }
    kept = {name: vars(target)[name] for name in methods if name in vars(target)}
    try:
        for name, function in methods.items():
            setattr(target, name, function)
        yield
    finally:
        for name in methods:
            if name in kept:
                setattr(target, name, kept[name])
            else:
                delattr(target, name)
