"""Guidance by a classifier that reads noised images: its gradient moves the step back."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.diffusion.prediction import Prediction
from course_utils.diffusion.process import DiscreteDiffusion, same_shape

Classifier = Callable[[Tensor, Tensor], Tensor]
CondFn = Callable[[Tensor, Tensor, Tensor], Tensor]


def classifier_gradient(classifier: Classifier, scale: float | int = 1.0) -> CondFn:
    """cond_fn(x, t, y) = s ∇_x log p(y | x_t) (ADM, algorithms 1 and 2).

    Args:
        classifier: called as `classifier(x, t)`, returns logits `(b, classes)`. It must have been
            trained on noised images.
        scale: s. 0 asks the classifier nothing and gives zeros, so nothing is guided.

    Returns:
        A function of `x: b ...`, original steps `t: b` and labels `y: b`, which gives a gradient in
        the shape of `x`. Each item's is its own, whatever the batch. It works where gradients are
        off, and leaves the classifier's parameters without any.

    Raises:
        ValueError: `scale` is not finite; when called, the logits are not `(b, classes)` or a
            label is none of the classes.
    """
    if not math.isfinite(scale):
        raise ValueError(f"scale is {scale}; expected a number, such as 1 or 4.")

    def cond_fn(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        checked_labels(y, x)
        if scale == 0:
            return torch.zeros_like(x)
        # Samplers run without gradients. Clones, because a tensor that was made in inference mode
        # can take no part in a backward pass.
        with torch.inference_mode(False), torch.enable_grad():
            x_in = x.clone().detach().requires_grad_()
            logits = classifier(x_in, t.clone())
            log_p = _log_probability(logits, y.clone().long().to(x.device), x)
            # A sum, since a mean would divide the gradient by the size of the batch.
            (gradient,) = torch.autograd.grad(log_p.sum(), x_in)
        return scale * gradient

    return cond_fn


def condition_mean(
    cond_fn: CondFn,
    prediction: Prediction,
    x: Float[Tensor, "b ..."],
    t: Tensor,
    y: Tensor,
) -> Float[Tensor, "b ..."]:
    """mean + Σ g with g = cond_fn(x_t, t, y) (ADM, equation 10 and algorithm 1).

    Args:
        prediction: of the step back from `x`; its variance is Σ.
        x: x_t, `b ...`.
        t: original steps, which are what `cond_fn` is told.
        y: labels, integers `(b,)`.

    Raises:
        ValueError: the labels do not fit `x`, or the gradient has another shape.
    """
    return prediction.mean + prediction.variance * _gradient(cond_fn, x, t, y)


def condition_score(
    process: DiscreteDiffusion,
    cond_fn: CondFn,
    prediction: Prediction,
    x: Float[Tensor, "b ..."],
    t: Tensor,
    y: Tensor,
) -> Prediction:
    """The prediction for ε̂ = ε − √(1 − ᾱ_t) g with g = cond_fn(x_t, t, y) (ADM, equation 14).

    That moves the guess of x_0 by (1 − ᾱ_t) / √ᾱ_t g, and the mean by as much times the weight of
    x_0 in it. Written so, a gradient of 0 changes no bit. A clipped guess may leave [-1, 1] again.

    Args:
        t: steps of `process`, integers `(b,)`; `cond_fn` is told the original ones.

    `prediction`, `x`, `y` and errors are those of :func:`condition_mean`.
    """
    gradient = _gradient(cond_fn, x, process.original(t), y)
    noise, signal = process.at("sqrt_noise", t, x), process.at("sqrt_alphas_bar", t, x)
    shift = noise.square() / signal * gradient
    return prediction._replace(
        mean=prediction.mean + process.at("x_start_weight", t, x) * shift,
        pred_xstart=prediction.pred_xstart + shift,
    )


def checked_labels(y: Tensor, x: Tensor) -> Tensor:
    """`y`; ValueError unless it holds one whole number for each item of `x`."""
    whole = not (y.is_floating_point() or y.is_complex() or y.dtype == torch.bool)
    if not whole or tuple(y.shape) != (len(x),):
        raise ValueError(
            f"y has shape {tuple(y.shape)} and dtype {y.dtype}; expected integers, one label for "
            f"each of the {len(x)} items of x: ({len(x)},)."
        )
    return y


def _gradient(cond_fn: CondFn, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    gradient = cond_fn(x, t, checked_labels(y, x))
    if not isinstance(gradient, Tensor):
        raise ValueError(
            f"cond_fn returned {type(gradient).__name__}; expected the gradient of the scaled "
            "log p(y|x_t), a tensor in the shape of x."
        )
    same_shape("cond_fn's gradient", gradient, x)
    return gradient.to(x.dtype)


def _log_probability(logits: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """log p(y | x_t), `(b,)`."""
    if logits.ndim != 2 or len(logits) != len(x):
        raise ValueError(
            f"the classifier returned shape {tuple(logits.shape)} for x of shape "
            f"{tuple(x.shape)}; expected logits ({len(x)}, classes)."
        )
    if y.device.type == "cpu" and not bool(((y >= 0) & (y < logits.shape[1])).all()):
        raise ValueError(
            f"y lies in {int(y.min())} … {int(y.max())}; the classifier has {logits.shape[1]} "
            f"classes, 0 … {logits.shape[1] - 1}. No label stands for no guidance: use scale 0."
        )
    return logits.log_softmax(dim=1).gather(1, y[:, None])[:, 0]
