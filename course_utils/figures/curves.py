"""Numbers over time, training steps, or a guidance scale."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.evaluation import Estimate, Scores
from course_utils.figures.style import (
    DASHES,
    MARKERS,
    PAGE,
    SEQUENTIAL,
    Numbers,
    course_style,
    palette,
)
from course_utils.figures.words import counted, course_of, described

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def signal_to_noise(
    schedules: Mapping[str, tuple[Callable[..., Any], Callable[..., Any]]],
) -> Figure:
    """The signal-to-noise ratio α²/β² over t, in decibels, a line for each (α, β)."""
    t = torch.linspace(0.005, 0.995, 200, dtype=torch.float64)
    ratios = {name: 20 * torch.log10(a(t) / b(t)) for name, (a, b) in schedules.items()}
    with course_style() as plt:
        figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
        styles = ["-", "--", ":", "-."]
        for name, colour, style in zip(schedules, palette(len(schedules)), styles, strict=False):
            ax.plot(t, ratios[name], style, color=colour, label=name, linewidth=2)
        ax.axhline(0, color="0.6", linewidth=0.8)
        ax.set(xlabel="t", ylabel="signal-to-noise ratio (dB)")
        ax.legend(frameon=False)
    said = [f"{name}, {course_of(t.tolist(), ratios[name].tolist())}" for name in schedules]
    return described(figure, f"Signal-to-noise ratio in decibels over t: {'; '.join(said)}.")


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
    said = [f"{name}, {course_of(x, y)}" for name, (x, y) in curves.items()]
    return described(figure, f"{ylabel} over {xlabel}: {'; '.join(said)}.")


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
    said = course_of(list(steps)[window - 1 :], mean.tolist())
    return described(
        figure, f"Loss over {len(values)} training steps: the mean of {window} steps, {said}."
    )


def scores_against_scale(scores: Mapping[str, Mapping[float | int, Scores]]) -> Figure:
    """Accuracy, Fréchet distance and diversity over the guidance scale w, a line for each model.

    The bands are 95 % intervals. The axis of w is even up to 1 and logarithmic beyond, and so
    shows w = 0 as well as w = 100.
    """
    panels = {
        "accuracy (more is better)": [
            {w: s.accuracy for w, s in by_scale.items()} for by_scale in scores.values()
        ],
        "Fréchet distance (less is better)": [
            {w: s.frechet for w, s in by_scale.items()} for by_scale in scores.values()
        ],
        "diversity (1: like real images)": [
            {w: s.diversity for w, s in by_scale.items()} for by_scale in scores.values()
        ],
    }
    scales = sorted({w for by_scale in scores.values() for w in by_scale})
    with course_style() as plt:
        figure, axes = plt.subplots(1, 3, figsize=(PAGE, 3.1), layout="constrained")
        for ax, (title, lines) in zip(axes, panels.items(), strict=True):
            for index, line in enumerate(lines):
                _banded_line(ax, line, index, list(scores)[index], len(scores))
            ax.set_title(title, fontsize="small")
            ax.set(xlabel="guidance scale w")
            _scale_axis(ax, scales)
        _log_if_wide(axes[1], [s.frechet.value for by_w in scores.values() for s in by_w.values()])
        axes[2].axhline(1, color="0.5", linewidth=0.8, linestyle=":")
        axes[2].set_ylim(bottom=0)
        if len(scores) > 1:
            handles, names = axes[0].get_legend_handles_labels()
            figure.legend(
                handles, names, loc="outside lower center", ncols=len(scores), frameon=False
            )
    return described(figure, f"Over the guidance scale w: {_panels_in_words(panels, scores)}.")


def _panels_in_words(
    panels: Mapping[str, Sequence[Mapping[Any, Estimate]]], names: Collection[str]
) -> str:
    said = []
    for title, lines in panels.items():
        courses = [
            f"{name}, {course_of(list(line), [estimate.value for estimate in line.values()])}"
            for name, line in zip(names, lines, strict=True)
        ]
        said.append(f"{title}: {'; '.join(courses)}")
    return ". ".join(said)


def _banded_line(
    ax: Axes, line: Mapping[float | int, Estimate], index: int, name: str, count: int
) -> None:
    scales = sorted(line)
    values, lows, highs = zip(*(line[w] for w in scales), strict=True)
    colour = palette(count)[index]
    # On a logarithmic axis a band cannot reach zero.
    shown_lows = [max(low, value / 100) for low, value in zip(lows, values, strict=True)]
    ax.fill_between(scales, shown_lows, highs, color=colour, alpha=0.2, linewidth=0)
    ax.plot(
        scales, values, DASHES[index % len(DASHES)], color=colour, label=name, linewidth=1.6,
        marker=MARKERS[index], markersize=5,
    )  # fmt: skip


def _log_if_wide(ax: Axes, heights: Sequence[float | int]) -> None:
    """A logarithmic y axis where values differ by more than a factor of five, with 1, 2, 5, …"""
    from matplotlib.ticker import LogLocator

    if heights and 0 < 5 * min(heights) < max(heights):
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter("")


def _scale_axis(ax: Axes, scales: Sequence[float | int]) -> None:
    """Even up to 1, logarithmic beyond, with a name for each scale that has room for one."""
    ax.set_xscale("symlog", linthresh=1, linscale=0.5)
    to_axis = ax.get_xaxis().get_transform().transform
    places = to_axis([float(w) for w in scales])
    room = 0.09 * (max(places) - min(places) or 1)
    named: list[int] = []

    # In a tight place the largest, 0 and 1 keep their names, and whole numbers before others.
    def rank(index: int) -> tuple[bool, bool, float]:
        w = float(scales[index])
        return w not in (0, 1, scales[-1]), w != int(w), w

    order = sorted(range(len(scales)), key=rank)
    for index in order:
        if all(abs(places[index] - places[other]) >= room for other in named):
            named.append(index)
    ax.set_xticks([scales[i] for i in named], [f"{scales[i]:g}" for i in named])
    ax.minorticks_off()


def waves(t: Float[Tensor, " nt"], values: Float[Tensor, "nt dim"], count: int = 6) -> Figure:
    """What an encoder makes of the time t: ``count`` of its outputs as curves, and all as a map."""
    t, values = t.detach().cpu(), values.detach().cpu()
    dim = values.shape[1]
    chosen = torch.linspace(0, dim - 1, min(count, dim)).round().long().tolist()
    size = float(values.abs().max()) or 1.0
    with course_style() as plt:
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(PAGE, 3.4), layout="constrained", width_ratios=(1.15, 1)
        )
        for row, output in enumerate(chosen):
            level = -2.4 * size * row
            left.axhline(level, color="0.85", linewidth=0.8)
            left.plot(t, values[:, output] + level, color=palette(1)[0], linewidth=1.5)
        left.set_yticks([-2.4 * size * row for row in range(len(chosen))], chosen)
        left.set(xlabel="t", ylabel="output", title=f"{len(chosen)} of {dim} outputs")
        shown = right.imshow(
            values.T.numpy(), aspect="auto", cmap=SEQUENTIAL, interpolation="nearest", vmin=-size,
            vmax=size, extent=(float(t[0]), float(t[-1]), dim - 0.5, -0.5),
        )  # fmt: skip
        right.set(xlabel="t", ylabel="output", title="all outputs")
        figure.colorbar(shown, ax=right, label="value")
    said = f"{counted(len(chosen), 'output')} of {dim} as curves, and all of them as a map"
    return described(figure, f"An encoding of t from {float(t[0]):g} to {float(t[-1]):g}: {said}.")
