"""What a figure says in words, for those who do not see it, and where front ends look for that.

JupyterLab shows a picture of a figure without any text, so a figure is sent as a piece of HTML,
too: an image with its words. Whoever shows the bare picture (nbconvert's PDF, a course's own) finds
the words in its metadata, and a terminal prints them.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_NAMES = 6


def described(figure: Figure, words: str) -> Figure:
    """The same figure, which now carries ``words`` wherever a notebook shows it.

    They stand in ``figure.text_alternative``.
    """
    figure.text_alternative = words  # type: ignore[attr-defined]
    # IPython asks the object itself how it wants to be shown.
    figure._ipython_display_ = partial(_show, figure, words)  # type: ignore[attr-defined]
    return figure


def _show(figure: Figure, words: str) -> None:
    from IPython.core.pylabtools import print_figure
    from IPython.display import display

    picture = print_figure(figure, "png", base64=True)
    page = f'<img src="data:image/png;base64,{picture}" alt="{html.escape(words)}">'
    shown = {"text/plain": f"[Figure: {words}]", "image/png": picture, "text/html": page}
    display(shown, metadata={"image/png": {"alt": words}}, raw=True)


def listed(names: Sequence[object]) -> str:
    """``a, b and c``; of many names the first and the last."""
    said = [str(name) for name in names]
    if len(said) > _MOST_NAMES:
        return f"{', '.join(said[:3])}, … to {said[-1]}"
    return " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)


def counted(number: int, thing: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def course_of(x: Iterable[Any], y: Iterable[Any]) -> str:
    """Where a curve begins, ends, and has its extremes, in numbers."""
    pairs = sorted((float(a), float(b)) for a, b in zip(x, y, strict=True))
    if not pairs:
        return "without a point"
    (first_x, first), (last_x, last) = pairs[0], pairs[-1]
    said = f"from {first:.3g} at {first_x:.3g} to {last:.3g} at {last_x:.3g}"
    low, high = min(pairs, key=lambda p: p[1]), max(pairs, key=lambda p: p[1])
    for name, (where, value) in (("lowest", low), ("highest", high)):
        if where not in (first_x, last_x):
            said += f", {name} {value:.3g} at {where:.3g}"
    return said
