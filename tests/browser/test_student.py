"""A student's hour with lab 1, in a real browser: from the list of the labs to the zip."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from pathlib import Path

import nbformat
import pypdfium2
from desk import Desk, Sheet
from lab_server import ROOT
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

from course_utils.checkpoints import read_checkpoint
from grading.notebooks import KERNELSPEC, is_answer, read_notebook
from grading.solved import without_markers

pytest_plugins = ["chromium"]

WRONG = ROOT / "tests/corpus/mnist/1.1/wrong"
GREEN = "rgb(26, 127, 75)"
IN_WORDS = "Near the end β goes to 0, so train on the pair instead."
IMPORTS = """import time
from pathlib import Path

import torch
from torch import nn
from course_utils.training import Trainer"""
TRAINING = """class Line(Trainer):
    steps = 0

    def get_train_loss(self, batch_size):
        self.steps += 1
        while self.steps > 40 and not Path("go").exists():
            time.sleep(0.05)  # a step that takes its time: the test has it, too
        time.sleep(0.005)
        x = torch.randn(batch_size, 1)
        return (self.model(x) - 2 * x).square().mean()

losses, steps = Line().train(nn.Linear(1, 1), num_steps=80, ckpt_every=20, run_name="line",
                             batch_size=8)
print(len(losses), "losses")"""


def solutions() -> dict[str, str]:
    """The reference answers of lab 1 by cell, as a student would type them."""
    cells = read_notebook(ROOT / "solutions/mnist/mnist.ipynb").cells
    return {
        cell.id: without_markers(cell.source) if cell.cell_type == "code" else IN_WORDS
        for cell in cells
        if is_answer(cell)
    }


def wrong(name: str) -> str:
    """A wrong answer to job 1.1, of those that the checks are tested with."""
    return (WRONG / f"{name}.py").read_text("utf-8").split('"""')[2].strip()


def errors(cells: dict[str, NotebookNode]) -> dict[str, str]:
    """What stands in a notebook's outputs in red, by cell: errors, and what went to stderr."""
    return {
        name: f"{output.get('ename', 'stderr')}: {output.get('evalue', output.get('text'))}"
        for name, cell in cells.items()
        for output in cell.get("outputs", [])
        if output["output_type"] == "error" or output.get("name") == "stderr"
    }


def test_a_student_finds_a_lab_and_does_the_first_job(desk: Desk) -> None:
    # `make lab` shows the list, rendered, and a lab opens from it.
    desk.go()
    index = desk.page.locator(".jp-RenderedMarkdown")
    index.locator("h1", has_text="The labs").wait_for()
    desk.shoot("index")
    index.locator("a", has_text="Getting a feel for MNIST").click()
    sheet = Sheet(desk, "mnist/mnist.ipynb")
    desk.shoot("lab")

    # Run All on the unsolved lab reaches the end; the only errors are the stubs' own.
    sheet.run_all()
    cells = sheet.saved()
    answers = solutions()
    said = errors(cells)
    assert set(said) == {f"mnist-1-{job}-check" for job in range(1, 5)}
    assert all(re.match(r"NotImplementedError: Your job 1\.[1-4]", line) for line in said.values())
    assert all(cell["execution_count"] for cell in cells.values() if cell["cell_type"] == "code")
    expect(sheet.output("mnist-gaussians").locator("img")).to_be_visible()
    sheet.cell("mnist-1-1-answer")
    desk.shoot("unsolved")

    # Hints unfold.
    hint = sheet.cell("mnist-1-1").locator("details").first
    inside = hint.get_by_text("Which of sine and cosine is 0 at 0?")
    expect(inside).to_be_hidden()
    hint.locator("summary").click()
    expect(inside).to_be_visible()
    desk.shoot("hint")

    # A wrong answer is told which mistake it is, with its points; the right one turns green.
    answer, check = "mnist-1-1-answer", "mnist-1-1-check"
    result = sheet.output(check)
    for name, points, message, picture in (
        ("factor_forgotten", "not yet · 0 of 2 points", "Your α forgets the factor π/2", "not-yet"),
        (
            "no_inner_derivative",
            "partly done · 1 of 2 points",
            "lacks the inner derivative π/2",
            "wrong",
        ),
    ):
        sheet.write(answer, f"{answers[answer]}\n\n\n{wrong(name)}")
        sheet.run(check)
        expect(result).to_contain_text(points)
        expect(result).to_contain_text(message)
        desk.shoot(picture, sheet.cell(check))
    sheet.write(answer, answers[answer])
    sheet.run(check)
    expect(result).to_contain_text("done · 2 of 2 points")
    expect(result).to_contain_text("So far 2 of 10 points")
    tick = result.locator("span", has_text="✓").first
    assert tick.evaluate("tick => getComputedStyle(tick).color") == GREEN
    desk.shoot("right", sheet.cell(check))  # the answer above it is not for README


def test_a_finished_lab_plays_validates_and_is_handed_in(desk: Desk) -> None:
    # The student works in a copy of their own; the file with the usual name stays as it was.
    lab = read_notebook(ROOT / "notebooks/mnist/mnist.ipynb")
    answers = solutions()
    for cell in lab.cells:
        cell.source = answers.get(cell.id, cell.source)
    nbformat.write(lab, desk.server.labs / "mnist/mine.ipynb")
    desk.go("/lab/tree/mnist/mine.ipynb")
    sheet = Sheet(desk, "mnist/mine.ipynb")
    sheet.run_all()
    assert errors(sheet.saved()) == {}

    # The animation plays, stops, and follows its slider.
    player = sheet.output("mnist-flow").locator(".animation")
    frame, slider = player.locator("img"), player.locator("input[type=range]")
    expect(frame).to_be_visible()
    player.get_by_title("Pause", exact=True).click()
    slider.fill("0")
    first = frame.get_attribute("src") or ""
    assert first.startswith("data:image/png")
    slider.fill("3")
    expect(frame).not_to_have_attribute("src", first)
    slider.fill("0")
    expect(frame).to_have_attribute("src", first)
    player.get_by_title("Play", exact=True).click()
    expect(frame).not_to_have_attribute("src", first)
    desk.shoot("animation")

    # nbgrader's own button agrees.
    desk.page.locator(".jp-NotebookPanel-toolbar").get_by_text("Validate", exact=True).click()
    dialog = desk.page.locator(".jp-Dialog-content")
    expect(dialog).to_contain_text("Success! Your notebook passes all the tests.")
    desk.shoot("validate")
    desk.confirm("OK")

    # The last cell finds the notebook that it stands in. (Labs that are tested hand nothing in:
    # here one is, so the budget is a student's.)
    sheet.write_above("mnist-submit", "%env COURSE_BUDGET=laptop")
    sheet.saved()
    sheet.run("mnist-submit")
    expect(sheet.output("mnist-submit")).to_contain_text("mnist.zip is ready")
    expect(sheet.output("mnist-submit")).to_contain_text("mine.ipynb (saved just now)")
    desk.shoot("handed-in", sheet.cell("mnist-submit"))
    with zipfile.ZipFile(sheet.path.parent / "mnist.zip") as handed:
        assert set(handed.namelist()) == {"mnist/mnist.ipynb", "mnist.pdf"}
        assert answers["mnist-1-4-answer"] in [
            cell.source for cell in nbformat.reads(handed.read("mnist/mnist.ipynb"), 4).cells
        ]
        pdf = pypdfium2.PdfDocument(BytesIO(handed.read("mnist.pdf")))
    assert any(IN_WORDS in page.get_textpage().get_text_range() for page in pdf)
    pdf.close()


def steps_in(run: Path) -> int:
    """How many steps a run's last checkpoint has had."""
    return int(read_checkpoint(run / "checkpoint.pt")["step"])


def test_training_goes_on_after_a_restart(desk: Desk) -> None:
    cells = [new_code_cell(IMPORTS, id="imports"), new_code_cell(TRAINING, id="training")]
    notebook = new_notebook(cells=cells, metadata={"kernelspec": KERNELSPEC})
    nbformat.write(notebook, desk.server.labs / "training.ipynb")
    run = desk.server.labs / "runs/line"

    # A progress bar counts up while the network trains.
    desk.go("/lab/tree/training.ipynb")
    sheet = Sheet(desk, "training.ipynb")
    sheet.start_all()
    bar = sheet.cell("training").locator(".widget-hbox")
    expect(bar).to_contain_text(re.compile(r"line:\s+[1-9]\d*%"))
    desk.shoot("training")

    # The kernel is restarted on the way: what is on the disk is all that is left of the run.
    desk.menu("Kernel", "Restart Kernel…")
    desk.confirm("Restart")
    expect(sheet.waiting()).to_have_count(0)
    sheet.idle()
    stopped = steps_in(run)
    assert 20 <= stopped < 80

    # Run All goes on from there.
    (sheet.path.parent / "go").touch()
    sheet.run_all()
    said = "".join(output.get("text", "") for output in sheet.saved()["training"]["outputs"])
    assert f"goes on after step {stopped} of 80." in said and "80 losses" in said
    assert steps_in(run) == 80
    sheet.cell("training")
    desk.shoot("resumed")
