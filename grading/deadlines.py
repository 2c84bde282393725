"""When labs are due, and which attempt counts: the written policy of a course, in `course.toml`.

```toml
[due]
mnist = 2026-12-01T23:59:00+01:00   # without a zone: this machine's

[late]
grace_minutes = 10   # nobody looks at these
days_in_all = 4      # late days that a student has for the whole course
days_per_lab = 2     # and how many of them one lab may take
```

The last attempt in time counts. Where there is none, the last one within the late days does, and
uses them up, labs in the order in which they are due. An attempt whose time nobody knows is in
time.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from grading.notebooks import CourseError

FILE = "course.toml"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Policy:
    """See the text of this module. Without a date nothing is ever late."""

    due: Mapping[str, datetime] = field(default_factory=dict)
    grace_minutes: float = 0
    days_in_all: int = 0
    days_per_lab: int = 0

    def days_late(self, lab: str, when: datetime | None) -> int:
        """Days, counted from the first minute, by which an attempt is late; 0 in time."""
        if when is None or lab not in self.due:
            return 0
        over = when - self.due[lab] - timedelta(minutes=self.grace_minutes)
        return max(0, math.ceil(over / DAY))

    def choose(self, attempts: Mapping[str, Sequence[datetime | None]]) -> dict[str, int | None]:
        """For each lab the index of the attempt that counts; None where all came too late.

        `attempts` are one student's, in the order in which they were made.
        """
        left = self.days_in_all
        chosen: dict[str, int | None] = {}
        dated = sorted((lab for lab in attempts if lab in self.due), key=lambda lab: self.due[lab])
        for lab in [*dated, *(lab for lab in attempts if lab not in self.due)]:
            late = [self.days_late(lab, when) for when in attempts[lab]]
            allowed = min(left, self.days_per_lab)
            for most in (0, allowed):
                fitting = [i for i, days in enumerate(late) if days <= most]
                chosen[lab] = fitting[-1] if fitting else None
                if fitting:
                    left -= late[fitting[-1]]
                    break
        return chosen


def read_policy(root: Path) -> Policy:
    """The policy of a course folder; without a `course.toml`, or dates in it, nothing is late.

    Raises `CourseError` where it makes no sense.
    """
    path = root / FILE
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Policy()
    except (OSError, ValueError) as error:
        raise CourseError(f"{path} cannot be read ({error}); expected TOML: mend it.") from None
    due, late = tree.get("due", {}), tree.get("late", {})
    problems = [
        f"[due] {lab} is {value!r}; expected a time such as 2026-12-01T23:59:00+01:00"
        for lab, value in due.items()
        if not isinstance(value, datetime)
    ]
    known = ("grace_minutes", "days_in_all", "days_per_lab")
    problems += [
        f"[late] {key} is {value!r}; expected a number that is not negative, for one of"
        f" {', '.join(known)}"
        for key, value in late.items()
        if key not in known or not _is_number(value)
    ]
    if problems:
        raise CourseError(f"{path}: {'; '.join(problems)}. Mend it and run this again.")
    times = {lab: value if value.tzinfo else value.astimezone() for lab, value in due.items()}
    return Policy(times, **late)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
