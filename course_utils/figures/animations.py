"""Moving pictures, as players inside a notebook."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from jaxtyping import Float
from torch import Tensor

from course_utils.figures.style import course_style, show_image

if TYPE_CHECKING:
    from IPython.display import HTML
    from matplotlib.figure import Figure


def to_player(figure: Figure, update: Callable[[int], Any], frames: int, interval: int) -> HTML:
    """A self-contained player: no video encoder, no network, works in Colab, too."""
    import matplotlib.pyplot as plt
    from IPython.display import HTML
    from matplotlib.animation import FuncAnimation

    animation = FuncAnimation(figure, update, frames=frames, interval=interval, blit=False)
    with plt.rc_context({"savefig.bbox": None, "animation.embed_limit": 20}):
        page = animation.to_jshtml(default_mode="loop")
    plt.close(figure)
    return HTML(page)


def flow_animation(
    xs: Float[Tensor, "b nt 1 h w"], ts: Float[Tensor, " nt"], titles: Sequence[str] = ()
) -> HTML:
    """Images moving along trajectories ``xs`` from noise to data, as a player."""
    count = len(xs)
    with course_style() as plt:
        columns = min(count, 5)
        rows = math.ceil(count / columns)
        figure, axes = plt.subplots(
            rows, columns, figsize=(1.5 * columns, 1.5 * rows + 0.4), squeeze=False, dpi=72
        )
        flat = list(axes.flat)
        for index, ax in enumerate(flat):
            show_image(ax, xs[min(index, count - 1), 0])
            ax.set_visible(index < count)
            if titles and index < count:
                ax.set_title(titles[index], fontsize="small")
        heading = figure.suptitle("t = 0.00")

        def update(frame: int) -> None:
            for index in range(count):
                flat[index].images[0].set_data(xs[index, frame].detach().cpu().squeeze().numpy())
            heading.set_text(f"t = {float(ts[frame]):.2f}")

        return to_player(figure, update, xs.shape[1], interval=80)
