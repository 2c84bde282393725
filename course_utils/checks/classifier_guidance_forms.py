"""The form in which a student's code hands predictions on, and what stands in for its methods.

A prediction has the form that the student's own p_mean_variance gives it, or one that can be read
in every way.
"""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.classifier_guidance_probes import Tables
from course_utils.checks.classifier_guidance_stand_ins import (
    FIELDS,
    Answers,
    PlainPrediction,
    named_tuple,
    standing_in,
)
from course_utils.checks.classifier_guidance_verdicts import Verdict
from course_utils.checks.core import Finding, Values

try:
    from course_utils.checks import classifier_guidance_answers as answers
except ImportError:  # a handout holds no answers: there a job is checked with the student's own
    WITH_JUMP: Answers = {}
    WITH_POSTERIOR = WITH_PREDICTION = WITH_MEAN = WITH_SCORE = WITH_JUMP
else:
    WITH_JUMP, WITH_POSTERIOR = answers.WITH_JUMP, answers.WITH_POSTERIOR
    WITH_PREDICTION, WITH_MEAN = answers.WITH_PREDICTION, answers.WITH_MEAN
    WITH_SCORE = answers.WITH_SCORE


OWN = "(tried with your own jobs before this one: if one of them is not right, mend it first)"


def builds_on_others(verdict: Verdict) -> Verdict:
    """``verdict``, and a word on where to look in a handout, where nothing stands in."""
    if WITH_JUMP:
        return verdict

    def judged(inputs: Values, outputs: Values) -> list[Finding]:
        found = verdict(inputs, outputs)
        return found if all(one.ok for one in found) else [*found, Finding(False, OWN)]

    return judged


class Form:
    """How this student's code hands predictions on; :meth:`make` builds one."""

    def __init__(self, target: Any, process: Any, tables: Tables) -> None:
        self.tuple = named_tuple(target, "Prediction", FIELDS, PlainPrediction)
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
