"""A class mixed from the corpus: who hands in what, and which grades follow from it.

Each answer to a job is one file of `tests/corpus`, right or wrong, or none; so its points are known
before anything is graded.
"""

from __future__ import annotations

import copy
import io
import random
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode, writes

from grading.demo import answer_text, jobs_of
from grading.notebooks import is_answer, job_number, read_notebook
from grading.release import source_of

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/corpus"))

from answers import Answer, corpus  # noqa: E402 - found by the line above

GIVEN = "Ada Emil Noor Yuki Zoë Jonas Inga Malik Sofía Tariq Lena Óscar Priya Anton Mei Kofi"
FAMILY = "Okafor Lindqvist Tanaka Müller Rossi Nguyen Haddad Novák Silva Byrne Adeyemi O’Neil"
# Who keeps predictions in a dict reads them so in the next job, too; no other answer does.
UNMIXED = "classifier_guidance/5.6/right/prediction_in_a_dict"
DUE = "2026-11-01T20:00:00"
DAY = {
    "early": (2026, 10, 30),
    "in time": (2026, 11, 1),
    "late": (2026, 11, 2),
    "too late": (2026, 11, 20),
}


@dataclass
class Attempt:
    """One file that a student sends: when, its bytes, and the points by job and by question that
    it deserves; None instead of points for a file that cannot be read."""

    when: str
    data: bytes
    earned: dict[str, float] | None


@dataclass
class Member:
    """A student, with the attempts at each lab in the order in which they were sent."""

    number: int
    given: str
    family: str
    attempts: dict[str, list[Attempt]] = field(default_factory=dict)

    @property
    def login(self) -> str:
        return f"s{self.number:04d}"

    def counts(self, lab: str) -> Attempt | None:
        """The attempt that counts: the last one that came at most a day late."""
        valid = [one for one in self.attempts.get(lab, ()) if one.when != "too late"]
        return valid[-1] if valid else None


class Mixer:
    """Makes submissions of one lab from the released notebook, the solution and the corpus."""

    def __init__(self, place: Path, lab: str) -> None:
        self.lab = lab
        self.released = read_notebook(place / "notebooks" / lab / f"{lab}.ipynb")
        self.solution = source_of(place, lab)
        self.answers = {cell.id: cell for cell in self.solution.cells if is_answer(cell)}
        self.written = {
            cell.id: float(cell.metadata["nbgrader"]["points"])
            for cell in self.answers.values()
            if cell.cell_type == "markdown"
        }
        named = {job_number(self.answers[name]) for name in self.written}
        self.jobs = [job for job in jobs_of(self.solution) if job not in named]
        self.corpus = {
            job: {kind: corpus(lab, job, kind) for kind in ("right", "wrong")} for job in self.jobs
        }

    def attempt(self, stream: random.Random, skill: float, when: str) -> Attempt:
        """What somebody hands in who gets each job right with the chance `skill`."""
        notebook, earned = copy.deepcopy(self.released), {}
        for job in self.jobs:
            chance = stream.random()
            if chance < skill:
                answer = stream.choice(self.corpus[job]["right"])
                if str(answer) == UNMIXED:
                    answer = self.corpus[job]["right"][0]
                earned[job] = self._points(answer)
            elif chance < skill + 0.8 * (1 - skill):
                answer = stream.choice(self.corpus[job]["wrong"])
                earned[job] = answer.keeps
            else:
                earned[job] = 0.0
                continue
            self._answer(notebook, job, answer)
        for name, points in self.written.items():
            if stream.random() < 0.2 + 0.8 * skill:
                cell = next(cell for cell in notebook.cells if cell.id == name)
                cell.source = answer_text(self.answers[name])
                earned[name] = stream.randrange(int(2 * points) + 1) / 2
            else:
                earned[name] = 0.0
        return Attempt(when, (writes(notebook) + "\n").encode(), earned)

    @staticmethod
    def _points(answer: Answer) -> float:
        return float(sum(part.points for part in answer.job.parts))

    def _answer(self, notebook: NotebookNode, job: str, answer: Answer) -> None:
        """Fill in a job, and let the file of the corpus follow in its last cell."""
        cells = [cell for cell in notebook.cells if is_answer(cell) and job_number(cell) == job]
        for cell in cells:
            cell.source = answer_text(self.answers[cell.id])
        cells[-1].source += f"\n\n\n{answer.source}"


def mixed_class(place: Path, labs: list[str], students: int, seed: int) -> list[Member]:
    """A class, always the same for the same seed. Some hand in twice, late, too late, damaged files
    or nothing."""
    stream = random.Random(seed)
    mixers = {lab: Mixer(place, lab) for lab in labs}
    members = []
    for number in range(students):
        member = Member(number, stream.choice(GIVEN.split()), stream.choice(FAMILY.split()))
        skill = stream.uniform(0.3, 1.0)
        for lab, mixer in mixers.items():
            member.attempts[lab] = _sent(stream, mixer, skill)
        members.append(member)
    return members


def _sent(stream: random.Random, mixer: Mixer, skill: float) -> list[Attempt]:
    chance = stream.random()
    if chance < 0.05:
        return []
    if chance < 0.07:
        whole = mixer.attempt(stream, skill, "in time").data
        return [Attempt("in time", whole[: len(whole) // 2], None)]
    times = ["late"] if chance < 0.15 else ["early", "in time"] if chance < 0.25 else ["in time"]
    times += ["too late"] if 0.22 < chance < 0.3 else []
    return [mixer.attempt(stream, skill, when) for when in times]


# ---------------------------------------------------------------- as Canvas gives it away


def canvas_zip(members: list[Member], lab: str) -> bytes:
    """One assignment as Canvas downloads it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            for index, one in enumerate(member.attempts[lab]):
                who = "".join(filter(str.isalpha, f"{member.family}{member.given}")).lower()
                late = "LATE_" * one.when.endswith("late")
                again = f"-{index}" * (index > 0)
                number = 90_000 + 10 * member.number + index
                name = f"{who}_{late}{5000 + member.number}_{number}_{lab}{again}.ipynb"
                archive.writestr(zipfile.ZipInfo(name, (*DAY[one.when], 12, 0, 0)), one.data)
    return out.getvalue()


def roster_csv(members: list[Member]) -> str:
    """The roster with everybody in it."""
    rows = [
        f"{m.login},{m.given} {m.family},{m.login}@example.edu,{5000 + m.number}" for m in members
    ]
    return "\n".join(["student,name,email,canvasid", *rows]) + "\n"
