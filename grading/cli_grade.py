"""`course grade`, `feedback` and `demo`: the instructor's commands after the deadline.

Exit codes: 0 when every submission has a result, even where the result is "failed" (that is
news about the submission, and a line on the screen tells it); 2 when the command could not do
its work; 130 after Ctrl-C.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Task as ProgressTask
from rich.table import Table
from rich.text import Text

from grading.cli_options import JSON_NAME, CourseDir, Db, JsonFile
from grading.notebooks import CourseError

if TYPE_CHECKING:
    from grading.classroom import Class, Found
    from grading.engine import Options
    from grading.report import Report

Labs = Annotated[
    list[str] | None,
    typer.Argument(metavar="[LAB]...", help="Labs; without any, all that were handed in."),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the `course` application."""
    for command in (grade, feedback, demo):
        app.command()(command)


# ---------------------------------------------------------------- grade


def grade(
    labs: Labs = None,
    submissions: Annotated[
        Path | None,
        typer.Option(help="<student>/<lab>/<lab>.ipynb. [default: COURSE_DIR/submitted]"),
    ] = None,
    json_file: JsonFile = None,
    db: Db = None,
    course_dir: CourseDir = None,
    jobs: Annotated[int, typer.Option(min=0, help="Submissions at a time; 0: one a core.")] = 0,
    timeout: Annotated[int, typer.Option(min=1, help="Seconds that one cell may take.")] = 300,
    wall: Annotated[int, typer.Option(min=1, help="Seconds that one notebook may take.")] = 1800,
    student: Annotated[
        list[str] | None, typer.Option(help="Grade only this student; may be repeated.")
    ] = None,
    lock_wait: Annotated[
        float, typer.Option(min=0.0, help="Seconds to wait for a gradebook in use.")
    ] = 30.0,
    regrade: Annotated[
        bool, typer.Option("--regrade", help="Run again what has a result already.")
    ] = False,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Grade on a Dask cluster: tcp://… or tls://…"),
    ] = None,
    backend: Annotated[
        str,
        typer.Option(help="Sandbox: auto, namespaces, bubblewrap, container or plain."),
    ] = "auto",
    salt: Annotated[
        str, typer.Option(help="Ask what an earlier result was asked; it names its salt.")
    ] = "",
    trusted: Annotated[
        bool,
        typer.Option(
            "--i-trust-these-notebooks",
            help="Allow plain processes, and tests that run inside a submission.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be graded; change nothing.")
    ] = False,
) -> None:
    """Grade submissions; write the gradebook, autograded/ and a JSON file.

    Each submission runs in a sandbox of its own and is judged from outside; one that is
    damaged, ends its process or never ends is reported as failed and stops no other. What has a
    result already is not run again, so an interrupted command is simply repeated; what a changed
    lab or its checks affect is, and whose score moved is listed, and why. Manual scores and
    comments are kept.

    Example: course grade mnist cfg --submissions submitted --json grades.json
    """
    from grading.boxes import Limits
    from grading.classroom import find, lab_settings, labs_handed_in, open_class, students_in
    from grading.engine import Options
    from grading.release import chosen_labs, find_root

    root = find_root(course_dir)
    submissions = submissions or root / "submitted"
    chosen = chosen_labs(root, labs or ())
    students = _chosen(students_in(submissions), student or ())
    wanted = chosen if labs else labs_handed_in(submissions, chosen)
    course = open_class(root, submissions, wanted)
    found = [find(submissions, one, lab) for one in students for lab in wanted]
    console = Console()
    if dry_run:
        console.print(_plan_table(found))
        return
    limits = Limits(cell_seconds=timeout, wall_seconds=max(wall, timeout))
    options = Options(limits, lab_settings(root), backend=backend, trusted=trusted, salt=salt)
    how = How(jobs or os.cpu_count() or 1, options, lock_wait, regrade or bool(salt), scheduler)
    _grade(console, course, found, json_file, db, how, student)


def _chosen(students: Sequence[str], wanted: Sequence[str]) -> list[str]:
    unknown = sorted(set(wanted) - set(students))
    if unknown:
        raise CourseError(
            f"--student was given {', '.join(unknown)}, without a folder among the submissions;"
            f" expected one of {', '.join(students[:20])}: check the spelling."
        )
    return [one for one in students if not wanted or one in wanted]


def _plan_table(found: Sequence[Found]) -> Table:
    table = Table("student", "lab", "what would happen", title="What would be graded")
    for item in found:
        table.add_row(Text(item.student), item.lab, Text(item.plan))
    return table


@dataclass(frozen=True)
class How:
    """How a class is graded: see the options of `course grade`."""

    workers: int
    options: Options
    lock_seconds: float = 30.0
    regrade: bool = False
    scheduler: str | None = None


class _Rate(ProgressColumn):
    """How many were graded a minute so far."""

    def render(self, task: ProgressTask) -> Text:
        return Text(f"{60 * (task.speed or 0):.0f} a minute", style="progress.data.speed")


def _grade(
    console: Console,
    course: Class,
    found: Sequence[Found],
    json_file: Path | None,
    db: str | None,
    how: How,
    only: Sequence[str] | None = None,
) -> Report:
    """Grade with a progress bar, store the JSON, and tell; raises what the gradebook raised.

    `only` are the students to whom the run is restricted: of others the record is kept.
    """
    from grading.boxes import BoxError
    from grading.classroom import grade_class
    from grading.gradebook import default_url
    from grading.report import class_table, read_json, told, told_moves, write_json

    path = json_file or course.course_dir / JSON_NAME
    earlier = (
        read_json(path) if path.exists() else None
    )  # before anything runs: it may be no record
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        bar = progress.add_task("grading", total=len(found))
        try:
            result, trouble = grade_class(
                course,
                found,
                db or default_url(course.course_dir),
                workers=how.workers,
                options=how.options,
                lock_seconds=how.lock_seconds,
                on_entry=lambda entry: progress.advance(bar),
                regrade=how.regrade,
                scheduler=how.scheduler,
            )
        except BoxError as error:
            raise CourseError(str(error)) from None
        except KeyboardInterrupt:
            console.print("Stopped. What was graded is kept; the same command does the rest.")
            raise typer.Exit(130) from None
    write_json(result.after(earlier, only) if earlier else result, path)
    console.print(class_table(result))
    for line in told(result):
        console.print(Text(f"· {line}"))
    if moves := told_moves(result):
        console.print("Automatic scores that moved:")
    for line in moves:
        console.print(Text(f"· {line}"), soft_wrap=True)
    if result.count("failed"):
        console.print(f"[red]{result.count('failed')} could not be graded in full; see above.")
    console.print(f"Results: {path}", soft_wrap=True)
    if trouble is not None:
        raise CourseError(f"{trouble} All results are in {path}; the gradebook lacks some.")
    return result


# ---------------------------------------------------------------- feedback


def feedback(
    labs: Labs = None,
    course_dir: CourseDir = None,
    db: Db = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which pages would be written.")
    ] = False,
) -> None:
    """Write feedback/<student>/<lab>/<lab>.html for what was graded, without hidden tests.

    Example: course feedback mnist
    """
    from grading.release import chosen_labs, find_root

    console = Console()
    root = find_root(course_dir)
    pages = _pages(root, chosen_labs(root, labs or ()))
    if dry_run:
        for _, target, _, _ in pages:
            console.print(f"{target} would be written", soft_wrap=True)
        return
    _write_feedback(console, pages, db, root)


def _pages(course_dir: Path, labs: Sequence[str]) -> list[tuple[Path, Path, str, str]]:
    """Autograded file, feedback page, student and lab, for each page that can be written."""
    base = course_dir / "autograded"
    found = sorted(path for lab in labs for path in base.glob(f"*/{lab}/{lab}.ipynb"))
    if not found:
        raise CourseError(
            f"There is nothing graded in {base} for {', '.join(labs)}; expected"
            " <student>/<lab>/<lab>.ipynb: run `course grade` first."
        )
    return [
        (path, course_dir / "feedback" / student / lab / f"{lab}.html", student, lab)
        for path in found
        for student, lab in [(path.parts[-3], path.parts[-2])]
    ]


def _write_feedback(
    console: Console,
    pages: Sequence[tuple[Path, Path, str, str]],
    db: str | None,
    course_dir: Path,
) -> None:
    from grading.feedback import FeedbackPages
    from grading.gradebook import default_url

    maker = FeedbackPages(db or default_url(course_dir), course_dir)
    written = [page for page in pages if maker.write(*page)]
    for _, _, student, lab in pages:
        if not any((student, lab) == page[2:] for page in written):
            said = f"· {student}, {lab}: not in the gradebook; run `course grade {lab}` first"
            console.print(Text(said), soft_wrap=True)
    console.print(f"Feedback: {len(written)} pages in {course_dir / 'feedback'}", soft_wrap=True)


# ---------------------------------------------------------------- demo


def demo(
    keep: Annotated[
        Path | None, typer.Option(help="A new folder for the class. [default: a temporary one]")
    ] = None,
    course_dir: CourseDir = None,
    jobs: Annotated[int, typer.Option(min=0, help="Submissions at a time; 0: one a core.")] = 0,
    trusted: Annotated[
        bool,
        typer.Option(help="Allow plain processes where no sandbox works: these are our own."),
    ] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say who is in the class; make nothing.")
    ] = False,
) -> None:
    """Grade an example class: five students, from complete to damaged.

    Example: course demo --keep build/example-class
    """
    from grading.class_page import class_page
    from grading.classroom import find, lab_settings, open_class, students_in
    from grading.demo import STORIES, check_empty, empty_place, hold_class
    from grading.engine import Options
    from grading.release import find_root
    from grading.report import write_whole
    from grading.standing import Standing

    console = Console()
    root = find_root(course_dir)
    check_empty(keep)
    for student, story in STORIES.items():
        console.print(f"  [bold]{student}[/bold]: {story}")
    if dry_run:
        console.print(f"This class would be graded in {keep or 'a temporary folder'}.")
        return
    place = empty_place(keep)
    console.print(f"An example class in {place}", soft_wrap=True)
    labs = hold_class(root, place)
    course = open_class(place, place / "submitted", labs)
    students = students_in(course.submissions)
    found = [find(course.submissions, one, lab) for one in students for lab in labs]
    how = How(jobs or os.cpu_count() or 1, Options(course=lab_settings(root), trusted=trusted))
    result = _grade(console, course, found, None, None, how)
    _write_feedback(console, _pages(place, labs), None, place)
    write_whole(place / "report.html", class_page(Standing(result)).encode())
    console.print(f"Class report: {place / 'report.html'}", soft_wrap=True)
    console.print(f"Formgrader, for the written answers: cd {place} && jupyter lab", soft_wrap=True)
