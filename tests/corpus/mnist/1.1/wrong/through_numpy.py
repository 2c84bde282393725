"""The values go through numpy, where autograd cannot follow.

Named: Autograd cannot follow your __call__
Keeps: 1
"""

import numpy as np


class CosineAlpha(CosineAlpha):
    def __call__(self, t):
        return torch.from_numpy(np.sin(np.pi / 2 * t.detach().numpy()))
