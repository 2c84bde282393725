"""How good a model is, in numbers: exact fields to compare with, distances, and judged samples."""

from course_utils.evaluation.classifier import DigitClassifier, describe, digit_classifier
from course_utils.evaluation.distances import relative_error, sliced_wasserstein
from course_utils.evaluation.fidelity import (
    Estimate,
    Reference,
    Scores,
    accuracy,
    diversity,
    frechet_distance,
    reference,
    score,
)
from course_utils.evaluation.oracles import EmpiricalOracle, MixtureOracle, Schedule

__all__ = [
    "DigitClassifier",
    "EmpiricalOracle",
    "Estimate",
    "MixtureOracle",
    "Reference",
    "Schedule",
    "Scores",
    "accuracy",
    "describe",
    "digit_classifier",
    "diversity",
    "frechet_distance",
    "reference",
    "relative_error",
    "score",
    "sliced_wasserstein",
]
