"""What waits for a human: answers in words, question by question.

Answers come from `autograded/`, and whether they wait from the gradebook, so that what somebody
scored in Formgrader a minute ago is gone from here.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from grading.by_hand import COLUMNS
from grading.markup import Quotes
from grading.report import number
from grading.rubrics import Rubric, rubrics
from grading.spreadsheet import disarmed
from grading.stored import stored_grades

TEMPLATE = Path(__file__).with_name("waiting.html")
BYTES = 3_000_000  # of pictures and formulas in one answer
LONGEST = 20_000  # characters of an answer; a cell of a spreadsheet holds some 32,000
CUT = "\n\n[The answer goes on; it has {count:,} characters in all: see Formgrader.]"


@dataclass(frozen=True)
class Answer:
    """An answer that waits: `text` is the student's Markdown, cut where it is very long."""

    student: str
    text: str


@dataclass(frozen=True)
class Question:
    """A question with the answers that wait, and how many are settled: scored, or left empty."""

    lab: str
    rubric: Rubric
    answers: tuple[Answer, ...]
    settled: int


@dataclass(frozen=True)
class Waiting:
    """All questions of some labs, and the submissions that wait as a whole because they failed."""

    questions: tuple[Question, ...]
    failed: Mapping[str, int]

    @property
    def count(self) -> int:
        """How many answers wait."""
        return sum(len(question.answers) for question in self.questions)


def waiting(
    course_dir: Path, labs: Sequence[str], url: str, rename: Callable[[str], str] = str
) -> Waiting:
    """What waits in some labs.

    Parameters
    ----------
    course_dir : the course folder, with `solutions/` and `autograded/`.
    url : the gradebook.
    rename : what a student is called here. Answers stand in the order of these names.

    Raises `CourseError` where the gradebook or a lab's source cannot be read.
    """
    stored = stored_grades(url)
    questions: list[Question] = []
    failed: dict[str, int] = {}
    for lab in labs:
        asked = rubrics(course_dir, lab)
        found: dict[str, list[Answer]] = {name: [] for name in asked}
        settled = dict.fromkeys(asked, 0)
        for student in sorted((s for s, its in stored if its == lab), key=rename):
            scores = stored[student, lab]
            waits = {name for name in asked if name in scores and scores[name].waits}
            for name in asked:
                settled[name] += name in scores and name not in waits
            if not waits:
                continue
            texts = _texts(course_dir / "autograded" / student / lab / f"{lab}.ipynb")
            if texts is None:
                failed[lab] = failed.get(lab, 0) + 1
                continue
            for name in waits:
                found[name].append(Answer(rename(student), _cut(texts.get(name, ""))))
        questions += [Question(lab, asked[n], tuple(found[n]), settled[n]) for n in asked]
    return Waiting(tuple(questions), failed)


def _texts(autograded: Path) -> dict[str, str] | None:
    """Cells by grade id; None where the submission failed, or is not there."""
    try:
        tree = json.loads(autograded.read_bytes())
        if tree["metadata"].get("course", {}).get("grading", {}).get("status") == "failed":
            return None
        return dict(_named(tree["cells"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _named(cells: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for cell in cells:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name is not None:
            yield name, "".join(cell["source"])


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + CUT.format(count=len(text))


# ---------------------------------------------------------------- as a page, as a table


def as_page(found: Waiting, anonymous: bool) -> str:
    """One page without scripts: each question with its rubric, and all its answers below."""
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["number"] = number
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    blocks = [_block(question) for question in found.questions]
    return template.render(found=found, anonymous=anonymous, blocks=blocks)


def _block(question: Question) -> dict[str, Any]:
    """What the page says of a question, formulas and pictures filled in answer by answer."""
    quotes, rubric = Quotes(), question.rubric

    def drawn(text: str) -> Markup:
        return Markup(quotes.fill(quotes.markdown(text), BYTES))

    return {
        "question": question,
        "points": drawn(rubric.points),
        "model": drawn(rubric.model),
        "answers": [(one.student, drawn(one.text)) for one in question.answers],
    }


def as_csv(found: Waiting) -> str:
    """A table to fill in for `course score`: a line for each answer, the answer at its end."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow((*COLUMNS, "max_points", "answer"))
    for question in found.questions:
        rubric = question.rubric
        for one in question.answers:
            cells = (one.student, question.lab, rubric.question, "", "", number(rubric.max))
            writer.writerow(disarmed(cell) for cell in (*cells, one.text))
    # Without this mark, Excel takes UTF-8 for something else.
    return f"\ufeff{out.getvalue()}"
