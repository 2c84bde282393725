"""Moving pictures, as players inside a notebook."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.figures.images import mosaic
from course_utils.figures.style import course_style, show_image
from course_utils.figures.words import counted, listed

if TYPE_CHECKING:
    from IPython.display import HTML
    from matplotlib.figure import Figure


# matplotlib's player takes the pictures on its buttons from a font in the network: without one
# they stay empty. Every font has these.
SIGNS = {
    "fa-minus": "−",
    "fa-fast-backward": "«",
    "fa-step-backward": "‹",
    "fa-play fa-flip-horizontal": "◀",
    "fa-pause": "❙❙",
    "fa-play": "▶",
    "fa-step-forward": "›",
    "fa-fast-forward": "»",
    "fa-plus": "+",
}


def to_player(
    figure: Figure, update: Callable[[int], Any], frames: int, interval: int, words: str
) -> HTML:
    """A self-contained player: no video encoder, no network, works in Colab, too.

    ``words`` say what moves, for those who do not see it.
    """
    import matplotlib.pyplot as plt
    from IPython.display import HTML
    from matplotlib.animation import FuncAnimation

    # The writer draws each frame itself; without this, it would be drawn twice.
    figure.canvas.draw_idle = lambda: None  # type: ignore[method-assign, misc]
    animation = FuncAnimation(figure, update, frames=frames, interval=interval, blit=False)
    with plt.rc_context({"savefig.bbox": None, "animation.embed_limit": 20}):
        page = animation.to_jshtml(default_mode="loop")
    plt.close(figure)
    return HTML(_accessible(page, words))


def _accessible(page: str, words: str) -> str:
    page = re.sub(r"<link\b[^>]*>", "", page)
    page = re.sub(r'<i class="fa ([\w -]+)"></i>', lambda icon: SIGNS[icon[1]], page)
    page = page.replace('<img id="_anim', f'<img alt="{html.escape(words)}" id="_anim', 1)
    return page.replace('<input id="_anim_slider', '<input aria-label="Frame" id="_anim_slider', 1)


def flow_animation(
    xs: Float[Tensor, "b nt 1 h w"], ts: Float[Tensor, " nt"], titles: Sequence[str] = ()
) -> HTML:
    """Images moving along trajectories ``xs`` from noise to data, as a player."""
    columns = min(len(xs), 5)
    rows = math.ceil(len(xs) / columns)
    frames = xs.detach().cpu()
    lost = frames.new_full((rows * columns - len(xs), *frames.shape[1:]), math.nan)
    frames = torch.cat([frames, lost])
    side = frames.shape[-1]
    gap = round(0.2 * side) if titles else 2  # a line of text between the rows
    with course_style() as plt:
        above = 0.6 if titles else 0.4
        height = 1.5 * rows + above
        figure, ax = plt.subplots(figsize=(1.5 * columns, height), dpi=72)
        figure.subplots_adjust(0.01, 0.02, 0.99, 1 - above / height)
        show_image(ax, mosaic(frames[:, 0], rows, gap))
        for index, title in enumerate(titles):
            row, column = divmod(index, columns)
            place = ((side + 2) * column + (side - 1) / 2, (side + gap) * row - 1)
            ax.text(*place, title, fontsize="small", ha="center", va="bottom")
        heading = figure.suptitle("t = 0.00")

        def update(frame: int) -> None:
            ax.images[0].set_data(mosaic(frames[:, frame], rows, gap).numpy())
            heading.set_text(f"t = {float(ts[frame]):.2f}")

        told = f": {listed(titles)}" if titles else ""
        words = (
            f"{counted(len(xs), 'image')} on the way from t = {float(ts[0]):.2g} to "
            f"{float(ts[-1]):.2g}{told}."
        )
        return to_player(figure, update, xs.shape[1], interval=80, words=words)
