"""A test's call returns twice: the process forks, and both answer on the same sockets.

Aim: stop
"""

import os

FORKED = []


# %% mnist-1-3-answer
@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    if not FORKED:
        FORKED.append(hostile.tried(os.fork))
        hostile.alias()
        hostile.end_at(90)
    return torch.zeros_like(x)
