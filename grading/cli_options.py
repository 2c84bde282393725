"""What several commands ask for, and what they do with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from grading.roster import Roster
    from grading.standing import Standing

JSON_NAME = "grades.json"

CourseDir = Annotated[
    Path | None,
    typer.Option(
        "--course-dir",
        "--root",
        help="The course folder. [default: the nearest one above that holds solutions/]",
    ),
]
Db = Annotated[
    str | None,
    typer.Option(
        envvar="COURSE_DB",
        help="The gradebook as an SQLAlchemy URL. [default: COURSE_DIR/gradebook.db]",
    ),
]
JsonFile = Annotated[
    Path | None,
    typer.Option("--json", help=f"File of the results. [default: COURSE_DIR/{JSON_NAME}]"),
]
RosterFile = Annotated[
    Path | None,
    typer.Option("--roster", help="A CSV file of the class; who is not in the grades is missing."),
]


def class_of(
    course_dir: Path | None, json_file: Path | None, db: str | None, roster: Path | None
) -> tuple[Path, Standing, Roster | None]:
    """The course folder, its class as it stands, and who is in it."""
    from grading.release import find_root
    from grading.report import read_json
    from grading.roster import read_roster
    from grading.standing import standing

    root = find_root(course_dir)
    students = None if roster is None else read_roster(roster)
    now = standing(read_json(json_file or root / JSON_NAME), root, db, students)
    return root, now, students


def tell_strangers(console: Console, now: Standing) -> None:
    """Say who is in the grades or in the roster alone."""
    for what, names in (
        ("in the grades and not in the roster", now.strangers),
        ("in the roster and not in the grades, so missing", now.silent),
    ):
        if names:
            console.print(Text(f"· {what}: {', '.join(names)}"), soft_wrap=True)
