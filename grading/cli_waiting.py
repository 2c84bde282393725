"""`course waiting`: which answers wait for a human."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grading.cli_options import CourseDir, Db


def register(app: typer.Typer) -> None:
    """Add the command of this module to the `course` application."""
    app.command()(waiting)


def waiting(
    labs: Annotated[
        list[str] | None, typer.Argument(metavar="[LAB]...", help="Labs; default: all.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="A page of all answers by question, beside their rubrics.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="A table of them to fill in, for `course score`.")
    ] = None,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Pseudonyms for names; `course score` knows them.")
    ] = False,
    db: Db = None,
    course_dir: CourseDir = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over files that are there.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the overview; write no file.")
    ] = False,
) -> None:
    """Show which answers in words wait for a human, by lab and question.

    Example: course waiting mnist --html answers.html --csv answers.csv --anonymous
    """
    from grading.anonymous import pseudonym, secret_of
    from grading.gradebook import default_url
    from grading.notebooks import CourseError
    from grading.release import chosen_labs, find_root
    from grading.report import number, write_whole
    from grading.waiting import as_csv, as_page
    from grading.waiting import waiting as look

    root = find_root(course_dir)
    chosen = chosen_labs(root, labs or ())
    files = [path for path in (html, csv) if path is not None]
    there = [path for path in files if path.exists()]
    if there and not force and not dry_run:
        raise CourseError(
            f"{there[0]} is there already, and may hold scores; expected to write new files. Add"
            " --force to write over it, or name another one."
        )
    secret = secret_of(root, keep=not dry_run) if anonymous else b""

    def rename(student: str) -> str:
        return pseudonym(student, secret) if anonymous else student

    found = look(root, chosen, db or default_url(root), rename)
    table = Table("lab", "job", "points", "wait", "settled")
    for one in found.questions:
        numbers = (number(one.rubric.max), str(len(one.answers)), str(one.settled))
        table.add_row(one.lab, one.rubric.job, *numbers)
    console = Console()
    console.print(table)
    for lab, count in found.failed.items():
        told = f"· {lab}: {count} more submissions could not be run, and wait as a whole"
        console.print(Text(told), soft_wrap=True)
    if dry_run:
        would = f"Would be written: {', '.join(map(str, files)) or 'no file'}"
        console.print(would, soft_wrap=True)
        return
    # Each is made only where it is asked for: a page draws every formula of the class.
    for path, made in ((html, lambda: as_page(found, anonymous)), (csv, lambda: as_csv(found))):
        if path is not None:
            write_whole(path, made().encode())
            console.print(f"Written: {path}", soft_wrap=True)
