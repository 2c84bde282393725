"""Judging from outside: what is read in a test cell, asked of a kernel, and shown."""

from __future__ import annotations

import pytest
import torch
from judged import corpus, judge_of, notebook_with, sit, test_cell
from nbformat.v4 import new_markdown_cell, new_notebook
from nbgrader.utils import determine_grade

from course_utils.checks.core import Crash, Finding, Job, Part, Report
from course_utils.checks.display import PLAIN, RED, Points
from grading.client import Unanswered
from grading.judge import Call, Judge, calls_in, find_job, lab_of, put_in_order, rendered, verdict
from grading.notebooks import CourseError
from grading.restore import grade_id

# ---------------------------------------------------------------- reading test cells


def test_calls_are_read_with_comments_and_markers() -> None:
    source = (
        'check(A, B)  # both\n### BEGIN HIDDEN TESTS\ncheck(A, job="1.2", seed=8150)\n'
        "check(\n    A, seed=3,\n)\n### END HIDDEN TESTS\n"
    )
    assert calls_in(source) == [Call(("A", "B")), Call(("A",), "1.2", 8150), Call(("A",), None, 3)]


OTHER = [
    "", "# only a comment", "assert A(2) == 3", "check()", "check(A())", "check(A.b)", "check(*A)",
    "check(A, 3)", "x = check(A)", "check(A, seed=s)", "check(A, seed='1')", "check(A, seed=True)",
    "check(A, job=1.2)", "check(A, hint=1)", "check(A, **more)", "m.check(A)", "check(A)(B)",
    "if True:\n    check(A)", "check(A) or check(B)", "import os", "check(A", "%time check(A)",
    "check(A, seed=1); print(2)",
]  # fmt: skip


@pytest.mark.parametrize("source", OTHER)
def test_anything_else_is_refused_with_advice(source: str) -> None:
    with pytest.raises(CourseError) as caught:
        calls_in(source, "lab-1-1-check")
    said = str(caught.value)
    assert (
        "'lab-1-1-check'" in said and "check(...)" in said and "--i-trust-these-notebooks" in said
    )


def test_jobs_are_found_by_names_and_by_number() -> None:
    mnist = lab_of("mnist")
    assert find_job(mnist, Call(("CosineAlpha", "CosineBeta"))).number == "1.1"
    path = ("GaussianConditionalProbabilityPath",)
    assert find_job(mnist, Call(path, "1.3")).number == "1.3"
    for call in (Call(path), Call(("Other",)), Call(path, "9.9"), Call(("A", "B"), "1.3")):
        with pytest.raises(CourseError, match="names none of lab mnist's jobs, or several"):
            find_job(mnist, call, "cell")


@pytest.mark.parametrize("name", ["tiny", "", "../x", "core", "os.path", "display"])
def test_labs_without_checks_say_so(name: str) -> None:
    with pytest.raises(CourseError, match="--i-trust-these-notebooks"):
        lab_of(name)


def test_a_lab_with_an_assert_has_no_judge() -> None:
    notebook = new_notebook(cells=[test_cell("a", "check(A)"), test_cell("b", "assert True")])
    with pytest.raises(CourseError, match="'a' calls check"):
        Judge(notebook, "mnist", "", "")


def test_calls_that_differ_in_their_seeds_are_asked_once() -> None:
    source = "check(CosineAlpha, CosineBeta)\ncheck(CosineAlpha, CosineBeta, seed=8150)"
    judge = Judge(new_notebook(cells=[test_cell("a", source)]), "mnist", "", "")
    assert len(judge.plan["a"]) == 1


# ---------------------------------------------------------------- the order of test cells


def order(*names: str) -> tuple[list[str], int]:
    cells = [test_cell(n, "check(A)") if len(n) == 1 else new_markdown_cell(n) for n in names]
    notebook = new_notebook(cells=cells)
    notes = put_in_order(notebook, ["a", "b", "c", "d"])
    return [c.source if c.cell_type == "markdown" else grade_id(c) for c in notebook.cells], len(
        notes
    )


def test_test_cells_are_put_back_into_the_labs_order() -> None:
    assert order("one", "a", "two", "b") == (["one", "a", "two", "b"], 0)
    assert order("d", "one", "a", "b", "two", "c") == (["one", "a", "b", "two", "c", "d"], 1)
    assert order("b", "c", "one", "a", "d") == (["a", "b", "c", "one", "d"], 1)
    assert order("d", "c", "b", "a")[0] == ["a", "b", "c", "d"]
    assert order("one", "b", "two") == (["one", "b", "two"], 0)


# ---------------------------------------------------------------- secret inputs


def test_inputs_follow_from_salt_submission_cell_and_part() -> None:
    judge = judge_of("mnist")
    seeds = {judge.seed(cell, call, part, what)
             for cell in ("a", "b") for call in (0, 1) for part in (0, 1)
             for what in ("inputs", "stream")}  # fmt: skip
    assert len(seeds) == 16 and all(0 <= seed < 2**31 for seed in seeds)
    cell = "test-1.2"
    inputs, _ = judge.question(cell, 0, 0)
    again, _ = judge_of("mnist").question(cell, 0, 0)
    other, _ = judge_of("mnist", "another").question(cell, 0, 0)
    assert torch.equal(inputs["z"], again["z"]) and not torch.equal(inputs["z"], other["z"])


# ---------------------------------------------------------------- right and wrong answers

ONE_OF_EACH = {"mnist": "1.3", "cfg": "2.3", "unet": "3.1", "dit": "4.2",
               "classifier_guidance": "5.6"}  # fmt: skip


@pytest.mark.parametrize("lab", ONE_OF_EACH)
def test_right_answers_earn_full_marks(lab: str) -> None:
    number = ONE_OF_EACH[lab]
    for answer in corpus(lab, number, "right")[:3]:
        space = notebook_with(lab, number, answer.source)
        for salt in ("a", "b"):
            judge = judge_of(lab, salt)
            cell = sit(judge, number, space)
            assert judge.findings[f"test-{number}"] == (), str(answer)
            assert determine_grade(cell)[0] == judge.lab.jobs[number].points


@pytest.mark.parametrize("lab", ONE_OF_EACH)
def test_wrong_answers_earn_what_they_keep_and_are_told_why(lab: str) -> None:
    number = ONE_OF_EACH[lab]
    for answer in corpus(lab, number, "wrong")[:4]:
        judge = judge_of(lab)
        cell = sit(judge, number, notebook_with(lab, number, answer.source))
        assert determine_grade(cell)[0] == answer.keeps, str(answer)
        told = " ".join(judge.findings[f"test-{number}"])
        assert (answer.named or answer.shown or "") in told


def test_a_missing_name_is_a_name_error() -> None:
    judge = judge_of("mnist")
    cell = sit(judge, "1.1", {"CosineAlpha": 1})
    assert determine_grade(cell)[0] == 0
    assert judge.findings["test-1.1"] == (
        "Your code stopped with NameError: name 'CosineBeta' is not defined.",
    )


# ---------------------------------------------------------------- what is shown

PARTLY = [Part(1.5, lambda s: {}, lambda t, i: {}, lambda i, o: []) for _ in range(2)]
JOB = Job("9.1", "Nine <b>", 1, 5, ("f",), tuple(PARTLY))
GOOD, BAD = Finding(True, "right"), Finding(False, "<script>alert(1)</script> & 'x'")
REPORTS = {
    "full": ([Report(JOB, 3.0, [GOOD])], 3),
    "partial": ([Report(JOB, 1.5, [GOOD, BAD])], 1.5),
    "nothing": ([Report(JOB, 0.0, [BAD])], 0),
    "a stub": ([Report(JOB, 0.0, [BAD], Crash("NotImplementedError", "Your job", stub=True))], 0),
    "partial, then full": ([Report(JOB, 1.5, [BAD]), Report(JOB, 3.0, [GOOD])], 3),
    "full, then partial": ([Report(JOB, 3.0, [GOOD]), Report(JOB, 1.5, [BAD])], 1.5),
    "nothing, then full": ([Report(JOB, 0.0, [BAD]), Report(JOB, 3.0, [GOOD])], 0),
    "full, then nothing": ([Report(JOB, 3.0, [GOOD]), Report(JOB, 0.0, [BAD])], 0),
}


@pytest.mark.parametrize("name", REPORTS)
def test_nbgrader_reads_the_judged_score_from_the_outputs(name: str) -> None:
    reports, score = REPORTS[name]
    cell = test_cell("a", "check(f)", 3)
    cell.outputs = rendered(reports)
    assert determine_grade(cell) == (score, 3)
    for output in cell.outputs:
        assert "<script>" not in output.get("data", {}).get("text/html", "")


def test_outputs_are_those_of_a_notebook() -> None:
    (shown, value), (error,) = (rendered(REPORTS[name][0]) for name in ("partial", "nothing"))
    assert set(shown.data) == {"text/plain", "text/html"}
    assert shown.data["text/plain"].startswith("9.1 Nine <b> · partly done · 1.5 of 3 points")
    assert value.data["text/plain"] == repr(Points(1.5)) == "1.5"
    assert (error.ename, error.output_type) == ("NotYet", "error")
    assert BAD.message in error.evalue and BAD.message in error.traceback[1]
    (stub,) = rendered(REPORTS["a stub"][0])
    assert (stub.ename, stub.evalue) == ("NotImplementedError", "Your job")
    assert stub.traceback == [
        f"{RED}NotImplementedError{PLAIN}: Your job · Nine <b> · not written yet"
    ]


def test_the_kernels_words_are_told_on_one_line() -> None:
    part = PARTLY[0]
    (found,) = verdict(part, {}, Unanswered("E: a\nb\x1b[0m" + "c" * 999))
    assert found.message.startswith("The check got no answer from your code: E: a b?[0mccc")
    assert len(found.message) < 400
