"""Every answer of the corpus gets what it deserves, on the visible and the hidden tests.

`make corpus` tries more seeds, threads, precisions, and all the other jobs of the lab.
"""

from pathlib import Path

import pytest
from answers import HERE, Answer, corpus, execute, hidden_seeds, notebook_with, read, report, told


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


@pytest.mark.parametrize(
    ("lab", "earlier", "later"),
    [
        # the score is made of a velocity that returns nothing
        ("mnist", "1.3/wrong/forgot_return", "1.4/right/from_the_velocity"),
        ("mnist", "1.3/wrong/opposite_sign", "1.4/right/from_the_velocity"),
        # the encoder calls residual layers by the lab's names, which this one renamed
        ("unet", "3.2/right/norm_by_hand", "3.3/right/pooled_average"),
        ("unet", "3.2/wrong/no_return", "3.3/right/pooled_average"),
    ],
)
def test_a_solved_job_keeps_its_points_whatever_stands_before(
    lab: str, earlier: str, later: str
) -> None:
    before, answer = (read(HERE / lab / f"{name}.py") for name in (earlier, later))
    space = notebook_with(lab, before.job.number, before.source)
    execute("later", answer.source, space)
    found = report(answer.job, space, hidden_seeds(lab)[answer.job.number])
    assert found.passed, told(found)


def test_an_answer_made_of_a_wrong_one_is_judged_by_its_own_mistakes() -> None:
    """With a right velocity in its place, the sign of this score is still wrong."""
    before = read(HERE / "mnist/1.3/wrong/forgot_return.py")
    source = read(HERE / "mnist/1.4/right/from_the_velocity.py").source
    space = notebook_with("mnist", "1.3", before.source)
    job = read(HERE / "mnist/1.4/right/from_the_velocity.py").job
    execute("later", source.replace("* z - u)", "* z + u)"), space)
    assert report(job, space, 0).earned == 0
