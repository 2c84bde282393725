"""Preflight: what is mended, what is refused, and that nothing makes it stumble."""

from __future__ import annotations

import json
import os
import random
import time

import pytest
from tiny_class import Lab, packed
from tiny_class import lab_fixture as lab_fixture

from grading.intake import Choice, choose_file, inspect, lab_in
from grading.notebooks import is_test
from grading.restore import grade_id

ROUNDS = int(os.environ.get("COURSE_ROUNDS", "300"))


@pytest.fixture
def solved(lab: Lab) -> bytes:
    """A complete submission's bytes."""
    return packed(lab.honest["solved"])


def changed(data: bytes, **metadata: object) -> bytes:
    """The submission with other notebook metadata."""
    tree = json.loads(data)
    tree["metadata"] |= metadata
    return json.dumps(tree).encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty"),
        (b"\0" * 9, "The file is empty"),
        (b"PK\x03\x04rest", "a zip archive or an office document"),
        (b"%PDF-1.7", "is a PDF"),
        (b"\x1f\x8b\x08", "compressed archive"),
        (b"  <!DOCTYPE html><title>Log in</title>", "such as a login page"),
        (b"# %%\nimport torch\n", "is a script"),
        (b'{"cells": [{"cell_type": "code", "sou', "breaks off at line 1"),
        (b'{"cells": [}\n, 1, 2, 3, 4]}', "is damaged at line 1"),
        (b"{\xff}", "not UTF-8"),
        (b"[1, 2]", "no list of cells"),
        (b'{"cells": 3}', "no list of cells"),
        (b'{"worksheets": 3}', "left behind in 2015"),
        (b"[" * 200_000, "damaged"),
        (b'{"cells": [{"cell_type": "code", "source": "1"}]}', "No cell of this lab"),
        (b'{"cells": [' + b"{}," * 2_000 + b"{}]}", "2,001 cells and 2,000 are accepted"),
    ],
)
def test_what_is_no_submission_is_named(lab: Lab, data: bytes, words: str) -> None:
    found = inspect(data, lab.frame)
    assert found.notebook is None
    assert words in str(found.reason)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"kernelspec": {"name": "ir", "language": "R", "display_name": "R"}}, "kernel is R;"),
        ({"language_info": {"name": "julia"}}, "kernel is julia;"),
        ({"kernelspec": {"name": "python2", "language": "python"}}, "kernel is Python 2;"),
        ({"kernelspec": {}, "language_info": {"name": "python", "version": "2.7.1"}}, "Python 2;"),
    ],
)
def test_another_language_is_refused(
    lab: Lab, solved: bytes, metadata: dict[str, object], words: str
) -> None:
    blank = changed(solved, kernelspec={}, language_info={})
    assert words in str(inspect(changed(blank, **metadata), lab.frame).reason)


@pytest.mark.parametrize(
    "metadata",
    [
        {"kernelspec": {"name": "conda-env-x", "language": "python", "display_name": "x"}},
        {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "colab": {"name": "x"}},
        {"kernelspec": None, "language_info": "python", "vscode": {}},
    ],
)
def test_python_by_any_name_is_accepted(
    lab: Lab, solved: bytes, metadata: dict[str, object]
) -> None:
    assert inspect(changed(solved, **metadata), lab.frame).notes == ()


def test_what_can_be_mended_is_mended_and_noted(lab: Lab, solved: bytes) -> None:
    whole = inspect(solved, lab.frame).notebook
    text = solved.decode()
    for data, words in (
        (b"\xef\xbb\xbf" + solved, None),
        (text.encode("utf-16"), "UTF-16"),
        (solved + b"\n<<<<<<< HEAD", "behind the notebook's end"),
        (solved.replace(b'"metadata": {}', b'"metadata": {"x": NaN}'), None),
    ):
        found = inspect(data, lab.frame)
        assert found.notebook == whole, words
        assert [words in note for note in found.notes] == ([] if words is None else [True])


def test_a_notebook_of_2014_is_converted(lab: Lab, solved: bytes) -> None:
    cells = [
        {"cell_type": "code", "input": cell["source"], "language": "python", "outputs": [],
         "metadata": cell["metadata"], "collapsed": False}
        if cell["cell_type"] == "code"
        else {"cell_type": "markdown", "source": cell["source"], "metadata": cell["metadata"]}
        for cell in json.loads(solved)["cells"]
    ]  # fmt: skip
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}
    found = inspect(json.dumps(old).encode(), lab.frame)
    assert found.reason is None and "before 2015" in found.notes[0]
    assert found.notebook is not None
    assert [c.source for c in found.notebook.cells if is_test(c)] == [
        c.source for c in lab.frame.cells if is_test(c)
    ]


def test_large_attachments_go_and_large_cells_are_refused(lab: Lab, solved: bytes) -> None:
    tree = json.loads(solved)
    text = next(cell for cell in tree["cells"] if cell["cell_type"] == "markdown")
    text["attachments"] = {"a.png": {"image/png": "x" * 9_000_000}}
    found = inspect(json.dumps(tree).encode(), lab.frame)
    assert found.reason is None and "attachments of cell" in found.notes[0]
    text["source"] = ["y" * 600_000, "y" * 600_000]
    assert "1,200,000 characters" in str(inspect(json.dumps(tree).encode(), lab.frame).reason)


def test_nothing_makes_it_stumble(lab: Lab, solved: bytes) -> None:
    """Notebooks with bytes changed, cut, doubled or put elsewhere: a whole lab or a reason."""
    stream = random.Random(1)
    tests = {grade_id(cell) for cell in lab.frame.cells if is_test(cell)}
    for round_ in range(ROUNDS):
        data = bytearray(solved)
        for _ in range(stream.choice((1, 1, 2, 8))):
            at, length = stream.randrange(len(data)), stream.randrange(1, 60)
            piece = bytes(data[at : at + length])
            match stream.randrange(4):
                case 0:
                    data[at] = stream.randrange(256)
                case 1:
                    del data[at : at + length]
                case 2:
                    data[at:at] = piece
                case _:
                    other = stream.randrange(len(data))
                    data[other : other + len(piece)] = piece
        started = time.perf_counter()
        found = inspect(bytes(data), lab.frame)
        assert time.perf_counter() - started < 1, round_
        if found.notebook is None:
            assert found.reason, round_
        else:
            kept = {grade_id(c) for c in found.notebook.cells if "nbgrader" in c.metadata}
            assert tests <= kept, round_


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    "name",
    [
        "cfg (1).ipynb", "CFG.ipynb", "cfg-Copy1.ipynb", "Copy of cfg.ipynb", "cfg.ipynb.txt",
        "cfg_smith_123.ipynb", "lab2_cfg_final.ipynb", "cfg.ipynb.json", "homework.ipynb",
    ],
)  # fmt: skip
def test_near_misses_are_taken_with_a_note(name: str) -> None:
    assert choose_file([name, "timestamp.txt", ".cfg.ipynb"], "cfg") == Choice(
        name, note=f"The file was called '{name}' and not 'cfg.ipynb'."
    )


def test_the_right_name_wins_and_two_of_a_kind_do_not() -> None:
    assert choose_file(["cfg.ipynb", "cfg (1).ipynb"], "cfg") == Choice("cfg.ipynb")
    assert choose_file(["cfg old.ipynb", "scratch.ipynb"], "cfg") == Choice(
        "cfg old.ipynb", note="The file was called 'cfg old.ipynb' and not 'cfg.ipynb'."
    )
    doubt = choose_file(["cfg (1).ipynb", "cfg (2).ipynb", "scratch.ipynb"], "cfg")
    assert doubt is not None and doubt.name is None
    assert "cfg (1).ipynb, cfg (2).ipynb. Call the right one cfg.ipynb" in str(doubt.reason)
    assert choose_file(["edit.ipynb"], "dit") is not None  # the only notebook there is
    two = choose_file(["edit.ipynb", "cfg.ipynb"], "dit")
    assert two is not None and two.name is None
    assert choose_file(["answers.pdf"], "cfg") is None
    found = choose_file(["Classifier Guidance.ipynb", "x.ipynb"], "classifier_guidance")
    assert found is not None and found.name == "Classifier Guidance.ipynb"


def test_a_notebook_tells_its_lab() -> None:
    assert lab_in(b'{"metadata": {"course": {"lab": "cfg"}}}') == "cfg"
    for data in (b"", b"{", b"[]", b'{"metadata": {"course": {"lab": 3}}}', b"\xff"):
        assert lab_in(data) is None
