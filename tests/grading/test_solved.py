"""grading.solved: exported cells become a module that imports, and that ruff leaves alone."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from grading.solved import solved_module

CELLS = (
    "import math\nfrom torch import Tensor, nn\n\nTAU = 2 * math.pi",
    "from collections.abc import Sequence\nfrom torch import float32 as f32\nimport torch",
    "def first(x: Sequence[int]) -> int:\n"
    "    ### BEGIN SOLUTION\n    return x[0]\n    ### END SOLUTION",
    "from course_utils.shapes import expand_time, time_batch\nimport numpy as np",
    "class Second(nn.Module):\n    def forward(self, x: Tensor) -> Tensor:\n        return x * TAU",
)


def notebook(*sources: str) -> nbformat.NotebookNode:
    made = nbformat.v4.new_notebook(metadata={"course": {"title": "A title"}})
    for source in sources:
        made.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": ["export"]}))
    made.cells.append(nbformat.v4.new_code_cell("%time not_exported()"))
    made.cells.append(nbformat.v4.new_markdown_cell("text"))
    return made


def test_imports_are_gathered_sorted_and_merged() -> None:
    text = solved_module(notebook(*CELLS), "tiny")
    assert text.startswith('"""The finished jobs of lab tiny, "A title".')
    assert text.split('"""')[2].startswith(
        "\n\nimport math\nfrom collections.abc import Sequence\n\n"
        "import numpy as np\nimport torch\nfrom torch import Tensor, nn\n"
        "from torch import float32 as f32\n\n"
        "from course_utils.shapes import expand_time, time_batch\n\nTAU = 2 * math.pi\n"
    )
    assert "SOLUTION" not in text and "return x[0]" in text and "%time" not in text


def test_a_module_stands_on_its_own() -> None:
    names: dict[str, object] = {}
    sources = (
        "import math",
        "TAU = 2 * math.pi",
        "def turn(x: float) -> float:\n    return x / TAU",
    )
    exec(solved_module(notebook(*sources), "tiny"), names)
    assert names["turn"](names["TAU"]) == 1.0  # type: ignore[operator]


@pytest.mark.parametrize("count", range(1, len(CELLS) + 1))
def test_ruff_has_nothing_to_say(count: int, tmp_path: Path) -> None:
    path = tmp_path / "solved.py"
    path.write_text(solved_module(notebook(*CELLS[:count]), "tiny"), encoding="utf-8")
    config = Path(__file__).resolve().parents[2] / "pyproject.toml"
    for command in (["check", "--select", "E,W,I"], ["format", "--diff"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", "--config", str(config)]
        done = subprocess.run([*ruff, str(path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_long_imports_are_wrapped() -> None:
    names = ", ".join(f"a_rather_long_name_{number}" for number in range(9))
    text = solved_module(notebook(f"from torch import {names}"), "tiny")
    assert "from torch import (\n    a_rather_long_name_0,\n" in text
    assert max(map(len, text.splitlines())) <= 100
