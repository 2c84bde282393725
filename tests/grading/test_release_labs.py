"""The repository's own labs: what is committed is what solutions/ generates, and nothing leaks."""

from pathlib import Path

import pytest

from grading.notebooks import read_notebook
from grading.release import all_labs, describe, differences, source_of
from grading.validate import check_release, secrets_of

ROOT = Path(__file__).resolve().parents[2]
LABS = all_labs(ROOT)


def test_committed_files_are_what_solutions_generate() -> None:
    assert differences(ROOT) == []


@pytest.mark.parametrize("lab", LABS)
def test_nothing_of_a_solution_stands_in_what_students_get(lab: str) -> None:
    folder = ROOT / "notebooks" / lab
    source = source_of(ROOT, lab)
    check_release(read_notebook(folder / f"{lab}.ipynb"), source, lab)
    text = (folder / f"{lab}.ipynb").read_text("utf-8")
    secrets = secrets_of(source)
    assert len(secrets) > 20
    for word in ("SOLUTION", "HIDDEN", "Rubric", "seed=8", "seed=9"):
        assert word not in text, word
    lines = {line.strip() for cell in read_notebook(folder / f"{lab}.ipynb").cells
             for line in cell.source.split("\n")}  # fmt: skip
    assert not lines & secrets


@pytest.mark.parametrize("lab", LABS)
def test_a_released_notebook_lists_its_graded_cells(lab: str) -> None:
    """Who hands it in has nothing else to compare with (course_utils.submission)."""
    listed = read_notebook(ROOT / "notebooks" / lab / f"{lab}.ipynb").metadata.course.graded
    (described,) = describe(ROOT, [lab])
    cells = [job["answers"] + job["tests"] for job in described["jobs"]]
    assert sorted(listed) == sorted({name for names in cells for name in names})
    assert len(listed) == len(set(listed)) > 5


@pytest.mark.parametrize("lab", LABS)
def test_jobs_add_up(lab: str) -> None:
    (described,) = describe(ROOT, [lab])
    assert sum(job["points"] for job in described["jobs"]) == described["points"]
    assert {job["kind"] for job in described["jobs"]} == {"code", "written"}
