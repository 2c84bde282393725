"""Who sent a file, by the way in which learning systems name what they give away.

| system | what its download looks like |
|---|---|
| Canvas | `doejane_LATE_1234_567890_cfg-1.ipynb`: family and given name, the user's number, the submission's number, and a counter for a second attempt |
| Moodle | `Jane Doe_123456_assignsubmission_file_/cfg.ipynb`, or the same in one name |
| Gradescope | `submission_12345/cfg.ipynb`, and who that is in `submission_metadata.yml` |
| nbgrader | `jane/cfg/cfg.ipynb` |
| mail, or by hand | `jane.doe@example.edu/cfg.ipynb`, `jane_cfg.ipynb`, `cfg_jane.zip` |
"""  # noqa: E501 - a table

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

CANVAS = re.compile(
    r"(?P<who>[^\W\d_]+)_(?P<late>LATE_)?(?P<user>\d+)_(?P<number>\d+)_(?P<file>.+)"
)
AGAIN = re.compile(r"-(?P<attempt>\d+)$")
MOODLE = re.compile(r"(?P<who>.+?)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)(?:_.*)?")
GRADESCOPE = re.compile(r"submission_(?P<number>\d+)")
MAIL = re.compile(r"[^@\s/]+@[^@\s/]+\.\w+")


@dataclass(frozen=True)
class Sender:
    """Names by which the student may be known, the likeliest first; of which system they are; the
    number of the attempt where the system counts; and when it arrived where the system says so."""

    names: tuple[str, ...]
    system: str
    attempt: int = 0
    when: datetime | None = None


def senders(
    path: PurePosixPath, labs: Sequence[str], told: Mapping[str, Sequence[Sender]]
) -> Sequence[Sender]:
    """Who sent the file at `path`: several where a group handed in together, none if it is unclear.

    `told` are Gradescope's senders by their folder, from `in_metadata`.
    """
    for part in path.parts:
        if GRADESCOPE.fullmatch(part) and part in told:
            return told[part]
        if found := MOODLE.fullmatch(part):
            return (Sender((found["who"], found["number"]), "Moodle"),)
        if found := CANVAS.fullmatch(part):
            stem = found["file"].split(".")[0]
            again = AGAIN.search(stem)
            attempt = int(again["attempt"]) if again else 0
            return (Sender((found["who"], found["user"]), "Canvas", attempt),)
    names = _by_hand(path, labs)
    return (Sender(names, "files"),) if names else ()


def _by_hand(path: PurePosixPath, labs: Sequence[str]) -> tuple[str, ...]:
    """Names of folders and of the file itself, without the lab's name."""
    # A folder tells more than a file's name, and the inner folder more than the outer one.
    parts = [*reversed(path.parent.parts), re.split(r"\.ipynb", path.name, flags=re.I)[0]]
    mails = [found[0] for part in parts if (found := MAIL.search(part))]
    names = []
    for part in parts:
        bare = re.sub(r"\.zip$", "", part, flags=re.IGNORECASE)
        for lab in sorted(labs, key=len, reverse=True):
            # The lab's name as words of their own, with what browsers add to a second download.
            pattern = rf"(?:^|[\s_.-]){re.escape(lab)}(?=$|[\s_.(-])(?:[ _-]?\(\d+\)|-copy\d*)?"
            bare = re.sub(pattern, " ", bare, flags=re.IGNORECASE)
        bare = bare.strip(" _-.")
        if bare and bare.lower() not in ("submitted", "submissions", "attachments"):
            names.append(bare)
    return tuple(dict.fromkeys([*mails, *names]))


def in_metadata(text: str) -> dict[str, list[Sender]]:
    """The senders that Gradescope's `submission_metadata.yml` names, by folder.

    What is not as Gradescope writes it is left out: the files in that folder are then unplaced.
    """
    import yaml

    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    found: dict[str, list[Sender]] = {}
    for folder, record in tree.items() if isinstance(tree, dict) else ():
        if isinstance(record, dict):
            when = _time(record.get(":created_at"))
            people = record.get(":submitters")
            found[str(folder)] = [
                Sender(names, "Gradescope", 0, when)
                for one in (people if isinstance(people, list) else ())
                if (names := _names(one))
            ]
    return found


def _names(one: Any) -> tuple[str, ...]:
    if not isinstance(one, dict):
        return ()
    values = (one.get(key) for key in (":sid", ":email", ":name"))
    return tuple(str(value) for value in values if value)


def _time(value: Any) -> datetime | None:
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.astimezone()
