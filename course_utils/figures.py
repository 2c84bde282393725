"""One function for each figure that a lab shows. Each returns a matplotlib figure or an animation.

matplotlib and seaborn are imported where they are used, so that importing this module stays cheap.
Colours come from a palette that the colour-blind can tell apart; no figure is wider than a page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from IPython.display import HTML
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from course_utils.distributions import GMM

Numbers = Sequence[float | int] | np.ndarray

PAGE = 9.0
"""Width of a page in inches."""

MARKERS = "osD^v<>P*X"


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


def _image(ax: Axes, image: Tensor, low: float = -1.0, high: float = 1.0) -> None:
    ax.imshow(image.detach().cpu().squeeze().numpy(), cmap="gray", vmin=low, vmax=high)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)


def image_grid(
    rows: Sequence[Float[Tensor, "columns 1 h w"]],
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    title: str = "",
) -> Figure:
    """Images in rows and columns, with a name for each row and each column.

    Values from -1 (black) to 1 (white); whatever lies outside is clipped.
    """
    height, width = len(rows), len(rows[0])
    cell = min(0.85, (PAGE - 1.2) / width)
    with course_style() as plt:
        figure, axes = plt.subplots(
            height,
            width,
            figsize=(
                cell * width + 1.2,
                cell * height + (0.35 if column_labels or title else 0.05),
            ),
            squeeze=False,
            layout="constrained",
        )
        figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, hspace=0.02, wspace=0.02)
        for i, row in enumerate(rows):
            for j in range(width):
                _image(axes[i][j], row[j])
            if row_labels:
                axes[i][0].set_ylabel(
                    row_labels[i], rotation=0, ha="right", va="center", labelpad=8
                )
        for j, label in enumerate(column_labels):
            axes[0][j].set_title(label, fontsize="small")
        if title:
            figure.suptitle(title, fontsize="medium")
    return figure


def class_grid(
    images: Float[Tensor, "n 1 h w"], labels: Int[Tensor, " n"], per_class: int = 10
) -> Figure:
    """One row of images for each class that occurs in ``labels``."""
    classes = sorted(set(labels.tolist()))
    rows = []
    for label in classes:
        chosen = images[labels == label][:per_class]
        gap = per_class - len(chosen)
        if gap:  # a class with few images leaves black cells, not a shorter row
            chosen = torch.cat([chosen, -torch.ones(gap, *images.shape[1:]).to(chosen)])
        rows.append(chosen)
    return image_grid(rows, [str(label) for label in classes])


def noising_grid(
    paths: Mapping[str, Any], z: Float[Tensor, "1 1 h w"], ts: Float[Tensor, " nt"], seed: int = 0
) -> Figure:
    """One image on its way from noise (t = 0) to itself (t = 1): a row for each path.

    All rows use the same noise, so that they differ by their schedule alone.
    """
    rows = []
    for path in paths.values():
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            many = z.cpu().expand(len(ts), -1, -1, -1)
            noise = torch.randn_like(many[:1]).expand_as(many)
            t = ts.cpu().reshape(-1, 1, 1, 1)
            rows.append(path.alpha(t) * many + path.beta(t) * noise)
    return image_grid(rows, list(paths), [f"t = {float(t):.2g}" for t in ts])


def signal_to_noise(
    schedules: Mapping[str, tuple[Callable[..., Any], Callable[..., Any]]],
) -> Figure:
    """The signal-to-noise ratio α²/β² over t, in decibels, a line for each (α, β)."""
    t = torch.linspace(0.005, 0.995, 200, dtype=torch.float64)
    with course_style() as plt:
        figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
        styles = ["-", "--", ":", "-."]
        for (name, (alpha, beta)), colour, style in zip(
            schedules.items(), palette(len(schedules)), styles, strict=False
        ):
            decibel = 20 * torch.log10(alpha(t) / beta(t))
            ax.plot(t, decibel, style, color=colour, label=name, linewidth=2)
        ax.axhline(0, color="0.6", linewidth=0.8)
        ax.set(xlabel="t", ylabel="signal-to-noise ratio (dB)")
        ax.legend(frameon=False)
    return figure


def line_figure(
    curves: Mapping[str, tuple[Numbers, Numbers]],
    xlabel: str,
    ylabel: str,
    log_x: bool = False,
    log_y: bool = False,
) -> Figure:
    """Curves of y over x by name, with markers that tell them apart in grey."""
    with course_style() as plt:
        figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
        for index, (name, (x, y)) in enumerate(curves.items()):
            colour = palette(len(curves))[index]
            ax.plot(x, y, marker=MARKERS[index], color=colour, label=name, markersize=5)
        if log_x:
            ax.set_xscale("log")
        if log_y:
            ax.set_yscale("log")
        ax.set(xlabel=xlabel, ylabel=ylabel)
        if len(curves) > 1:
            ax.legend(frameon=False)
    return figure


def loss_curve(losses: Numbers, steps: Numbers, smooth: int = 50) -> Figure:
    """Loss over training steps: every value faintly, and a running mean over ``smooth`` steps."""
    values = torch.tensor(list(losses), dtype=torch.float64)
    window = max(1, min(smooth, len(values) // 4))
    mean = values.unfold(0, window, 1).mean(dim=1)
    with course_style() as plt:
        figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
        ax.plot(steps, values, color="0.75", linewidth=0.8, label="each step")
        ax.plot(
            list(steps)[window - 1 :],
            mean,
            color=palette(1)[0],
            linewidth=2,
            label=f"mean of {window} steps",
        )
        ax.set(xlabel="training step", ylabel="loss")
        ax.legend(frameon=False)
    return figure


def _scatter(ax: Axes, points: Tensor, labels: Tensor | None, num_classes: int) -> None:
    points = points.detach().cpu()
    if labels is None:
        ax.scatter(points[:, 0], points[:, 1], s=4, color="0.35", linewidths=0, alpha=0.6)
        return
    for label, colour in enumerate(palette(num_classes)):
        chosen = points[labels.cpu() == label]
        ax.scatter(
            chosen[:, 0],
            chosen[:, 1],
            s=7,
            color=colour,
            marker=MARKERS[label],
            linewidths=0,
            alpha=0.6,
            label=f"y = {label}",
        )


def scatter_panels(
    panels: Mapping[str, tuple[Float[Tensor, "n 2"], Int[Tensor, " n"] | None]],
    num_classes: int = 3,
    limit: float = 4.0,
) -> Figure:
    """Point clouds side by side on the same axes, coloured by class where labels are given."""
    with course_style() as plt:
        width = min(PAGE, 3.0 * len(panels) + 0.6)
        figure, axes = plt.subplots(
            1, len(panels), figsize=(width, width / len(panels) + 0.3), squeeze=False,
            sharex=True, sharey=True, layout="constrained",
        )  # fmt: skip
        for ax, (name, (points, labels)) in zip(axes[0], panels.items(), strict=True):
            _scatter(ax, points, labels, num_classes)
            ax.set(title=name, xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
        if any(labels is not None for _, labels in panels.values()):
            handles, names = axes[0][0].get_legend_handles_labels()
            figure.legend(
                handles, names, loc="outside lower center", ncols=num_classes, frameon=False,
                markerscale=2,
            )  # fmt: skip
    return figure


def density_sweep(
    samples: Mapping[float, Float[Tensor, "n 2"]], gmm: GMM, label: int, limit: float = 4.0
) -> Figure:
    """Guided samples of one class for each guidance scale w, over the class's own contours."""
    with course_style() as plt:
        width = PAGE / len(samples)
        figure, axes = plt.subplots(
            1, len(samples), figsize=(PAGE, width + 0.5), squeeze=False, sharex=True, sharey=True,
            layout="constrained",
        )  # fmt: skip
        axis = torch.linspace(-limit, limit, 80)
        grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).reshape(-1, 2)
        y = torch.full((len(grid),), label)
        log_p = gmm.log_prob(grid.to(gmm.means), y.to(gmm.means.device)).cpu().reshape(80, 80)
        peak = float(log_p.max())
        for ax, (w, points) in zip(axes[0], samples.items(), strict=True):
            cloud = points.detach().cpu()
            ax.hexbin(
                cloud[:, 0], cloud[:, 1], gridsize=32, extent=(-limit, limit, -limit, limit),
                cmap="Greys", bins="log", mincnt=1, linewidths=0,
            )  # fmt: skip
            # Contours one and two standard deviations from the mode.
            ax.contour(
                axis, axis, log_p, levels=[peak - 2.0, peak - 0.5], colors=[palette(3)[1]],
                linewidths=1.2, linestyles="solid",
            )  # fmt: skip
            ax.set(title=f"w = {w:g}", aspect="equal", xlim=(-limit, limit), ylim=(-limit, limit))
            ax.set_xticks(axes[0][0].get_yticks())
    return figure


def _to_html(figure: Figure, update: Callable[[int], Any], frames: int, interval: int) -> HTML:
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
            _image(ax, xs[min(index, count - 1), 0])
            ax.set_visible(index < count)
            if titles and index < count:
                ax.set_title(titles[index], fontsize="small")
        heading = figure.suptitle("t = 0.00")

        def update(frame: int) -> None:
            for index in range(count):
                flat[index].images[0].set_data(xs[index, frame].detach().cpu().squeeze().numpy())
            heading.set_text(f"t = {float(ts[frame]):.2f}")

        return _to_html(figure, update, xs.shape[1], interval=80)


def field_animation(
    fields: Mapping[str, Callable[[Tensor, Tensor], Tensor]],
    trajectories: Mapping[str, Float[Tensor, "n nt 2"]],
    ts: Float[Tensor, " nt"],
    limit: float = 4.0,
) -> HTML:
    """Velocity fields as arrows on a grid, and points that they carry, over time, as a player.

    Args:
        fields: from a panel's title to its field ``u(x, t)`` with ``x: m 2`` and ``t: m``.
        trajectories: the points' positions for the same titles.
        ts: the times of the trajectories.
    """
    axis = torch.linspace(-limit * 0.95, limit * 0.95, 13)
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).reshape(-1, 2)
    with course_style() as plt:
        figure, axes = plt.subplots(
            1, len(fields), figsize=(3.1 * len(fields), 3.6), squeeze=False, dpi=72
        )
        parts = []
        for ax, (name, field) in zip(axes[0], fields.items(), strict=True):
            u = _on_grid(field, grid, ts[0])
            arrows = ax.quiver(
                grid[:, 0], grid[:, 1], u[:, 0], u[:, 1], color="0.55", angles="xy",
                scale_units="xy", scale=8, width=0.004,
            )  # fmt: skip
            start = trajectories[name][:, 0].cpu()
            dots = ax.scatter(start[:, 0], start[:, 1], s=5, color=palette(1)[0], linewidths=0)
            ax.set(title=name, xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
            parts.append((field, trajectories[name], arrows, dots))
        heading = figure.suptitle("t = 0.00")

        def update(frame: int) -> None:
            for field, points, arrows, dots in parts:
                u = _on_grid(field, grid, ts[frame])
                arrows.set_UVC(u[:, 0].numpy(), u[:, 1].numpy())
                dots.set_offsets(points[:, frame].detach().cpu().numpy())
            heading.set_text(f"t = {float(ts[frame]):.2f}")

        return _to_html(figure, update, len(ts), interval=100)


@torch.no_grad()
def _on_grid(field: Callable[[Tensor, Tensor], Tensor], grid: Tensor, t: Tensor) -> Tensor:
    return field(grid, t.to(grid).expand(len(grid))).detach().cpu()
