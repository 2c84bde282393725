"""`course doctor`: whether this machine can grade, and what to do where it cannot."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.text import Text

from grading.cli_options import CourseDir, Db

COLOURS = {"ok": "green", "attention": "yellow", "missing": "red"}


def register(app: typer.Typer) -> None:
    """Add the command of this module to the `course` application."""
    app.command()(doctor)


def doctor(course_dir: CourseDir = None, db: Db = None) -> None:
    """Check versions, data, sandboxes, gradebook, disk, memory and what PDFs need.

    Each line is ok, attention or missing, and says what to do. Exits with 1 only where grading
    cannot work. Sandboxes prove themselves, which takes a minute; nothing is changed.

    Example: course doctor
    """
    from grading.doctor import examine
    from grading.release import find_root

    console = Console()
    stops = []
    for line in examine(find_root(course_dir), db):
        said = Text.assemble(
            (f"{line.state:<10}", COLOURS[line.state]), f"{line.part}: {line.told}"
        )
        console.print(said, soft_wrap=True)
        if line.todo and line.state != "ok":
            console.print(Text(f"{'':<10}→ {line.todo}"), soft_wrap=True)
        if line.stops:
            stops.append(line.part)
    if stops:
        console.print(f"[red]Grading cannot work here: {', '.join(stops)}.")
        raise typer.Exit(1)
    console.print("[green]Grading can work here.")
