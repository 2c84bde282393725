"""What a transformer sees of an image: patches, attention between them, and their positions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from course_utils.figures.style import PAGE, SEQUENTIAL, course_style, palette, show_image
from course_utils.figures.words import counted, described, listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LONGEST_LINE = 16
_GAP_COLOUR = (0.34, 0.71, 0.91)  # no grey level of an image, and a medium one in print


def patches(images: Float[Tensor, "n 1 h w"], patch_size: int) -> Figure:
    """Each image whole, cut apart, and as the row of tokens that a transformer reads.

    Tokens stand in the order of reading, from left to right and from top to bottom, and are
    numbered from 0; a row longer than 16 goes on below.

    Raises:
        ValueError: the patches do not tile the images.
    """
    squares = _squares(images, patch_size)
    n, down, across = squares.shape[:3]
    line = min(down * across, _LONGEST_LINE)
    lines = math.ceil(down * across / line)
    with course_style() as plt:
        token = (PAGE - 3.9) / line
        high = max(1.7, token * 1.5 * lines + 0.3)
        figure = plt.figure(figsize=(PAGE, high * n + 0.35), layout="constrained")
        axes = figure.subplots(n, 3, squeeze=False, width_ratios=(1.6, 1.8, PAGE - 3.9))
        for row in range(n):
            show_image(axes[row][0], images[row])
            _show_apart(axes[row][1], squares[row])
            _show_line(axes[row][2], squares[row].flatten(0, 1), line)
        names = ("image", f"{down} × {across} patches", f"{down * across} tokens, in order")
        for ax, name in zip(axes[0], names, strict=True):
            ax.set_title(name, fontsize="medium")
        for ax in axes.flat:
            ax.set_anchor("N")
    return described(
        figure,
        f"{counted(n, 'image')}: whole, cut into {down} by {across} patches, and as a row of "
        f"{down * across} tokens in order of reading.",
    )


def attention_maps(
    image: Float[Tensor, "1 h w"],
    weights: Float[Tensor, "heads n n"],
    queries: Sequence[int],
    patch_size: int,
) -> Figure:
    """Where each head looks from a patch: a row for each query, a column for each head.

    Args:
        image: the image that the network was given; its outline is drawn over the maps.
        weights: attention from each token (second axis) to each (third axis), of one layer.
        queries: the tokens to look from. Each is framed.

    Raises:
        ValueError: the patches do not tile the image, or the weights are for another number of
            tokens.
    """
    down, across = _squares(image[None], patch_size).shape[1:3]
    heads, tokens = weights.shape[0], down * across
    if weights.shape[1:] != (tokens, tokens) or not all(0 <= q < tokens for q in queries):
        raise ValueError(
            f"weights have shape {tuple(weights.shape)} and queries are {list(queries)}; expected "
            f"(heads, {tokens}, {tokens}) and tokens from 0 to {tokens - 1}, for an image of "
            f"{down} × {across} patches."
        )
    maps = weights.detach().cpu()[:, list(queries)].unflatten(-1, (down, across))
    top = float(maps.quantile(0.995))  # one sharp peak would leave all else dark
    cell = min(1.35, (PAGE - 2.1) / (heads + 1))
    with course_style() as plt:
        figure, axes = plt.subplots(
            len(queries), heads + 1, squeeze=False, layout="constrained",
            figsize=(cell * (heads + 1) + 2.1, cell * len(queries) + 0.4),
        )  # fmt: skip
        for row, query in enumerate(queries):
            show_image(axes[row][0], image)
            axes[row][0].set_ylabel(
                f"from token {query}", rotation=0, ha="right", va="center", fontsize="small"
            )
            for head in range(heads):
                ax = axes[row][head + 1]
                shown = _show_map(ax, maps[head, row], top, patch_size)
                _outline(ax, image)
            for ax in axes[row]:
                _frame(ax, query, across, patch_size)
        for ax, name in zip(axes[0], ["image", *(f"head {h}" for h in range(heads))], strict=True):
            ax.set_title(name, fontsize="small")
        extend = "max" if top < float(maps.max()) else "neither"
        figure.colorbar(shown, ax=axes, label="attention", extend=extend, shrink=0.9)
    strongest = maps.flatten(-2).mean(dim=0).argmax(dim=-1).tolist()
    looks = [f"token {q} most to token {at}" for q, at in zip(queries, strongest, strict=True)]
    return described(
        figure,
        f"Maps of attention over an image, for {counted(heads, 'head')} and from "
        f"{counted(len(queries), 'token')}. On average over heads, {listed(looks)}.",
    )


def positional_similarity(positions: Float[Tensor, "n d"]) -> Figure:
    """How alike the learned positions are: a map for each patch, of its cosine to every patch.

    After Dosovitskiy et al. 2021, "An image is worth 16 × 16 words", figure 7. The map in row i and
    column j belongs to the patch there, and is brightest at its own place.

    Args:
        positions: one vector for each token, for a square grid of tokens in order.

    Raises:
        ValueError: the number of tokens is not a square.
    """
    side = math.isqrt(len(positions))
    if side**2 != len(positions) or not side:
        raise ValueError(
            f"there are {len(positions)} positions; expected a square number of them, for a grid "
            "of patches as high as wide. Leave out positions of tokens that are no patches."
        )
    directions = normalize(positions.detach().cpu().float(), dim=-1)
    cosines = (directions @ directions.T).reshape(side, side, side, side)
    # Empty lines between the maps: rows and columns of NaN are not drawn.
    gap = max(1, side // 6)
    canvas = torch.full((side, side + gap, side, side + gap), math.nan)
    canvas[:, :side, :, :side] = cosines.transpose(1, 2)
    pitch = side + gap
    canvas = canvas.reshape(side * pitch, side * pitch)[:-gap, :-gap]
    with course_style() as plt:
        figure, ax = plt.subplots(figsize=(6.6, 5.6), layout="constrained")
        shown = ax.imshow(canvas.numpy(), cmap=SEQUENTIAL, vmin=-1, vmax=1, interpolation="nearest")
        centres = [pitch * index + (side - 1) / 2 for index in range(side)]
        ax.set_xticks(centres, range(1, side + 1))
        ax.set_yticks(centres, range(1, side + 1))
        ax.set(xlabel="column of the patch", ylabel="row of the patch")
        _without_frame(ax)
        figure.colorbar(shown, ax=ax, label="cosine similarity", shrink=0.9)
    others = (directions @ directions.T)[~torch.eye(side**2, dtype=torch.bool)]
    span = f"{float(others.min()):.2f} to {float(others.max()):.2f}" if side > 1 else "nothing"
    return described(
        figure,
        f"{side} by {side} maps, one for each patch, of how similar its position is to all others: "
        f"cosines from {span}.",
    )


# ------------------------------------------------------------------------------------------ parts


def _squares(images: Tensor, patch_size: int) -> Tensor:
    """`n 1 (down p) (across p) -> n down across p p`, on the CPU."""
    n, channels, height, width = images.shape
    if patch_size < 1 or channels != 1 or height % patch_size or width % patch_size:
        raise ValueError(
            f"images have shape {tuple(images.shape)} and patch_size is {patch_size}; expected "
            "(n, 1, h, w) with h and w multiples of the patch size."
        )
    grid = (
        images.detach()
        .cpu()
        .reshape(n, height // patch_size, patch_size, width // patch_size, patch_size)
    )
    return grid.transpose(2, 3)


def _spaced(squares: Tensor, gap: int) -> Tensor:
    """Patches with gaps of NaN, which are not drawn: `down across p p -> (down (p + gap)) …`."""
    down, across, size, _ = squares.shape
    canvas = torch.full((down, size + gap, across, size + gap), math.nan)
    canvas[:, :size, :, :size] = squares.transpose(1, 2)
    return canvas.reshape(down * (size + gap), -1)[: -gap or None, : -gap or None]


def _show_apart(ax: Axes, squares: Tensor) -> None:
    show_image(ax, _spaced(squares.clamp(-1, 1), max(1, squares.shape[-1] // 4)))
    ax.set_facecolor(_GAP_COLOUR)


def _show_line(ax: Axes, tokens: Tensor, line: int) -> None:
    count, size, _ = tokens.shape
    gap, lines = max(1, size // 4), math.ceil(count / line)
    full = torch.full((lines * line, size, size), math.nan)
    full[:count] = tokens.clamp(-1, 1)
    wide = _spaced(full.unflatten(0, (lines, line)), gap)
    # Room below each line for the numbers.
    high = torch.full((lines, 2 * size, wide.shape[1]), math.nan)
    for index in range(lines):
        start = index * (size + gap)
        high[index, :size] = wide[start : start + size]
    show_image(ax, high.flatten(0, 1))
    ax.set_facecolor(_GAP_COLOUR)
    for index in range(lines):
        ax.axhspan((2 * index + 1) * size - 0.5, (2 * index + 2) * size - 0.5, color="white")
    step = max(1, line // 4)
    for token in range(0, count, step):
        place = ((token % line) * (size + gap) + (size - 1) / 2, (token // line) * 2 * size + size)
        ax.annotate(
            str(token), place, textcoords="offset points", xytext=(0, -1), ha="center", va="top",
            fontsize="x-small", annotation_clip=False,
        )  # fmt: skip


def _show_map(ax: Axes, values: Tensor, top: float, patch_size: int) -> Any:
    down, across = values.shape
    shown = ax.imshow(
        values.numpy(), cmap=SEQUENTIAL, vmin=0, vmax=top or 1, interpolation="nearest",
        extent=(-0.5, across * patch_size - 0.5, down * patch_size - 0.5, -0.5),
    )  # fmt: skip
    ax.set_xticks([])
    ax.set_yticks([])
    _without_frame(ax)
    return shown


def _outline(ax: Axes, image: Tensor) -> None:
    pixels = image.detach().cpu().squeeze()
    if float(pixels.min()) < 0 < float(pixels.max()):  # matplotlib warns of contours that are not
        ax.contour(pixels.numpy(), levels=[0], colors="white", linewidths=0.9, alpha=0.8)


def _frame(ax: Axes, token: int, across: int, patch_size: int) -> None:
    from matplotlib.patches import Rectangle

    corner = (token % across * patch_size - 0.5, token // across * patch_size - 0.5)
    # A dark rim below: the colour alone would be lost on the bright end of the map.
    for colour, width in (("black", 3.4), (palette(4)[3], 1.8)):
        ax.add_patch(
            Rectangle(corner, patch_size, patch_size, fill=False, edgecolor=colour, linewidth=width)
        )


def _without_frame(ax: Axes) -> None:
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.tick_params(length=0)
