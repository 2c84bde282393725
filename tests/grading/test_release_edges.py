"""grading.release: what students get, the same each time, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from grading import release as module
from grading.index import INDEX
from grading.notebooks import CourseError
from grading.release import chosen_labs, describe, differences, find_root, release

NOTEBOOK = Path("notebooks/tiny/tiny.ipynb")
SOLVED = Path("course_utils/solved/tiny.py")
PACKAGE = Path("course_utils/solved/__init__.py")
SECRETS = ("secret way", "hidden root", "hidden norm", "Rubric", "Squares are smooth", "NOTE")


def files(root: Path) -> dict[str, bytes]:
    """Every file below a folder but Python's caches, by its relative path."""
    found = (path for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def cells(path: Path) -> dict[str, nbformat.NotebookNode]:
    return {cell.id: cell for cell in nbformat.read(path, 4).cells}


def litter(root: Path) -> None:
    """What an instructor leaves beside a source."""
    lab = root / "solutions" / "tiny"
    for name in ("notes.md", ".secret", "data.csv", "rubric.txt", "tiny.py", "assets/plan.png"):
        (lab / name).parent.mkdir(exist_ok=True)
        (lab / name).write_text("NOTE to self")
    (lab / ".ipynb_checkpoints").mkdir()
    (lab / ".ipynb_checkpoints" / "tiny-checkpoint.ipynb").write_text("NOTE {}")


# ---------------------------------------------------------------- what comes out


def test_students_get_stubs_checks_and_metadata(tiny_course: Path) -> None:
    release(tiny_course)
    out = cells(tiny_course / NOTEBOOK)
    answer = out["tiny-1-1-answer"].source
    assert answer.count('        raise NotImplementedError("Your job 1.1")') == 2
    assert "Where the line crosses zero." in answer
    assert out["tiny-1-2-answer"].source.endswith('    raise NotImplementedError("Your job 1.2")')
    assert out["tiny-1-3-answer"].source == "YOUR ANSWER HERE"
    check = out["tiny-1-1-check"]
    assert check.source == "assert Line(2, 1)(3) == 7"
    assert check.metadata.tags == ["raises-exception"]
    assert check.metadata.nbgrader.points == 2 and len(check.metadata.nbgrader.checksum) == 32
    assert check.metadata.course == {"job": "1.1"} and check.metadata.editable is False
    assert "tags" not in out["tiny-1-1-answer"].metadata
    head = nbformat.read(tiny_course / NOTEBOOK, 4).metadata
    assert set(head) == {"course", "kernelspec", "language_info"}


def test_a_stub_that_the_author_wrote_stays(tiny_course: Path, edit_tiny) -> None:
    line = "class Base:\n    def f(self):\n        raise NotImplementedError()\n\n\n"

    def add(notebook):
        notebook["cells"][6]["source"] = line + notebook["cells"][6]["source"]

    edit_tiny(add)
    release(tiny_course)
    assert cells(tiny_course / NOTEBOOK)["tiny-1-2-answer"].source.startswith(line)


def test_solved_module_works(tiny_course: Path) -> None:
    release(tiny_course)
    text = (tiny_course / SOLVED).read_text("utf-8")
    names: dict = {}
    exec(text, names)
    assert names["Line"](2, 1)(3) == 7 and names["Line"](4, -8).root() == 2
    assert names["norm"]([3, 4]) == 5
    assert "solutions/tiny/tiny.ipynb" in text and "###" not in text


def test_nothing_but_the_notebook_comes_out(tiny_course: Path) -> None:
    litter(tiny_course)
    before = set(files(tiny_course))
    release(tiny_course)
    made = files(tiny_course)
    new = {path.as_posix() for path in (NOTEBOOK, SOLVED, PACKAGE, INDEX)}
    assert set(made) - before == new
    for secret in SECRETS:
        assert secret.encode() not in made[NOTEBOOK.as_posix()], secret


def test_bytes_are_the_same_in_every_process_and_from_plain_nbgrader(
    tiny_course: Path, tmp_path: Path
) -> None:
    """Three processes, three hash seeds: ours here, `course release`, `nbgrader`, with litter."""
    litter(tiny_course)
    copies = {name: tmp_path / name for name in ("course", "again", "plain")}
    for name in ("again", "plain"):
        for path, data in files(tiny_course).items():
            (copies[name] / path).parent.mkdir(parents=True, exist_ok=True)
            (copies[name] / path).write_bytes(data)
    release(tiny_course)
    plain = ["-m", "nbgrader", "generate_assignment", "tiny", "--no-db"]
    ours = ["-m", "grading.cli", "release"]
    runs = [
        subprocess.Popen(
            [sys.executable, *command],
            cwd=copies[name],
            env=os.environ | {"PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for command, name, seed in ((ours, "again", "1"), (plain, "plain", "2"))
    ]
    for run in runs:
        said, _ = run.communicate(timeout=120)
        assert run.returncode == 0, said.decode()
    assert files(copies["again"]) == files(tiny_course)
    (tiny_course / INDEX).unlink()  # the course's own, not nbgrader's
    assert files(copies["plain"] / "notebooks") == files(tiny_course / "notebooks")


def test_a_second_release_changes_no_byte(tiny_course: Path) -> None:
    assert {one.path for one in release(tiny_course)} == {NOTEBOOK, SOLVED, INDEX}
    before = files(tiny_course)
    assert release(tiny_course) == []
    assert files(tiny_course) == before


def test_metadata_of_the_source_do_not_come_through(tiny_course: Path, edit_tiny) -> None:
    release(tiny_course)
    before = files(tiny_course / "notebooks")

    def save_elsewhere(notebook):
        notebook["metadata"]["language_info"] = {"name": "python", "version": "3.12.1"}
        notebook["metadata"]["widgets"] = {"state": {}}
        for cell in notebook["cells"]:
            cell["metadata"]["execution"] = {"shell.execute_reply": "today"}

    edit_tiny(save_elsewhere)
    release(tiny_course)
    assert files(tiny_course / "notebooks") == before


# ---------------------------------------------------------------- refusals


def test_a_source_that_breaks_a_rule_changes_nothing(tiny_course: Path, edit_tiny) -> None:
    release(tiny_course)
    before = files(tiny_course / "notebooks")
    edit_tiny(lambda notebook: notebook["cells"][3].pop("id"))
    with pytest.raises(CourseError, match="cell 4 has no id"):
        release(tiny_course)
    assert files(tiny_course / "notebooks") == before


def test_a_leak_is_refused_and_nothing_is_written(
    tiny_course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should nbgrader ever leave a solution in, the release does not happen."""
    from nbgrader.preprocessors import ClearSolutions

    monkeypatch.setattr(ClearSolutions, "preprocess_cell", lambda self, cell, res, i: (cell, res))
    with pytest.raises(CourseError, match=r"leak in cell tiny-1-1-answer") as error:
        release(tiny_course)
    assert "Traceback" not in str(error.value)
    assert not (tiny_course / "notebooks").exists() and not list(tiny_course.glob(".release-*"))


def test_plain_nbgrader_refuses_a_second_notebook(
    tiny_course: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from nbgrader.apps import GenerateAssignmentApp

    source = tiny_course / "solutions" / "tiny" / "tiny.ipynb"
    source.with_name("scratch.ipynb").write_bytes(source.read_bytes())
    monkeypatch.chdir(tiny_course)
    GenerateAssignmentApp.clear_instance()
    app = GenerateAssignmentApp.instance()
    try:
        app.initialize(["tiny", "--no-db"])
        with pytest.raises(SystemExit):
            app.start()
    finally:
        GenerateAssignmentApp.clear_instance()
    assert "no other notebook" in capfd.readouterr().err
    assert not (tiny_course / NOTEBOOK).exists()
    release(tiny_course)
    assert [path.name for path in (tiny_course / NOTEBOOK).parent.iterdir()] == ["tiny.ipynb"]


@pytest.mark.parametrize("broken", ["missing", "syntax"])
def test_without_a_usable_configuration_there_is_no_release(tiny_course: Path, broken: str) -> None:
    path = tiny_course / "nbgrader_config.py"
    path.unlink() if broken == "missing" else path.write_text("c = get_config(\n")
    with pytest.raises(CourseError, match=r"nbgrader_config\.py"):
        release(tiny_course)


# ---------------------------------------------------------------- into place


def add_lab(root: Path, name: str) -> None:
    """A second lab, like the first."""
    text = (root / "solutions" / "tiny" / "tiny.ipynb").read_text("utf-8")
    (root / "solutions" / name).mkdir()
    path = root / "solutions" / name / f"{name}.ipynb"
    path.write_text(text.replace('"lab": "tiny"', f'"lab": "{name}"'), encoding="utf-8")


@pytest.mark.parametrize("fails_at", range(4))
def test_a_failure_while_files_move_puts_all_of_them_back(
    tiny_course: Path, edit_tiny, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    release(tiny_course)
    add_lab(tiny_course, "twin")
    edit_tiny(lambda notebook: notebook["cells"][-1].update(source="That is more."))
    before = files(tiny_course)
    replace, calls = Path.replace, []

    def failing(self: Path, target: Path) -> Path:
        if "backup" not in self.parts and len(calls) <= fails_at:
            calls.append(target)
            if len(calls) > fails_at:
                raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(CourseError, match=r"could not be written \(No space left"):
        release(tiny_course)
    assert files(tiny_course) == before


def test_ctrl_c_while_files_move_puts_them_back(
    tiny_course: Path, edit_tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(tiny_course)
    edit_tiny(lambda notebook: notebook["cells"][-1].update(source="That is more."))
    before = files(tiny_course)

    def interrupted(target: Path, copy: Path) -> Path:
        if target.suffix == ".py" and target.stem == "tiny":
            raise KeyboardInterrupt
        return backup(target, copy)

    backup = module._backup
    monkeypatch.setattr(module, "_backup", interrupted)
    with pytest.raises(KeyboardInterrupt):
        release(tiny_course)
    assert files(tiny_course) == before


def test_files_that_are_not_generated_are_told_and_left_alone(tiny_course: Path) -> None:
    release(tiny_course)
    folder = tiny_course / "notebooks" / "tiny"
    (folder / "runs" / "one").mkdir(parents=True)
    (folder / "runs" / "one" / "checkpoint.pt").write_text("hours of work")
    (folder / "old").mkdir()
    (folder / "old" / "notes.md").write_text("somebody's work")
    said = differences(tiny_course)
    assert [(one.path.name, one.stray, one.surplus) for one in said] == [("notes.md", True, False)]
    assert release(tiny_course) == said
    assert (folder / "old" / "notes.md").read_text() == "somebody's work"
    assert (folder / "runs" / "one" / "checkpoint.pt").exists()


def test_a_lab_that_is_gone_takes_its_generated_files_along(tiny_course: Path) -> None:
    add_lab(tiny_course, "twin")
    release(tiny_course)
    (tiny_course / "solutions" / "twin" / "twin.ipynb").unlink()
    (tiny_course / "notebooks" / "mine").mkdir()
    (tiny_course / "notebooks" / "mine" / "mine.ipynb").write_text("{}")
    (tiny_course / "course_utils" / "solved" / "by_hand.py").write_text("x = 1\n")
    gone = ["course_utils/solved/twin.py", "notebooks/twin/twin.ipynb"]
    said = [one.path.as_posix() for one in differences(tiny_course)]
    assert said == [INDEX.as_posix(), *gone]  # which still lists it
    assert [one.path for one in release(tiny_course, ["tiny"])] == [INDEX]
    assert (tiny_course / gone[1]).exists()
    assert [one.path.as_posix() for one in release(tiny_course)] == gone
    assert not (tiny_course / "notebooks" / "twin").exists()
    assert (tiny_course / "notebooks" / "mine" / "mine.ipynb").exists()
    assert (tiny_course / "course_utils" / "solved" / "by_hand.py").exists()


def test_a_dry_run_changes_nothing(tiny_course: Path) -> None:
    before = files(tiny_course)
    assert {one.path for one in release(tiny_course, dry_run=True)} == {NOTEBOOK, SOLVED, INDEX}
    assert files(tiny_course) == before


# ---------------------------------------------------------------- what is stale


def test_staleness_names_file_and_cells(tiny_course: Path, edit_tiny) -> None:
    release(tiny_course)
    assert differences(tiny_course) == []
    edit_tiny(lambda notebook: notebook["cells"][8].update(source="numbers = [3]"))
    edit_tiny(lambda notebook: notebook["cells"][-1].update(source="That is more."))
    (said,) = differences(tiny_course)
    assert said.path == NOTEBOOK and said.what == "differs in cells tiny-demo, tiny-end"
    (tiny_course / SOLVED).write_text("x = 1\n")
    assert {one.path for one in differences(tiny_course)} == {NOTEBOOK, SOLVED}
    (tiny_course / NOTEBOOK).write_text("{")
    assert differences(tiny_course)[0].what == "is not a readable notebook"


def test_cells_in_another_order_are_stale(tiny_course: Path) -> None:
    release(tiny_course)
    notebook = nbformat.read(tiny_course / NOTEBOOK, 4)
    notebook.cells.append(notebook.cells.pop(0))
    nbformat.write(notebook, tiny_course / NOTEBOOK)
    (said,) = differences(tiny_course)
    assert said.what == "has its cells in another order"


def test_saved_by_jupyterlab_is_not_stale(tiny_course: Path) -> None:
    """Run All, a widget, another kernel's name, and a save: nothing that the lab says changed."""
    release(tiny_course)
    notebook = nbformat.read(tiny_course / NOTEBOOK, 4)
    notebook.metadata.language_info = {"name": "python", "version": "3.12.1", "mimetype": "x"}
    notebook.metadata.kernelspec.display_name = "Python 3"
    notebook.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    for number, cell in enumerate(notebook.cells):
        cell.metadata.update(editable=True, trusted=True, execution={"iopub.status.busy": "now"})
        cell.metadata.setdefault("tags", [])
        if cell.cell_type == "code":
            cell.execution_count = number + 1
            cell.outputs = [nbformat.v4.new_output("stream", text="ran")]
    (tiny_course / NOTEBOOK).write_text(json.dumps(notebook, indent=4), encoding="utf-8")
    assert differences(tiny_course) == []
    notebook.cells[4].source = "pass"
    (tiny_course / NOTEBOOK).write_text(json.dumps(notebook), encoding="utf-8")
    assert [one.path for one in differences(tiny_course)] == [NOTEBOOK]


# ---------------------------------------------------------------- the course folder


def test_the_course_folder_is_the_nearest_one_above(
    tiny_course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_course / "solutions" / "tiny")
    assert find_root() == tiny_course.resolve()
    assert find_root(tiny_course) == tiny_course.resolve()
    monkeypatch.chdir(tiny_course.parent)
    with pytest.raises(CourseError, match="Neither"):
        find_root()


def test_unknown_labs_are_answered_with_the_known_ones(tiny_course: Path) -> None:
    add_lab(tiny_course, "twin")
    assert chosen_labs(tiny_course, ["twin", "twin"]) == ["twin"]
    with pytest.raises(CourseError, match=r"no lab 'tinny'.* tiny, twin\. Did you mean tiny\?"):
        chosen_labs(tiny_course, ["tinny"])


def test_a_folder_without_labs_is_named(tmp_path: Path) -> None:
    (tmp_path / "solutions").mkdir()
    with pytest.raises(CourseError, match="holds no lab"):
        chosen_labs(tmp_path)


def test_labs_come_in_their_order(tiny_course: Path, edit_tiny) -> None:
    add_lab(tiny_course, "aaa")
    edit_tiny(lambda notebook: notebook["metadata"]["course"].update(number=0))
    assert chosen_labs(tiny_course) == ["tiny", "aaa"]


def test_description_of_labs(tiny_course: Path, edit_tiny) -> None:
    (lab,) = describe(tiny_course)
    assert {key: lab[key] for key in ("lab", "number", "title", "points")} == {
        "lab": "tiny",
        "number": 1,
        "title": "A tiny lab",
        "points": 5,
    }
    assert sum(job["points"] for job in lab["jobs"]) == lab["points"]
    edit_tiny(lambda notebook: notebook["cells"][2].update(source="## No job line"))
    with pytest.raises(CourseError, match=r"solutions/tiny/tiny\.ipynb, cell tiny-1-1 sets job"):
        describe(tiny_course)
