"""solutions/ → notebooks/ and course_utils/solved/, through nbgrader's own converter."""

from __future__ import annotations

import difflib
import logging
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from grading.notebooks import CourseError, fingerprint, jobs_in, notebook_text, read_notebook
from grading.solved import solved_module
from grading.validate import check_release, check_source

CONFIG = "nbgrader_config.py"


@dataclass(frozen=True)
class Difference:
    """A generated file that is not what solutions/ would generate. ``what`` says how."""

    path: Path
    what: str


def find_root(start: Path | None = None) -> Path:
    """The course folder: the nearest folder, from ``start`` upwards, that holds solutions/.

    Raises:
        CourseError: there is none.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "solutions").is_dir():
            return folder
    raise CourseError(
        f"Neither {here} nor a folder above it holds solutions/; expected the course folder: go "
        "there, or name it with --root."
    )


def all_labs(root: Path) -> list[str]:
    """The labs of a course folder in their order."""
    found = [path.parent.name for path in root.glob("solutions/*/*.ipynb") if _is_lab(path)]
    if not found:
        raise CourseError(
            f"{root / 'solutions'} holds no lab; expected solutions/<lab>/<lab>.ipynb."
        )
    number = {
        lab: source_of(root, lab).metadata.get("course", {}).get("number", 0) for lab in found
    }
    return sorted(found, key=lambda lab: (number[lab], lab))


def _is_lab(path: Path) -> bool:
    return path.stem == path.parent.name


def chosen_labs(root: Path, wanted: Sequence[str] = ()) -> list[str]:
    """The labs named, or all of them.

    Raises:
        CourseError: a name is unknown; the message has the known ones and the closest.
    """
    known = all_labs(root)
    for lab in wanted:
        if lab not in known:
            near = difflib.get_close_matches(lab, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise CourseError(
                f"There is no lab {lab!r} in {root / 'solutions'}; expected one of "
                f"{', '.join(known)}.{hint}"
            )
    return list(wanted) or known


def source_of(root: Path, lab: str) -> NotebookNode:
    """A lab's solution notebook."""
    return read_notebook(root / "solutions" / lab / f"{lab}.ipynb")


def generate(root: Path, labs: Sequence[str], into: Path) -> list[Path]:
    """Generate every file of ``labs`` below ``into``; return their paths relative to it.

    Only the notebook itself is given to nbgrader: whatever else stands beside it stays behind.

    Raises:
        CourseError: a source breaks a rule, or what came out would leak.
    """
    made = []
    for lab in labs:
        source = source_of(root, lab)
        check_source(source, lab)
        target = into / "solutions" / lab / f"{lab}.ipynb"
        target.parent.mkdir(parents=True)
        target.write_text(notebook_text(source), "utf-8")
    _convert(root, labs, into)
    for lab in labs:
        released = into / "notebooks" / lab / f"{lab}.ipynb"
        notebook = read_notebook(released)
        check_release(notebook, source_of(root, lab), lab)
        released.write_text(notebook_text(notebook), "utf-8")
        module = into / "course_utils" / "solved" / f"{lab}.py"
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(solved_module(source_of(root, lab), lab), "utf-8")
        made += [released.relative_to(into), module.relative_to(into)]
    return made


def _convert(root: Path, labs: Sequence[str], into: Path) -> None:
    """Run nbgrader's generate_assignment in this process, without its database."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    log = logging.getLogger("course.release")
    log.setLevel(logging.ERROR)
    for lab in labs:
        config = Config()
        if (root / CONFIG).exists():
            config = PyFileConfigLoader(CONFIG, str(root)).load_config()
        config.CourseDirectory.root = str(into)
        config.CourseDirectory.assignment_id = lab
        config.GenerateAssignment.no_database = True
        config.SaveCells.enabled = False
        folder = CourseDirectory(config=config, parent=None, log=log)
        converter = GenerateAssignment(coursedir=folder, config=config, log=log)
        try:
            converter.start()
        except (Exception, SystemExit) as error:
            raise CourseError(
                f"nbgrader could not convert solutions/{lab}/{lab}.ipynb: {error}. "
                "Nothing was changed."
            ) from error


def leftovers(root: Path) -> list[Path]:
    """Generated files whose lab is no longer in solutions/, relative to the root."""
    labs = set(all_labs(root))
    notebooks = [path for path in root.glob("notebooks/*/*.ipynb") if path.parent.name not in labs]
    modules = [
        path
        for path in root.glob("course_utils/solved/*.py")
        if path.stem not in labs and path.stem != "__init__"
    ]
    return sorted(path.relative_to(root) for path in (*notebooks, *modules))


def differences(root: Path, labs: Sequence[str] = ()) -> list[Difference]:
    """Where the generated files are not what solutions/ would generate now."""
    with tempfile.TemporaryDirectory(prefix="course-release-") as name:
        made = generate(root, chosen_labs(root, labs), Path(name))
        return _compare(root, Path(name), made, labs)


def _compare(
    root: Path, stage: Path, made: Sequence[Path], labs: Sequence[str]
) -> list[Difference]:
    found = [(path, _difference(root / path, stage / path)) for path in made]
    if not labs:  # only a release of all labs can tell what belongs to none
        found += [(path, "belongs to no lab in solutions/") for path in leftovers(root)]
    return [Difference(path, what) for path, what in found if what]


def _difference(present: Path, fresh: Path) -> str | None:
    if not present.exists():
        return "is missing"
    if fresh.suffix != ".ipynb":
        same = present.read_text("utf-8") == fresh.read_text("utf-8")
        return None if same else "differs from its solution notebook"
    try:
        old, new = fingerprint(read_notebook(present)), fingerprint(read_notebook(fresh))
    except CourseError:
        return "is not a readable notebook"
    if old == new:
        return None
    names = [cell.get("id") for cell in new if cell not in old and cell.get("id")]
    gone = [cell.get("id") for cell in old if cell not in new and cell.get("id")]
    changed = list(dict.fromkeys([*names, *gone]))
    return f"differs in cells {', '.join(map(str, changed))}" if changed else "differs in its head"


def release(root: Path, labs: Sequence[str] = (), dry_run: bool = False) -> list[Difference]:
    """Write the student notebooks and solved modules of ``labs`` (default: all of them).

    Everything is generated in a temporary folder on the same file system first, and moved into
    place only when all of it is right; where a move fails, the files before it are put back.

    Returns:
        What was (or with ``dry_run`` would be) brought up to date.

    Raises:
        CourseError: as :func:`generate` does; nothing is changed then.
    """
    if dry_run:
        return differences(root, labs)
    with tempfile.TemporaryDirectory(prefix=".release-", dir=root) as name:
        stage = Path(name)
        made = generate(root, chosen_labs(root, labs), stage)
        found = _compare(root, stage, made, labs)
        _swap(root, stage, made, [] if labs else leftovers(root))
    _solved_package(root)
    return found


def _swap(root: Path, stage: Path, made: Sequence[Path], gone: Sequence[Path]) -> None:
    """Move the generated files into place and leftovers out of it; undo all where one fails."""
    backup = stage / "backup"
    moved: list[Path] = []
    try:
        for path in (*made, *gone):
            (backup / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            if (root / path).exists():
                shutil.copy2(root / path, backup / path)
            moved.append(path)
            if path in gone:
                (root / path).unlink()
            else:
                (stage / path).replace(root / path)
    except OSError as error:
        for path in moved:
            if (backup / path).exists():
                (backup / path).replace(root / path)
        raise CourseError(
            f"{root / moved[-1]} could not be written ({error.strerror}). Expected to be allowed "
            "to replace it: check permissions and disk space. The files are as they were."
        ) from error


def _solved_package(root: Path) -> None:
    package = root / "course_utils" / "solved" / "__init__.py"
    if not package.exists():
        package.parent.mkdir(parents=True, exist_ok=True)
        package.write_text(
            '"""The finished jobs of each lab, for the labs after it; generated."""\n'
        )


def describe(root: Path, labs: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Labs and their jobs as plain data, for ``course jobs --json``."""
    described = []
    for lab in chosen_labs(root, labs):
        notebook = source_of(root, lab)
        course = notebook.metadata.get("course", {})
        described.append(
            {
                "lab": lab,
                "number": course.get("number"),
                "title": course.get("title", lab),
                "points": course.get("points"),
                "jobs": [asdict(job) for job in jobs_in(notebook)],
            }
        )
    return described
