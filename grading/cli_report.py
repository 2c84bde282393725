"""`course report`: how a class did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from grading.cli_options import CourseDir, Db, JsonFile, RosterFile, class_of, tell_strangers


def register(app: typer.Typer) -> None:
    """Add the command of this module to the `course` application."""
    app.command()(report)


def report(
    json_file: JsonFile = None,
    html: Annotated[
        Path | None, typer.Option(help="The page. [default: COURSE_DIR/report.html]")
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(help="The table; jobs go beside it. [default: COURSE_DIR/report.csv]"),
    ] = None,
    roster: RosterFile = None,
    anonymous: Annotated[
        bool,
        typer.Option("--anonymous", help="Pseudonyms for names; into report-anonymous.html."),
    ] = False,
    db: Db = None,
    course_dir: CourseDir = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the class; write no file.")
    ] = False,
) -> None:
    """Show the class, and write it as one page and two tables: students, and jobs.

    The page has the scores, how hard each job was and whom it told apart, what the checks found
    wrong, who needs help and why, failures, and times. Scores that a human gave since are counted.

    Example: course report --anonymous --html report.html
    """
    from grading.anonymous import anonymous as without_names
    from grading.anonymous import secret_of
    from grading.class_page import class_page, jobs_csv
    from grading.report import as_csv, class_table, told, write_whole

    root, now, students = class_of(course_dir, json_file, db, roster)
    name = "report-anonymous" if anonymous else "report"
    page, table = html or root / f"{name}.html", csv or root / f"{name}.csv"
    jobs = table.with_name(f"{table.stem}-jobs{table.suffix}")
    if anonymous:
        secret = secret_of(root, keep=not dry_run)
        now = without_names(now, secret, students)
    console = Console()
    console.print(class_table(now.report))
    for line in told(now.report):
        console.print(Text(f"· {line}"))
    tell_strangers(console, now)
    if dry_run:
        console.print(f"Would be written: {page}, {table}, {jobs}", soft_wrap=True)
        return
    for path, text in (
        (page, class_page(now, anonymous)),
        (table, as_csv(now.report)),
        (jobs, jobs_csv(now)),
    ):
        write_whole(path, text.encode())
        console.print(f"Written: {path}", soft_wrap=True)
