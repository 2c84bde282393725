"""A path that does lab 1's jobs, for the checks of later labs; lab 1's handout goes without it."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils.checks.probes import ProbeAlpha, ProbeBeta
from course_utils.distributions import IsotropicGaussian, LabeledSampleable
from course_utils.paths import ConditionalProbabilityPath
from course_utils.shapes import expand_time


class ProbePath(ConditionalProbabilityPath):
    """A right path over the probe's schedule, for jobs that build on lab 1's.

    ``made`` holds a private copy of every (z, x) that it drew.
    """

    def __init__(self, p_data: LabeledSampleable, p_simple_shape: tuple[int, ...]) -> None:
        super().__init__(IsotropicGaussian(p_simple_shape), p_data)
        self.alpha, self.beta = ProbeAlpha(), ProbeBeta()
        self.made: list[tuple[Tensor, Tensor]] = []

    def sample_conditional_path(self, z: Tensor, t: Tensor) -> Tensor:
        return self.sample_training_pair(z, t)[0]

    def sample_training_pair(self, z: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        t, noise = expand_time(t, z), torch.randn_like(z)
        x = self.alpha(t) * z + self.beta(t) * noise
        self.made.append((z.detach().clone(), x.detach().clone()))
        return x, self.alpha.dt(t) * z + self.beta.dt(t) * noise

    def conditional_vector_field(self, x: Tensor, z: Tensor, t: Tensor) -> Tensor:
        t = expand_time(t, x)
        noise = (x - self.alpha(t) * z) / self.beta(t).clamp_min(1e-7)
        return self.alpha.dt(t) * z + self.beta.dt(t) * noise

    def conditional_score(self, x: Tensor, z: Tensor, t: Tensor) -> Tensor:
        t = expand_time(t, x)
        return (self.alpha(t) * z - x) / self.beta(t).clamp_min(1e-7) ** 2
