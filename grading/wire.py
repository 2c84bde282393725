"""Options and results as JSON: between processes, between machines, and in the store."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from grading.boxes import Limits
from grading.engine import CellScore, Options, Result


def options_as_json(options: Options) -> dict[str, Any]:
    """Options as plain values."""
    named = {field.name: getattr(options, field.name) for field in fields(options)}
    return named | {"limits": asdict(options.limits), "course": dict(options.course)}


def options_from_json(values: Mapping[str, Any]) -> Options:
    """What `options_as_json` was given."""
    return Options(**dict(values) | {"limits": Limits(**values["limits"])})


def result_as_json(result: Result) -> dict[str, Any]:
    """A result as plain values; the notebook's bytes as base64."""
    return asdict(result) | {"notebook": base64.b64encode(result.notebook).decode()}


def result_from_json(values: Mapping[str, Any]) -> Result:
    """What `result_as_json` was given; raises `TypeError`, `KeyError` or `ValueError` otherwise."""
    told = {
        "cells": tuple(CellScore(**_with_tuples(cell)) for cell in values["cells"]),
        "notebook": base64.b64decode(values["notebook"], validate=True),
    }
    return Result(**_with_tuples(values) | told)


def _with_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows lists only; where we hold a sequence, it is a tuple."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
