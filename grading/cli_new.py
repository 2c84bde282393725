"""`course new`: begin a lab."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command of this module to the `course` application."""
    app.command()(new)


def new(
    lab: Annotated[str, typer.Argument(help="Its name, as a module's: latent_models.")],
    title: Annotated[str, typer.Option(help="Its title. [default: made from its name]")] = "",
    root: Annotated[
        Path | None,
        typer.Option(help="The course folder. [default: the nearest one that holds solutions/]"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be written; change nothing.")
    ] = False,
) -> None:
    """Begin a lab: a source notebook and a check that work, to be written over.

    Example: course new latent_models --title "Latent models"
    """
    from grading.new import new_lab
    from grading.release import find_root

    title = title or lab.replace("_", " ").capitalize()
    for path in new_lab(find_root(root), lab, title, dry_run):
        print(f"{'would write' if dry_run else 'wrote'} {path}")
    print(
        f"Next: course release {lab}, and open notebooks/{lab}/{lab}.ipynb. CONTRIBUTING.md, "
        '"Add a lab", says what to write over.'
    )
