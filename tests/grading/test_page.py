"""The course page: outputs of the solution below the students' cells, and no dead link."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_output

from grading.notebooks import is_answer, is_test
from grading.page import broken_links, with_outputs

ROOT = Path(__file__).resolve().parents[2]
LABS = sorted(path.parent.name for path in ROOT.glob("solutions/*/*.ipynb"))


def read(kind: str, lab: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / f"{kind}/{lab}/{lab}.ipynb", 4)


@pytest.mark.parametrize("lab", LABS)
def test_outputs_stand_below_the_students_cells(lab: str) -> None:
    executed, student = read("solutions", lab), read("notebooks", lab)
    for cell in executed.cells:
        if cell.cell_type == "code":
            texts = [f"{cell.id} once\n", f"{cell.id} twice\n"]
            cell.outputs = [new_output("stream", text=text) for text in texts]
    page = with_outputs(student, executed)
    assert [(c.id, c.source) for c in page.cells] == [(c.id, c.source) for c in student.cells]
    for cell in page.cells:
        if cell.cell_type != "code":
            continue
        said = "".join(output.text for output in cell.outputs)
        if is_answer(cell) or cell.id in (f"{lab}-course", f"{lab}-submit"):
            assert not said, cell.id
        else:
            assert said == f"{cell.id} once\n" + f"{cell.id} twice\n" * (not is_test(cell))
    assert not any(cell.get("outputs") for cell in student.cells), "the student's was changed"


def test_links_that_lead_nowhere_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.html").write_text(
        '<p id="here"><a href="../two.html#there"></a><a href="#here"></a><a href="https://x.org">'
        '</a><img src="data:image/png;base64,AA=="><a href="mailto:x@y.org"></a>'
    )
    (tmp_path / "two.html").write_text('<a name="there" href="a/one.html?q=1#here"></a>')
    assert not list(broken_links(tmp_path))
    (tmp_path / "two.html").write_text(
        '<a href="no.html"></a><a href="a/one.html#no"></a><script src="https://cdn.org/x.js">'
        '</script><a href="http://x.org"></a><img src="no.png">'
    )
    assert sorted(broken_links(tmp_path)) == [
        "a/one.html links to ../two.html#there: that page has no such place",
        "two.html links to a/one.html#no: that page has no such place",
        "two.html links to http://x.org; expected https",
        "two.html links to no.html, which is not there",
        "two.html links to no.png, which is not there",
        "two.html needs https://cdn.org/x.js, which does not lie beside it",
    ]
