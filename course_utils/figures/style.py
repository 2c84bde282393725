"""The look of the course's figures: page width, colours, markers, and how an image is shown."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

Numbers = Sequence[float | int] | np.ndarray

PAGE = 9.0
"""Width of a page in inches."""

MARKERS = "osD^v<>P*X"

DASHES = ("-", "--", "-.", ":")

SEQUENTIAL = "viridis"
"""The map for values that are no grey levels: even steps look even, in grey, too."""


@contextmanager
def course_style() -> Iterator[Any]:
    """The course's look, for the figures made inside; the reader's own settings come back after."""
    import matplotlib.pyplot as plt
    import seaborn as sns

    style = {**sns.axes_style("ticks"), **sns.plotting_context("notebook", font_scale=0.9)}
    # Notebooks show what is returned: an open pyplot figure would be shown a second time.
    with plt.rc_context({**style, "axes.spines.top": False, "axes.spines.right": False}):
        yield plt
    plt.close("all")


def palette(count: int) -> list[tuple[float, float, float]]:
    """``count`` colours that differ in lightness as well as in hue."""
    import seaborn as sns

    return list(sns.color_palette("colorblind", max(count, 3)))[:count]


def show_image(ax: Axes, image: Tensor, low: float = -1.0, high: float = 1.0) -> None:
    """One grey image from ``low`` (black) to ``high`` (white), without ticks or a frame."""
    ax.imshow(image.detach().cpu().float().squeeze().numpy(), cmap="gray", vmin=low, vmax=high)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
