"""solutions/ → notebooks/, its index, and course_utils/solved/, by nbgrader's own converter."""

from __future__ import annotations

import difflib
import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grading.index import INDEX, index_page, time_of
from grading.notebooks import CourseError, fingerprint, jobs_in, notebook_text, read_notebook
from grading.settings import BEGIN, FILE, badges, settings, with_badges
from grading.solved import GENERATED, PACKAGE, solved_module
from grading.validate import check_release, check_source

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from traitlets.config import Config

CONFIG = "nbgrader_config.py"
README = "README.md"
SOLVED = Path("course_utils") / "solved"
# What running a notebook in place leaves beside it. nbgrader_config.py keeps these out of what
# is handed to students; a release does not touch them, since training may stand in there.
LEFT_BY_RUNS = ("runs", "data", ".ipynb_checkpoints", "__pycache__")


@dataclass(frozen=True)
class Difference:
    """A file that is not what solutions/ would generate.

    ``path`` is relative to the course folder and ``what`` says how it differs. A release writes
    the file, or removes it where it is ``surplus``; a ``stray``, which no release put there, may
    be somebody's work and is only told.
    """

    path: Path
    what: str
    surplus: bool = False
    stray: bool = False


# ---------------------------------------------------------------- the course folder


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
            f"{root / 'solutions'} holds no lab; expected solutions/<lab>/<lab>.ipynb: check the "
            "course folder."
        )
    return sorted(found, key=lambda lab: (_lab_number(root, lab), lab))


def _is_lab(path: Path) -> bool:
    return path.stem == path.parent.name and path.stem[0] not in "._"


def _lab_number(root: Path, lab: str) -> int:
    number = source_of(root, lab).metadata.get("course", {}).get("number")
    return number if isinstance(number, int) else 0


def chosen_labs(root: Path, wanted: Sequence[str] = ()) -> list[str]:
    """The labs named, or all of them.

    Raises:
        CourseError: a name is unknown; the message has the known ones and the closest.
    """
    known = all_labs(root)
    for lab in wanted:
        if lab not in known:
            near = difflib.get_close_matches(lab.lower(), known, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]}?" if near else " Check the spelling."
            raise CourseError(
                f"There is no lab {lab!r} in {root / 'solutions'}; expected one of "
                f"{', '.join(known)}.{hint}"
            )
    return list(dict.fromkeys(wanted)) or known


def source_of(root: Path, lab: str) -> NotebookNode:
    """A lab's solution notebook."""
    return read_notebook(root / "solutions" / lab / f"{lab}.ipynb")


def describe(root: Path, labs: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Labs and their jobs as plain data, for ``course jobs --json``."""
    described = []
    for lab in chosen_labs(root, labs):
        notebook = source_of(root, lab)
        course = notebook.metadata.get("course", {})
        try:
            jobs = [asdict(job) for job in jobs_in(notebook)]
        except CourseError as error:
            raise CourseError(f"solutions/{lab}/{lab}.ipynb, {error}") from None
        described.append(
            {
                "lab": lab,
                "number": course.get("number"),
                "title": course.get("title", lab),
                "points": course.get("points"),
                "time": time_of(notebook),
                "jobs": jobs,
            }
        )
    return described


# ---------------------------------------------------------------- generating


def generate(root: Path, labs: Sequence[str], into: Path) -> list[Path]:
    """Generate every file of ``labs`` below ``into``; return their paths relative to it.

    Only the notebook itself is given to nbgrader: whatever else stands beside it stays behind.
    The index is of all labs, whichever are asked for.

    Raises:
        CourseError: a source breaks a rule, or what came out would leak.
    """
    sources = {lab: source_of(root, lab) for lab in labs}
    for lab, source in sources.items():
        check_source(source, lab)
        _write(into / "solutions" / lab / f"{lab}.ipynb", notebook_text(source))
    _convert(root, labs, into)
    made = []
    for lab, source in sources.items():
        released = Path("notebooks") / lab / f"{lab}.ipynb"
        notebook = read_notebook(into / released)
        check_release(notebook, source, lab)
        _write(into / released, notebook_text(notebook))
        _write(into / SOLVED / f"{lab}.py", solved_module(source, lab))
        made += [released, SOLVED / f"{lab}.py"]
    _write(into / INDEX, index_page(describe(root)))
    return [*made, INDEX, *_readme(root, into)]


def _readme(root: Path, into: Path) -> list[Path]:
    """README with the badges that `course.toml` asks for, where it has a place for them."""
    present = root / README
    text = present.read_text(encoding="utf-8") if present.is_file() else ""
    if BEGIN not in text:
        return []
    _write(into / README, with_badges(text, badges(settings(root), all_labs(root))))
    return [Path(README)]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _convert(root: Path, labs: Sequence[str], into: Path) -> None:
    """Run nbgrader's generate_assignment in this process, without its database."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory

    log = logging.getLogger("course.release")
    log.propagate, log.handlers = False, [said := _LastWords(logging.ERROR)]
    for lab in labs:
        config = nbgrader_config(root)
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
                f"nbgrader could not convert solutions/{lab}/{lab}.ipynb: {said.cause or error} "
                "Nothing was changed."
            ) from error


class _LastWords(logging.Handler):
    """Keeps the last line of the traceback that nbgrader logs instead of raising it."""

    cause = ""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text.startswith("Traceback"):
            self.cause = text.strip().splitlines()[-1]


def nbgrader_config(root: Path) -> Config:
    """The course folder's own nbgrader settings.

    Raises:
        CourseError: the file is missing or cannot be run.
    """
    from traitlets.config.loader import PyFileConfigLoader

    if not (root / CONFIG).exists():
        raise CourseError(
            f"{root} has no {CONFIG}; expected the settings with which nbgrader makes this "
            "course's notebooks: copy it from the course's repository."
        )
    try:
        return PyFileConfigLoader(CONFIG, str(root)).load_config()
    except Exception as error:
        raise CourseError(
            f"{root / CONFIG} cannot be used ({type(error).__name__}: {error}); expected "
            "nbgrader's settings in Python: mend it, or restore it from version control."
        ) from error


# ---------------------------------------------------------------- comparing


def differences(root: Path, labs: Sequence[str] = ()) -> list[Difference]:
    """Where the generated files are not what solutions/ would generate now. Changes nothing."""
    chosen = chosen_labs(root, labs)
    with tempfile.TemporaryDirectory(prefix="course-release-") as name:
        stage = Path(name).resolve()
        made = generate(root, chosen, stage)
        return _compared(root, stage, made, chosen, everything=not labs)


def _compared(
    root: Path, stage: Path, made: Sequence[Path], labs: Sequence[str], everything: bool
) -> list[Difference]:
    compared = [(path, _difference(root / path, stage / path)) for path in made]
    found = [Difference(path, what) for path, what in compared if what]
    found += [
        Difference(path, "is not generated: move it, or students may get it", stray=True)
        for lab in labs
        for path in _strays(root, lab)
    ]
    if everything:
        what = "belongs to no lab in solutions/"
        found += [Difference(path, what, surplus=True) for path in leftovers(root)]
    return found


def _difference(present: Path, fresh: Path) -> str | None:
    if not present.is_file():
        return "is missing"
    if fresh.suffix != ".ipynb":
        badged = fresh.name == README and fresh.parent.name != INDEX.parent.name
        origin = FILE if badged else "what solutions/ gives"
        same = present.read_bytes() == fresh.read_bytes()
        return None if same else f"differs from {origin}"
    try:
        old, new = fingerprint(read_notebook(present)), fingerprint(read_notebook(fresh))
    except CourseError:
        return "is not a readable notebook"
    if old == new:
        return None
    names = [cell.get("id") for cell in new if cell not in old and cell.get("id")]
    gone = [cell.get("id") for cell in old if cell not in new and cell.get("id")]
    changed = ", ".join(map(str, dict.fromkeys([*names, *gone])))
    if changed:
        return f"differs in cells {changed}"
    same_head = old[0] == new[0]
    return "has its cells in another order" if same_head else "differs in its head"


def _strays(root: Path, lab: str) -> Iterator[Path]:
    """Files beside a released notebook that no release put there."""
    folder = root / "notebooks" / lab
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if path.is_dir() or inside[0] in LEFT_BY_RUNS or inside == (f"{lab}.ipynb",):
            continue
        yield path.relative_to(root)


def leftovers(root: Path) -> list[Path]:
    """Generated files whose lab is no longer in solutions/, relative to the root."""
    labs = set(all_labs(root))
    notebooks = [p for p in root.glob("notebooks/*/*.ipynb") if p.stem not in labs]
    modules = [p for p in root.glob(f"{SOLVED.as_posix()}/*.py") if p.stem not in labs]
    found = [path for path in notebooks if _is_lab(path) and _was_released(path)]
    found += [p for p in modules if p.stem != "__init__" and GENERATED in p.read_text("utf-8")]
    return sorted(path.relative_to(root) for path in found)


def _was_released(path: Path) -> bool:
    try:
        return "lab" in read_notebook(path).metadata.get("course", {})
    except CourseError:
        return False


# ---------------------------------------------------------------- putting into place


def release(root: Path, labs: Sequence[str] = (), dry_run: bool = False) -> list[Difference]:
    """Write the student notebooks and solved modules of ``labs`` (default: all of them).

    Everything is generated in a temporary folder on the same file system first, and moved into
    place only when all of it is right; where a move fails, the files before it are put back.
    Returns:
        What was (or with ``dry_run`` would be) brought up to date or removed.

    Raises:
        CourseError: as :func:`generate` does, or a file cannot be written; nothing is changed then.
    """
    if dry_run:
        return differences(root, labs)
    chosen = chosen_labs(root, labs)
    try:
        stage = Path(tempfile.mkdtemp(prefix=".release-", dir=root)).resolve()
    except OSError as error:
        raise CourseError(
            f"{root} cannot be written to ({error.strerror}); expected to be allowed to: check "
            "permissions and disk space, or use --check."
        ) from error
    try:
        made = generate(root, chosen, stage)
        found = _compared(root, stage, made, chosen, everything=not labs)
        _solved_package(root)
        _swap(root, stage, made, [one.path for one in found if one.surplus])
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return found


def _solved_package(root: Path) -> None:
    package = root / SOLVED / "__init__.py"
    if not package.exists():
        _write(package, PACKAGE)


def _swap(root: Path, stage: Path, made: Sequence[Path], gone: Sequence[Path]) -> None:
    """Move the generated files into place and surplus ones out of it; undo all where one fails.

    Each file is replaced in one step: whoever reads it finds the old one or the new one.
    """
    kept: dict[Path, Path | None] = {}
    try:
        for path in (*made, *gone):
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            kept[path] = _backup(target, stage / "backup" / path)
            if path in gone:
                target.unlink()
            else:
                (stage / path).replace(target)
    except BaseException as error:
        _put_back(root, kept)
        if isinstance(error, OSError):
            raise CourseError(
                f"{target} could not be written ({error.strerror}); expected to be allowed to "
                "replace it: check permissions and disk space. All files are as they were."
            ) from error
        raise
    for path in gone:
        _prune(root / path.parent, root)


def _backup(target: Path, copy: Path) -> Path | None:
    """A copy of a file, or None where there is none to copy."""
    if not target.exists():
        return None
    copy.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy2(target, copy))


def _put_back(root: Path, kept: Mapping[Path, Path | None]) -> None:
    for path, copy in kept.items():
        if copy is not None:
            copy.replace(root / path)
        else:
            (root / path).unlink(missing_ok=True)


def _prune(folder: Path, root: Path) -> None:
    """Remove the folders that a removal left empty."""
    while folder != root / "notebooks" and root in folder.parents and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
