"""Comes back as a numpy array.

Named: yours is a ndarray
"""

import numpy as np


class CosineAlpha(CosineAlpha):
    def __call__(self, t):
        return np.sin(np.pi / 2 * t.detach().numpy())
