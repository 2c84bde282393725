"""Animations are players that hold every frame."""

import matplotlib.pyplot as plt
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
