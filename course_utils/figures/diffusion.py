"""Lab 5's figures: a step back, the pull of a classifier, and two kinds of guidance compared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.evaluation import Estimate, Scores
from course_utils.figures.curves import _banded_line, _log_if_wide, _panels_in_words, _scale_axis
from course_utils.figures.style import DASHES, MARKERS, PAGE, course_style, palette, show_image
from course_utils.figures.words import described, listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DIVERGING = "RdBu_r"
"""Red adds ink (white), blue takes it away, white leaves things as they are."""


def counted_densities(
    draws: Mapping[str, Float[Tensor, " n"]],
    gaussians: Mapping[str, tuple[float | int, float | int]],
    xlabel: str = "x",
) -> Figure:
    """A histogram of each set of draws, and over it the Gaussian (mean, deviation) that it claims.

    Raises:
        ValueError: the two do not have the same names, or a set of draws is empty.
    """
    if list(draws) != list(gaussians) or not all(len(values) for values in draws.values()):
        raise ValueError(
            f"draws are of {[f'{name} ({len(values)})' for name, values in draws.items()]} and "
            f"Gaussians of {list(gaussians)}; expected the same names, and draws of each."
        )
    with course_style() as plt:
        figure, ax = plt.subplots(figsize=(0.85 * PAGE, 3.1), layout="constrained")
        for index, (name, values) in enumerate(draws.items()):
            colour = palette(len(draws))[index]
            mean, deviation = (float(number) for number in gaussians[name])
            ax.hist(
                values.detach().cpu().numpy(), bins=60, density=True, color=colour, alpha=0.3,
                label=f"{name}: {len(values):,} counted",
            )  # fmt: skip
            x = torch.linspace(mean - 4 * deviation, mean + 4 * deviation, 200)
            height = (-((x - mean) ** 2) / (2 * deviation**2)).exp()
            ax.plot(
                x, height / (deviation * math.sqrt(2 * math.pi)), DASHES[index % len(DASHES)],
                color=colour, linewidth=2, label=f"{name}: the formula",
            )  # fmt: skip
        ax.set(xlabel=xlabel, ylabel="density")
        figure.legend(frameon=False, fontsize="small", loc="outside right upper")
    said = [
        f"{name}: {len(values):,} draws with mean {float(values.double().mean()):.3g} and "
        f"deviation {float(values.double().std()):.3g}, under a bell of mean "
        f"{float(gaussians[name][0]):.3g} and deviation {float(gaussians[name][1]):.3g}"
        for name, values in draws.items()
    ]
    return described(figure, f"Histograms of {xlabel}. {'; '.join(said)}.")


def gradient_maps(
    images: Float[Tensor, "r 1 h w"],
    gradients: Float[Tensor, "r k h w"],
    row_labels: Sequence[str],
    column_labels: Sequence[str],
) -> Figure:
    """Images on the left, and to the right of each where its gradients want more or less ink.

    Each row of maps has a scale of its own; the number under a map is the gradient's length.

    Args:
        images: one for each row.
        gradients: k for each row, such as those for k wishes.
        row_labels: of the images.
        column_labels: of the gradients, k.

    Raises:
        ValueError: the numbers of images, gradients and labels do not fit.
    """
    rows, columns = gradients.shape[:2]
    if (len(images), len(row_labels), len(column_labels)) != (rows, rows, columns):
        raise ValueError(
            f"gradients have shape {tuple(gradients.shape)}, and there are {len(images)} images, "
            f"{len(row_labels)} row labels and {len(column_labels)} column labels; expected "
            f"{rows}, {rows} and {columns}."
        )
    maps = gradients.detach().cpu().float()
    cell = min(1.15, (PAGE - 2.0) / (columns + 1))
    with course_style() as plt:
        figure, axes = plt.subplots(
            rows, columns + 1, squeeze=False, layout="constrained",
            figsize=(cell * (columns + 1) + 2.0, (cell + 0.17) * rows + 0.4),
        )  # fmt: skip
        for row in range(rows):
            show_image(axes[row][0], images[row])
            axes[row][0].set_ylabel(row_labels[row], rotation=0, ha="right", va="center")
            top = float(maps[row].abs().quantile(0.995)) or 1.0
            for column in range(columns):
                shown = _show_pull(axes[row][column + 1], maps[row, column] / top)
                length = float(maps[row, column].norm())
                axes[row][column + 1].set_xlabel(f"{length:.2g}", fontsize="x-small", labelpad=1)
        for ax, name in zip(axes[0], ["x", *column_labels], strict=True):
            ax.set_title(name, fontsize="small")
        bar = figure.colorbar(shown, ax=axes, shrink=0.8, ticks=[-1, 0, 1])
        bar.ax.set_yticklabels(["less ink", "", "more ink"])
        bar.outline.set_visible(False)
    lengths = [
        f"{name}: {', '.join(f'{float(one.norm()):.2g}' for one in row)}"
        for name, row in zip(row_labels, maps, strict=True)
    ]
    return described(
        figure,
        f"Images ({listed(row_labels)}), and beside each a map of where ink is wanted for "
        f"{listed(column_labels)}. Lengths of these gradients: {'; '.join(lengths)}.",
    )


def _show_pull(ax: Axes, values: Tensor) -> Any:
    shown = ax.imshow(values.numpy(), cmap=_DIVERGING, vmin=-1, vmax=1, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_color("0.8")
        spine.set_visible(True)
    return shown


def guidance_kinds(scores: Mapping[str, Mapping[float | int, Scores]]) -> Figure:
    """Accuracy and diversity over the guidance scale for each kind of guidance, and what one costs
    of the other.

    The bands are 95 % intervals. The axis of the scale is even up to 1 and logarithmic beyond. The
    numbers in the third panel are scales.
    """
    scales = sorted({w for by_scale in scores.values() for w in by_scale})
    titles = ("accuracy (more is better)", "diversity (1: like real images)", "one for the other")
    with course_style() as plt:
        figure, axes = plt.subplots(1, 3, figsize=(PAGE, 3.3), layout="constrained")
        for index, (name, by_scale) in enumerate(scores.items()):
            accuracy = {w: s.accuracy for w, s in by_scale.items()}
            diversity = {w: s.diversity for w, s in by_scale.items()}
            _banded_line(axes[0], accuracy, index, name, len(scores))
            _banded_line(axes[1], diversity, index, name, len(scores))
            _trade(axes[2], accuracy, diversity, index, len(scores))
        for ax, title in zip(axes, titles, strict=True):
            ax.set_title(title, fontsize="small")
        for ax in axes[:2]:
            ax.set(xlabel="guidance scale")
            _scale_axis(ax, scales)
        axes[1].axhline(1, color="0.5", linewidth=0.8, linestyle=":")
        axes[1].set_ylim(bottom=0)
        axes[2].set(xlabel="diversity", ylabel="accuracy")
        axes[2].axvline(1, color="0.5", linewidth=0.8, linestyle=":")
        handles, names = axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=len(scores), frameon=False)
    panels = {
        titles[0]: [{w: s.accuracy for w, s in by_scale.items()} for by_scale in scores.values()],
        titles[1]: [{w: s.diversity for w, s in by_scale.items()} for by_scale in scores.values()],
    }
    return described(
        figure,
        f"Over the guidance scale: {_panels_in_words(panels, scores)}. A third panel draws "
        "accuracy over diversity.",
    )


def _trade(
    ax: Axes,
    accuracy: Mapping[float | int, Estimate],
    diversity: Mapping[float | int, Estimate],
    index: int,
    count: int,
) -> None:
    from matplotlib.patheffects import withStroke

    scales = sorted(accuracy)
    x = [diversity[w].value for w in scales]
    y = [accuracy[w].value for w in scales]
    colour = palette(count)[index]
    ax.plot(
        x, y, DASHES[index % len(DASHES)], color=colour, marker=MARKERS[index], markersize=5,
        linewidth=1.6,
    )  # fmt: skip
    placed: list[tuple[float, float]] = []
    for w, place in zip(scales, zip(x, y, strict=True), strict=True):
        # Where scales crowd, the first names the spot: more names would lie on one another.
        if all(abs(place[0] - a) > 0.12 or abs(place[1] - b) > 0.07 for a, b in placed):
            placed.append(place)
            ax.annotate(
                f"{w:g}", place, textcoords="offset points", xytext=(-6, -4) if index else (6, 4),
                ha="right" if index else "left", va="top" if index else "bottom",
                color=[0.5 * part for part in colour],  # text needs more contrast than a line
                fontsize="x-small", path_effects=[withStroke(linewidth=2.5, foreground="white")],
            )  # fmt: skip


def scores_by_steps(scores: Mapping[str, Mapping[int, Scores]]) -> Figure:
    """Accuracy and Fréchet distance over the number of sampling steps, a line for each sampler.

    The bands are 95 % intervals; the axis of the steps is logarithmic.
    """
    panels = {
        "accuracy (more is better)": [
            {float(n): s.accuracy for n, s in by_steps.items()} for by_steps in scores.values()
        ],
        "Fréchet distance (less is better)": [
            {float(n): s.frechet for n, s in by_steps.items()} for by_steps in scores.values()
        ],
    }
    counts = sorted({n for by_steps in scores.values() for n in by_steps})
    with course_style() as plt:
        figure, axes = plt.subplots(1, 2, figsize=(0.8 * PAGE, 3.1), layout="constrained")
        for ax, (title, lines) in zip(axes, panels.items(), strict=True):
            for index, line in enumerate(lines):
                _banded_line(ax, line, index, list(scores)[index], len(scores))
            ax.set_title(title, fontsize="small")
            ax.set_xscale("log")
            ax.set_xticks(counts, [str(n) for n in counts])
            ax.minorticks_off()
            ax.set(xlabel="steps")
        _log_if_wide(axes[1], [s.frechet.value for by_n in scores.values() for s in by_n.values()])
        handles, names = axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=len(scores), frameon=False)
    return described(figure, f"Over the number of steps: {_panels_in_words(panels, scores)}.")
