"""The PDF of a notebook: whole, read back, and never silently missing."""

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pytest
from handed_in import (
    check,
    code,
    failed,
    finished,
    notebook,
    png,
    printed,
    prose,
    shown,
    solved,
    written,
)

from course_utils.submission import pdf as module
from course_utils.submission import reader
from course_utils.submission.document import Pages
from course_utils.submission.markdown import PandocError
from course_utils.submission.pdf import Pdf, make_pdf
from course_utils.submission.reader import LAST_RESORT, Reading, flat, read_pdf

WIDE = "+".join(f"x_{{{n}}}" for n in range(60))
HARD_ANSWER = rf"""### A heading

Déjà vu, “quotes”, *emphasis*, `code_{"y" * 120}`, a [link](https://example.org/a_(b)),
ﬁ, ½, → ∇ ∅ ũ.

Because $ p(x|y) \propto p(x)\,p(y|x)^w $ we get

\begin{{align}}
\tilde u_t(x) &= (1-w)\,u_t(x\mid\varnothing) + w\,u_t(x\mid y) \\
&= \int_0^1 \frac{{\alpha_t}}{{\beta_t}}\,\mathrm{{d}}t
\end{{align}}

and $$ {WIDE} $$ and $\frac{{{WIDE}}}{{2}}$ done.

1. first
   - nested *one*
     1. deepest
2. second

| a | {"averylongword" * 9} | c | d | e | f | g |
|---|---|---|---|---|---|---|
| 1 | {"anotherlongword" * 9} | $p(x|y)$ | x | {"z" * 200} | y | z |

<div>A division with <b>bold</b> words <table><tr><td>cell</td></tr></table></div>

![inside](attachment:p.png) ![outside](https://example.org/x.png) ![beside](picture.png)
![above](../secret.png)

Emoji 😀, Hebrew שלום, Arabic مرحبا, u̇ combining.

{"w" * 1500}

last words"""


@pytest.fixture(scope="module")
def hard(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Pdf]:
    """A notebook with everything that is hard to set, and its PDF."""
    folder = tmp_path_factory.mktemp("hard")
    import base64

    (folder / "picture.png").write_bytes(base64.b64decode(png(50, 40)))
    (folder.parent / "secret.png").write_bytes(base64.b64decode(png(50, 40)))
    bar = "<svg xmlns='http://www.w3.org/2000/svg' width='2000' height='9'><path d='M0 0h9'/></svg>"
    traced = [f"\x1b[32mFile {n}\x1b[0m " + "path/" * (n % 50) for n in range(200)]
    tree = notebook(
        prose("# 2. A lab"),
        written(HARD_ANSWER, attachments={"p.png": {"image/png": png(800, 300)}}),
        prose("```python\nnever closed"),
        code(f"x = '{'z' * 5000}'", 1, [printed("v" * 1500 + "\n"), printed("█" * 300)]),
        code("wide()", 2, [shown("image/png", png(4000, 600)), shown("image/png", png(300, 6000))]),
        code("1 / 0", 3, [failed("ZeroDivisionError", "division by zero", traced)]),
        code("svg()", 4, [shown("image/svg+xml", bar)]),
        solved(f"def answer(x):\n    # {'comment ' * 60}\n    return 'ũ ∅'  # → ½", count=5),
        {"cell_type": "raw", "id": "raw", "metadata": {}, "source": "raw " * 100},
    )
    return tree, make_pdf(tree, "Lab 2: Guidance", "Ada Lovelace", folder)


def test_a_hard_notebook_comes_out_whole(hard: tuple[dict[str, Any], Pdf]) -> None:
    tree, pdf = hard
    assert pdf.data is not None and (pdf.reason, pdf.notes) == (None, ())
    reading = read_pdf(pdf.data)
    assert reading.pages == pdf.pages > 3 and not reading.outside and not reading.missing
    # Two in the text, two below the code; the ones from the net and from above stay out.
    assert reading.pictures == 4
    for words in ("A picture from the net: https://example.org/x.png", "last words", "never closed",
                  "The picture ../secret.png was not found", "WRITTEN ANSWER 2.5", "[5] ANSWER 2.1",
                  "90 lines are left out here", "w" * 1500, "z" * 5000, "v" * 1500,
                  "File 199"):  # fmt: skip
        assert flat(words) in flat(reading.text), words
    assert reader.lacking(tree["cells"], reading.text) == {}


def test_the_margins_of_every_page_are_white(hard: tuple[dict[str, Any], Pdf]) -> None:
    """By ink, not by what the reader of text believes; the head has its own width."""
    assert hard[1].data is not None
    document = pdfium.PdfDocument(hard[1].data)
    for number in range(len(document)):
        page = document[number].render(scale=1).to_pil().convert("L")
        width, height = page.size
        for edge in ((0, 0, 46, height), (width - 48, 0, width, height),
                     (0, height - 40, width, height)):  # fmt: skip
            assert page.crop(edge).getextrema()[0] > 250, (number, edge)
        assert page.getextrema()[0] < 128
    document.close()


def test_each_page_names_the_lab_the_student_and_itself(hard: tuple[dict[str, Any], Pdf]) -> None:
    assert hard[1].data is not None
    document = pdfium.PdfDocument(hard[1].data)
    for number in range(len(document)):
        page = document[number]
        _, height = page.get_size()
        head = page.get_textpage().get_text_bounded(bottom=height - 60)
        assert "Lab 2: Guidance" in head and "Ada Lovelace" in head
        assert f"page {number + 1} of {len(document)}" in head
    document.close()


def test_what_has_no_font_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_system_fonts", lambda: ["No Such Font"])
    pdf = make_pdf(notebook(written("Chinese 你好, an emoji 🎉 and plain words")), "Lab")
    assert pdf.data is not None
    (note,) = pdf.notes
    assert "3 characters" in note and set("你好🎉") <= set(note)


def test_fonts_of_the_machine_are_used_for_what_ours_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    used = []
    monkeypatch.setattr(module, "_system_fonts", lambda: used.append(1) or ["Some Font"])
    make_pdf(notebook(written("only Latin, Ελληνικά and →")), "Lab")
    assert not used
    make_pdf(notebook(written("你好")), "Lab")
    assert used
    assert not [name for name in module._system_fonts() if LAST_RESORT in name]


def test_missing_software_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None if name != "typst" else object())
    pdf = make_pdf(finished(), "Lab")
    assert pdf.data is None and pdf.reason is not None
    assert "pip install pypandoc_binary pypdfium2" in pdf.reason


def test_the_extra_names_the_same_packages() -> None:
    import tomllib

    root = Path(__file__).resolve().parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extra = project["optional-dependencies"]["submit"]
    names = {line.partition(">")[0].replace("-", "_") for line in extra}
    assert names == set(module.NEEDED.values())


def test_the_light_core_is_enough_for_everything_but_the_pdf() -> None:
    """No module of the package imports the extra's packages, nor torch, when it is imported."""
    import subprocess

    script = textwrap.dedent(
        """
        import sys
        import course_utils.submission, course_utils.submission.__main__
        heavy = {"typst", "pypandoc", "pypdfium2", "torch", "matplotlib", "PIL", "nbformat"}
        print(sorted(heavy & set(sys.modules)))
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_typst_knows_every_formula_of_the_labs() -> None:
    """Pandoc and Typst are made by different people, and names of symbols change."""
    root = Path(__file__).resolve().parents[2]
    paths = sorted(root.glob("solutions/*/*.ipynb"))
    cells = [cell for path in paths for cell in json.loads(path.read_text("utf-8"))["cells"]]
    texts = [cell for cell in cells if cell["cell_type"] == "markdown"]
    symbols = r"$\odot \otimes \oplus \ominus \bigodot \bigotimes \bigoplus \varnothing \perp$"
    pdf = make_pdf(notebook(*texts, prose(symbols)), "All labs")
    assert pdf.data is not None and pdf.notes == ()
    # What Pandoc cannot read would stand there as it was typed.
    text = read_pdf(pdf.data).text
    assert "\\frac" not in text and "\\mathbb" not in text and "\\begin" not in text


# ---------------------------------------------------------------- what goes wrong


def test_a_cell_that_cannot_be_set_is_shown_as_it_was_typed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = module.pages_of

    def spoilt(tree: Any, folder: Path, plain: Any = ()) -> Pages:
        pages = real(tree, folder, plain)
        if 1 not in plain:
            pages.parts[1] = "#no-such-function()"
        return pages

    monkeypatch.setattr(module, "pages_of", spoilt)
    tree = notebook(prose("# T"), written("with $x$ in it"), prose("end"))
    pdf = make_pdf(tree, "Lab")
    assert pdf.data is not None and "stands in the PDF as it was typed" in pdf.notes[0]
    assert "with$x$init" in read_pdf(pdf.data).text.replace(" ", "")


def test_words_that_conversion_loses_come_back_as_they_were_typed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = module.pages_of

    def lossy(tree: Any, folder: Path, plain: Any = ()) -> Pages:
        pages = real(tree, folder, plain)
        pages.parts[1] = (
            pages.parts[1].replace("precious", "") if 1 not in plain else pages.parts[1]
        )
        return pages

    monkeypatch.setattr(module, "pages_of", lossy)
    pdf = make_pdf(notebook(prose("# T"), written("my precious words")), "Lab")
    assert pdf.data is not None and "precious" in read_pdf(pdf.data).text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pages": 0}, "without a page"),
        (
            {"text": "nothing of it"},
            "its text is not whole: your answer to 2.1 lacks the words 'def",
        ),
        ({"pictures": 0}, "it shows 0 of 1 pictures"),
        ({"outside": (1,)}, "something is cut off on page 1"),
    ],
)
def test_a_pdf_that_fails_its_check_is_not_handed_in(
    changes: dict[str, Any], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reading(data: bytes) -> Reading:
        found = read_pdf(data)
        kept = {name: getattr(found, name) for name in Reading.__dataclass_fields__}
        return Reading(**(kept | changes))

    monkeypatch.setattr(module, "read_pdf", reading)
    pdf = make_pdf(finished(), "Lab")
    assert pdf.data is None and pdf.reason is not None and reason in pdf.reason


def test_what_reaches_beyond_the_margin_is_noticed() -> None:
    import typst

    page = '#set page(paper: "a4", margin: 1.8cm)\n#box(width: 50cm, "x" + h(1fr) + "y")'
    assert read_pdf(bytes(typst.compile(page.encode()))).outside == (1,)
    fine = '#set page(paper: "a4", margin: (x: 1.8cm, top: 2.4cm))\nfine'
    assert read_pdf(bytes(typst.compile(fine.encode()))).outside == ()


def test_what_is_no_pdf_is_told() -> None:
    with pytest.raises(ValueError, match="cannot be opened"):
        read_pdf(b"no pdf")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PandocError("exit code 99"), "Pandoc could not read the text"),
        (RuntimeError("strange"), r"unexpected error stopped it (RuntimeError: strange)"),
    ],
)
def test_a_failing_library_gives_a_reason(
    error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(module, "pages_of", fail)
    pdf = make_pdf(finished(), "Lab")
    assert pdf.data is None and pdf.reason is not None and reason in pdf.reason


@pytest.mark.parametrize(
    "cells",
    [
        [],
        [prose("")],
        [code("", None)],
        [check(outputs=[shown("image/svg+xml", "no svg")])],
        [prose("![x](attachment:gone.png) ![y](data:image/png;base64,AAAA) ![z](/etc/hostname)")],
        [{"cell_type": "markdown", "source": ["a", "b"], "attachments": 3}],
        [prose("\x00\x1b[31m\ue0000\ue001\ud800 end")],
    ],
)
def test_odd_notebooks_get_a_pdf_or_a_reason(cells: list[Any]) -> None:
    pdf = make_pdf(json.loads(json.dumps(notebook(*cells))), "")
    assert (pdf.data is None) != (pdf.reason is None)
    if "svg" not in str(cells):
        assert pdf.data is not None
