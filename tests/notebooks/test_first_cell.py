"""Each lab's first cell: in the repository, in Colab's stead, from a handout, and with nothing.

It runs in a Python without the site module: an editable install of the course is out of its reach.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from grading.handout import write
from grading.handout_check import environment
from grading.settings import wheel_name

ROOT = Path(__file__).resolve().parents[2]
LABS = sorted(path.parent.name for path in ROOT.glob("solutions/*/*.ipynb"))
# Runs cells as Jupyter does, and tells for each what it printed.
RUN = """
import io, json, sys
from contextlib import redirect_stdout
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(colors="NoColor", history_saving="off")
for source in json.load(sys.stdin):
    with redirect_stdout(io.StringIO()) as out:
        result = shell.run_cell(source)
    print(json.dumps([result.success, out.getvalue()]))
"""


def first_cell(lab: str) -> str:
    """As it stands in solutions/, where it never has an address."""
    notebook = nbformat.read(ROOT / f"solutions/{lab}/{lab}.ipynb", 4)
    cell = notebook.cells[1]
    assert cell.id == f"{lab}-course"
    return str(cell.source)


def run(
    folder: Path, *cells: str, path: Path | None = None, **settings: str
) -> list[tuple[bool, str]]:
    """Run cells in a folder; whether each went well, and what it said."""
    env = environment() | settings
    if path is not None:
        env["PYTHONPATH"] = os.pathsep.join([str(path), env["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, "-S", "-c", RUN],
        input=json.dumps(cells), capture_output=True, text=True, cwd=folder, env=env, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0 and not done.stderr, done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


class _Listing(http.server.SimpleHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    """A web folder with lab 2's handout on this machine, and what it was asked for."""
    folder = tmp_path_factory.mktemp("web")
    write(ROOT, "cfg", folder)
    asked: list[str] = []
    handler = type("Handler", (_Listing,), {"asked": asked})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def colab(tmp_path: Path) -> Path:
    """A folder on the path of a Python in which google.colab can be imported."""
    package = tmp_path / "site" / "google" / "colab"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    return tmp_path / "site"


def with_address(address: str) -> str:
    """The cell as it is released where course.toml has an address."""
    assert '"cfg", ""' in first_cell("cfg")
    return first_cell("cfg").replace('"cfg", ""', f'"cfg", "{address}/{wheel_name("cfg")}"')


def test_it_is_one_cell_but_for_the_labs_name() -> None:
    assert len({first_cell(lab).replace(f'"{lab}"', "LAB") for lab in LABS}) == 1


def test_in_the_repository_the_course_is_found_above(tmp_path: Path) -> None:
    folder = tmp_path / "notebooks" / "cfg"
    folder.mkdir(parents=True)
    (tmp_path / "course_utils").symlink_to(ROOT / "course_utils")
    cell = first_cell("cfg")
    where = "import course_utils; print(course_utils.__file__)"
    (ok, said), (_, place), (again, more) = run(folder, cell, where, cell)
    assert ok and again and not list(folder.iterdir())
    assert said.startswith(f"Lab cfg is ready: course_utils found in {tmp_path} (")
    assert said.endswith(" s) · device cpu · budget smoke\n") and said.count("\n") == 1
    assert place.startswith(f"{tmp_path}/course_utils/") and more.count("\n") == 1


def test_in_colab_it_is_fetched_once_and_torch_stays(
    tmp_path: Path, colab: Path, address: tuple[str, list[str]]
) -> None:
    content = tmp_path / "content"
    content.mkdir()
    cell = with_address(address[0])
    check = "from course_utils import runtime; from course_utils.checks.cfg import check"
    told = "print(runtime.in_colab(), __import__('torch').__file__)"
    results = run(content, cell, check, told, cell, path=colab, COLAB_RELEASE_TAG="release-1")
    assert all(ok for ok, _ in results), results
    assert f"course_utils fetched from {address[0]}/{wheel_name('cfg')} (" in results[0][1]
    assert results[2][1].startswith("True ") and str(content) not in results[2][1]
    assert f"found in {content}/course-cfg (" in results[3][1]
    assert address[1].count(f"/{wheel_name('cfg')}") == 1
    names = {path.name.partition("-")[0] for path in (content / "course-cfg").iterdir()}
    assert names == {"course_utils", "generative_models_course_cfg"}


def test_a_wheel_beside_the_notebook_needs_no_network(tmp_path: Path) -> None:
    with zipfile.ZipFile(write(ROOT, "cfg", tmp_path / "made")[0]) as archive:
        archive.extractall(tmp_path)
    # Another lab's course on the path is not this lab's.
    other = tmp_path / "other" / "course_utils"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("")
    ((ok, said),) = run(tmp_path / "cfg", first_cell("cfg"), path=tmp_path / "other")
    assert ok and f"fetched from {tmp_path}/cfg/{wheel_name('cfg')} (" in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("", ""), "No course code here: put the handout's .whl file beside this notebook."),
        (('"cfg", ""', '"cfg", "http://127.0.0.1:9/no.whl"'), "http://127.0.0.1:9/no.whl was not"),
        (("(3, 11)", "(9, 1)"), f"This is Python {sys.version[:4]}; choose a kernel with 3.11"),
    ],
)
def test_what_is_wrong_is_one_sentence(change: tuple[str, str], words: str, tmp_path: Path) -> None:
    ((ok, said),) = run(tmp_path, first_cell("cfg").replace(*change), PIP_RETRIES="0")
    assert not ok and said.startswith(words) and said.count("\n") == 1 and "Traceback" not in said


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / wheel_name("cfg")).write_bytes(b"half a download")
    ((ok, said),) = run(tmp_path, first_cell("cfg"))
    assert not ok and "was not fetched: " in said and said.count("\n") == 1
    assert not (tmp_path / "course-cfg" / "course_utils").exists()


def test_an_older_python_can_read_the_cell() -> None:
    """It has to say what is wrong there, and so must be no syntax error."""
    import ast

    ast.parse(first_cell("cfg"), feature_version=(3, 7))
