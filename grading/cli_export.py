"""`course export`: the grades of a class for other systems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grading.cli_options import CourseDir, Db, JsonFile, RosterFile, class_of, tell_strangers
from grading.notebooks import CourseError

if TYPE_CHECKING:
    from grading.export import Sheet
    from grading.standing import Standing


def register(app: typer.Typer) -> None:
    """Add the command of this module to the `course` application."""
    app.command()(export)


class System(StrEnum):
    """Where grades can go."""

    canvas = "canvas"
    moodle = "moodle"
    gradescope = "gradescope"


class Visibility(StrEnum):
    """When Gradescope shows what a check said."""

    hidden = "hidden"
    after_due_date = "after_due_date"
    after_published = "after_published"
    visible = "visible"


def export(
    system: Annotated[System, typer.Argument(help="Where the grades go.")],
    roster: RosterFile = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File or, for Gradescope, folder. [default: COURSE_DIR/exports/SYSTEM]"),
    ] = None,
    lab: Annotated[list[str] | None, typer.Option(help="Only this lab; may be repeated.")] = None,
    assignment: Annotated[
        list[str] | None,
        typer.Option(metavar="LAB=ID", help="A lab's number or title in Canvas; may be repeated."),
    ] = None,
    visibility: Annotated[
        Visibility, typer.Option(help="When Gradescope's students see it.")
    ] = Visibility.after_published,
    json_file: JsonFile = None,
    db: Db = None,
    course_dir: CourseDir = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over files that are there.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be written; write nothing.")
    ] = False,
) -> None:
    """Write the grades for Canvas, Moodle or Gradescope, with a status for each.

    Only what is graded in full has a score there: what failed, is missing or waits for a human is
    empty, and no zero. With a roster, its students and their numbers are exported, nobody else.
    What was written is read back and compared.

    Example: course export canvas --roster roster.csv --assignment mnist=4711
    """
    from grading.export import sheet
    from grading.report import write_whole

    root, now, students = class_of(course_dir, json_file, db, roster)
    console = Console()
    tell_strangers(console, now)
    grades = sheet(now, students, lab or ())
    names = _names(assignment or (), grades.labs)
    place = out or root / "exports" / (system if system is System.gradescope else f"{system}.csv")
    files, read = _files(system, now, grades, names, visibility, place)
    if dry_run:
        console.print(_table(grades))
        console.print(f"Would be written: {', '.join(map(str, files))}", soft_wrap=True)
        return
    _refuse(files, force)
    for path, data in files.items():
        write_whole(path, data)
    if read().content != grades.content:
        raise CourseError(
            f"{place} does not read as the grades that were written to it; expected the same"
            " students, scores and states. This is a fault of `course export`: do not import it."
        )
    console.print(f"Written and read back: {place}", soft_wrap=True)


def _names(given: Iterable[str], labs: Mapping[str, float]) -> dict[str, str]:
    """What labs are called in Canvas, from words such as mnist=4711."""
    names = {}
    for word in given:
        lab, equals, name = word.partition("=")
        if not equals or not name or lab not in labs:
            raise CourseError(
                f"--assignment was given '{word}'; expected LAB=ID with one of"
                f" {', '.join(labs)} and its number or title in Canvas, such as"
                f" {next(iter(labs))}=4711."
            )
        names[lab] = name
    return names


def _files(
    system: System,
    now: Standing,
    grades: Sheet,
    names: Mapping[str, str],
    visibility: Visibility,
    place: Path,
) -> tuple[dict[Path, bytes], Callable[[], Sheet]]:
    """The files of an export, and what reads them again."""
    from grading.export import canvas_csv, moodle_csv, read_canvas, read_moodle
    from grading.export_gradescope import gradescope_files, read_gradescope

    def text() -> str:
        return place.read_bytes().decode()

    if system is System.canvas:
        return {place: canvas_csv(grades, names).encode()}, lambda: read_canvas(text())
    if system is System.moodle:
        return {place: moodle_csv(grades).encode()}, lambda: read_moodle(text())
    made = gradescope_files(now, grades, visibility.value)
    return {place / path: data for path, data in made.items()}, lambda: read_gradescope(place)


def _refuse(files: Iterable[Path], force: bool) -> None:
    there = [path for path in files if path.exists()]
    if there and not force:
        more = f" (and {len(there) - 1} more files)" if len(there) > 1 else ""
        raise CourseError(
            f"{there[0]} is there already{more}; expected to write new files. Add --force to write"
            " over what is there, or name another place with --out."
        )


def _table(grades: Sheet) -> Table:
    table = Table("student", *grades.labs, title="What would be exported")
    for row in grades.rows:
        told = (f"{row.marks[lab].final} {row.marks[lab].told}".strip() for lab in grades.labs)
        table.add_row(Text(row.name), *told)
    return table
