"""Curves show the numbers that they were given."""

import io
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes

from course_utils import figures
from course_utils.evaluation import Estimate, Scores


def scores(w: float, shift: float = 0.0) -> Scores:
    return Scores(
        Estimate(0.9 + shift, 0.8, 0.95),
        Estimate(9.0 * (w + 1), 0.0, 20.0 * (w + 1)),
        Estimate(1 / (w + 1), 0.1, 2.0),
    )


def ticks(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_xticklabels()]


class TestScoresAgainstScale:
    def test_three_panels_with_the_values_and_a_line_for_each_model(self) -> None:
        by_scale = {w: scores(w) for w in (3, 0, 1.0)}  # in whatever order
        figure = figures.scores_against_scale({"U-Net": by_scale, "DiT": by_scale})
        panels = [ax for ax in figure.axes if ax.lines]
        wanted = [[0.9] * 3, [9, 18, 36], [1, 1 / 2, 1 / 4]]
        for ax, values in zip(panels, wanted, strict=True):
            for line in ax.lines[:2]:
                assert list(line.get_xdata()) == [0, 1, 3]
                assert list(line.get_ydata()) == pytest.approx(values)
            assert ax.get_xlabel() == "guidance scale w" and ax.get_title()
        first, second = panels[0].lines[:2]
        assert first.get_marker() != second.get_marker()
        assert first.get_linestyle() != second.get_linestyle()
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["U-Net", "DiT"]

    def test_the_band_is_the_interval(self) -> None:
        figure = figures.scores_against_scale({"a": {1: scores(1), 2: scores(2)}})
        band = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
        assert band.min() == pytest.approx(0.8) and band.max() == pytest.approx(0.95)
        assert not figure.legends

    def test_the_axis_shows_nothing_and_a_hundred(self) -> None:
        scales = (0, 0.5, 1, 3, 5, 10, 100)
        ax = figures.scores_against_scale({"a": {w: scores(w) for w in scales}}).axes[0]
        assert {"0", "1", "3", "10", "100"} <= set(ticks(ax))
        place = [float(ax.transData.transform((w, 0.9))[0]) for w in scales]
        assert min(np.diff(place)) > 0.03 * (place[-1] - place[0])

    def test_names_of_scales_do_not_touch(self) -> None:
        scales = (0, 0.25, 0.5, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5, 7.5, 10, 100)
        figure = figures.scores_against_scale({"a": {w: scores(w) for w in scales}})
        figure.savefig(io.BytesIO())
        boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
        boxes.sort(key=lambda box: box.x0)
        assert all(a.x1 < b.x0 for a, b in pairwise(boxes))

    @pytest.mark.parametrize(("top", "scale"), [(4.0, "linear"), (40.0, "log")])
    def test_distances_of_several_sizes_are_on_a_logarithmic_axis(
        self, top: float, scale: str
    ) -> None:
        by_scale = {w: scores(w) for w in (1, 2)}
        by_scale[2] = by_scale[2]._replace(frechet=Estimate(18 * top, 18, 18 * top + 1))
        assert figures.scores_against_scale({"a": by_scale}).axes[1].get_yscale() == scale

    def test_one_scale_and_a_distance_of_zero(self) -> None:
        perfect = Scores(Estimate(1.0, 1, 1), Estimate(0.0, 0, 0), Estimate(1.0, 1, 1))
        figures.scores_against_scale({"a": {1.0: perfect}}).savefig(io.BytesIO())


class TestWaves:
    def test_curves_and_map_show_the_outputs(self) -> None:
        t = torch.linspace(0, 1, 40)
        values = torch.stack([torch.sin((k + 1) * 2 * math.pi * t) for k in range(8)], dim=1)
        figure = figures.waves(t, values, count=3)
        left, right = figure.axes[:2]
        curves = [line.get_ydata() for line in left.lines if len(line.get_ydata()) == 40]
        assert [label.get_text() for label in left.get_yticklabels()] == ["0", "4", "7"]
        for curve, level, output in zip(curves, left.get_yticks(), (0, 4, 7), strict=True):
            assert np.allclose(curve - level, values[:, output], atol=1e-6)
        assert np.allclose(right.images[0].get_array(), values.T)

    def test_curves_do_not_overlap(self) -> None:
        figure = figures.waves(torch.linspace(0, 1, 30), 5 * torch.randn(30, 16), count=6)
        curves = [line.get_ydata() for line in figure.axes[0].lines if len(line.get_ydata()) == 30]
        assert len(curves) == 6
        assert all(a.min() > b.max() for a, b in pairwise(curves))

    def test_fewer_outputs_than_curves_and_no_wave_at_all(self) -> None:
        figure = figures.waves(torch.linspace(0, 1, 30), torch.zeros(30, 2))
        assert len(figure.axes[0].get_yticks()) == 2
