"""Every call takes a little less than a cell may: cell by cell, the whole night.

Aim: stop
"""

import time


def wait():
    time.sleep(min(hostile.limits["cell_seconds"] - 2, 90))


# %% mnist-1-1-answer
class CosineAlpha(Alpha):
    def __call__(self, t):
        wait()
        return t


class CosineBeta(Beta):
    def __call__(self, t):
        wait()
        return 1 - t


# %% mnist-1-2-answer
class GaussianConditionalProbabilityPath(ConditionalProbabilityPath):
    def __init__(self, *values):
        wait()


# %% mnist-1-3-answer
wait()

# %% mnist-1-4-answer
wait()
