"""Each figure is drawn, labelled and no wider than a page, and leaves nothing open behind it."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from course_utils import figures
from course_utils.distributions import GMM
from course_utils.solved.mnist import (
    CosineAlpha,
    CosineBeta,
    GaussianConditionalProbabilityPath,
    LinearAlpha,
    LinearBeta,
)

MIXTURE = GMM([[0.0, 1.0], [-1.0, -1.0], [1.0, -1.0]], [0.3, 0.3, 0.3], [0.3, 0.3, 0.4])


def path() -> Any:
    return GaussianConditionalProbabilityPath(MIXTURE, [1, 8, 8], CosineAlpha(), CosineBeta())


def points(n: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    return MIXTURE.sample(n)


FIGURES: dict[str, Callable[[], Figure]] = {
    "image_grid": lambda: figures.image_grid(
        [torch.randn(5, 1, 8, 8)] * 2, ["a", "b"], list("12345"), "title"
    ),
    "class_grid": lambda: figures.class_grid(
        torch.randn(30, 1, 8, 8), torch.arange(30) % 3, per_class=12
    ),
    "noising_grid": lambda: figures.noising_grid(
        {"cosine": path()}, torch.randn(1, 1, 8, 8), torch.linspace(0, 1, 5)
    ),
    "signal_to_noise": lambda: figures.signal_to_noise(
        {"linear": (LinearAlpha(), LinearBeta()), "cosine": (CosineAlpha(), CosineBeta())}
    ),
    "line_figure": lambda: figures.line_figure(
        {"a": ([1, 2], [3, 4]), "b": ([1, 2], [4, 3])}, "x", "y"
    ),
    "loss_curve": lambda: figures.loss_curve(np.linspace(2, 1, 100), np.arange(100)),
    "scatter_panels": lambda: figures.scatter_panels(
        {"with": points(), "without": (points()[0], None)}
    ),
    "density_sweep": lambda: figures.density_sweep(
        {1.0: points(300)[0], 2.0: points(300)[0]}, MIXTURE, 0
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_within_a_page(name: str) -> None:
    figure = FIGURES[name]()
    figure.canvas.draw()
    assert figure.get_size_inches()[0] <= figures.PAGE + 0.01
    assert not plt.get_fignums(), "an open figure would be shown twice in a notebook"


@pytest.mark.parametrize("name", ["line_figure", "loss_curve", "signal_to_noise"])
def test_axes_are_labelled(name: str) -> None:
    ax = FIGURES[name]().axes[0]
    assert ax.get_xlabel() and ax.get_ylabel()


def test_rows_and_columns_are_named() -> None:
    figure = FIGURES["image_grid"]()
    assert figure.axes[0].get_ylabel() == "a" and figure.axes[5].get_ylabel() == "b"
    assert [ax.get_title() for ax in figure.axes[:5]] == list("12345")


def test_every_image_stands_at_its_place() -> None:
    rows = [torch.full((2, 1, 4, 4), 0.1), torch.full((2, 1, 4, 4), 0.7)]
    shown = [float(ax.images[0].get_array().mean()) for ax in figures.image_grid(rows).axes]
    assert shown == pytest.approx([0.1, 0.1, 0.7, 0.7])


def test_the_rows_of_a_noising_grid_share_their_noise() -> None:
    linear = GaussianConditionalProbabilityPath(MIXTURE, [1, 8, 8], LinearAlpha(), LinearBeta())
    z = torch.randn(1, 1, 8, 8)
    figure = figures.noising_grid({"a": linear, "b": path()}, z, torch.linspace(0, 1, 3))
    images = [ax.images[0].get_array() for ax in figure.axes]
    assert np.allclose(images[0], images[3])  # t = 0: the noise itself
    assert np.allclose(images[2], z.squeeze()) and np.allclose(images[5], z.squeeze(), atol=1e-6)
    assert not np.allclose(images[1], images[4])


def test_the_readers_own_style_comes_back() -> None:
    before = dict(plt.rcParams)
    FIGURES["loss_curve"]()
    assert dict(plt.rcParams) == before


def test_colours_differ() -> None:
    assert len(set(figures.palette(5))) == 5


def test_animations_are_players_of_every_frame() -> None:
    images = figures.flow_animation(torch.randn(2, 3, 1, 8, 8), torch.linspace(0, 1, 3), ["a", "b"])
    assert images.data.count("data:image/png;base64") == 3
    moving = figures.field_animation(
        {"f": lambda x, t: -x}, {"f": torch.randn(5, 4, 2)}, torch.linspace(0, 1, 4)
    )
    assert moving.data.count("data:image/png;base64") == 4
    assert not plt.get_fignums()
