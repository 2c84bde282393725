"""An instructor reads, scores and comments answers in Formgrader, in a real browser."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_server import SHOTS, Server
from nbformat import read, write
from nbgrader.api import Gradebook
from playwright.sync_api import Browser, Page, expect
from tiny_class import LAB, Lab, cell_of, packed, with_source
from tiny_class import lab_fixture as lab_fixture

from grading.demo import hold_class
from grading.gradebook import default_url

pytest_plugins = ["chromium"]

QUESTION, CHECK = "tiny-1-3-answer", "tiny-1-2-check"
GRADE = ("--i-trust-these-notebooks", "--backend", "plain", "--jobs", "2")
HOSTILE = """A line has two numbers, and $\\href{javascript:alert(1)}{this}$ is one of them.

<script>alert("a script")</script><img src=x onerror="alert('an image')">
<iframe src="javascript:alert('a frame')"></iframe><a href="javascript:alert('a link')">here</a>
<form action="/formgrader/api"><input name="score"></form><svg onload="alert('svg')"></svg>"""
OUTPUTS = """from IPython.display import HTML, SVG, Javascript, Latex, Markdown, display
attack = "<script>alert('output')</script><img src=x onerror=alert('output')>"
display(HTML(attack), Markdown(attack), Latex(attack), Javascript("alert('js')"))
display(SVG('<svg xmlns="http://www.w3.org/2000/svg"><script>alert("svg")</script></svg>'))
display({"image/png": '"><script>alert(2)</script>'}, raw=True,
        metadata={"image/png": {"width": "1 onload=alert(3)"}})
print(attack)
raise ValueError(attack)"""


def course(place: Path, *words: str) -> None:
    """Run `course …` in a course folder."""
    command = [sys.executable, "-m", "grading.cli", *words]
    environment = {k: v for k, v in os.environ.items() if k != "COURSE_DB"}
    subprocess.run(command, cwd=place, env=environment, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def class_dir(lab: Lab, tmp_path: Path) -> Path:
    """A class of two, graded: one honest, one who would like to run something here."""
    place = tmp_path / "class"
    place.mkdir()
    hold_class(lab.folder, place, ())
    attack = with_source(with_source(lab.solved, QUESTION, HOSTILE), "tiny-demo", OUTPUTS)
    handed_in = {"honest": lab.solved, "hostile": attack}
    for folder in (place / "submitted").iterdir():
        for path in (*folder.glob("*/*"), *folder.glob("*"), folder):
            path.unlink() if path.is_file() else path.rmdir()
    for student, notebook in handed_in.items():
        path = place / "submitted" / student / LAB / f"{LAB}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(packed(notebook))
    course(place, "grade", *GRADE)
    return place


@pytest.fixture
def formgrader(browser: Browser, class_dir: Path, tmp_path: Path) -> Iterator[Page]:
    """Formgrader's page of the lab; whatever runs or reaches out by itself is in `page.said`."""
    server = Server(tmp_path, class_dir)
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    said = page.said = []
    page.on("dialog", lambda box: (said.append(f"dialog: {box.message}"), box.dismiss()))
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    try:
        server.wait()
        page.goto(server.link("/tree"))  # the link with the token lets this browser in
        page.goto(f"{server.url}/formgrader/gradebook/{LAB}/{LAB}")
        yield page
    finally:
        page.context.close()
        server.stop()


def given(place: Path) -> dict[str, tuple[float | None, float | None, str | None]]:
    """Automatic and manual points of the question, and the comment, by student."""
    with Gradebook(default_url(place)) as book:
        found = {}
        for student in ("honest", "hostile"):
            grade = book.find_grade(QUESTION, LAB, LAB, student)
            comment = book.find_comment(QUESTION, LAB, LAB, student).manual_comment
            waits = grade.needs_manual_grade
            found[student] = (book.find_submission(LAB, student).score, grade.manual_score,
                              comment, waits)  # fmt: skip
        return found


def test_open_read_score_comment_next_and_grade_again(formgrader: Page, class_dir: Path) -> None:
    page = formgrader
    page.wait_for_timeout(3000)
    page.screenshot(path="/tmp/fg.png")
    print(page.said, page.url)
    page.get_by_role("link", name="Submission #1").click(timeout=2000)
    names = []
    for points, comment in (("1.5", "Which two?"), ("2", "Well said.")):
        expect(page.locator(".panel-info")).to_contain_text("How job 1.3 is scored")
        expect(page.locator(".panel-info")).to_contain_text("Rubric")
        model = page.locator(".panel-info details")
        expect(model).not_to_have_attribute("open", "")
        model.locator("summary").click()
        expect(model).to_contain_text("An answer that earns 2 points")
        names.append(page.locator(".breadcrumb .name-shown").first.text_content().strip())
        page.locator(f"#{QUESTION}").fill(points)
        with page.expect_response(lambda r: "/api/grade/" in r.url and r.request.method == "PUT"):
            page.locator(f"#{QUESTION}").press("Tab")
        page.locator(f"#{QUESTION}-comment").fill(comment)
        with page.expect_response(lambda r: "/api/comment/" in r.url and r.request.method == "PUT"):
            page.locator(f"#{QUESTION}-comment").blur()
        page.wait_for_load_state()
        links = page.locator("#notebook a[href^=javascript], #notebook form, #notebook iframe")
        expect(links).to_have_count(0)
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"formgrader-{len(names)}.png")
        page.get_by_role("link", name="Next").click()
    assert sorted(names) == ["honest", "hostile"]
    expect(page).to_have_url(page.url.split("?")[0])
    assert page.url.rstrip("/").endswith(f"/gradebook/{LAB}/{LAB}")  # the last one's next
    # The pages want MathJax from the network, which tests have not.
    assert set(page.said) <= {"error: MathJax is not defined"}

    first = dict(zip(names, [(1.5, "Which two?", False), (2.0, "Well said.", False)], strict=True))
    after = given(class_dir)
    assert {name: its[1:] for name, its in after.items()} == first
    path = class_dir / "solutions" / LAB / f"{LAB}.ipynb"
    source = read(path, 4)
    check = cell_of(source, CHECK)
    assert "== 13" in check.source
    check.source = check.source.replace("== 13", "== 14")  # a hidden test that nobody passes
    write(source, path)
    course(class_dir, "grade", "--regrade", *GRADE)
    again = given(class_dir)
    assert {name: its[1:] for name, its in again.items()} == first
    assert all(again[name][0] < after[name][0] for name in names)
