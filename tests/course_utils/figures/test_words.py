"""Every figure says in words what it shows, wherever a notebook shows it."""

from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from test_style import FIGURES

from course_utils.figures.words import counted, course_of, described, listed
from course_utils.submission.outputs import Figure, items_of


@pytest.fixture
def shown() -> Iterator[Any]:
    """What IPython sends to a front end for a value."""
    shell = InteractiveShell.instance()

    def show(value: Any) -> Any:
        with capture_output() as captured:
            data, _ = shell.display_formatter.format(value)
        assert data == {}, "a figure would be shown twice"
        (output,) = captured.outputs
        return output

    yield show
    InteractiveShell.clear_instance()


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_a_text_alternative(name: str) -> None:
    words = FIGURES[name]().text_alternative
    assert words.endswith(".") and 30 < len(words) < 700
    assert not any(broken in words for broken in ("tensor(", "array(", "nan", "{", "<", ".."))


def test_front_ends_get_a_picture_with_its_words(shown: Any) -> None:
    figure = described(FIGURES["loss_curve"](), 'a "b" < c')
    output = shown(figure)
    picture = output.data["image/png"]
    assert output.metadata["image/png"]["alt"] == 'a "b" < c'
    alt = 'alt="a &quot;b&quot; &lt; c"'
    assert output.data["text/html"] == f'<img src="data:image/png;base64,{picture}" {alt}>'
    assert output.data["text/plain"] == '[Figure: a "b" < c]'


def test_the_words_are_those_of_the_picture_in_a_pdf(shown: Any) -> None:
    output = shown(FIGURES["image_grid"]())
    stored = {"output_type": "display_data", "data": output.data, "metadata": output.metadata}
    (item,) = items_of({"outputs": [stored]})
    assert isinstance(item, Figure)
    assert item.alt == "title: Images in 2 rows (a and b) and 5 columns (1, 2, 3, 4 and 5)."


def test_a_curve_in_words() -> None:
    said = course_of([3, 1, 2], [1.0, 4.0, 0.5])
    assert said == "from 4 at 1 to 1 at 3, lowest 0.5 at 2"
    assert course_of([0, 1, 2], [0, 7, 0]) == "from 0 at 0 to 0 at 2, highest 7 at 1"
    assert course_of([], []) == "without a point"


def test_names_in_words() -> None:
    assert listed(["a"]) == "a" and listed("ab") == "a and b" and listed("abc") == "a, b and c"
    assert listed(range(10)) == "0, 1, 2, … to 9"
    assert counted(1, "row") == "1 row" and counted(2, "row") == "2 rows"
