"""Colours that stand beside each other differ for colour-blind people, too."""

import pytest
from colours import EYES, closest
from matplotlib import colormaps

from course_utils.figures import palette
from course_utils.figures.diffusion import _DIVERGING
from course_utils.figures.style import SEQUENTIAL
from course_utils.figures.transformers import _GAP_COLOUR

# Ten times what is just noticed side by side; lines differ in marker or dash besides.
APART = 12.0


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_colours_of_curves_and_classes_differ(count: int, eyes: str) -> None:
    assert closest(palette(count), EYES[eyes]) > APART


@pytest.mark.parametrize("eyes", EYES)
def test_the_ends_and_the_middle_of_a_map_differ(eyes: str) -> None:
    for name in (_DIVERGING, SEQUENTIAL):
        steps = [colormaps[name](place)[:3] for place in (0.1, 0.5, 0.9)]
        assert closest(steps, EYES[eyes]) > 2 * APART, name


@pytest.mark.parametrize("eyes", EYES)
def test_gaps_between_patches_are_no_grey(eyes: str) -> None:
    for level in range(11):
        assert closest([_GAP_COLOUR, (level / 10,) * 3], EYES[eyes]) > APART


def test_the_measure_knows_what_colour_blind_people_mix_up() -> None:
    red, green = (0.8, 0.2, 0.1), (0.42, 0.42, 0.08)
    assert closest([red, green], EYES["most people"]) > 50
    assert closest([red, green], EYES["deuteranopia"]) < 20
