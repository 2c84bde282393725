"""`course submit`: what the last cell of each lab does, from a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grading.notebooks import CourseError


def register(app: typer.Typer) -> None:
    """Add the command of this module to the `course` application."""
    app.command()(submit)


def submit(
    lab: Annotated[str, typer.Argument(help="The lab, such as cfg.")],
    notebook: Annotated[
        Path | None,
        typer.Option(help="The notebook. [default: LAB.ipynb in this folder or notebooks/LAB]"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the zip. [default: the notebook's folder]")
    ] = None,
    name: Annotated[str, typer.Option(help="Your name, for the zip and the PDF.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything; write nothing.")
    ] = False,
) -> None:
    """Check a lab's notebook and write the zip to hand in: the notebook and its PDF.

    Exits with 1 where the zip has no PDF, and says why; with 2 where nothing could be handed in.

    Example: course submit cfg --name "Ada Lovelace"
    """
    from course_utils.submission import RefusedError, hand_in

    try:
        handed = hand_in(lab, notebook, out, name, dry_run)
    except RefusedError as error:
        raise CourseError(str(error)) from None
    print(handed)
    if not handed.pdf.data:
        raise typer.Exit(1)
