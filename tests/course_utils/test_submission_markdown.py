"""Markdown and outputs on their way to paper, and back again."""

import base64
import io
import json
from collections.abc import Sequence

import pytest
from handed_in import code, failed, png, printed, shown
from PIL import Image

from course_utils.submission import markdown, outputs
from course_utils.submission.markdown import (
    ZERO_WIDTH,
    Converter,
    PandocError,
    breakable,
    typst_string,
    without_math,
)
from course_utils.submission.outputs import (
    LONGEST_LINE,
    MOST_LINES,
    Figure,
    Remark,
    Text,
    clean,
    figure_from,
    items_of,
    joined,
    page_text,
    shortened,
)
from course_utils.submission.reader import absent, flat


def converted(*sources: str) -> Sequence[str]:
    def picture(address: str, alt: str) -> str:
        return f"#pic({typst_string(address)}, {typst_string(alt)})"

    return Converter(picture).convert(sources, [picture] * len(sources))


# ---------------------------------------------------------------- Markdown


@pytest.mark.parametrize(
    ("source", "left", "formulas"),
    [
        ("$a$ and $ b $", "<> and <>", ["a", " b "]),
        ("`$a$` ``$b`$`` $c$", "`$a$` ``$b`$`` <>", ["c"]),
        ("```\n$a$\n```\n$b$", "```\n$a$\n```\n<>", ["b"]),
        ("```\n$a$", "```\n$a$", []),
        (r"5 \$ and $x$", r"5 \$ and <>", ["x"]),
        ("$$\na\n$$", "<>", ["\na\n"]),
        ("$$a\n\nb$$ $c$", "$$a\n\nb$$ <>", ["c"]),
        ("a $ b\n\nc $ d", "a $ b\n\nc $ d", []),
        (r"\begin{align}a&=b\end{align}", "<>", [r"\begin{align}a&=b\end{align}"]),
    ],
)
def test_formulas_are_found_as_jupyter_finds_them(
    source: str, left: str, formulas: list[str]
) -> None:
    found: list[str] = []

    def put(formula: str, display: bool) -> str:
        found.append(formula)
        return "<>"

    assert without_math(source, put) == left
    assert found == formulas


def test_formulas_become_typsts() -> None:
    inline, display, table = converted(
        r"So $ \alpha_t $ *it* `$code$`.",
        "\\begin{align}\na &= \\big\\lVert b \\big\\rVert \\\\\n c &\\;= d\n\\end{align}",
        "| $p(x|y)$ | b |\n|---|--:|\n| 1 | $a_i * b_i$ |",
    )
    assert "$alpha_t$" in inline and '#raw("$code$");' in inline and "#emph[it]" in inline
    assert display.startswith("$ a & =") and "bar.v.double b" in display and "scale" not in display
    assert "[$p \\( x \\| y \\)$]" in table and "[$a_i * b_i$]" in table
    assert "columns: 2" in table and "left,right" in table


def test_a_formula_that_nobody_knows_stays_as_it_was_typed() -> None:
    (text,) = converted(r"$\unknownthing{x}$ and on")
    assert r"\$\\unknownthing{x}\$ and on" in text


def test_html_keeps_its_words() -> None:
    (text,) = converted(
        "<div>some <b>bold</b> words<table><tr><td>cell</td></tr></table></div>\n\n"
        "<details><summary>Hint 1: this</summary>\n\ninside *it*\n</details>\n"
        "<details><summary>Hint 2</summary>\n\nmore\n</details>\n\n<!-- not this -->\n\n"
        "a<br>b <sub>c</sub>"
    )
    for words in ("some #strong[bold] words", "[cell]", "#strong[Hint 1: this", "inside #emph[it]",
                  "#strong[Hint 2"):  # fmt: skip
        assert words in text, words
    assert "not this" not in text and "details" not in text


def test_pictures_are_asked_for() -> None:
    (text,) = converted(
        "![an *alt* text](a.png) <img alt='two' src='b.png'>\n\n<p><img src='c.png'></p>"
    )
    assert '#pic("a.png", "an alt text");' in text
    assert '#pic("b.png", "two");' in text and '#pic("c.png", "");' in text


def test_a_cell_that_never_ends_a_fence_swallows_no_other() -> None:
    first, second, third = converted("```python\nx = 1", "<!-- open", "# Third")
    assert first == '#program("x = 1", "python")'
    assert second == "" and third == "= Third"


def test_nothing_typed_becomes_a_command() -> None:
    (text,) = converted("#set page(width: 1cm) @ref = b\n\n- #pagebreak()\n\n`#x`")
    assert "\\#set page" in text and "\\#pagebreak" in text and '#raw("#x");' in text


def test_links_within_the_notebook_are_words() -> None:
    (text,) = converted("[up](#top) [out](https://example.org/a)\n\n# Twice\n\n# Twice")
    assert "up" in text and "top" not in text and '#link("https://example.org/a")[out]' in text
    assert "<twice>" not in text


def test_a_long_word_may_break_anywhere_and_a_short_one_nowhere() -> None:
    assert breakable("short words stay") == "short words stay"
    long = breakable("x" * 40)
    assert long.replace(ZERO_WIDTH, "") == "x" * 40 and long.count(ZERO_WIDTH) == 39


def test_pandocs_own_words_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PandocError, match=r"nonsense"):
        markdown.pandoc("x", "-f", "nonsense", "-t", "json")
    monkeypatch.setattr(markdown, "TIMEOUT", 1e-9)
    with pytest.raises(PandocError, match="timed out"):
        markdown.pandoc("x", "-f", "json", "-t", "typst")


# ---------------------------------------------------------------- outputs


def test_terminal_text_reads_as_it_does_in_the_end() -> None:
    bar = "".join(f"\r{n}%|{'█' * n}" for n in range(11))
    assert clean(f"\x1b[31mred\x1b[0m{bar}\nnext\x07\t.\n\n") == "10%|██████████\nnext    ."
    assert joined(["a\n", "b", 3]) == "a\nb" and joined(None) == "" and joined("\ud800") == "\ufffd"


def test_a_long_output_is_shortened_and_says_so() -> None:
    lines = [f"line {n}" for n in range(500)]
    text = shortened("\n".join(lines)).split("\n")
    assert len(text) < MOST_LINES and text[0] == "line 0" and text[-1] == "line 499"
    (told,) = [line for line in text if "left out" in line]
    assert "390 lines" in told
    line = shortened("x" * (LONGEST_LINE + 10))
    assert "10 characters are left out" in line
    assert shortened("\n".join(lines[:MOST_LINES])) == "\n".join(lines[:MOST_LINES])


def test_each_output_is_shown_as_what_it_is() -> None:
    frame = f"frames[0] = 'data:image/png;base64,{png(40, 30)}'"
    items = list(
        items_of(
            code(
                "x",
                1,
                [
                    printed("one "),
                    printed("line\n"),
                    shown("image/png", png(400, 300)),
                    shown("image/svg+xml", "<svg/>"),
                    shown("text/html", frame * 9, "<IPython.core.display.HTML object>"),
                    shown("text/html", "<b>only</b> here &amp; there", "<x.Y object at 0x7f>"),
                    shown("text/html", "<table></table>", "   a\n0  1"),
                    shown("application/vnd.jupyter.widget-view+json", "", "HBox(…)"),
                    shown("image/png", "AAAA"),
                    failed("ValueError", "no", ["\x1b[31mline 1\x1b[0m", "ValueError: no"]),
                    3,
                ],
            )
        )
    )
    texts = [item for item in items if isinstance(item, Text)]
    assert [item.text for item in texts] == [
        "one line",
        "only here & there",
        "   a\n0  1",
        "line 1\nValueError: no",
    ]
    assert [item.error for item in texts] == [False, False, False, True]
    figures = [item for item in items if isinstance(item, Figure)]
    assert [item.kind for item in figures] == ["png", "svg", "png", "png", "png"]
    assert figures[0].width == pytest.approx(288)
    remarks = [item.text for item in items if isinstance(item, Remark)]
    assert remarks[0].startswith("An animation of 9 frames") and "damaged" in remarks[1]


def test_a_picture_for_sharp_screens_has_the_width_that_it_names() -> None:
    output = shown("image/png", png(800, 600)) | {"metadata": {"image/png": {"width": 400}}}
    (figure,) = items_of(code("x", 1, [output]))
    assert isinstance(figure, Figure) and figure.width == 300


def test_a_picture_with_too_many_points_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    data = base64.b64decode(png(60, 50))
    monkeypatch.setattr(outputs, "MOST_PIXELS", 2_999)
    remark = figure_from(data, None, "")
    assert isinstance(remark, Remark) and "60 by 50" in remark.text
    monkeypatch.setattr(outputs, "MOST_PIXELS", 3_000)
    assert isinstance(figure_from(data, None, ""), Figure)


def test_a_picture_in_an_odd_format_is_stored_anew() -> None:
    stored = io.BytesIO()
    Image.new("P", (10, 10)).save(stored, "GIF")
    figure = figure_from(stored.getvalue(), None, "alt")
    assert isinstance(figure, Figure) and figure.data.startswith(b"\x89PNG") and figure.alt == "alt"


def test_html_as_words() -> None:
    page = "<style>x</style><table><tr><td>a</td><td>b&nbsp;c</td></tr></table><p>d<br>e</p>"
    assert page_text(page).split() == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("given", [None, 3, [None], [{"output_type": "display_data", "data": 3}],
                                     [{"output_type": "error"}]])  # fmt: skip
def test_strange_outputs_are_no_trouble(given: object) -> None:
    cell = json.loads(json.dumps({"outputs": given}))
    assert all(isinstance(item, Text) for item in items_of(cell))


# ---------------------------------------------------------------- reading back


ANSWER = r"""### Head

1. It *is* `code_x`, [a link](https://example.org/a_(b) "title") and $\alpha$ then **more**.
- [x] done &amp; well

| a | b |
|---|---|
| ﬁne | ½ |

![not this](x.png)
<b>bold</b> <!-- nor this -->

[ref]: https://example.org
```python
inside
```
last"""
SHOWN = "Head It is code_x, a link and 𝛼 then mo\nre. ☒ done & well a b fine ½ bold inside last"


def test_an_answer_is_found_however_it_was_set() -> None:
    assert absent(ANSWER, f"before {SHOWN} behind", markdown=True) is None


@pytest.mark.parametrize("lost", ["Head", "a link", "more", "fine", "inside", "last", "is"])
def test_each_word_that_is_lost_is_noticed(lost: str) -> None:
    text = SHOWN.replace("mo\nre", "more")
    assert absent(ANSWER, text.replace(lost, "", 1), markdown=True) is not None


def test_the_order_matters() -> None:
    assert absent("one $x$ two", "one two", markdown=True) is None
    assert absent("one $x$ two", "two one", markdown=True) == "two"


def test_code_is_looked_for_line_by_line() -> None:
    assert absent("def f():\n    return '<b>'", "def f():\nreturn '<b>'", markdown=False) is None
    assert absent("a = 1\nb = 2", "a = 1", markdown=False) == "b = 2"


def test_scripts_from_right_to_left_are_looked_for_by_letter() -> None:
    assert absent("שלום", "םולש", markdown=True) is None
    assert absent("שלום", "םול", markdown=True) == "שלום"


def test_flat_is_letters_and_digits() -> None:
    assert flat("ﬁ_x² – A\u200bB\n") == "fix2ab"
