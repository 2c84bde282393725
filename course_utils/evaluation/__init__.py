"""How good a model is, in numbers: exact fields to compare with, and distances."""

from course_utils.evaluation.distances import relative_error, sliced_wasserstein
from course_utils.evaluation.oracles import EmpiricalOracle, MixtureOracle, Schedule

__all__ = [
    "EmpiricalOracle",
    "MixtureOracle",
    "Schedule",
    "relative_error",
    "sliced_wasserstein",
]
