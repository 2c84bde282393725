"""Asking a kernel questions: whatever it does, the grader gets bytes in time, or a reason."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from grading import client
from grading.boxes import Limits
from grading.client import DisturbedError, Execution, Unanswered
from grading.execute import run_notebook

LIMITS = Limits(
    cell_seconds=3, interrupt_seconds=2, wall_seconds=60, answer_bytes=3_000,
    total_characters=1_000_000,
)  # fmt: skip


@dataclass
class Asks:
    """An examiner of the cells named "test…", whose questions are expressions."""

    questions: dict[str, list[str]]
    answers: list[bytes | Unanswered] = field(default_factory=list)

    def judges(self, cell: NotebookNode) -> bool:
        return str(cell.id).startswith("test")

    def examine(self, cell: NotebookNode) -> Generator[str, bytes | Unanswered, None]:
        for question in self.questions[cell.id]:
            self.answers.append((yield question))


@pytest.fixture(autouse=True)
def expressions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the exchange, and so without torch: a question is evaluated as it stands."""
    monkeypatch.setattr(client, "ASK", "{}")


def run(setup: str, *questions: str, after: str = "") -> tuple[Execution, Asks, NotebookNode]:
    cells = [new_code_cell(setup), new_code_cell("raise SystemExit", id="test"),
             new_code_cell(after)]  # fmt: skip
    cells[0].id, cells[2].id = "setup", "after"
    asks, notebook = Asks({"test": list(questions)}), new_notebook(cells=cells)
    return run_notebook(notebook, LIMITS, {}, examiner=asks), asks, notebook


def test_answers_come_back_and_the_cell_itself_is_not_run() -> None:
    found, asks, notebook = run(
        "import sys\nanswer = 'YWJj'\nprint('noise')",
        "answer", "print(1) or 'eHl6'", "sys.stderr.write('x') and ''", "1 / 0", "'no base64!'",
        "5", "'A' * 9_000", "missing", "exit()", "b'YWJj'", "'YWJ'",
        after="answer = 3\nanswer",
    )  # fmt: skip
    assert asks.answers[:3] == [b"abc", b"xyz", b""]
    whys = [answer.why for answer in asks.answers[3:] if isinstance(answer, Unanswered)]
    assert [why.split(":")[0] for why in whys] == [
        "ZeroDivisionError", "it is no bytes", "it is no bytes", "it is larger than 3,000 bytes",
        "NameError", "it is no bytes", "it is no bytes", "the kernel's reply is none, Error",
    ]  # fmt: skip
    assert (found.stopped, found.notes, found.finished) == (None, [], {0, 1, 2})
    assert notebook.cells[1].outputs == [] and notebook.cells[2].outputs[0].data == {
        "text/plain": "3"
    }
    assert found.seconds[1] < 3


def test_a_question_that_takes_too_long_is_interrupted_and_the_rest_goes_on() -> None:
    found, asks, notebook = run("import time", "time.sleep(60)", "'YWJj'", after="1")
    assert [a.why for a in asks.answers if isinstance(a, Unanswered)] == [
        "it took longer than 3 s"
    ] * 2
    assert found.stopped is None and found.finished == {0, 1, 2}
    assert found.notes == ["Cell 'test' was stopped after 3 s: it may hold an endless loop."]
    assert notebook.cells[2].outputs[0].data == {"text/plain": "1"}


ENDS = {
    "swallows interrupts": (
        "def f():\n while True:\n  try:\n   time.sleep(9)\n  except BaseException: pass",
        "f()", "hung in cell 'test' and could not be interrupted",
    ),
    "exits": ("import os", "os._exit(3)", "ended while it ran cell 'test'"),
    "floods while it is asked": (
        "import sys\ndef f():\n while True: print('x' * 5_000)", "f()", "printed without end",
    ),
    "sends forged replies": (
        "kernel = get_ipython().kernel\n"
        "def f():\n"
        "  kernel.session.key = b'other'\n"
        "  return 'YWJj'",
        "f()", "something other than a kernel's messages in cell 'test'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_the_run_ends_with_a_reason(name: str) -> None:
    setup, question, reason = ENDS[name]
    found, asks, _ = run(f"import time\n{setup}", question, after="1")
    assert found.stopped is not None and reason in found.stopped
    assert found.finished == {0} and asks.answers == []


FORGED = {
    "no dict": "{'name': 'stdout', 'text': ['x']}",
    "no text": "{'name': 'stdout'}",
    "no name": "{}",
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_output_ends_the_run(name: str) -> None:
    forge = (
        "kernel = get_ipython().kernel\n"
        f"kernel.session.send(kernel.iopub_socket, 'stream', {FORGED[name]},"
        " parent=kernel.get_parent())"
    )
    found, _, _ = run(forge, "'YWJj'")
    assert found.stopped is not None
    assert "something other than a kernel's messages in cell 'setup'" in found.stopped


def test_outputs_of_other_types_are_refused() -> None:
    for content in ({"data": []}, {"traceback": [1]}, {"ename": None}, {"metadata": "x"}):
        with pytest.raises(DisturbedError):
            client._check_output(content)
