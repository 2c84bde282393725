"""A loop that never ends, in an answer that every test calls.

Aim: stop
"""


# %% mnist-1-2-answer
class GaussianConditionalProbabilityPath(ConditionalProbabilityPath):
    def __init__(self, *values):
        while hostile.busy():
            pass
