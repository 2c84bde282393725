"""Every figure is no wider than a page, complains of nothing, and leaves nothing open behind it."""

import io
import warnings
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from course_utils import figures
from course_utils.distributions import GMM
from course_utils.evaluation import Estimate, Scores
from course_utils.solved.mnist import (
    CosineAlpha,
    CosineBeta,
    GaussianConditionalProbabilityPath,
    LinearAlpha,
    LinearBeta,
)

MIXTURE = GMM([[0.0, 1.0], [-1.0, -1.0], [1.0, -1.0]], [0.3, 0.3, 0.3], [0.3, 0.3, 0.4])
DIGITS = [str(digit) for digit in range(10)]
SCORES = Scores(Estimate(0.9, 0.8, 0.95), Estimate(9.0, 8.0, 10.0), Estimate(0.7, 0.6, 0.8))


def path() -> Any:
    return GaussianConditionalProbabilityPath(MIXTURE, [1, 8, 8], CosineAlpha(), CosineBeta())


def draw(figure: Figure) -> None:
    figure.savefig(io.BytesIO(), dpi=60)


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
    "guidance_sweep": lambda: figures.guidance_sweep(
        {w: torch.randn(11, 1, 8, 8) for w in (0, 0.5, 1, 3, 5, 10, 100)}, [*DIGITS, "∅"], "title"
    ),
    "samples_over_training": lambda: figures.samples_over_training(
        {"step 100": torch.randn(10, 1, 8, 8), "step 1,000": torch.randn(10, 1, 8, 8)}, DIGITS
    ),
    "side_by_side": lambda: figures.side_by_side(
        {"U-Net": torch.randn(80, 1, 8, 8), "DiT": torch.randn(80, 1, 8, 8)}, DIGITS, title="title"
    ),
    "scores_against_scale": lambda: figures.scores_against_scale(
        {name: dict.fromkeys((0, 1.0, 1.5, 100), SCORES) for name in ("U-Net", "DiT")}
    ),
    "waves": lambda: figures.waves(torch.linspace(0, 1, 50), torch.randn(50, 32)),
    "patches": lambda: figures.patches(torch.randn(2, 1, 32, 32), 4),
    "attention_maps": lambda: figures.attention_maps(
        torch.randn(1, 32, 32), torch.rand(8, 16, 16), [0, 15], 8
    ),
    "positional_similarity": lambda: figures.positional_similarity(torch.randn(64, 8)),
    "counted_densities": lambda: figures.counted_densities(
        {"a": torch.randn(100), "b": torch.randn(100)}, {"a": (0, 1), "b": (0, 1)}, "pixel"
    ),
    "gradient_maps": lambda: figures.gradient_maps(
        torch.randn(2, 1, 8, 8), torch.randn(2, 3, 8, 8), ["a", "b"], ["0", "1", "2"]
    ),
    "guidance_kinds": lambda: figures.guidance_kinds(
        {name: dict.fromkeys((0, 1.0, 3.0), SCORES) for name in ("free", "classifier")}
    ),
    "scores_by_steps": lambda: figures.scores_by_steps(
        {name: dict.fromkeys((5, 25), SCORES) for name in ("DDPM", "DDIM")}
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_within_a_page_and_without_a_warning(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = FIGURES[name]()
        draw(figure)
    width, height = figure.get_size_inches()
    assert width <= figures.PAGE + 0.01 and height <= 10
    assert not plt.get_fignums(), "an open figure would be shown twice in a notebook"


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_cut_off(name: str) -> None:
    figure = FIGURES[name]()
    draw(figure)
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert min(box.x0, box.y0) > -0.05 and box.x1 < width + 0.05 and box.y1 < height + 0.05


@pytest.mark.parametrize(
    "name", ["line_figure", "loss_curve", "signal_to_noise", "waves", "positional_similarity"]
)
def test_axes_are_labelled(name: str) -> None:
    ax = FIGURES[name]().axes[0]
    assert ax.get_xlabel() and ax.get_ylabel()


def test_every_public_figure_is_tested() -> None:
    players, no_figures = {"flow_animation", "field_animation"}, {"course_style", "palette"}
    public = {name for name in figures.__all__ if name.islower()}
    assert public - players - no_figures == set(FIGURES)


def test_the_readers_own_style_comes_back() -> None:
    before = dict(plt.rcParams)
    FIGURES["loss_curve"]()
    assert dict(plt.rcParams) == before


def test_colours_differ() -> None:
    assert len(set(figures.palette(5))) == 5
