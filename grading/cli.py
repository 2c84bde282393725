"""The ``course`` command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from grading import (
    cli_collect,
    cli_doctor,
    cli_export,
    cli_grade,
    cli_handout,
    cli_new,
    cli_report,
    cli_score,
    cli_submit,
    cli_train,
    cli_waiting,
)
from grading.cli_options import Db
from grading.notebooks import CourseError

app = typer.Typer(
    help="Release, grade and report the labs of this course.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Labs = Annotated[list[str] | None, typer.Argument(metavar="[LAB]...", help="Labs; default: all.")]
Root = Annotated[
    Path | None,
    typer.Option(help="The course folder. [default: the nearest one above that holds solutions/]"),
]


@app.command()
def release(
    labs: Labs = None,
    root: Root = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if something is stale.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be written; change nothing.")
    ] = False,
    db: Db = None,
) -> None:
    """Write student notebooks and solved modules from solutions/.

    Where submissions have been graded by another version of a lab, it says what is other now, and
    what `course grade` will do about it.

    Example: course release cfg
    """
    from grading.release import differences, find_root
    from grading.release import release as write

    folder = find_root(root)
    if db is not None or (folder / "gradebook.db").exists():
        from grading.classroom import regrades
        from grading.gradebook import default_url
        from grading.release import chosen_labs

        for line in regrades(folder, chosen_labs(folder, labs or ()), db or default_url(folder)):
            print(line)
    if check or dry_run:
        found = differences(folder, labs or ())
        for difference in found:
            print(f"{difference.path} {difference.what}")
        if not found:
            print("Everything is what solutions/ would generate.")
        elif check:
            print("Stale: run `course release`.")
            raise typer.Exit(1)
        return
    for difference in write(folder, labs or ()):
        if difference.stray:
            print(f"left alone: {difference.path} {difference.what}")
            continue
        done = "removed" if difference.surplus else "wrote"
        print(f"{done} {difference.path} (it {_was(difference.what)})")
    print("Released: notebooks/ and course_utils/solved/ are up to date.")


def _was(what: str) -> str:
    """In the past tense, since it has been mended."""
    return (
        what.replace("is ", "was ", 1)
        .replace("differs", "differed")
        .replace("belongs", "belonged")
        .replace("has ", "had ", 1)
    )


@app.command()
def jobs(
    labs: Labs = None,
    root: Root = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List labs, jobs, points, difficulty, minutes, and the cells of each job.

    Example: course jobs cfg --json
    """
    from grading.release import describe, find_root

    described = describe(find_root(root), labs or ())
    if as_json:
        print(json.dumps({"labs": described}, indent=2, ensure_ascii=False))
        return
    for lab in described:
        table = Table(title=f"{lab['number']}. {lab['title']} · {lab['points']} points")
        for heading in ("job", "title", "kind", "points", "difficulty", "minutes", "graded in"):
            table.add_column(heading)
        for job in lab["jobs"]:
            dots = "●" * job["difficulty"] + "○" * (3 - job["difficulty"])
            row = [job["number"], job["title"], job["kind"], f"{job['points']:g}", dots]
            table.add_row(*row, str(job["minutes"]), ", ".join(job["tests"] or job["answers"]))
        Console().print(table)


cli_collect.register(app)
cli_grade.register(app)
cli_waiting.register(app)
cli_score.register(app)
cli_report.register(app)
cli_export.register(app)
cli_handout.register(app)
cli_new.register(app)
cli_train.register(app)
cli_submit.register(app)
cli_doctor.register(app)


def main() -> None:
    """Run the command; an error that the user can mend is one message and exit code 2."""
    try:
        app()
    except CourseError as error:
        print(f"course: {error}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
