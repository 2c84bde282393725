"""Lab 5's figures show the numbers that they were given."""

import io

import numpy as np
import pytest
import torch

from course_utils import figures
from course_utils.evaluation import Estimate, Scores


def scores(w: float) -> Scores:
    return Scores(
        Estimate(0.1 + 0.08 * w, 0.05, 0.99),
        Estimate(9.0 * (w + 1), 1.0, 20.0 * (w + 1)),
        Estimate(1 / (w + 1), 0.1, 2.0),
    )


def write(figure: object) -> None:
    figure.savefig(io.BytesIO())  # type: ignore[attr-defined]


DRAWS = {"a": torch.linspace(-1, 1, 100), "b": torch.full((5,), 3.0)}
BY_SCALE = {w: scores(w) for w in (3, 0, 1.0)}


class TestCountedDensities:
    def test_the_curve_is_the_gaussian_that_was_named(self) -> None:
        figure = figures.counted_densities(DRAWS, {"a": (0.5, 0.2), "b": (3, 1)}, "pixel")
        ax = figure.axes[0]
        for line, mean, deviation in zip(ax.lines, (0.5, 3.0), (0.2, 1.0), strict=True):
            x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
            assert x[y.argmax()] == pytest.approx(mean, abs=0.03)
            assert np.trapezoid(y, x) == pytest.approx(1, abs=1e-3)
            assert np.sqrt(np.trapezoid(y * (x - mean) ** 2, x)) == pytest.approx(deviation, 0.01)
        told = [text.get_text() for text in figure.legends[0].get_texts()]
        assert told[0] == "a: 100 counted" and told[1] == "a: the formula" and len(told) == 4
        assert ax.get_xlabel() == "pixel"

    def test_the_histogram_holds_the_draws(self) -> None:
        ax = figures.counted_densities({"a": DRAWS["a"]}, {"a": (0, 1)}).axes[0]
        area = sum(bar.get_width() * bar.get_height() for bar in ax.patches)
        assert area == pytest.approx(1)
        assert min(bar.get_x() for bar in ax.patches) == pytest.approx(-1)

    @pytest.mark.parametrize("draws", [{"b": torch.ones(3)}, {"a": torch.ones(0)}])
    def test_errors(self, draws: dict[str, torch.Tensor]) -> None:
        with pytest.raises(ValueError, match="expected the same names, and draws of each"):
            figures.counted_densities(draws, {"a": (0, 1)})


class TestGradientMaps:
    images = torch.rand(2, 1, 6, 6)
    gradients = torch.randn(2, 3, 6, 6) * torch.tensor([1.0, 100.0]).reshape(2, 1, 1, 1)

    def test_maps_beside_their_image_with_their_length(self) -> None:
        figure = figures.gradient_maps(self.images, self.gradients, ["A", "B"], ["0", "1", "2"])
        axes = figure.axes[:8]
        assert [ax.get_title() for ax in axes[:4]] == ["x", "0", "1", "2"]
        assert [axes[i].get_ylabel() for i in (0, 4)] == ["A", "B"]
        for row in range(2):
            assert np.allclose(axes[4 * row].images[0].get_array(), self.images[row, 0])
            for column in range(3):
                ax, gradient = axes[4 * row + 1 + column], self.gradients[row, column]
                shown = torch.tensor(np.asarray(ax.images[0].get_array()))
                assert torch.allclose(shown / shown.norm(), gradient / gradient.norm(), atol=1e-5)
                assert ax.images[0].get_clim() == (-1, 1)
                assert ax.get_xlabel() == f"{float(gradient.norm()):.2g}"
        write(figure)

    def test_more_ink_is_red(self) -> None:
        figure = figures.gradient_maps(
            torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2), ["A"], ["0"]
        )
        red, _, blue, _ = figure.axes[1].images[0].to_rgba(np.ones((1, 1)))[0, 0]
        assert red > blue

    def test_no_gradient_at_all(self) -> None:
        write(figures.gradient_maps(self.images, torch.zeros(2, 1, 6, 6), ["A", "B"], ["0"]))

    def test_errors(self) -> None:
        with pytest.raises(ValueError, match="expected 2, 2 and 3"):
            figures.gradient_maps(self.images, self.gradients, ["A", "B"], ["0", "1"])


class TestGuidanceKinds:
    def test_both_numbers_over_the_scale_and_over_each_other(self) -> None:
        other = {w: s._replace(accuracy=Estimate(0.5, 0.4, 0.6)) for w, s in BY_SCALE.items()}
        figure = figures.guidance_kinds({"one": BY_SCALE, "two": other})
        accuracy, diversity, trade = figure.axes
        assert list(accuracy.lines[0].get_xdata()) == [0, 1, 3]
        assert list(accuracy.lines[0].get_ydata()) == pytest.approx([0.1, 0.18, 0.34])
        assert list(accuracy.lines[1].get_ydata()) == [0.5] * 3
        assert list(diversity.lines[0].get_ydata()) == pytest.approx([1, 1 / 2, 1 / 4])
        assert list(trade.lines[0].get_xdata()) == pytest.approx([1, 1 / 2, 1 / 4])
        assert list(trade.lines[0].get_ydata()) == pytest.approx([0.1, 0.18, 0.34])
        assert [text.get_text() for text in trade.texts] == ["0", "1", "3"] * 2
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["one", "two"]
        assert trade.lines[0].get_marker() != trade.lines[1].get_marker()
        write(figure)

    def test_the_band_is_the_interval(self) -> None:
        band = figures.guidance_kinds({"a": BY_SCALE}).axes[0].collections[0]
        heights = band.get_paths()[0].vertices[:, 1]
        assert heights.min() == pytest.approx(0.05) and heights.max() == pytest.approx(0.99)

    def test_crowded_scales_are_named_once(self) -> None:
        same = {w: scores(1) for w in (1, 2, 5)}
        trade = figures.guidance_kinds({"a": same}).axes[2]
        assert [text.get_text() for text in trade.texts] == ["1"]


class TestScoresBySteps:
    def test_two_panels_over_a_logarithmic_axis(self) -> None:
        by_steps = {50: scores(2), 5: scores(1), 10: scores(3)}
        figure = figures.scores_by_steps({"DDPM": by_steps, "DDIM": by_steps})
        accuracy, frechet = figure.axes
        assert list(accuracy.lines[1].get_xdata()) == [5, 10, 50]
        assert list(accuracy.lines[1].get_ydata()) == pytest.approx([0.18, 0.34, 0.26])
        assert list(frechet.lines[0].get_ydata()) == pytest.approx([18, 36, 27])
        for ax in figure.axes:
            assert ax.get_xscale() == "log" and ax.get_xlabel() == "steps" and ax.get_title()
            assert [label.get_text() for label in ax.get_xticklabels()] == ["5", "10", "50"]
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["DDPM", "DDIM"]
        write(figure)
