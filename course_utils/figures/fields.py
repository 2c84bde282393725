"""Points in the plane: clouds, densities, and the fields that move them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_utils.figures.animations import to_player
from course_utils.figures.style import MARKERS, PAGE, course_style, palette
from course_utils.figures.words import described, listed

if TYPE_CHECKING:
    from IPython.display import HTML
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from course_utils.distributions import GMM


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


def _place(points: Tensor) -> str:
    centre, spread = points.detach().float().mean(dim=0), points.detach().float().std(dim=0).mean()
    return (
        f"around ({float(centre[0]):.1f}, {float(centre[1]):.1f}) with spread {float(spread):.2f}"
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
    said = [
        f"{name} ({len(points)} points{'' if labels is None else ', coloured by class'}, "
        f"{_place(points)})"
        for name, (points, labels) in panels.items()
    ]
    return described(figure, f"Point clouds side by side: {'; '.join(said)}.")


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
    said = [f"w = {w:g}, {_place(points)}" for w, points in samples.items()]
    return described(
        figure, f"Samples of class {label} over that class's contours: {'; '.join(said)}."
    )


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

        words = (
            f"Arrows of a velocity field, and points that it carries from t = {float(ts[0]):g} to "
            f"{float(ts[-1]):g}, for {listed(list(fields))}."
        )
        return to_player(figure, update, len(ts), interval=100, words=words)


@torch.no_grad()
def _on_grid(field: Callable[[Tensor, Tensor], Tensor], grid: Tensor, t: Tensor) -> Tensor:
    return field(grid, t.to(grid).expand(len(grid))).detach().cpu()
