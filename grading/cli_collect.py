"""`course collect`: from what the learning system gave away to nbgrader's folders."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from grading.collect import Collection


def register(app: typer.Typer) -> None:
    """Add the command to the `course` application."""
    app.command()(collect)


def collect(
    source: Annotated[
        Path, typer.Argument(metavar="PATH", help="The folder or zip file that was downloaded.")
    ],
    roster: Annotated[
        Path | None,
        typer.Option(help="A CSV file of the class: student, and any of name, email, number."),
    ] = None,
    lab: Annotated[
        str | None, typer.Option(help="What notebooks are that do not say it themselves.")
    ] = None,
    course_dir: Annotated[
        Path | None,
        typer.Option(
            "--course-dir",
            "--root",
            help="The course folder. [default: the nearest one above that holds solutions/]",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be collected; change nothing.")
    ] = False,
) -> None:
    """Sort a download of Canvas, Moodle or Gradescope, or a folder of mail, into submitted/.

    Every attempt is kept in collected/; the last one in time counts, by the dates and late days
    in course.toml. What was collected before is not changed, so the command can be repeated.

    Example: course collect submissions.zip --roster roster.csv
    """
    from grading.collect import collect as take_in
    from grading.deadlines import read_policy
    from grading.release import all_labs, chosen_labs, find_root
    from grading.roster import read_roster

    root = find_root(course_dir)
    if lab is not None:
        chosen_labs(root, [lab])
    done = take_in(
        source,
        root,
        all_labs(root),
        roster=None if roster is None else read_roster(roster),
        policy=read_policy(root),
        lab=lab,
        dry_run=dry_run,
    )
    _tell(Console(), done, dry_run)


def _tell(console: Console, done: Collection, dry_run: bool) -> None:
    made = Counter((one.student, one.lab) for one in done.attempts)
    table = Table("student", "lab", "attempts", "the one that counts", "days late")
    for one in done.attempts:
        if one.counts:
            when = one.when.strftime("%Y-%m-%d %H:%M") if one.when else "time unknown"
            count = str(made[one.student, one.lab])
            table.add_row(Text(one.student), one.lab, count, when, str(one.days_late or ""))
    console.print(table)
    for title, lines in (
        ("too late", done.too_late),
        ("left as it is", done.left),
        ("not placed", [f"{path}: {reason}" for path, reason in done.unplaced.items()]),
    ):
        for line in lines:
            console.print(Text(f"· {title}: {line}"), soft_wrap=True)
    would = "would be new" if dry_run else "new"
    console.print(f"{len(done.attempts)} attempts, {done.new} {would};"
                  f" {len(done.unplaced)} files not placed.")  # fmt: skip
