"""Job 5.5 accepts any right gradient, and names the mistake of a wrong one; see tests/corpus."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusion_answers import assert_right, assert_wrong
from torch import Tensor

from course_utils.checks.classifier_guidance import LAB
from course_utils.solved.classifier_guidance import classifier_guidance


def test_the_reference_earns_full_marks() -> None:
    assert_right("5.5", classifier_guidance)


@pytest.mark.parametrize("name", ["0.shape", "1.weights"])
def test_a_seed_chooses_the_sizes(name: str) -> None:
    values = [LAB.jobs["5.5"].parts[0].inputs(seed)[name] for seed in range(12)]
    assert len({str(v.shape if v.ndim > 1 else v) for v in values}) > 1


def guidance(cond_fn: Callable[..., Any]) -> Callable[..., Any]:
    """A target from (classifier, scale, x, t, y) to the gradient."""

    def classifier_guidance(classifier: Any, scale: float) -> Callable[..., Any]:
        return lambda x, t, y: cond_fn(classifier, scale, x, t, y)

    return classifier_guidance


def of(
    chosen: Callable[[Tensor, Tensor], Tensor] = lambda logits, y: logits.log_softmax(1)[
        torch.arange(len(y)), y
    ],
    ask: Callable[..., Tensor] = lambda classifier, x, t, y: classifier(x, t),
    scaled: Callable[[Tensor, float], Tensor] = lambda pull, scale: scale * pull,
    leaf: Callable[[Tensor], Tensor] = lambda x: x.detach().requires_grad_(),
) -> Callable[..., Any]:
    """The right gradient with one thing done otherwise."""

    def cond_fn(classifier: Any, scale: float, x: Any, t: Any, y: Any) -> Any:
        with torch.enable_grad():
            x = leaf(x)
            value = chosen(ask(classifier, x, t, y), y)
            return scaled(torch.autograd.grad(value.sum(), x)[0], scale)

    return guidance(cond_fn)


def rows(y: Tensor) -> Tensor:
    return torch.arange(len(y))


WRONG_GRADIENTS = {
    "shifted by one": of(lambda p, y: p.log_softmax(1)[rows(y), (y + 1) % p.shape[1]]),
    "told other steps": of(ask=lambda c, x, t, y: c(x, t.flip(0))),
    "writes into x": of(leaf=lambda x: x.mul_(2).detach().requires_grad_()),
}


@pytest.mark.parametrize("words", WRONG_GRADIENTS)
def test_wrong_gradients(words: str) -> None:
    assert_wrong("5.5", WRONG_GRADIENTS[words], words)


WRONG_SCALES = {
    "is divided by the scale": of(scaled=lambda g, s: g / s if s else 0 * g),
    "has no effect": of(scaled=lambda g, s: g * float(s != 0)),
}


@pytest.mark.parametrize("words", WRONG_SCALES)
def test_wrong_scales(words: str) -> None:
    assert_wrong("5.5", WRONG_SCALES[words], words, earned=2)
