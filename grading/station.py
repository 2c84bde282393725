"""Where submissions are run: a process with a backend of its own that has proved itself.

A worker on this machine is a station, and so is a worker of a cluster. The proof is made once, as
the first submission comes in.
"""

from __future__ import annotations

import atexit
from functools import cache

from grading.boxes import Backend, Limits
from grading.engine import Options, Result, grade_submission
from grading.sandbox import ready


@cache
def _ready(name: str, trusted: bool, limits: Limits) -> tuple[Backend, tuple[str, ...]]:
    backend, proof = ready(name, trusted, limits)
    atexit.register(backend.close)
    return backend, proof.in_force


def grade_here(
    submission: bytes, master: bytes, options: Options, mark: str | None = None
) -> Result:
    """Grade one submission in a box of this process's backend; see `grade_submission`.

    Raises `BoxError` where this machine cannot build a box that holds.
    """
    backend, in_force = _ready(options.backend, options.trusted, options.limits)
    return grade_submission(submission, master, options, mark, backend, in_force)
