"""The page of a class: whole by itself, in words as in pictures, and every state is itself."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from odd_class import ROSTER, STANDING

from grading import class_figures
from grading.anonymous import anonymous
from grading.attention import RULE
from grading.class_figures import Picture
from grading.class_page import class_page, jobs_csv
from grading.engine import CellScore
from grading.report import Entry, Report
from grading.standing import Standing


class Page(HTMLParser):
    """Tags with their attributes, and the rows of all tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-1] += data.strip()

    def row(self, first: str, width: int) -> list[str]:
        [found] = [row for row in self.rows if row and row[0] == first and len(row) == width]
        return found


PICTURE = Picture("data:image/svg+xml;base64,PHN2Zy8+", "What is seen.")


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures take seconds; one test draws them."""
    monkeypatch.setattr(class_figures, "scores", lambda report, lab, jobs: PICTURE)
    monkeypatch.setattr(class_figures, "times", lambda report: PICTURE)


@pytest.fixture
def text() -> str:
    return class_page(STANDING)


@pytest.fixture
def page(text: str) -> Page:
    return Page(text)


def test_the_page_needs_nothing_else_and_runs_nothing(text: str, page: Page) -> None:
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "form", "a"}
    names = {name for _, attributes in page.tags for name in attributes}
    assert not [name for name in names if name.startswith("on")]
    sources = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    assert len(sources) == 3 and all(str(one).startswith("data:image/svg") for one in sources)
    assert "default-src 'none'" in text and "@media print" in text
    assert not re.findall(r"url\(|@import|https?://", text)


def test_every_picture_stands_beside_its_words(page: Page) -> None:
    pictures = [attributes for tag, attributes in page.tags if tag == "img"]
    assert {(one["src"], one["alt"]) for one in pictures} == {(PICTURE.address, PICTURE.text)}


def test_states_are_told_apart(page: Page) -> None:
    # lab, points, graded, zero, waiting, failed, missing, late, mean, median
    assert page.row("a", 10)[1:8] == ["5", "7", "1", "1", "0", "0", "0"]
    assert page.row("b", 10)[1:8] == ["4", "4", "1", "1", "1", "2", "2"]
    assert page.row("a", 10)[8] == "3.07 so far"
    assert page.row("ada", 3) == ["ada", "5 / 5", "2 / 4 so far, 1 d late"]
    everybody = {row[0]: row[1:] for row in page.rows if len(row) == 3}
    assert everybody["eva"] == ["0 / 5", "missing"]
    assert everybody["=cmd()"] == ["1.58 / 5", "failed"]
    assert everybody["liwei"] == ["4 / 5", "3 / 4, 2 d late"]


def test_names_are_text(text: str) -> None:
    entry = Entry("<b>eva</b>", "a", "failed", None, 5.0, reason="<img src=x onerror=alert(1)>")
    page = class_page(Standing(Report(("a",), "", (entry,), "")))
    assert "<b>eva" not in page and "<img src=x" not in page
    assert "&lt;b&gt;eva&lt;/b&gt;" in page and "&lt;img src=x" in page


def test_what_the_page_tells(text: str, page: Page) -> None:
    assert RULE in " ".join(text.split())
    assert "Psychometrika" in text
    assert page.row("=cmd()", 4) == ["=cmd()", "b", "failed", "It ended: mend it."]
    [told] = [row for row in page.rows if "The mask looks inverted." in row[-1]]
    assert told[:4] == ["a", "1.1", "2", "25%"]
    assert "not in the roster: stranger." in text
    assert "nothing handed in: absent." in text


def test_a_page_without_names(text: str) -> None:
    page = class_page(anonymous(STANDING, b"key", ROSTER), anonymous=True)
    bare = re.sub(r"base64,[^\"]*", "", page)
    for name in ("liwei", "stranger", "cmd()", "hook", "absent", ".ipynb"):
        assert name in re.sub(r"base64,[^\"]*", "", text) and name not in bare
    assert "Without names" in page and "Without names" not in text
    assert page.count("student-") == text.count("student-") + page.count("student-") > 8


def test_a_class_that_handed_in_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    report = Report(("a",), "", (Entry("x", "a", "missing", None, 5.0),), "")
    monkeypatch.undo()
    assert class_figures.times(report) is None and class_figures.scores(report, "a", []) is None
    page = Page(class_page(Standing(report)))
    assert page.row("a", 10) == ["a", "5", "0", "0", "0", "0", "1", "0", "–", "–"]
    assert "No submission ran to its end." in class_page(Standing(report))


def test_jobs_as_a_table() -> None:
    rows = {(r["lab"], r["job"]): r for r in csv.DictReader(io.StringIO(jobs_csv(STANDING)))}
    assert len(rows) == 4
    assert rows["b", "1.1"]["mean_share"] == "0.7000" and rows["b", "1.1"]["n"] == "5"
    assert rows["a", "1.2"]["waits_for_a_human"] == "1" and rows["a", "1.2"]["scored"] == "7"


def test_the_table_of_jobs_runs_nothing_in_a_spreadsheet() -> None:
    cell = CellScore("x", 1.0, 2.0, 0.1, "@SUM(A1)", False, ())
    entry = Entry("ada", "=1+1", "graded", 1.0, 2.0, (cell,))
    text = jobs_csv(Standing(Report(("=1+1",), "", (entry,), "now")))
    [row] = csv.DictReader(io.StringIO(text))
    assert (row["lab"], row["job"]) == ("'=1+1", "'@SUM(A1)")
