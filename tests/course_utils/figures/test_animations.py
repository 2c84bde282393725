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


def test_a_player_is_read_aloud_and_needs_no_network() -> None:
    page = figures.flow_animation(
        torch.randn(2, 3, 1, 8, 8), torch.linspace(0, 1, 3), ["a", "b"]
    ).data
    assert '<img alt="2 images on the way from t = 0 to 1: a and b." id="_anim' in page
    assert '<input aria-label="Frame" id="_anim_slider' in page
    buttons = re.findall(r"<button([^>]*)>(.*?)</button>", page, flags=re.DOTALL)
    assert [sign.strip() for _, sign in buttons] == ["−", "«", "‹", "◀", "❙❙", "▶", "›", "»", "+"]
    assert all("aria-label=" in head for head, _ in buttons)
    assert "<link" not in page and "http" not in page


def test_images_of_an_animation_stand_in_rows_of_five(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = []

    def keep(figure, update, frames, interval, words):
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
