"""What a model card says about the samples of a network."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from course_utils import evaluation, recipes
from course_utils.mnist import NUM_CLASSES
from course_utils.runtime import by_budget

Say = Callable[[str], None]


def best_scores(
    draw: Callable[[Tensor, float], Tensor], source: str, say: Say = print
) -> dict[str, str]:
    """Accuracy and Fréchet distance of samples, each at the best of four guidance scales.

    Under the laptop and full budgets 1,000 samples each, 100 of every class.

    Args:
        draw: from labels `n` and a guidance scale to images `n 1 32 32`.
        source: the real images to compare with, "mnist" or "digits".
    """
    labels = torch.arange(NUM_CLASSES).repeat(by_budget(smoke=2, laptop=100, full=100))
    reference = evaluation.reference(source)
    best: dict[str, tuple[float, str]] = {}
    for w in recipes.SCALES:
        scores = evaluation.score(draw(labels, w), labels, reference)
        say(f"w = {w:g}: {scores}")
        for key, value in (("accuracy", -scores.accuracy.value), ("frechet", scores.frechet.value)):
            if key not in best or value < best[key][0]:
                best[key] = (value, f"{getattr(scores, key)} at w = {w:g}")
    return {
        f"accuracy of {len(labels):,} samples": best["accuracy"][1],
        "Fréchet distance": best["frechet"][1],
    }
