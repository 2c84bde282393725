"""Images stand where their row and column say."""

import io
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes

from course_utils import figures
from course_utils.distributions import GMM
from course_utils.solved.mnist import (
    CosineAlpha,
    CosineBeta,
    GaussianConditionalProbabilityPath,
    LinearAlpha,
    LinearBeta,
)

MIXTURE = GMM([[0.0, 1.0], [1.0, -1.0]], [0.3, 0.3], [0.5, 0.5])


def path(alpha: Any, beta: Any) -> Any:
    return GaussianConditionalProbabilityPath(MIXTURE, [1, 8, 8], alpha, beta)


def levels(*values: float) -> torch.Tensor:
    """Images of one grey level each, `n 1 4 4`."""
    return torch.tensor(values).reshape(-1, 1, 1, 1).expand(-1, 1, 4, 4)


def shown(ax: Axes, rows: int, columns: int) -> list[list[float]]:
    """The grey levels of a mosaic of 4 × 4 images, as its row and column labels place them."""
    data = np.asarray(ax.images[0].get_array())
    heights = [size * 6 + 1.5 for size in range(rows)]
    widths = [size * 6 + 1.5 for size in range(columns)]
    assert list(ax.get_yticks()) in (heights, []) and list(ax.get_xticks()) in (widths, [])
    cells = [[data[int(y) - 1 : int(y) + 3, int(x) - 1 : int(x) + 3] for x in widths]
             for y in heights]  # fmt: skip
    assert all(cell.std() < 1e-6 for row in cells for cell in row)
    return [[round(float(cell.mean()), 4) for cell in row] for row in cells]


def names(labels: list) -> list[str]:
    return [label.get_text() for label in labels]


class TestGrids:
    def test_rows_and_columns_are_named(self) -> None:
        figure = figures.image_grid(
            [torch.randn(5, 1, 8, 8)] * 2, ["a", "b"], list("12345"), "title"
        )
        (ax,) = figure.axes
        assert names(ax.get_yticklabels()) == ["a", "b"]
        assert names(ax.get_xticklabels()) == list("12345")
        assert figure.get_suptitle() == "title"

    def test_every_image_stands_at_its_place(self) -> None:
        figure = figures.image_grid([levels(0.1, 0.2), levels(0.7, 0.8)])
        assert shown(figure.axes[0], 2, 2) == [[0.1, 0.2], [0.7, 0.8]]

    def test_a_row_of_smaller_images_is_shown_as_large(self) -> None:
        figure = figures.image_grid([levels(0.1, 0.2), levels(0.7, 0.8)[:, :, :2, :2]])
        assert shown(figure.axes[0], 2, 2) == [[0.1, 0.2], [0.7, 0.8]]

    def test_a_class_with_few_images_has_a_row_as_long(self) -> None:
        figure = figures.class_grid(levels(0.1, 0.2, 0.3), torch.tensor([4, 7, 4]), per_class=2)
        assert shown(figure.axes[0], 2, 2) == [[0.1, 0.3], [0.2, -1]]
        assert names(figure.axes[0].get_yticklabels()) == ["4", "7"]

    def test_the_rows_of_a_noising_grid_share_their_noise(self) -> None:
        linear, cosine = path(LinearAlpha(), LinearBeta()), path(CosineAlpha(), CosineBeta())
        z = torch.rand(1, 1, 8, 8)
        figure = figures.noising_grid({"a": linear, "b": cosine}, z, torch.linspace(0, 1, 3))
        picture = np.asarray(figure.axes[0].images[0].get_array())
        cells = [[picture[y : y + 8, x : x + 8] for x in (0, 10, 20)] for y in (0, 10)]
        assert np.allclose(cells[0][0], cells[1][0])  # t = 0: the noise itself
        assert np.allclose(cells[0][2], z.squeeze(), atol=1e-6)
        assert np.allclose(cells[1][2], z.squeeze(), atol=1e-6)
        assert not np.allclose(cells[0][1], cells[1][1])


class TestMosaics:
    def test_a_guidance_sweep_has_a_column_for_each_scale(self) -> None:
        figure = figures.guidance_sweep({0: levels(0.1, 0.2), 2.5: levels(0.3, 0.4)}, ["7", "∅"])
        (ax,) = figure.axes
        assert shown(ax, 2, 2) == [[0.1, 0.3], [0.2, 0.4]]
        assert names(ax.get_xticklabels()) == ["w = 0", "w = 2.5"]
        renamed = figures.guidance_sweep({3: levels(0.1)}, ["7"], symbol="s")
        assert names(renamed.axes[0].get_xticklabels()) == ["s = 3"]
        assert names(ax.get_yticklabels()) == ["7", "∅"]

    def test_samples_over_training_have_a_row_for_each_moment(self) -> None:
        rows = {"step 1": levels(0.1, 0.2, 0.3), "step 9": levels(0.4, 0.5, 0.6)}
        (ax,) = figures.samples_over_training(rows).axes
        assert shown(ax, 2, 3) == [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]
        assert names(ax.get_yticklabels()) == ["step 1", "step 9"]

    def test_grids_side_by_side(self) -> None:
        grids = {"one": levels(0.1, 0.2, 0.3, 0.4), "two": levels(0.5, 0.6, 0.7, 0.8)}
        first, second = figures.side_by_side(grids, ["a", "b"], ["x", "y"], "title").axes
        assert shown(first, 2, 2) == [[0.1, 0.2], [0.3, 0.4]]
        assert shown(second, 2, 2) == [[0.5, 0.6], [0.7, 0.8]]
        assert (first.get_title(), second.get_title()) == ("one", "two")
        assert names(first.get_yticklabels()) == ["a", "b"] and not second.get_yticklabels()
        assert names(second.get_xticklabels()) == ["x", "y"]

    def test_what_lies_beyond_white_is_white_and_gaps_are_empty(self) -> None:
        (ax,) = figures.samples_over_training({"a": levels(-5.0, 7.0)}).axes
        assert shown(ax, 1, 2) == [[-1, 1]]
        assert np.isnan(np.ma.filled(ax.images[0].get_array(), np.nan)[:, 4:6]).all()

    def test_half_precision_and_gradients_are_fine(self) -> None:
        images = torch.randn(2, 1, 4, 4, requires_grad=True).bfloat16()
        figures.samples_over_training({"a": images}).savefig(io.BytesIO())

    def test_labels_must_fit(self) -> None:
        with pytest.raises(ValueError, match="3 row labels and 2 images at each scale"):
            figures.guidance_sweep({1.0: levels(0.1, 0.2)}, ["a", "b", "c"])
        with pytest.raises(ValueError, match="3 images and 2 row labels"):
            figures.side_by_side({"a": levels(1.0, 2.0, 3.0)}, ["a", "b"])
