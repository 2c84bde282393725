"""Every answer of the corpus gets what it deserves, on the visible and the hidden tests.

`make corpus` tries more seeds, threads, precisions, and all the other jobs of the lab.
"""

from pathlib import Path

import pytest
from answers import HERE, Answer, corpus, hidden_seeds, notebook_with, read, report, told


@pytest.mark.parametrize("answer", corpus(kind="right"), ids=str)
def test_a_right_answer_earns_full_marks(answer: Answer) -> None:
    space = notebook_with(answer.lab, answer.job.number, answer.source)
    for seed in (0, hidden_seeds(answer.lab)[answer.job.number]):
        found = report(answer.job, space, seed)
        assert found.passed, f"seed {seed}: {told(found)}"


@pytest.mark.parametrize("answer", corpus(kind="wrong"), ids=str)
def test_a_wrong_answer_loses_its_points_and_is_told_why(answer: Answer) -> None:
    space = notebook_with(answer.lab, answer.job.number, answer.source)
    for seed in (0, hidden_seeds(answer.lab)[answer.job.number]):
        found = report(answer.job, space, seed)
        words = answer.named or answer.shown or ""
        assert found.earned == answer.keeps and not found.passed, f"seed {seed}: {found}"
        assert words in told(found), f"seed {seed}: {told(found)}"


def write(folder: Path, kind: str, text: str) -> Path:
    path = folder / "cfg" / "2.3" / kind / "answer.py"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("right", "x = 1", "expected a docstring"),
        ("right", '"""A.\n\nNamed: b\n"""', "no fields but"),
        ("wrong", '"""A."""', "one of them"),
        ("wrong", '"""A.\n\nNamed: b\nShown: c\n"""', "one of them"),
        ("wrong", '"""A.\n\nTold: b\n"""', "expected a line"),
    ],
)
def test_a_file_that_says_too_little(tmp_path: Path, kind: str, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(write(tmp_path, kind, text))


def test_a_student_is_told_the_line(tmp_path: Path) -> None:
    source = (
        "class CFGVectorFieldODE(CFGVectorFieldODE):\n"
        "    def drift_coefficient(self, x, t, **options):\n"
        "        return x + velocity\n"
    )
    job = next(iter(corpus("cfg", "2.3"))).job
    found = report(job, notebook_with("cfg", "2.3", source), 0)
    assert "line 3" in told(found) and "return x + velocity" in told(found)


def test_the_corpus_is_complete() -> None:
    """Six right and eight wrong answers, at least, for every job."""
    from answers import LABS

    short = {
        f"{lab}/{number}: {len(list((HERE / lab / number / kind).glob('*.py')))} {kind}"
        for lab, record in LABS.items()
        for number in record.jobs
        for kind, least in (("right", 6), ("wrong", 8))
        if len(list((HERE / lab / number / kind).glob("*.py"))) < least
    }
    assert not short
