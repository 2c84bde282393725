"""Animations are players that hold every frame."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from course_utils import figures


def test_animations_are_players_of_every_frame() -> None:
    images = figures.flow_animation(torch.randn(2, 3, 1, 8, 8), torch.linspace(0, 1, 3), ["a", "b"])
    assert images.data.count("data:image/png;base64") == 3
    moving = figures.field_animation(
        {"f": lambda x, t: -x}, {"f": torch.randn(5, 4, 2)}, torch.linspace(0, 1, 4)
    )
    assert moving.data.count("data:image/png;base64") == 4
    assert not plt.get_fignums()


def test_a_player_needs_no_network_and_its_buttons_have_signs() -> None:
    page = figures.flow_animation(torch.randn(1, 2, 1, 8, 8), torch.linspace(0, 1, 2)).data
    assert "<link" not in page and "http" not in page
    signs = re.findall(r"<button[^>]*>\s*(.*?)\s*</button>", page, re.DOTALL)
    assert signs == ["−", "«", "‹", "◀", "❙❙", "▶", "›", "»", "+"]


def test_images_of_an_animation_stand_in_rows_of_five(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = []

    def keep(figure, update, frames, interval):
        for frame in range(frames):
            update(frame)
            pictures.append(np.asarray(figure.axes[0].images[0].get_array()))
        texts.extend(text.get_text() for text in figure.axes[0].texts)

    texts: list[str] = []
    monkeypatch.setattr(figures.animations, "to_player", keep)
    levels = torch.linspace(-1, 1, 14).reshape(7, 2, 1, 1, 1).expand(-1, -1, 1, 4, 4)
    figures.flow_animation(levels, torch.linspace(0, 1, 2), list("abcdefg"))
    assert texts == list("abcdefg")
    for frame, picture in enumerate(pictures):
        for index in range(7):
            row, column = divmod(index, 5)
            cell = picture[5 * row : 5 * row + 4, 6 * column : 6 * column + 4]
            assert np.allclose(cell, float(levels[index, frame, 0, 0, 0]))
        assert np.isnan(np.ma.filled(picture, np.nan)[5:, 12:]).all()
