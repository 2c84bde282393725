"""Grade a class: find the submissions, run them, store what comes back as it comes.

The order of work is safe to interrupt at any point: a result goes to the gradebook and to
`autograded/` the moment it arrives, and grading again repeats without duplicating.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from traitlets.config import Config

from grading.changes import changes_since
from grading.engine import Options, Result, failed, needs_trust
from grading.gradebook import GradebookWriter, digest_in, master_notebook, submission_digest
from grading.intake import choose_file, lab_in
from grading.many import Done, Task, grade_many, known_results
from grading.many import keep as keep_result
from grading.notebooks import CourseError
from grading.release import CONFIG, chosen_labs, nbgrader_config, source_of
from grading.report import Entry, Move, Report, write_whole
from grading.sandbox import choose
from grading.store import FOLDER, Store
from grading.stored import Grades, stored_grades

TIMESTAMP = "timestamp.txt"

T = TypeVar("T")


@dataclass(frozen=True)
class Found:
    """What a student's folder holds for a lab.

    `path` is the notebook to run. Where it is None, `reason` says what stands there instead,
    and is None, too, for a student who handed in nothing.
    """

    student: str
    lab: str
    path: Path | None
    reason: str | None = None
    timestamp: str | None = None
    note: str | None = None

    @property
    def plan(self) -> str:
        """What grading would do with it, in a few words."""
        return "missing" if self.reason is None and self.path is None else self.reason or "graded"


@dataclass(frozen=True)
class Class:
    """A course folder, the labs to grade, and where the submissions lie.

    `masters` holds each lab's bytes for grading, as `grading.gradebook.master_notebook`
    makes them.
    """

    course_dir: Path
    submissions: Path
    masters: Mapping[str, bytes]
    course_id: str = "default_course"

    def autograded(self, student: str, lab: str) -> Path:
        """Where nbgrader expects the executed notebook."""
        return self.course_dir / "autograded" / student / lab / f"{lab}.ipynb"


def open_class(course_dir: Path, submissions: Path, labs: Sequence[str]) -> Class:
    """A class that hands in `labs`, with each lab made ready for grading.

    Raises `CourseError` for a lab that the course folder does not hold, or that cannot be read.
    """
    # Grading works with nbgrader's defaults, too; releasing does not.
    config = nbgrader_config(course_dir) if (course_dir / CONFIG).exists() else Config()
    masters = {
        lab: master_notebook(source_of(course_dir, lab), lab, config)
        for lab in chosen_labs(course_dir, labs)
    }
    course_id = config.CourseDirectory.get("course_id", "default_course")
    return Class(course_dir, submissions, masters, str(course_id))


def regrades(course_dir: Path, labs: Sequence[str], url: str) -> list[str]:
    """What is other in some labs than when the gradebook's submissions were graded, line by line.

    Raises `CourseError` where the gradebook cannot be read.
    """
    course = open_class(course_dir, course_dir / "submitted", labs)
    lines: list[str] = []
    with GradebookWriter(url, course.course_id) as book:
        for lab, master in course.masters.items():
            changed, count = book.changes(lab, master)
            if changed and count:
                lines.append(f"{lab}: {count} submissions were graded by another version of it.")
                lines += [f"  {change}" for change in changed]
                lines.append(
                    f"  `course grade {lab}` grades them again, keeps what humans gave, and says"
                    " whose score moved. Notebooks that students have stay good: their tests"
                    " become the lab's when they are graded."
                )
    return lines


# ---------------------------------------------------------------- what was handed in


def students_in(submissions: Path) -> list[str]:
    """The students, by the names of their folders.

    Raises `CourseError` where the folder is missing or holds no student.
    """
    if not submissions.is_dir():
        raise CourseError(
            f"--submissions was given {submissions}, which is not a folder; expected a folder"
            " with <student>/<lab>/<lab>.ipynb in it, as nbgrader lays it out: check the path."
        )
    found = sorted(p.name for p in submissions.iterdir() if p.is_dir() and p.name[0] not in "._")
    if not found:
        raise CourseError(
            f"--submissions was given {submissions}, which holds no student's folder; expected"
            " <student>/<lab>/<lab>.ipynb in it: check the path, or collect submissions first."
        )
    return found


def labs_handed_in(submissions: Path, known: Iterable[str]) -> list[str]:
    """Those of the course's labs that at least one student has a folder for."""
    students = students_in(submissions)
    labs = [lab for lab in known if any((submissions / s / lab).is_dir() for s in students)]
    if not labs:
        raise CourseError(
            f"No student's folder in {submissions} holds one of this course's labs"
            f" ({', '.join(known)}); expected <student>/<lab>/<lab>.ipynb: check the path."
        )
    return labs


def find(submissions: Path, student: str, lab: str) -> Found:
    """One student's submission of one lab, or what stands in its place."""
    folder = submissions / student / lab
    stamp = _timestamp(folder)
    choice = choose_file((p.name for p in folder.iterdir()) if folder.is_dir() else (), lab)
    if choice is None:
        return Found(student, lab, None)
    if choice.name is None:
        return Found(student, lab, None, choice.reason, stamp)
    path = folder / choice.name
    # A link could pass off a file that its owner may not read.
    if not path.is_file() or not path.resolve().is_relative_to(submissions.resolve()):
        reason = f"{choice.name} is not a plain file: submit the notebook itself."
        return Found(student, lab, None, reason, stamp)
    if choice.note is not None and (other := lab_in(path.read_bytes())) not in (None, lab):
        reason = f"{choice.name} is lab '{other}': submit the notebook of lab '{lab}'."
        return Found(student, lab, None, reason, stamp)
    return Found(student, lab, path, None, stamp, choice.note)


def _timestamp(folder: Path) -> str | None:
    from nbgrader.utils import parse_utc

    try:
        text = (folder / TIMESTAMP).read_text(encoding="utf-8").strip()
        parse_utc(text)
        return text or None
    except (OSError, ValueError, OverflowError):
        return None


# ---------------------------------------------------------------- grading


def lab_settings(course_dir: Path) -> dict[str, str]:
    """The `COURSE_*` settings for graded notebooks: the small budget, and data on disk or none.

    MNIST is read where `COURSE_DATA` or the course folder's `data/` has it; otherwise the
    digits that come with the package are used, so that no submission downloads anything.
    """
    settings = {"COURSE_BUDGET": "smoke", "COURSE_PROGRESS": "0"}
    if "COURSE_DEVICE" in os.environ:
        settings["COURSE_DEVICE"] = os.environ["COURSE_DEVICE"]
    data = Path(os.environ.get("COURSE_DATA") or course_dir / "data").resolve()
    if data.is_dir() and os.environ.get("COURSE_OFFLINE", "0") in ("", "0"):
        return settings | {"COURSE_DATA": str(data)}
    return settings | {"COURSE_OFFLINE": "1"}


def grade_class(
    course: Class,
    found: Sequence[Found],
    url: str,
    *,
    workers: int,
    options: Options,
    lock_seconds: float,
    on_entry: Callable[[Entry], None] = lambda entry: None,
    regrade: bool = False,
    scheduler: str | None = None,
) -> tuple[Report, CourseError | None]:
    """Grade what was found; returns the report, and an error if the gradebook failed midway.

    A submission whose result is kept from an earlier run is not run again, unless `regrade`.
    With `scheduler`, the address of a Dask scheduler, its workers run the submissions instead of
    this machine's.

    Raises `CourseError` before anything is run where the gradebook cannot be opened. Where it fails
    later, the rest is graded all the same: the report is complete, the gradebook not.
    """
    if not options.trusted:
        for reason in filter(None, map(needs_trust, course.masters.values())):
            raise CourseError(reason)
    keeper = _Keeper(course, url, lock_seconds)
    entries: list[Entry] = []

    def keep(item: Found, result: Result | None) -> None:
        entry = keeper.keep(item, result)
        entries.append(entry)
        on_entry(entry)

    with keeper.writer:
        keeper.stored = stored_grades(keeper.writer.url, lock_seconds)
        for lab, master in course.masters.items():
            keeper.writer.prepare_lab(lab, master)
        by_path = {item.path: item for item in found if item.path is not None}
        for item in found:
            if item.path is None:
                master = course.masters[item.lab]
                keep(item, failed(master, item.reason) if item.reason else None)
        tasks = [Task(i.student, i.lab, p, course.masters[i.lab]) for p, i in by_path.items()]
        store = Store(course.course_dir / FOLDER)
        known = [] if regrade else list(known_results(tasks, store, options))
        for done in known:
            keep(by_path[done.task.path], done.result)
        seen = {done.task.path for done in known}
        rest = [task for task in tasks if task.path not in seen]
        for done in _graded(rest, workers, options, scheduler):
            keep_result(done, store, options)  # first: the gradebook can be written from it again
            keep(by_path[done.task.path], done.result)
    return Report.now(list(course.masters), course.submissions, entries), keeper.trouble


def _graded(
    tasks: Sequence[Task], workers: int, options: Options, scheduler: str | None
) -> Iterator[Done]:
    if not tasks:
        return iter(())
    if scheduler is None:
        choose(options.backend, options.trusted).close()  # said once, not for each submission
        return grade_many(tasks, workers, options)
    from grading.cluster import grade_on_cluster

    return grade_on_cluster(tasks, scheduler, options)


class _Keeper:
    """Puts each result where it belongs, and goes on without a gradebook that fails."""

    def __init__(self, course: Class, url: str, lock_seconds: float) -> None:
        self.course = course
        self.writer = GradebookWriter(url, course.course_id, lock_seconds)
        self.trouble: CourseError | None = None
        self.stored: dict[tuple[str, str], Grades] = {}

    def keep(self, item: Found, result: Result | None) -> Entry:
        if result is None:
            self._guarded(lambda: self.writer.add_student(item.student))
            points = _points(self.course.masters[item.lab])
            return Entry(item.student, item.lab, "missing", None, points)
        if item.note is not None:
            result = replace(result, notes=(item.note, *result.notes))
        path = self.course.autograded(item.student, item.lab)
        before = submission_digest(path)
        unchanged = before is not None and before == digest_in(result.notebook)
        moved = self._moves(item, result, unchanged, path)
        kept = self._guarded(
            lambda: self.writer.record(
                item.student, item.lab, result, unchanged=unchanged, timestamp=item.timestamp
            )
        )
        # After the gradebook: a crash in between only asks a human for one look too many.
        write_whole(path, result.notebook)
        if item.timestamp is not None:
            write_whole(path.with_name(TIMESTAMP), item.timestamp.encode())
        return replace(Entry.of(item.student, item.lab, kept or result), moved=moved)

    def _moves(self, item: Found, result: Result, unchanged: bool, path: Path) -> tuple[Move, ...]:
        """The automatic scores that this result changes, and why: read before it is stored."""
        old = {name: one.automatic for name, one in self.before(item).items()}
        now = {cell.id: cell.score for cell in result.cells}
        names = [
            name for name in (*now, *(old.keys() - now.keys())) if old.get(name) != now.get(name)
        ]
        if not old or not names:
            return ()
        if not unchanged:
            reasons, other = {}, "another submission"
        else:
            reasons = changes_since(path, self.course.masters[item.lab])
            other = "the code of the checks, or other inputs"
        return tuple(
            Move(name, old.get(name), now.get(name), reasons.get(name, other)) for name in names
        )

    def before(self, item: Found) -> Grades:
        """What the gradebook held for a submission when this run began."""
        return self.stored.get((item.student, item.lab), {})

    def _guarded(self, write: Callable[[], T]) -> T | None:
        if self.trouble is None:
            try:
                return write()
            except CourseError as error:
                self.trouble = error
        return None


def _points(master: bytes) -> float:
    return failed(master, "").max_score
