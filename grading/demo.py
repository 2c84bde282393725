"""An example class: five students, made from the labs themselves, graded before your eyes.

From a lab's solution and its released notebook come a complete submission, a half-finished
one, one with a classic mistake, an untouched one, and a damaged file.
"""

from __future__ import annotations

import copy
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode, writes

from grading.notebooks import SOLUTION, CourseError, is_answer, job_number, read_notebook
from grading.release import CONFIG, all_labs, release, source_of

STORIES = {
    "complete": "every job done, every question answered",
    "half": "the first half of the jobs",
    "mistake": "every job done, one with a classic mistake",
    "untouched": "the notebook as it was handed out",
    "damaged": "a file that breaks off in the middle",
}


@dataclass(frozen=True)
class Mistake:
    """A mistake that real students make: in `cell`, `search` is replaced by `replacement`."""

    lab: str
    cell: str
    search: str
    replacement: str
    story: str


MISTAKES = (
    Mistake(
        lab="mnist",
        cell="mnist-1-3-answer",
        search="self.beta.dt(t) * noise",
        replacement="self.beta(t) * noise",
        story="the noise's share of the velocity without the derivative of β",
    ),
    Mistake(
        lab="cfg",
        cell="cfg-2-2-answer",
        search="< self.eta",
        replacement="> self.eta",
        story="the mask upside down: it drops 1 − η of the labels, and still trains",
    ),
    Mistake(
        lab="unet",
        cell="unet-3-2-answer",
        search="return x + self.block2(",
        replacement="return self.block2(",
        story="a residual layer that forgets what it was given",
    ),
    Mistake(
        lab="dit",
        cell="dit-4-2-answer",
        search=" / math.sqrt(q.shape[-1])",
        replacement="",
        story="attention without the root of the head size: a softmax that is too sure",
    ),
    Mistake(
        lab="classifier_guidance",
        cell="classifier_guidance-5-6-sample",
        search="mean + not_last * deviation",
        replacement="mean + deviation",
        story="fresh noise behind the last step, too: every digit comes out grainy",
    ),
)


# ---------------------------------------------------------------- what students hand in


def jobs_of(solution: NotebookNode) -> list[str]:
    """The jobs of a lab that have an answer cell, in order."""
    jobs = (
        cell.metadata.get("course", {}).get("job") for cell in solution.cells if is_answer(cell)
    )
    return list(dict.fromkeys(job for job in jobs if job is not None))


def fill_in(released: NotebookNode, solution: NotebookNode, jobs: Sequence[str]) -> NotebookNode:
    """The released notebook with the answers of some jobs taken from the solution."""
    answers = {cell.id: cell for cell in solution.cells if is_answer(cell)}
    notebook = copy.deepcopy(released)
    for cell in notebook.cells:
        if is_answer(cell) and job_number(cell) in jobs:
            cell.source = answer_text(answers[cell.id])
    return notebook


def answer_text(cell: NotebookNode) -> str:
    """What a student would write: without solution markers, and without the rubric."""
    if cell.cell_type != "code":
        return str(cell.source.split("**Rubric**")[0].rstrip())
    return "\n".join(x for x in cell.source.split("\n") if not SOLUTION.search(x))


def make(notebook: NotebookNode, mistake: Mistake) -> NotebookNode:
    """The notebook with a mistake made in it.

    Raises `CourseError` where the cell or the text that the mistake changes is not there.
    """
    changed = copy.deepcopy(notebook)
    cell = next((cell for cell in changed.cells if cell.id == mistake.cell), None)
    if cell is None or mistake.search not in cell.source:
        what = f"no cell '{mistake.cell}'" if cell is None else f"no text {mistake.search!r}"
        raise CourseError(
            f"The example class makes a mistake in lab '{mistake.lab}', but its notebook has"
            f" {what} in the place; expected the text of the solution. Bring MISTAKES in"
            " grading/demo.py up to date with the lab."
        )
    cell.source = cell.source.replace(mistake.search, mistake.replacement, 1)
    return changed


def submissions(
    lab: str,
    released: NotebookNode,
    solution: NotebookNode,
    mistakes: Sequence[Mistake],
) -> dict[str, bytes]:
    """What each student of the example class hands in for a lab.

    A lab without an entry in `mistakes` has no student with a mistake.
    """
    jobs = jobs_of(solution)
    complete = fill_in(released, solution, jobs)
    notebooks = {
        "complete": complete,
        "half": fill_in(released, solution, jobs[: (len(jobs) + 1) // 2]),
        "untouched": released,
    }
    made = next((mistake for mistake in mistakes if mistake.lab == lab), None)
    if made is not None:
        notebooks["mistake"] = make(complete, made)
    files = {name: (writes(notebook) + "\n").encode() for name, notebook in notebooks.items()}
    files["damaged"] = files["complete"][: len(files["complete"]) // 2]
    return {name: files[name] for name in STORIES if name in files}


# ---------------------------------------------------------------- the course that they attend


def check_empty(keep: Path | None) -> None:
    """Raises `CourseError` where an example class cannot be made in a folder."""
    if keep is not None and keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise CourseError(
            f"--keep was given {keep}, which is not empty; expected a new or empty folder:"
            " name another one, or remove what is in it."
        )


def empty_place(keep: Path | None) -> Path:
    """The folder for the example class: `keep`, which must be new or empty, or a temporary one."""
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="course-demo-"))
    check_empty(keep)
    keep.mkdir(parents=True, exist_ok=True)
    return keep


def hold_class(origin: Path, place: Path, mistakes: Sequence[Mistake] | None = None) -> list[str]:
    """Make `place` a course folder like `origin`, released, with the example class's submissions.

    Returns the labs. nbgrader and Formgrader work in `place` as they do in `origin`. Without
    `mistakes`, those of `MISTAKES` are made.
    """
    mistakes = MISTAKES if mistakes is None else mistakes
    if (origin / CONFIG).exists():
        shutil.copy(origin / CONFIG, place / CONFIG)
    labs = all_labs(origin)
    for lab in labs:
        (place / "solutions" / lab).mkdir(parents=True)
        name = Path("solutions") / lab / f"{lab}.ipynb"
        shutil.copy(origin / name, place / name)
    release(place)
    for lab in labs:
        released = read_notebook(place / "notebooks" / lab / f"{lab}.ipynb")
        for student, data in submissions(lab, released, source_of(place, lab), mistakes).items():
            path = place / "submitted" / student / lab / f"{lab}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return labs
