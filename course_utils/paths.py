"""Schedules α, β and conditional probability paths between noise (t = 0) and data (t = 1).

Lipman et al. 2023, "Flow matching for generative modeling": a Gaussian path has
p_t(x | z) = N(x; α_t z, β_t² I) with α_0 = β_1 = 0 and α_1 = β_0 = 1.
"""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from course_utils.distributions import LabeledSampleable, Sampleable
from course_utils.shapes import time_batch

# float32 cos(π/2) is 4e-8 below 0, so end points are compared within this.
END_POINT_TOLERANCE = 1e-6


class _Schedule(ABC):
    """A differentiable function of time, elementwise on tensors of any shape."""

    _ends: tuple[float, float]

    def __init__(self) -> None:
        ends = self(torch.tensor([0.0, 1.0]))
        if ends.shape != (2,):
            raise ValueError(
                f"{type(self).__name__} returned shape {tuple(ends.shape)} for times of shape "
                "(2,); expected one value for each time, in the shape of t."
            )
        for t, value, expected in zip((0, 1), ends.tolist(), self._ends, strict=True):
            # Written so that NaN fails too.
            if not abs(value - expected) <= END_POINT_TOLERANCE:
                raise ValueError(
                    f"{type(self).__name__} is {value:g} at t = {t}; expected {expected:g} "
                    f"(within {END_POINT_TOLERANCE:g}). t = 0 is noise and t = 1 is data."
                )

    @abstractmethod
    def __call__(self, t: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """The value at each time of `t`, a tensor of any shape with entries in [0, 1]."""

    def dt(self, t: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """The derivative at each time of `t`, in its shape.

        By automatic differentiation, also where gradients are switched off. Override it with
        the formula: that is faster, and can be differentiated again.
        """
        with torch.inference_mode(False), torch.enable_grad():
            # A copy: `t` keeps its graph and its requires_grad as they are.
            time = t.clone().detach().requires_grad_(True)
            (slope,) = torch.autograd.grad(self(time).sum(), time)
        return slope


class Alpha(_Schedule):
    """How much data: α with α(0) = 0 and α(1) = 1.

    A subclass defines `__call__(t)`, and `dt(t)` if it knows the derivative. One that takes
    parameters stores them first and calls `super().__init__()` last, which checks the end points.

    Raises:
        ValueError: an end point is off by more than 1e-6, or the shape of t is not kept.
    """

    _ends = (0.0, 1.0)


class Beta(_Schedule):
    """How much noise: β with β(0) = 1 and β(1) = 0; otherwise like `Alpha`."""

    _ends = (1.0, 0.0)


class ConditionalProbabilityPath(nn.Module):
    """p_t(x | z), from p_simple at t = 0 to the single datum z at t = 1.

    A subclass defines `sample_conditional_path`, `conditional_vector_field` and
    `conditional_score`. What is passed in is all it knows: no global distribution.

    Args:
        p_simple: the noise, over tensors of the same shape as the data.
        p_data: the data z with labels y.
    """

    def __init__(self, p_simple: Sampleable, p_data: LabeledSampleable) -> None:
        super().__init__()
        self.p_simple = p_simple
        self.p_data = p_data

    def sample_conditioning_variable(
        self, num_samples: int
    ) -> tuple[Float[Tensor, "n ..."], Int64[Tensor, "n"]]:
        """Data z `(n ...)` and labels y `(n,)`, drawn from p_data(z, y)."""
        return self.p_data.sample(num_samples)

    def sample_marginal_path(self, t: Float[Tensor, "..."]) -> Float[Tensor, "b ..."]:
        """One x ~ p_t(x) for each time: z ~ p_data, then x ~ p_t(x | z).

        Args:
            t: times in [0, 1], `(b,)`, `(b, 1)` or `(b, 1, 1, 1)`; a 0-d `t` draws one sample.

        Raises:
            ValueError: `t` has another shape or lies outside [0, 1].
        """
        z, _ = self.sample_conditioning_variable(t.shape[0] if t.ndim else 1)
        return self.sample_conditional_path(z, time_batch(t, z))

    def sample_conditional_path(
        self, z: Float[Tensor, "b ..."], t: Float[Tensor, "..."]
    ) -> Float[Tensor, "b ..."]:
        """x ~ p_t(x | z), in the shape of `z`."""
        raise NotImplementedError(f"{type(self).__name__} defines no sample_conditional_path")

    def conditional_vector_field(
        self, x: Float[Tensor, "b ..."], z: Float[Tensor, "b ..."], t: Float[Tensor, "..."]
    ) -> Float[Tensor, "b ..."]:
        """u_t(x | z), the velocity whose flow carries p_simple along p_t(. | z)."""
        raise NotImplementedError(f"{type(self).__name__} defines no conditional_vector_field")

    def conditional_score(
        self, x: Float[Tensor, "b ..."], z: Float[Tensor, "b ..."], t: Float[Tensor, "..."]
    ) -> Float[Tensor, "b ..."]:
        """∇_x log p_t(x | z)."""
        raise NotImplementedError(f"{type(self).__name__} defines no conditional_score")
