"""The course page: all labs as a small static site, figures and animations included.

    python -m grading.page [LAB]...        (or `make page`)

The solutions run, on the smoke budget unless ``COURSE_BUDGET`` says otherwise, and what they put
out is set below the students' cells. Their text is that of `notebooks/`: no answer gets out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from nbformat import NotebookNode, from_dict, write

from grading.notebooks import CourseError, is_answer, is_test, read_notebook
from grading.release import all_labs, source_of


def with_outputs(student: NotebookNode, executed: NotebookNode) -> NotebookNode:
    """The student's notebook with the outputs of the executed solution, cell by cell of one id.

    Answer cells stay empty, and so do the first cell and the last one, which speak of the machine;
    the first is folded.
    A test cell shows its first result: the second belongs to the hidden test.
    """
    outputs = {cell.id: cell.outputs for cell in executed.cells if cell.cell_type == "code"}
    lab = student.metadata.course.lab
    page = from_dict(student)
    for cell in page.cells:
        if cell.cell_type != "code" or is_answer(cell):
            continue
        if cell.id == f"{lab}-course":
            cell.metadata.tags = [*cell.metadata.get("tags", []), "hide-input"]
        shown = [] if cell.id in (f"{lab}-course", f"{lab}-submit") else outputs.get(cell.id, [])
        cell.outputs = shown[:1] if is_test(cell) else shown
    return page


def executed(root: Path, lab: str) -> NotebookNode:
    """The solution after Run All, in an empty folder.

    Raises:
        CourseError: a cell fails.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = source_of(root, lab)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(notebook, timeout=900, resources={"metadata": {"path": folder}})
        try:
            return client.execute()
        except CellExecutionError as error:
            raise CourseError(f"The solution of {lab} does not run: {error}") from error


def write_source(root: Path, labs: Sequence[str], folder: Path) -> None:
    """What Sphinx reads: its settings, the index, and each lab with outputs."""
    shutil.copytree(root / "docs" / "page", folder)
    readme = root / "notebooks" / "README.md"
    # The lab index links to every lab: a page of some has a bare list instead.
    whole = list(labs) == all_labs(root) and readme.exists()
    head = readme.read_text(encoding="utf-8") if whole else "# The labs\n"
    listed = "\n".join(f"{lab}/{lab}" for lab in labs)
    index = f"{head}\n```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n"
    (folder / "index.md").write_text(index, encoding="utf-8")
    for lab in labs:
        print(f"running {lab} ...", flush=True)
        student = read_notebook(root / "notebooks" / lab / f"{lab}.ipynb")
        (folder / lab).mkdir()
        write(with_outputs(student, executed(root, lab)), folder / lab / f"{lab}.ipynb")


def build(root: Path, labs: Sequence[str], out: Path) -> None:
    """Write the page into ``out``, in place of an earlier one.

    Raises:
        CourseError: a lab does not run, Sphinx warns of anything, or a link is broken.
    """
    with tempfile.TemporaryDirectory() as place:
        source, html = Path(place, "source"), Path(place, "html")
        write_source(root, labs, source)
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
        done = subprocess.run([*command, source, html], capture_output=True, text=True)
        if done.returncode:
            raise CourseError(f"Sphinx is not content, and nothing was written:\n{done.stderr}")
        shutil.rmtree(html / ".doctrees", ignore_errors=True)
        broken = list(broken_links(html))
        if broken:
            told = "\n".join(f"  - {line}" for line in broken)
            raise CourseError(f"The page has broken links, and nothing was written:\n{told}")
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(html, out)


# ---------------------------------------------------------------- links


class _Page(HTMLParser):
    """The links, the parts that it needs, and the names within one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.needs: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.names |= {given[name] for name in ("id", "name") if name in given}
        if "src" in given or (tag == "link" and "href" in given):
            self.needs.append(given.get("src") or given.get("href", ""))
        elif tag == "a" and "href" in given:
            self.links.append(given["href"])


def broken_links(folder: Path) -> Iterator[str]:
    """What leads nowhere in the pages of a folder: files, places in a page, parts from elsewhere.

    Links to other sites are only looked at, not followed.
    """
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}
    for path, page in pages.items():
        name = path.relative_to(folder)
        for address in page.needs:
            if urlsplit(address).netloc:
                yield f"{name} needs {address}, which does not lie beside it"
        for address in [*page.links, *page.needs]:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                if parts.scheme not in ("https", "mailto", "data"):
                    yield f"{name} links to {address}; expected https"
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                yield f"{name} links to {address}, which is not there"
            elif (
                parts.fragment
                and target in pages
                and unquote(parts.fragment) not in pages[target].names
            ):
                yield f"{name} links to {address}: that page has no such place"


def main(arguments: Sequence[str]) -> int:
    """Build the page of these labs, or of all, into ``build/page``; 1 where that fails."""
    root = Path(__file__).resolve().parents[1]
    os.environ.setdefault("COURSE_BUDGET", "smoke")
    os.environ["COURSE_PROGRESS"] = "0"
    out = root / "build" / "page"
    try:
        build(root, list(arguments) or all_labs(root), out)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The page is ready: {out / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
