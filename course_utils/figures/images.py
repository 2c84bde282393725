"""Images in rows and columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import interpolate

from course_utils.figures.style import PAGE, course_style, show_image
from course_utils.figures.words import counted, described, listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GAP = 2  # pixels between the images of a mosaic


def image_grid(
    rows: Sequence[Float[Tensor, "columns 1 _ _"]],
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    title: str = "",
) -> Figure:
    """Images in rows and columns, with a name for each row and each column.

    Values from -1 (black) to 1 (white); whatever lies outside is clipped. Rows of smaller images
    are shown as large as the others.
    """
    side = max(row.shape[-1] for row in rows)
    images = torch.cat([_as_large_as(side, row.detach().cpu().float()) for row in rows])
    return _mosaics({"": images}, list(row_labels) or [""] * len(rows), column_labels, title)


def _as_large_as(side: int, images: Tensor) -> Tensor:
    return images if images.shape[-1] == side else interpolate(images, (side, side))


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


def guidance_sweep(
    images: Mapping[float | int, Float[Tensor, "n 1 h w"]],
    row_labels: Sequence[str],
    title: str = "",
    symbol: str = "w",
) -> Figure:
    """The same samples at each guidance scale: a row for each label, a column for each scale.

    Draw all columns from the same noise, so that the scale alone makes the difference. ``symbol``
    is what the columns' heads call it.

    Raises:
        ValueError: there is not one label for each row.
    """
    columns = torch.stack([column.detach().cpu() for column in images.values()], dim=1)
    if len(row_labels) != len(columns):
        raise ValueError(
            f"there are {len(row_labels)} row labels and {len(columns)} images at each scale; "
            "expected one label for each."
        )
    names = [f"{symbol} = {scale:g}" for scale in images]
    return _mosaics({"": columns.flatten(0, 1)}, row_labels, names, title)


def samples_over_training(
    rows: Mapping[str, Float[Tensor, "n 1 h w"]], column_labels: Sequence[str] = (), title: str = ""
) -> Figure:
    """A row of samples for each moment of the training, such as "step 100"."""
    images = torch.cat([row.detach().cpu() for row in rows.values()])
    return _mosaics({"": images}, list(rows), column_labels, title)


def side_by_side(
    grids: Mapping[str, Float[Tensor, "n 1 h w"]],
    row_labels: Sequence[str],
    column_labels: Sequence[str] = (),
    title: str = "",
) -> Figure:
    """Grids of images next to each other, such as the samples of two networks.

    Args:
        grids: from a grid's name to its images, row after row: as many for each of the
            ``row_labels``.
        row_labels: of all the grids.
        column_labels: of each grid.

    Raises:
        ValueError: the images of a grid do not make up that many rows.
    """
    return _mosaics(grids, row_labels, column_labels, title)


def _mosaics(
    grids: Mapping[str, Tensor],
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    title: str,
) -> Figure:
    """Each grid as one picture: many times faster to draw than axes for each image."""
    mosaics = {name: mosaic(images, len(row_labels)) for name, images in grids.items()}
    side = next(iter(grids.values())).shape[-1]
    columns = sum(len(images) // len(row_labels) for images in grids.values())
    margin = 0.3 + 0.075 * max(map(len, row_labels)) + 0.2 * (len(grids) - 1)
    cell = min(0.78, 7.4 / len(row_labels), (PAGE - margin) / columns)
    above = 0.2 + 0.32 * (any(grids) + bool(column_labels) + bool(title))
    with course_style() as plt:
        figure, axes = plt.subplots(
            1,
            len(grids),
            figsize=(cell * columns + margin, cell * len(row_labels) + above),
            squeeze=False,
            layout="compressed",
            width_ratios=[picture.shape[1] for picture in mosaics.values()],
        )
        figure.get_layout_engine().set(wspace=0.04)
        for ax, (name, picture) in zip(axes[0], mosaics.items(), strict=True):
            show_image(ax, picture)
            ax.set_title(name, fontsize="medium")
            ax.tick_params(length=0, labeltop=True, labelbottom=False)
            ax.tick_params(axis="x", labelsize="small")
            _name_cells(ax.set_yticks, row_labels if ax is axes[0][0] else (), side)
            _name_cells(ax.set_xticks, column_labels, side)
        if title:
            figure.suptitle(title, fontsize="medium")
    return described(figure, _grids_in_words(grids, row_labels, column_labels, title))


def _grids_in_words(
    grids: Mapping[str, Tensor],
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    title: str,
) -> str:
    columns = len(next(iter(grids.values()))) // len(row_labels)
    said = f"Images in {counted(len(row_labels), 'row')}"
    said += f" ({listed(row_labels)})" if any(row_labels) else ""
    said += f" and {counted(columns, 'column')}"
    said += f" ({listed(column_labels)})" if any(column_labels) else ""
    said += f", for each of {listed(list(grids))}" if len(grids) > 1 else ""
    return f"{title}: {said}." if title else f"{said}."


def mosaic(images: Tensor, rows: int, gap: int = _GAP) -> Tensor:
    """One picture of all, `(r c) 1 h w -> (r (h + 2)) (c (w + 2))`, with gaps of NaN between.

    Raises:
        ValueError: the images do not make up that many rows.
    """
    if rows == 0 or len(images) == 0 or len(images) % rows:
        raise ValueError(
            f"there are {len(images)} images and {rows} row labels; expected as many images for "
            "each row."
        )
    n, _, height, width = images.shape
    canvas = torch.full((rows, height + gap, n // rows, width + _GAP), math.nan)
    grid = images.detach().cpu().float().clamp(-1, 1).reshape(rows, n // rows, height, width)
    canvas[:, :height, :, :width] = grid.transpose(1, 2)
    return canvas.reshape(rows * (height + gap), -1)[:-gap, :-_GAP]


def _name_cells(set_ticks: Callable[..., Any], names: Sequence[str], side: int) -> None:
    set_ticks([(side + _GAP) * index + (side - 1) / 2 for index in range(len(names))], names)
