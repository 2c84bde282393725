"""`course handout`: a lab as students get it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grading.notebooks import CourseError


def register(app: typer.Typer) -> None:
    """Add the command of this module to the `course` application."""
    app.command()(handout)


def handout(
    labs: Annotated[
        list[str] | None, typer.Argument(metavar="[LAB]...", help="Labs; default: all.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to put the files. [default: handouts/]")
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(help="The course folder. [default: the nearest one above with solutions/]"),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Then run each in an empty folder, to its first job and solved."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be packed; write nothing.")
    ] = False,
) -> None:
    """Pack labs for students: LAB.zip, and the wheel that the notebook's first cell fetches.

    A handout holds what its lab imports, and no answer to this lab or a later one. Upload zip and
    wheel to the address that course.toml names.

    Example: course handout cfg --out handouts
    """
    from grading.handout import contents, write
    from grading.release import chosen_labs, find_root

    folder = find_root(root)
    chosen = chosen_labs(folder, labs or ())
    if dry_run:
        for lab in chosen:
            packed = contents(folder, lab)
            print(f"{lab}: {len(packed.modules)} modules, {len(packed.weights)} files of weights")
            for path in (*packed.modules, *packed.weights):
                print(f"  course_utils/{path.as_posix()}")
        return
    _refuse_stale(folder, chosen)
    for lab in chosen:
        made = write(folder, lab, out or folder / "handouts")
        print(f"wrote {', '.join(f'{path} ({path.stat().st_size / 1e6:.1f} MB)' for path in made)}")
        if check:
            _try(folder, lab, made[0])


def _refuse_stale(root: Path, labs: list[str]) -> None:
    from grading.release import README, differences

    stale = [one for one in differences(root, labs) if one.path != Path(README) and not one.stray]
    if stale:
        raise CourseError(
            f"{stale[0].path} {stale[0].what}; a handout packs what is released: run "
            "`course release`, then this again."
        )


def _try(root: Path, lab: str, archive: Path) -> None:
    from grading.handout_check import try_handout
    from grading.release import source_of

    for what, solution in (("to its first job", None), ("solved", source_of(root, lab))):
        tried = try_handout(archive, solution, until="end" if solution else "first job")
        if tried.problems:
            listed = "\n".join(f"  - {problem}" for problem in tried.problems)
            raise CourseError(f"The handout of {lab} does not work {what}:\n{listed}")
        print(f"  ran {what}: {tried.cells} cells, {tried.seconds:.0f} s, in an empty folder")
