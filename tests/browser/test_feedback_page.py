"""Pages that quote what strangers wrote, in a real browser: feedback, and the class on one page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attacks
import pytest
from lab_server import SHOTS
from playwright.sync_api import Browser, Page

from grading import class_figures
from grading.class_figures import Picture
from grading.class_page import class_page
from grading.engine import CellScore
from grading.feedback import Grades, Score, full_page, notice_page
from grading.markup import Writer
from grading.report import Entry, Report
from grading.standing import Standing

pytest_plugins = ["chromium"]

# Which of the header's points belong to something that a student or a comment brought there.
FOREIGN = """() => {
    const found = [];
    const scores = ".top > .scores >";
    const own = `.top > h1, .top > .total, ${scores} thead th, ${scores} tbody > tr > .job,
        ${scores} tbody > tr > .points`;
    for (const part of document.querySelectorAll(own)) {
        part.scrollIntoView({block: "start"});
        const box = part.getBoundingClientRect();
        for (let i = 0; i < 5; i++) for (let j = 0; j < 3; j++) {
            const x = box.left + (i + .5) * box.width / 5, y = box.top + (j + .5) * box.height / 3;
            if (y >= innerHeight) continue;
            const seen = document.elementFromPoint(x, y);
            if (!part.contains(seen) && !seen.contains(part)) found.push(seen.outerHTML);
        }
    }
    return found;
}"""
GRADES = Grades(
    {"check": Score(1.0, 2.0, False), "answer": Score(0.0, 2.0, True)},
    {"check": "", "answer": "\n\n".join((*attacks.MARKDOWN, *attacks.MARKUP[:36]))},
    0.0,
)
NAME = attacks.MARKUP[0] + attacks.FORGED


class Reader:
    """A browser's page, and all that went on in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        self.ran: list[str] = []
        self.refused: list[str] = []
        self.failed: list[tuple[str, str | None]] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("requestfailed", lambda request: self._failed(request.url, request.failure))
        page.on("dialog", self._dialog)
        page.on("console", lambda message: self._heard(message.text))
        page.on("popup", lambda other: self.ran.append(f"opened {other.url}"))

    def _dialog(self, dialog: Any) -> None:
        self.ran.append(dialog.message)
        dialog.dismiss()

    def _failed(self, address: str, why: str | None) -> None:
        self.failed.append((address, why))

    def _heard(self, text: str) -> None:
        (self.ran if text == "RAN" else self.refused).append(text)

    def read(self, text: str, path: Path) -> None:
        """Open a page as a reader does, from a file, and give it time to do something."""
        path.write_text(text, encoding="utf-8", errors="replace")
        self.address = path.as_uri()
        self.page.goto(self.address)
        self.page.wait_for_timeout(300)

    def outside(self) -> list[str]:
        """Addresses that were asked for, but for the page's own and what it holds itself."""
        own = (self.address, "data:image/")
        return [address[:200] for address in self.asked if not address.startswith(own)]


@pytest.fixture
def reader(browser: Browser) -> Iterator[Reader]:
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    yield Reader(context.new_page())
    context.close()


def is_harmless(reader: Reader) -> None:
    assert reader.ran == [] and not reader.page.evaluate("window.ran")
    assert reader.outside() == []
    assert reader.page.url == reader.address and reader.page.title() != "RAN"


def press_all(page: Page) -> None:
    """Press whatever says "press"."""
    page.evaluate(
        """() => document.querySelectorAll("a").forEach(
            one => one.textContent.includes("press") && one.click())"""
    )
    page.wait_for_timeout(200)


def test_nothing_of_a_students_runs_or_asks_or_covers(reader: Reader, tmp_path: Path) -> None:
    page = full_page(attacks.notebook(), GRADES, NAME, NAME, [NAME] * 3)
    reader.read(page, tmp_path / "feedback.html")
    is_harmless(reader)
    assert reader.refused == []  # the first wall left nothing for the second
    assert reader.page.evaluate(FOREIGN) == []
    assert reader.page.locator(".total").count() == 1
    assert reader.page.locator(".total").inner_text().startswith("1 of 4 points so far")
    assert reader.page.locator("main, header, [id=top]").count() == 2
    press_all(reader.page)
    is_harmless(reader)


def test_the_policy_alone_holds_what_cleaning_lets_through(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Writer, "page", lambda self, markup, attachments=None: markup)
    notebook = attacks.notebook()
    # What takes the reader elsewhere by itself is no policy's matter; cleaning removes it.
    page = full_page(notebook, GRADES, "ada", "tiny").replace('http-equiv="refresh"', "x")
    reader.read(page, tmp_path / "feedback.html")
    assert "<script" in page and reader.refused
    assert reader.ran == [] and not reader.page.evaluate("window.ran")
    held = {address for address, why in reader.failed if why == "csp"}
    assert held and set(reader.outside()) <= held


def test_a_page_without_scores_is_as_safe(reader: Reader, tmp_path: Path) -> None:
    reader.read(notice_page(NAME, NAME, NAME, [NAME]), tmp_path / "notice.html")
    is_harmless(reader)
    assert reader.refused == [] and "100 of 100 points" in reader.page.inner_text(".reason")


def test_the_class_on_one_page_is_safe(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "".join(attacks.MARKUP)
    picture = Picture("data:image/svg+xml;base64,PHN2Zy8+", said)
    monkeypatch.setattr(class_figures, "scores", lambda report, lab, jobs: picture)
    monkeypatch.setattr(class_figures, "times", lambda report: picture)
    score = CellScore(NAME, 0.0, 2.0, 0.1, "1.1", False, (said,))
    entries = (
        Entry(NAME, NAME, "graded", 0.0, 2.0, (score,), 4.0, notes=(said,)),
        Entry(f"{NAME}2", NAME, "failed", None, 2.0, (score,), reason=said),
    )
    report = Report((NAME,), said, entries, said, said)
    standing = Standing(report, {(NAME, NAME): 3}, (said,), (NAME, said))
    reader.read(class_page(standing), tmp_path / "report.html")
    is_harmless(reader)
    assert reader.refused == []
    assert reader.page.locator("h1").count() == 1 and reader.page.locator("a").count() == 0


def test_a_page_looks_as_it_should(reader: Reader, tmp_path: Path) -> None:
    """Its own style is in force, formulas are drawn, and pictures say what they show."""
    grades = Grades(GRADES.scores, {"answer": "Well **done**: $x_t$."}, 0.5)
    reader.read(full_page(attacks.notebook(), grades, "Ada", "tiny"), tmp_path / "feedback.html")
    SHOTS.mkdir(parents=True, exist_ok=True)
    reader.page.screenshot(path=SHOTS / "feedback.png")
    style = "one => getComputedStyle(one).borderLeftWidth"
    assert reader.page.locator(".comment").first.evaluate(style) == "4px"
    assert reader.page.locator("img:not([alt])").count() == 0
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= 1100
