"""course.toml: what it says, what it must not say, and where it arrives."""

from __future__ import annotations

from pathlib import Path

import pytest

from grading.notebooks import CourseError, read_notebook
from grading.release import all_labs, differences, generate
from grading.settings import BEGIN, END, UNSET, Settings, badges, settings, wheel_name, with_badges

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "https://www.example.edu/course"


def test_without_a_file_nothing_is_set(tmp_path: Path) -> None:
    assert settings(tmp_path) == Settings("", "", "main")
    assert settings(tmp_path).wheel_address("cfg") == ""


def test_what_is_set_is_read(tmp_path: Path) -> None:
    (tmp_path / "course.toml").write_text(
        f'[handout]\naddress = "{ADDRESS}/"\n[colab]\nrepository = "a/b"\nbranch = "term/1"\n'
    )
    found = settings(tmp_path)
    assert found == Settings(ADDRESS, "a/b", "term/1")
    assert found.wheel_address("cfg") == f"{ADDRESS}/{wheel_name('cfg')}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[handout", "cannot be read"),
        ("[hand]\n", "[hand] is no part of it"),
        ('colab = "a/b"\n', "[colab] is no part of it"),
        ('[handout]\nadress = ""\n', "[handout] has adress; expected address"),  # codespell:ignore
        ("[colab]\nbranch = 1\n", "branch is 1; expected text"),
        ('[handout]\naddress = "www.example.edu"\n', "expected something like 'https://"),
        ('[handout]\naddress = "https://a.edu/\\"x"\n', "expected something like 'https://"),
        ('[colab]\nrepository = "https://github.com/a/b"\n', "'example/generative-models'"),
    ],
)
def test_what_makes_no_sense_is_told(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "course.toml").write_text(text)
    with pytest.raises(CourseError) as told:
        settings(tmp_path)
    assert words in str(told.value) and "course.toml" in str(told.value)


def test_badges_need_both_the_repository_and_the_address() -> None:
    assert badges(Settings(ADDRESS, ""), ["cfg"]) == UNSET
    assert badges(Settings("", "a/b"), ["cfg"]) == UNSET
    lines = badges(Settings(ADDRESS, "a/b", "term"), ["mnist", "cfg"]).split("\n")
    assert len(lines) == 2
    assert lines[1].startswith("[![Open lab 2, cfg, in Colab](")
    assert lines[1].endswith("/github/a/b/blob/term/notebooks/cfg/cfg.ipynb)")


def test_badges_stand_between_their_marks_and_nothing_else_changes() -> None:
    readme = f"# A\n\n{BEGIN}\nold\n{END}\n\nmore\n"
    assert with_badges(readme, "new") == f"# A\n\n{BEGIN}\nnew\n{END}\n\nmore\n"
    assert with_badges("# no marks\n", "new") == "# no marks\n"


def test_readme_has_what_course_toml_asks_for() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert BEGIN in readme
    assert with_badges(readme, badges(settings(ROOT), all_labs(ROOT))) == readme


def _with_first_cell(folder: Path) -> None:
    """Give the tiny lab the cell that fetches the course."""
    path = folder / "solutions" / "tiny" / "tiny.ipynb"
    text = path.read_text("utf-8")
    notebook = read_notebook(path)
    cell = notebook.cells[1].copy() | {"cell_type": "code", "id": "tiny-course", "metadata": {}}
    cell |= {"source": 'LAB, WHEEL, BEGAN = "tiny", "", 0', "outputs": [], "execution_count": None}
    notebook.cells.insert(1, type(notebook.cells[0])(cell))
    from grading.notebooks import notebook_text

    path.write_text(notebook_text(notebook), encoding="utf-8")
    assert path.read_text("utf-8") != text


def test_release_writes_the_address_into_notebook_and_readme(
    tiny_course: Path, tmp_path: Path
) -> None:
    _with_first_cell(tiny_course)
    (tiny_course / "README.md").write_text(f"# Course\n{BEGIN}\n{END}\n", encoding="utf-8")

    def made(name: str) -> tuple[str, str]:
        generate(tiny_course, ["tiny"], tmp_path / name)
        notebook = read_notebook(tmp_path / name / "notebooks" / "tiny" / "tiny.ipynb")
        cell = next(cell for cell in notebook.cells if cell.id == "tiny-course")
        return cell.source, (tmp_path / name / "README.md").read_text("utf-8")

    assert made("unset") == (
        'LAB, WHEEL, BEGAN = "tiny", "", 0',
        f"# Course\n{BEGIN}\n{UNSET}\n{END}\n",
    )
    (tiny_course / "course.toml").write_text(
        f'[handout]\naddress = "{ADDRESS}"\n[colab]\nrepository = "a/b"\n'
    )
    cell, readme = made("set")
    assert cell == f'LAB, WHEEL, BEGAN = "tiny", "{ADDRESS}/{wheel_name("tiny")}", 0'
    assert "a/b/blob/main/notebooks/tiny/tiny.ipynb" in readme and UNSET not in readme


def test_a_readme_that_lags_behind_is_told(tiny_course: Path) -> None:
    (tiny_course / "README.md").write_text(f"{BEGIN}\nold\n{END}\n", encoding="utf-8")
    found = {str(one.path): one.what for one in differences(tiny_course)}
    assert found["README.md"] == "differs from course.toml"
