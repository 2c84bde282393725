"""`course score`: points and comments from a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from grading.cli_options import CourseDir, Db


def register(app: typer.Typer) -> None:
    """Add the command of this module to the `course` application."""
    app.command()(score)


def score(
    table: Annotated[
        Path, typer.Argument(help="CSV with the columns student, lab, question, points, comment.")
    ],
    db: Db = None,
    course_dir: CourseDir = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over other points that a human gave.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be stored; change nothing.")
    ] = False,
) -> None:
    """Store points and comments for written answers, as Formgrader would.

    All lines are stored, or none. Students stand there by name or by pseudonym. A line without
    points and comment is passed over: that answer still waits. Points that a human gave before are
    not replaced unless --force says so.

    Example: course score answers.csv
    """
    from grading.anonymous import real_names
    from grading.by_hand import read_marks
    from grading.gradebook import GradebookWriter, default_url
    from grading.release import find_root
    from grading.stored import stored_grades

    root = find_root(course_dir)
    url = db or default_url(root)
    known = real_names((student for student, _ in stored_grades(url)), root)
    marks = [replace(m, student=known.get(m.student, m.student)) for m in read_marks(table)]
    with GradebookWriter(url) as writer:
        done = writer.score(marks, force=force, dry_run=dry_run)
    would = "would be stored" if dry_run else "stored"
    print(f"{len(marks)} lines of {table}: {done.changed} {would}, {done.same} known already.")
