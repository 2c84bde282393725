"""Right answers of lab 5's other jobs, which stand in while one job is judged.

A later job is worth its points even if an earlier one is wrong or not written yet. A prediction
has the form that the student's own p_mean_variance gives it, or one that can be read in every way.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from inspect import signature, unwrap
from types import FunctionType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from course_utils.checks.classifier_guidance_probes import (
    Tables,
    posterior_mean,
    q_sample,
    start_of,
)
from course_utils.checks.core import Values

Answers = Mapping[str, Callable[..., Any]]
"""From a method's name to a right answer, called with tables and form in front."""

FIELDS = ("mean", "variance", "log_variance", "pred_xstart")


class _Posterior(NamedTuple):
    mean: Tensor
    variance: Tensor
    log_variance: Tensor


class _Prediction(NamedTuple):
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


def _named_tuple(target: Any, name: str, fields: tuple[str, ...], spare: type) -> type:
    """The notebook's own named tuple of these fields, read like a dict, too."""
    base = spare
    for space in names_of(target):
        given = space.get(name)
        if isinstance(given, type) and getattr(given, "_fields", ()) == fields:
            base = given
    return type(name, (_Keys, base), {})


class Form:
    """How this student's code hands predictions on; :meth:`make` builds one."""

    def __init__(self, target: Any, process: Any, tables: Tables) -> None:
        self.tuple = _named_tuple(target, "Prediction", FIELDS, _Prediction)
        self.own: Any = None
        x, t = torch.zeros(1, 2), torch.zeros(1, dtype=torch.int64)
        # A stub or a wrong answer tells nothing about its form; that is judged elsewhere.
        with suppress(Exception), standing_in(target, tables, self, WITH_POSTERIOR):
            self.own = process.p_mean_variance(lambda x, t: x, x, t)

    def make(self, **fields: Tensor) -> Any:
        if isinstance(self.own, dict):
            return dict(fields)
        named = isinstance(self.own, tuple) and getattr(self.own, "_fields", ()) == FIELDS
        if named:
            # A named tuple by these names, read like one: not by keys, which would crash later.
            return self.own._replace(**fields)
        if isinstance(self.own, tuple | list | Tensor | None):
            return self.tuple(**fields)
        made = copy.copy(self.own)
        for name, value in fields.items():
            object.__setattr__(made, name, value)
        return made


# ---------------------------------------------------------------- right answers, in float64


def jump(tables: Tables, form: Form, x_start: Any, t: Any, noise: Any = None) -> Any:
    noise = torch.randn_like(x_start) if noise is None else noise
    return q_sample(tables, x_start.double(), t, noise.double()).to(x_start.dtype)


def posterior(tables: Tables, form: Form, x_start: Any, x_t: Any, t: Any) -> Any:
    mean = posterior_mean(tables, x_start.double(), x_t.double(), t)
    both = (tables.at(name, t, x_t) for name in ("variances", "log_variances"))
    return POSTERIOR(*(value.to(x_t.dtype) for value in (mean, *both)))


def prediction(
    tables: Tables, form: Form, model: Any, x: Any, t: Any, clip_denoised: bool = True
) -> Any:
    noise = model(x, tables.original[t])
    guess = start_of(tables, noise.double(), x.double(), t)
    guess = guess.clamp(-1, 1) if clip_denoised else guess
    told = posterior(tables, form, guess, x, t)
    return form.make(**told._asdict(), pred_xstart=guess.to(x.dtype))


def steered_mean(
    tables: Tables, form: Form, cond_fn: Any, prediction: Any, x: Any, t: Any, y: Any
) -> Any:
    told = _fields(prediction)
    return told["mean"] + told["variance"] * cond_fn(x, tables.original[t], y)


def steered_score(
    tables: Tables, form: Form, cond_fn: Any, prediction: Any, x: Any, t: Any, y: Any
) -> Any:
    told, bar = _fields(prediction), tables.at("alphas_bar", t, x)
    pull = cond_fn(x, tables.original[t], y).double()
    guess = told["pred_xstart"].double() + (1 - bar) / bar.sqrt() * pull
    mean = posterior(tables, form, guess, x, t).mean
    return form.make(**{**told, "mean": mean, "pred_xstart": guess.to(x.dtype)})


# What stands in while a job is judged: the jobs before it. A question that is sent to a student's
# kernel carries what its probe names, and so not the answer to itself.
WITH_JUMP: Answers = {"q_sample": jump}
WITH_POSTERIOR: Answers = {**WITH_JUMP, "q_posterior_mean_variance": posterior}
WITH_PREDICTION: Answers = {**WITH_POSTERIOR, "p_mean_variance": prediction}
WITH_MEAN: Answers = {**WITH_PREDICTION, "condition_mean": steered_mean}
WITH_SCORE: Answers = {**WITH_MEAN, "condition_score": steered_score}


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


POSTERIOR: Any = type("Posterior", (_Keys, _Posterior), {})


def _fields(prediction: Any) -> Values:
    told = read(prediction)
    if isinstance(told, str):
        raise TypeError(f"The prediction handed on {told}; hand on what p_mean_variance returns")
    return told


@contextmanager
def standing_in(target: Any, tables: Tables, form: Form, answers: Answers) -> Iterator[None]:
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
