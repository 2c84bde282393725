"""Returns a numpy array.

Named: yours is a ndarray
"""

import numpy as np


class FourierEncoder(FourierEncoder):
    def forward(self, t):
        angles = 2 * math.pi * t[:, None] * self.frequencies
        both = [np.sin(angles.numpy()), np.cos(angles.numpy())]
        return np.sqrt(2) * np.concatenate(both, axis=-1)
