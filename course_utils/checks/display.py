"""How a student meets a check: what is shown, what is raised, and which cells may go on."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

from course_utils.checks.core import Job, Report, run

DONE = "done"
MARKS = {DONE: "✓", "partly done": "◐", "not right yet": "✗"}
LEFT = ' style="text-align:left"'
DONE_COLOUR, PART_COLOUR, WRONG_COLOUR, PAPER = "#1a7f4b", "#b35900", "#c0392b", "#ffffff"
"""No colour has enough contrast on a white page and on a black one: marks bring their paper."""


def _terminal(colour: str) -> str:
    """The terminal's code for a colour on its paper; named colours are too pale in JupyterLab."""
    ink, paper = (";".join(str(byte) for byte in bytes.fromhex(c[1:])) for c in (colour, PAPER))
    return f"\x1b[38;2;{ink};48;2;{paper}m"


GREEN, RED = _terminal(DONE_COLOUR), _terminal(WRONG_COLOUR)
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


class NotYet(Exception):  # noqa: N818 - a student reads the name: it is a state, not an error
    """A check found the job wrong. Jupyter shows the findings instead of a traceback."""

    def __init__(self, report: Report) -> None:
        super().__init__(as_text(report))
        self.report = report

    def _render_traceback_(self) -> list[str]:
        return as_text(self.report, colour=True).splitlines()


class Points(float):
    """Partial credit, as nbgrader reads it from a cell's last value."""

    def __repr__(self) -> str:
        return f"{float(self):g}"


def headline(report: Report) -> str:
    """The first line of a result: the job, its state, its points."""
    job = report.job
    if report.passed:
        return f"{job.number} {job.title} · done · {job.points:g} of {job.points:g} points"
    state = "partly done" if report.earned else "not yet"
    return f"{job.number} {job.title} · {state} · {report.earned:g} of {job.points:g} points"


def as_text(report: Report, colour: bool = False, footer: str = "") -> str:
    """The result in plain text, and a last line below it.

    With terminal colours it is for a notebook's error box, which would break long lines anywhere,
    in the middle of a word, too.
    """
    green, red, bold, plain = (GREEN, RED, BOLD, PLAIN) if colour else ("", "", "", "")
    lines = [f"{bold}{headline(report)}{plain}"]
    for finding in report.findings:
        mark = f"{green}✓{plain}" if finding.ok else f"{red}✗{plain}"
        said = fill(finding.message, 88, break_long_words=False) if colour else finding.message
        lines.append(f"{mark} {said}")
    return "\n".join([*lines, footer] if footer else lines)


def as_html(report: Report, footer: str = "") -> str:
    """The result as a small block that reads well on a light and on a dark page."""
    colour = DONE_COLOUR if report.passed else PART_COLOUR
    rows = "".join(
        f"<div>{_mark(finding.ok)} {html.escape(finding.message)}</div>"
        for finding in report.findings
    )
    last = f'<div style="opacity:.8">{html.escape(footer)}</div>' if footer else ""
    return (
        f'<div style="border-left:4px solid {colour};padding:.2em .8em;margin:.2em 0">'
        f"<b>{html.escape(headline(report))}</b>{rows}{last}</div>"
    )


def _mark(ok: bool) -> str:
    colour = DONE_COLOUR if ok else WRONG_COLOUR
    style = f"color:{colour};background-color:{PAPER};padding:0 .2em"
    return f'<span style="{style}">{"✓" if ok else "✗"}</span>'


def show(text: str, page: str) -> None:
    """Show a result: HTML where there is a front end, text elsewhere."""
    from IPython.core.getipython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        print(text)
        return
    display({"text/plain": text, "text/html": page}, raw=True)


def stub_error(report: Report) -> NotImplementedError:
    """The stub's own error, with its own one line instead of the way through this package."""
    assert report.crash is not None
    error = NotImplementedError(report.crash.message)
    line = f"{report.crash.message} · {report.job.title} · not written yet"
    # IPython asks the exception itself how it wants to be shown.
    error._render_traceback_ = lambda: [f"{RED}NotImplementedError{PLAIN}: {line}"]  # type: ignore[attr-defined]
    return error


@dataclass(frozen=True)
class Question:
    """A job that is answered in words, and read by a human."""

    number: str
    title: str
    points: int | float


class Lab:
    """The jobs of one lab, and what this session knows of each."""

    def __init__(self, name: str, jobs: Sequence[Job], questions: Sequence[Question] = ()) -> None:
        self.name = name
        self.jobs = {job.number: job for job in jobs}
        self.questions = tuple(questions)
        self.reports: dict[str, Report] = {}

    def find(self, targets: tuple[Any, ...], number: str | None) -> Job:
        """The job that is meant by its number or by the names of the objects to check.

        Raises:
            ValueError: for an unknown number, or objects that no job or several jobs ask for.
        """
        if number is not None:
            if number not in self.jobs:
                raise ValueError(
                    f"Lab {self.name} has no job {number!r} with a check; it has "
                    f"{', '.join(self.jobs)}."
                )
            return self.jobs[number]
        names = tuple(getattr(target, "__name__", type(target).__name__) for target in targets)
        fitting = [job for job in self.jobs.values() if job.targets == names]
        if len(fitting) != 1:
            known = "; ".join(
                f"{job.number}: {', '.join(job.targets)}" for job in self.jobs.values()
            )
            raise ValueError(
                f"check({', '.join(names)}) does not say which job is meant. Expected one of "
                f"{known}. Pass the class itself (not an instance), or name the job: job='…'."
            )
        return fitting[0]

    def check(self, *targets: Any, job: str | None = None, seed: int = 0) -> Points | None:
        """Check a job and show the result.

        Args:
            targets: the classes or functions that the job asked for.
            job: the job's number, where the targets' names do not tell.
            seed: chooses the inputs that are tried.

        Returns:
            None for full marks, :class:`Points` for a part of them.

        Raises:
            NotImplementedError: the stub is still there.
            NotYet: no points; its message says what was found.
        """
        chosen = self.find(targets, job)
        report = run(chosen, targets if len(chosen.targets) > 1 else targets[0], seed)
        self.reports[chosen.number] = report
        if report.stub and not report.earned:
            raise stub_error(report) from None
        if not report.earned:
            raise NotYet(report) from None
        footer = self.outlook()
        show(as_text(report, footer=footer), as_html(report, footer))
        return None if report.passed else Points(report.earned)

    def ready(self, *numbers: str) -> bool:
        """Whether the jobs that a cell needs are written; if not, say which one it waits for."""
        waiting = [
            self.jobs[number]
            for number in numbers
            if number not in self.reports or self.reports[number].stub
        ]
        if waiting:
            names = ", ".join(f"{job.number} {job.title}" for job in waiting)
            print(
                f"This cell waits for your job {names}. Write it and run its check, then come back."
            )
        return not waiting

    def outlook(self) -> str:
        """The points so far, and what to do next, in one line."""
        earned = sum(report.earned for report in self.reports.values())
        by_checks = sum(job.points for job in self.jobs.values())
        line = f"So far {earned:g} of {by_checks:g} points"
        if self.questions:
            line += f", and {sum(q.points for q in self.questions):g} more for answers in words"
        left = [job for number, job in self.jobs.items() if self.state(number) != DONE]
        if left:
            job = left[0]
            return f"{line}. Next: {job.number} {job.title} (about {job.minutes} minutes)."
        words = ", ".join(question.number for question in self.questions)
        return f"{line}. All checks pass." + (f" Left to write: {words}." if words else "")

    def state(self, number: str) -> str:
        """What this session knows of a job, in two or three words."""
        report = self.reports.get(number)
        if report is None:
            return "not checked yet"
        if report.passed:
            return DONE
        if report.stub and not report.earned:
            return "not written yet"
        return "partly done" if report.earned else "not right yet"

    def progress(self) -> None:
        """Show all jobs of the lab with their state and points, and what to do next.

        It knows what was checked since the kernel started.
        """
        rows = [
            (number, job.title, self.state(number), f"{self._earned(number):g} of {job.points:g}")
            for number, job in self.jobs.items()
        ]
        rows += [(q.number, q.title, "in words", f"up to {q.points:g}") for q in self.questions]
        rows.sort(key=lambda row: [int(part) for part in row[0].split(".")])
        show(_rows_as_text(rows, self.outlook()), _rows_as_html(rows, self.outlook()))

    def _earned(self, number: str) -> int | float:
        return self.reports[number].earned if number in self.reports else 0


Row = tuple[str, str, str, str]


def _rows_as_text(rows: Sequence[Row], footer: str) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [
        f"{MARKS.get(row[2], ' ')} "
        + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, footer])


def _rows_as_html(rows: Sequence[Row], footer: str) -> str:
    head = "".join(f"<th{LEFT}>{name}</th>" for name in ("", "job", "", "state", "points"))
    body = "".join(
        f"<tr><td{LEFT}>{MARKS.get(row[2], '')}</td>"
        + "".join(f"<td{LEFT}>{html.escape(text)}</td>" for text in row)
        + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table><div>{html.escape(footer)}</div>"


def lab(
    name: str, jobs: Sequence[Job], questions: Sequence[Question] = ()
) -> tuple[Lab, Callable[..., Points | None], Callable[..., bool], Callable[[], None]]:
    """A lab's record, its ``check``, its ``ready`` and its ``progress``."""
    record = Lab(name, jobs, questions)
    return record, record.check, record.ready, record.progress
