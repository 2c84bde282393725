"""grading.index: the labs' own data, in one page that JupyterLab and a code host can show."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from grading.index import INDEX, index_page
from grading.release import all_labs, describe, differences, release

ROOT = Path(__file__).resolve().parents[2]


def test_every_lab_has_a_row_that_leads_to_it() -> None:
    page = (ROOT / INDEX).read_text("utf-8")
    links = re.findall(r"^\| \*\*\[(\d)\. .+\]\((\S+)\)\*\* \| (\d+) \|", page, re.M)
    assert [target.split("/")[0] for _, target, _ in links] == all_labs(ROOT)
    assert [int(number) for number, _, _ in links] == [1, 2, 3, 4, 5]
    assert [int(points) for *_, points in links] == [lab["points"] for lab in describe(ROOT)]
    for _, target, _ in links:
        assert (ROOT / INDEX.parent / target).is_file()


def test_a_lab_is_described_by_its_time_and_its_jobs(tiny_course: Path) -> None:
    page = index_page(describe(tiny_course))
    assert "| **[1. A tiny lab](tiny/tiny.ipynb)** | 5 | 12 minutes | 12 minutes |\n" in page
    assert "\n## 1. A tiny lab\n" in page
    assert (
        "| 1.2 | How long | 1 | ●●○ | 3 |\n| 1.3 | Why squares (in words) | 2 | ●●● | 5 |" in page
    )


@pytest.mark.parametrize(
    ("said", "time"), [("about two hours · no GPU", "two hours"), ("no GPU needed", "")]
)
def test_the_time_is_the_one_that_the_first_cell_says(
    tiny_course: Path, edit_tiny: Callable[..., None], said: str, time: str
) -> None:
    title = f"# 1. Tiny\n**5 points** · {said}"
    edit_tiny(lambda notebook: notebook["cells"][0].update(source=title))
    assert describe(tiny_course)[0]["time"] == time


def test_an_index_that_says_something_else_is_stale(tiny_course: Path) -> None:
    release(tiny_course)
    page = tiny_course / INDEX
    page.write_text(page.read_text("utf-8").replace("| 5 |", "| 50 |"), encoding="utf-8")
    assert [one.path for one in differences(tiny_course)] == [INDEX]
    assert [one.path for one in release(tiny_course)] == [INDEX]
    assert "| 50 |" not in page.read_text("utf-8")
