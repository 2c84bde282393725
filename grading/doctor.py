"""Whether this machine can grade, and what to do where it cannot.

Each check looks and changes nothing, and says what it found in a `Line`. Whatever a check trips
over is its finding, too: a doctor who falls ill helps nobody.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version

from grading.boxes import MIB, Backend, BoxError, Limits
from grading.notebooks import CourseError
from grading.proof import Proof

State = Literal["ok", "attention", "missing"]

LOCK = "requirements.lock"
OLDEST_PYTHON = (3, 11)
LIBRARIES = ("torch", "torchvision", "nbgrader", "nbconvert", "jupyter-client")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "firefox", "msedge")
GIB = 1024 * MIB
NEEDED_DISK, GOOD_DISK = 1 * GIB, 5 * GIB
INSTALL = {
    "namespaces": "Needs Linux with user namespaces: `sysctl user.max_user_namespaces`, and on"
    " Ubuntu `sysctl kernel.apparmor_restrict_unprivileged_userns=0`.",
    "bubblewrap": "Install bubblewrap: `apt install bubblewrap`, or your system's own package.",
    "container": "Install podman (`apt install podman`) or docker, start it, and name an image in"
    " COURSE_GRADING_IMAGE: docs/grading.md says how.",
}


@dataclass(frozen=True)
class Line:
    """What a check found, and what to do. Where something vital is missing, grading cannot work."""

    part: str
    state: State
    told: str
    todo: str = ""
    vital: bool = False

    @property
    def stops(self) -> bool:
        """Whether this alone keeps grading from working."""
        return self.vital and self.state == "missing"


Ready = Callable[[str, bool, Limits], tuple[Backend, Proof]]


def examine(root: Path, url: str | None = None) -> Iterator[Line]:
    """All checks of a course folder, one line after the other as they are done."""
    checks: tuple[Callable[[], Iterator[Line]], ...] = (
        python,
        libraries,
        lambda: lock(root / LOCK),
        lambda: data(root),
        sandboxes,
        lambda: database(root, url),
        lambda: disk(root),
        memory,
        pdf,
    )
    for check in checks:
        yield from check()


# ---------------------------------------------------------------- versions


def python() -> Iterator[Line]:
    """Python itself."""
    told = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        todo = "Install Python 3.11 or newer, then `make PYTHON=python3.12 install`."
        yield Line("Python", "missing", told, todo, vital=True)
    else:
        yield Line("Python", "ok", told)


def libraries() -> Iterator[Line]:
    """What grading imports, as it is installed."""
    for name in LIBRARIES:
        try:
            told = metadata.version(name)
        except metadata.PackageNotFoundError:
            todo = "Run `make install`."
            yield Line(name, "missing", "not installed", todo, vital=True)
            continue
        if name == "torchvision":
            yield _torchvision(told)
        else:
            yield Line(name, "ok", told)


def _torchvision(told: str) -> Line:
    # A torchvision that was built for another torch is installed, and fails when imported.
    try:
        import torchvision  # noqa: F401
    except Exception as error:
        todo = "Install torch and torchvision from one place: `make install`."
        return Line("torchvision", "missing", f"{told}, and {_first(error)}", todo, vital=True)
    return Line("torchvision", "ok", told)


def lock(path: Path) -> Iterator[Line]:
    """Whether what is installed is what the lock file names."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        told = f"no {path.name} in {path.parent}, so versions were not compared"
        yield Line("lock", "attention", told, "Take it from the course's repository.")
        return
    wanted = list(_pins(text))
    other = [f"{name} {have} for {pin}" for name, pin in wanted for have in _other(name, pin)]
    if not other:
        yield Line("lock", "ok", f"all {len(wanted)} packages are the ones of {path.name}")
        return
    more = f", and {len(other) - 4} more" if len(other) > 4 else ""
    told = f"{len(other)} of {len(wanted)} packages differ: {', '.join(other[:4])}{more}"
    todo = "Run `make install` for the versions that the course was tested with."
    yield Line("lock", "attention", told, todo)


def _pins(text: str) -> Iterator[tuple[str, str]]:
    """Names and versions of a lock file that are meant for this machine."""
    for line in text.splitlines():
        if "==" not in line or line[0] in " #":
            continue
        try:
            wanted = Requirement(line.rstrip(" \\"))
        except InvalidRequirement:
            continue
        if wanted.marker is None or wanted.marker.evaluate():
            yield wanted.name, str(wanted.specifier).removeprefix("==")


def _other(name: str, pin: str) -> Iterator[str]:
    """The version that is installed, if it is another; a build of the same ("+cpu") is not."""
    try:
        have = metadata.version(name)
    except metadata.PackageNotFoundError:
        yield "absent"
        return
    if Version(have).public != Version(pin).public:
        yield have


# ---------------------------------------------------------------- data


def data(root: Path) -> Iterator[Line]:
    """MNIST where labs look for it, or the digits that come with scikit-learn."""
    from course_utils.mnist_files import TEST, TRAIN, DataError, find, raw_folder, read

    given = os.environ.get("COURSE_DATA")
    folder = raw_folder(Path(given) if given else root / "data")
    specs = [spec for split in (TRAIN, TEST) for spec in (split.images, split.labels)]
    todo = "Copy MNIST's four files there, or set COURSE_DATA to the folder that holds MNIST/raw."
    try:
        found = [path for spec in specs if (path := find(folder, spec))]
        if len(found) == len(specs):
            for path, spec in zip(found, specs, strict=True):
                read(path, spec)
            yield Line("MNIST", "ok", f"whole, in {folder}")
        elif found or given:
            told = f"{len(found)} of {len(specs)} files in {folder}; labs take small digits instead"
            yield Line("MNIST", "attention", told, todo)
        else:
            yield Line("MNIST", "attention", f"not in {folder}; labs take small digits", todo)
    except DataError as error:
        yield Line("MNIST", "attention", str(error))
    if find_spec("sklearn") is None:
        told = "scikit-learn, which brings them, is not installed"
        yield Line("digits", "missing", told, "Run `make install`.", vital=True)
    else:
        yield Line("digits", "ok", "scikit-learn brings them")


# ---------------------------------------------------------------- sandboxes


def sandboxes(ready: Ready | None = None) -> Iterator[Line]:
    """Each way to build a box proves itself; one is enough. `ready` is `sandbox.ready`."""
    from grading.sandbox import ORDER
    from grading.sandbox import ready as of_this_machine

    lines = [_sandbox(name, ready or of_this_machine) for name in ORDER]
    yield from lines
    if not any(line.state == "ok" for line in lines):
        told = "submissions are programs by strangers, and nothing here can hold one in"
        todo = "Mend one of the three. Where you trust every notebook: --i-trust-these-notebooks."
        yield Line("sandbox", "missing", told, todo, vital=True)


def _sandbox(name: str, ready: Ready) -> Line:
    try:
        backend, proof = ready(name, False, Limits())
    except BoxError as error:
        return Line(f"sandbox {name}", "attention", _bare(str(error), name), INSTALL[name])
    backend.close()
    tried = len(proof.in_force) - 1
    return Line(f"sandbox {name}", "ok", f"held {tried} ways to escape or to use too much")


def _bare(error: str, name: str) -> str:
    """The reason alone, of a message that also says what else was tried and what to do."""
    _, found, rest = error.partition(f"Tried: {name} (")
    return rest.rpartition("). ")[0] or rest if found else error


# ---------------------------------------------------------------- the gradebook


def database(root: Path, url: str | None) -> Iterator[Line]:
    """Whether the gradebook opens, has nbgrader's tables in its version, and can be written."""
    from grading.database import usable_url
    from grading.gradebook import default_url

    try:
        parsed = usable_url(url or default_url(root))
    except CourseError as error:
        yield Line("gradebook", "missing", str(error), vital=True)
        return
    file = Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None
    if file is not None and not file.exists():
        yield _new(file)
        return
    yield _opened(parsed.render_as_string(hide_password=False), file)


def _new(file: Path) -> Line:
    if os.access(file.parent, os.W_OK):
        return Line("gradebook", "ok", f"{file} is not there yet; `course grade` makes it")
    todo = "Give yourself permission to write there, or name another gradebook with --db."
    return Line("gradebook", "missing", f"{file.parent} cannot be written", todo, vital=True)


def _opened(url: str, file: Path | None) -> Line:
    from grading.database import Database
    from grading.gradebook import has_schema

    book = Database(url, lock_seconds=2.0)

    def look() -> bool:
        with book.reading() as connection:
            return has_schema(connection, book.name)

    def write() -> None:
        with book.writing(alone=False):
            pass

    try:
        tables = book.patiently(look, "")
        book.patiently(write, "")
    except CourseError as error:
        return Line("gradebook", "missing", str(error), vital=True)
    finally:
        book.close()
    if file is not None and not os.access(file, os.W_OK):
        todo = "Give yourself permission to write it, or name another gradebook with --db."
        return Line("gradebook", "missing", f"{file} cannot be written", todo, vital=True)
    told = "has nbgrader's tables" if tables else "has no tables yet; `course grade` makes them"
    return Line("gradebook", "ok", f"{book.name} {told}")


# ---------------------------------------------------------------- room, and the PDF


def disk(root: Path) -> Iterator[Line]:
    """Room for what grading keeps, and for what it needs meanwhile."""
    for part, folder in (("disk", root), ("scratch disk", Path(tempfile.gettempdir()))):
        free = shutil.disk_usage(folder).free
        told = f"{free / GIB:.1f} GiB free in {folder}"
        if free < NEEDED_DISK:
            yield Line(part, "missing", told, "Make room: 1 GiB at least.", vital=True)
        elif free < GOOD_DISK:
            todo = "A class of 200 with pictures takes some GiB: make room, or watch it."
            yield Line(part, "attention", told, todo)
        else:
            yield Line(part, "ok", told)


def memory() -> Iterator[Line]:
    """Room for one submission on each core."""
    import psutil  # type: ignore[import-untyped]

    free, each = psutil.virtual_memory().available, Limits().memory_bytes
    cores = os.cpu_count() or 1
    fit = max(1, min(cores, free // each))
    told = f"{free / GIB:.1f} GiB free, {cores} cores; a submission may take {each / GIB:.0f} GiB"
    if free < GIB:
        todo = "Close other programs: a lab alone takes about 1 GiB."
        yield Line("memory", "missing", told, todo, vital=True)
    elif free < cores * each:
        todo = f"Most labs take a third of that. To be safe: `course grade --jobs {fit}`."
        yield Line("memory", "attention", told, todo)
    else:
        yield Line("memory", "ok", told)


def pdf() -> Iterator[Line]:
    """What `course submit` makes PDFs with; grading itself needs none of it."""
    from course_utils.submission.pdf import NEEDED

    for module, package in NEEDED.items():
        if find_spec(module) is None:
            told = "not installed: zips to hand in have no PDF"
            yield Line(package, "attention", told, f"Run `pip install {package}`.")
        elif module == "pypandoc":
            yield _pandoc(package)
        else:
            yield Line(package, "ok", metadata.version(package))
    browser = next((name for name in BROWSERS if shutil.which(name)), None)
    told = f"{browser} is here" if browser else "none here, and none is needed"
    yield Line("browser", "ok", f"{told}: PDFs are made without one, reports open in any")


def _pandoc(package: str) -> Line:
    import pypandoc

    try:
        return Line(package, "ok", f"pandoc {pypandoc.get_pandoc_version()}")
    except OSError as error:
        told = f"its pandoc does not run ({_first(error)})"
        return Line(package, "attention", told, f"Run `pip install --force-reinstall {package}`.")


def _first(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
