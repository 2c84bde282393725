"""Answers of odd kinds: no dimension, no element, meta, sparse, quantised, nested, complex, lazy.

Aim: gain
Quick: yes
"""

import itertools

import torch

ODD = itertools.cycle(
    [
        lambda x: x.sum(),
        lambda x: x[:0],
        lambda x: torch.empty(0, 2**40),
        lambda x: x.to("meta"),
        lambda x: x.to_sparse(),
        lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.quint8),
        lambda x: torch.nested.nested_tensor([x[0], x[1, 0]]),
        lambda x: x.to(torch.complex64).conj(),
        lambda x: torch._neg_view(x),
        lambda x: x.to(torch.float8_e4m3fn),
        lambda x: x.double() * float("nan"),
        lambda x: x * float("inf"),
        lambda x: x.to(torch.int64),
        lambda x: x > 0,
        lambda x: torch.nn.Parameter(x),
        lambda x: torch.nn.UninitializedParameter(),
        lambda x: x.expand(3, *x.shape),
        lambda x: [x, [x, {"x": x}]],
        lambda x: {"x": x},
        lambda x: (one for one in x),
        lambda x: x.numpy(),
        lambda x: type("Tensor" * 10_000 + "<script>", (), {})(),
        lambda x: 10**5_000,
        lambda x: "x" * 50_000_000,
        lambda x: float("nan"),
        lambda x: memoryview(b"x"),
        lambda x: torch.Tensor,
    ]
)


# %% mnist-1-1-answer
class CosineAlpha(Alpha):
    def __init__(self):
        pass

    def __call__(self, t):
        return next(ODD)(t)

    dt = __call__


class CosineBeta(CosineAlpha):
    pass


# %% mnist-1-2-answer
class GaussianConditionalProbabilityPath(ConditionalProbabilityPath):
    def __init__(self, p_data, p_simple_shape, alpha, beta):
        super().__init__(IsotropicGaussian(p_simple_shape), p_data)

    def sample_conditional_path(self, z, t):
        return next(ODD)(z)


# %% mnist-1-3-answer
@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    return next(ODD)(x)


# %% mnist-1-4-answer
@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    return next(ODD)(x)
