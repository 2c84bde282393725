"""How far apart colours look, and how well one is read on another."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

Colour = Sequence[float]

# Machado, Oliveira and Fernandes 2009, "A physiologically-based model for simulation of color
# vision deficiency", table 1 at severity 1, for linear RGB.
EYES = {
    "most people": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE = TO_XYZ.sum(axis=1)


def linear(colour: Colour) -> np.ndarray:
    """sRGB from 0 to 1, without its gamma (IEC 61966-2-1)."""
    rgb = np.asarray(colour, dtype=float)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def as_lab(colour: Colour, eyes: np.ndarray) -> np.ndarray:
    """CIE Lab of the colour as it is seen."""
    ratio = TO_XYZ @ (eyes @ linear(colour)).clip(0, 1) / WHITE
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def closest(colours: Sequence[Colour], eyes: np.ndarray) -> float:
    """The smallest distance in Lab between two of the colours; about 2 is just seen."""
    seen = [as_lab(colour, eyes) for colour in colours]
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2))


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast of two colours such as ``#1a7f4b``, from 1 to 21."""
    light = [
        float(TO_XYZ[1] @ linear([byte / 255 for byte in bytes.fromhex(colour[1:])]))
        for colour in (one, other)
    ]
    return (max(light) + 0.05) / (min(light) + 0.05)
