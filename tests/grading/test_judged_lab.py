"""Lab 1 from bytes to scores, judged through a kernel: honest answers, and answers that cheat."""

from __future__ import annotations

import base64
import copy
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from nbformat import NotebookNode, reads
from nbformat.v4 import new_code_cell
from nbgrader.utils import determine_grade

from grading.boxes import BoxError
from grading.classroom import open_class
from grading.demo import fill_in, jobs_of
from grading.engine import Options, Result, grade_submission, needs_trust
from grading.judge import MALFORMED, Judge
from grading.notebooks import is_answer, is_graded, notebook_text, read_notebook
from grading.release import source_of

ROOT = Path(__file__).parents[2]
LAB = "mnist"
NEEDED = ("mnist-imports", "mnist-linear")
CHECKS = [f"mnist-1-{number}-check" for number in (1, 2, 3, 4)]
OPTIONS = Options(trusted=True, salt="a salt")

ZERO = "    return torch.zeros_like({})\n"
WRONG = {
    "mnist-1-1-answer": (
        "class CosineAlpha(Alpha):\n"
        "    def __call__(self, t):\n        return t\n"
        "    def dt(self, t):\n        return t\n"
        "class CosineBeta(Beta):\n"
        "    def __call__(self, t):\n        return 1 - t\n"
        "    def dt(self, t):\n        return t\n"
    ),
    "mnist-1-2-answer": (
        "class GaussianConditionalProbabilityPath(ConditionalProbabilityPath):\n"
        "    def __init__(self, p_data, p_simple_shape, alpha, beta):\n"
        "        super().__init__(IsotropicGaussian(p_simple_shape), p_data)\n"
        "        self.alpha, self.beta = alpha, beta\n"
        "    def sample_conditional_path(self, z, t):\n    " + ZERO.format("z")
    ),
    "mnist-1-3-answer": (
        "@add_to(GaussianConditionalProbabilityPath)\n"
        "def conditional_vector_field(self, x, z, t):\n" + ZERO.format("x")
    ),
    "mnist-1-4-answer": (
        "@add_to(GaussianConditionalProbabilityPath)\n"
        "def conditional_score(self, x, z, t):\n" + ZERO.format("x")
    ),
}


@pytest.fixture(scope="module")
def master() -> bytes:
    """The lab as it grades."""
    return open_class(ROOT, ROOT, [LAB]).masters[LAB]


def submission(jobs: list[str] | None = None, **sources: str) -> NotebookNode:
    """The lab with some jobs' solutions, and other sources; only the cells that grading needs."""
    source = source_of(ROOT, LAB)
    blank = read_notebook(ROOT / "notebooks" / LAB / f"{LAB}.ipynb")
    notebook = copy.deepcopy(fill_in(blank, source, jobs_of(source) if jobs is None else jobs))
    notebook.cells = [c for c in notebook.cells if c.id in NEEDED or is_answer(c) or is_graded(c)]
    for cell in notebook.cells:
        cell.source = sources.get(cell.id.replace("-", "_"), cell.source)
    return notebook


def grade(notebook: NotebookNode, master: bytes) -> tuple[Result, dict[str, NotebookNode]]:
    result = grade_submission(notebook_text(notebook).encode(), master, OPTIONS)
    cells = reads(result.notebook.decode(), 4).cells
    return result, {cell.id: cell for cell in cells}


def scores(result: Result) -> list[float | None]:
    return [cell.score for cell in result.cells if cell.id in CHECKS]


def test_every_lab_can_be_judged() -> None:
    labs = ["mnist", "cfg", "unet", "dit", "classifier_guidance"]
    for lab, found in open_class(ROOT, ROOT, labs).masters.items():
        assert needs_trust(found) is None, lab


def test_without_a_box_or_trust_nothing_is_run(master: bytes) -> None:
    data = notebook_text(submission()).encode()
    with pytest.raises(BoxError, match="nothing would hold the submission in"):
        grade_submission(data, master, replace(OPTIONS, trusted=False))


def test_a_solved_lab_earns_full_marks(master: bytes) -> None:
    result, cells = grade(submission(), master)
    assert (result.status, result.reason, result.notes) == ("waiting", None, ())
    assert scores(result) == [2, 3, 3, 2]
    assert (result.salt, result.in_force) == ("a salt", ("plain",))
    shown = cells["mnist-1-2-check"].outputs
    assert [output.output_type for output in shown] == ["display_data"]
    assert "1.2 Walk the path · done · 3 of 3 points" in shown[0].data["text/plain"]


def test_other_answers_earn_what_they_are_worth_and_are_told_why(master: bytes) -> None:
    values_only = WRONG["mnist-1-1-answer"].replace("return t\n", "return torch.sin(c * t)\n", 1)
    values_only = "c = math.pi / 2\n" + values_only.replace("1 - t", "torch.cos(c * t)")
    crash = WRONG["mnist-1-4-answer"].replace("return torch", "raise ValueError('<script>')  #")
    notebook = submission(
        ["1.2"], mnist_1_1_answer=values_only, mnist_1_3_answer=WRONG["mnist-1-3-answer"],
        mnist_1_4_answer=crash,
    )  # fmt: skip
    # Out of order: back it goes.
    cells = notebook.cells
    place = next(i for i, cell in enumerate(cells) if cell.id == "mnist-1-2-check")
    cells.append(cells.pop(place))
    result, cells = grade(notebook, master)
    assert scores(result) == [1, 3, 0, 0]
    assert result.notes == (
        "Test cell 'mnist-1-2-check' stood out of order and was put back into it.",
    )
    for cell in result.cells:
        if cell.id in CHECKS:
            assert determine_grade(cells[cell.id])[0] == cell.score
    told = {cell.id: " ".join(cell.findings) for cell in result.cells}
    assert "Not yet" in told["mnist-1-3-check"]
    assert "Not yet" in cells["mnist-1-3-check"].outputs[0].evalue
    assert "ValueError: <script>" in told["mnist-1-4-check"]
    assert "(line 3: " in told["mnist-1-4-check"]
    assert cells["mnist-1-1-check"].outputs[-1].data["text/plain"] == "1"


def test_an_untouched_lab_earns_nothing(master: bytes) -> None:
    notebook = submission([], mnist_1_4_answer="del GaussianConditionalProbabilityPath")
    notebook.cells.append(
        new_code_cell(
            "from course_utils.checks.mnist import check, ready\n"
            "check(Alpha)\nprint(ready(), ready('1.1'))\n"
            "import course_utils.solved.mnist"
        )
    )
    result, cells = grade(notebook, master)
    assert (result.status, scores(result)) == ("graded", [0, 0, 0, 0])
    assert cells["mnist-1-1-check"].outputs[0].ename == "NotImplementedError"
    assert "is not defined" in cells["mnist-1-4-check"].outputs[0].evalue
    *said, error = cells[notebook.cells[-1].id].outputs
    assert "Checked by the grader." in said[0].text and "True False" in said[0].text
    assert error.ename == "ModuleNotFoundError"


# ---------------------------------------------------------------- cheats

PATCHES = """
import builtins
import course_utils.checks.core as core
import course_utils.checks.exchange as exchange
import course_utils.checks.mnist as lab

torch.allclose = torch.equal = lambda *a, **k: True
torch.Tensor.__eq__ = lambda self, other: torch.ones_like(self, dtype=torch.bool)
torch.isclose = lambda a, b, **k: torch.ones_like(a, dtype=torch.bool)
core.Report.passed = property(lambda self: True)
core.Finding = lambda ok, message: (True, message)
core.judge = lambda part, inputs, observed: []
core.run = lambda job, target, seed=0: core.Report(job, job.points)
lab.check = check = lambda *a, **k: None
builtins.all = builtins.any = lambda *a: True
"""
OBSERVE = """
old_observe = core.observe
def all_that_was_sent(part, target, inputs):
    return {name: value for name, value in inputs.items()} | {
        name: inputs['z'] for name in ('x', 'again', 'end', 'u', 's', 'out')}
core.observe = exchange.observe = all_that_was_sent
"""
PICKLE = """
core.observe = exchange.observe = old_observe
import base64, os, pickle
class Trap:
    def __reduce__(self):
        return os.mkdir, ({marker!r},)
exchange.answer = lambda space, question: base64.b64encode(pickle.dumps(Trap())).decode()
"""
FORGED = """
kernel = get_ipython().kernel
done = '1.4 Find the score · done · 2 of 2 points'
def forge(space, question):
    for kind, text in (('execute_result', '2'), ('display_data', done)):
        content = {{'data': {{'text/plain': text}}, 'metadata': {{}}, 'execution_count': 1}}
        kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent())
    print(done)
    return {replayed}
exchange.answer = forge
"""


def replayed(number: str) -> str:
    """A right answer to another run's question, as base64."""
    judge = Judge(source_of(ROOT, LAB), LAB, "the salt before", "digest")
    inputs, _ = judge.question(f"mnist-{number.replace('.', '-')}-check", 0, 0)
    from course_utils.checks.exchange import pack
    from course_utils.solved.mnist import GaussianConditionalProbabilityPath

    part = judge.lab.jobs[number].parts[0]
    return base64.b64encode(
        pack(dict(part.probe(GaussianConditionalProbabilityPath, inputs)))
    ).decode()


def test_cheats_gain_nothing(master: bytes, tmp_path: Path) -> None:
    """In 1.1 what compares is patched, in 1.2 the probe's surroundings; 1.3 and 1.4 answer for it:
    with a pickle that makes a folder where it is loaded, with what a right answer said before."""
    marker = tmp_path / "made"
    notebook = submission(
        [],
        mnist_1_1_answer=WRONG["mnist-1-1-answer"] + PATCHES,
        mnist_1_2_answer=WRONG["mnist-1-2-answer"] + OBSERVE,
        mnist_1_3_answer=WRONG["mnist-1-3-answer"] + PICKLE.format(marker=str(marker)),
        mnist_1_4_answer=WRONG["mnist-1-4-answer"] + FORGED.format(replayed=repr(replayed("1.4"))),
    )
    result, cells = grade(notebook, master)
    for name in WRONG:
        shown = [o for o in cells[name].outputs if o.output_type == "error"]
        assert not shown, (name, shown)
    assert scores(result) == [0, 0, 0, 0]
    assert all(cell.findings for cell in result.cells if cell.id in CHECKS)
    assert not marker.exists()
    for name in CHECKS:
        assert [output.output_type for output in cells[name].outputs] == ["error"]
    told = {cell.id: " ".join(cell.findings) for cell in result.cells}
    assert told["mnist-1-3-check"] == MALFORMED


def test_the_replayed_answer_was_right_where_it_came_from() -> None:
    from course_utils.checks.exchange import unpack

    judge = Judge(source_of(ROOT, LAB), LAB, "the salt before", "digest")
    inputs, _ = judge.question("mnist-1-4-check", 0, 0)
    observed = unpack(base64.b64decode(replayed("1.4")))
    assert isinstance(observed, dict)
    assert all(f.ok for f in judge.lab.jobs["1.4"].parts[0].verdict(inputs, observed))


def test_a_submission_alone_decides_what_it_is_asked(master: bytes) -> None:
    notebook = reads(master.decode(), 4)
    asked = [
        Judge(notebook, LAB, "salt", hashlib.sha256(data).hexdigest()).seed(CHECKS[0], 0, 0)
        for data in (b"one", b"one", b"other")
    ]
    assert asked[0] == asked[1] != asked[2]
