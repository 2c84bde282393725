"""Job 5.5: the gradient of log p(y|x_t), as a function that samplers can call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.classifier_guidance_probes import (
    ProbeClassifier,
    Record,
    cases,
    classifier_values,
    logits_of,
    per_item,
    shape_of,
    whole_number,
)
from course_utils.checks.classifier_guidance_verdicts import all_of, compare_items, untouched
from course_utils.checks.core import Alien, Crash, Finding, Values

TOLERANCE = 1e-4


def gradient_inputs(seed: int) -> Values:
    def fill(stream: torch.Generator, case: Values) -> Values:
        batch, *rest = shape_of(case)
        classes = whole_number(stream, 3, 8)
        # The number of classes must differ from the batch's, or a wrong index goes unnoticed.
        case |= classifier_values(stream, classes, int(torch.tensor(rest).prod()))
        return case | {
            "x": torch.randn(batch, *rest, generator=stream),
            "y": torch.randint(classes, (batch,), generator=stream),
            "scale": float(2 + 3 * torch.rand((), generator=stream)),
        }

    return cases(seed, fill, long=False)


def _ask(target: Any, inputs: Values, scale: int | float, name: str) -> Values:
    classifier = ProbeClassifier(inputs)
    cond_fn = target(classifier, scale)
    x, t, y = (inputs[key].clone() for key in ("x", "t", "y"))
    first = cond_fn(x, t, y)
    return {
        name: first,
        f"{name}_again": cond_fn(x, t, y),
        f"{name}_single": cond_fn(inputs["x"][:1].clone(), t[:1].clone(), y[:1].clone()),
        **_told(classifier.record, name, len(t)),
        "x_after": x, "t_after": t, "y_after": y,
    }  # fmt: skip


def _told(record: Record, name: str, batch: int) -> Values:
    """The first call of the classifier, if it was asked about the whole batch."""
    steps = record.steps[0] if record.steps and len(record.steps[0]) == batch else None
    return {
        f"{name}_told": steps,
        f"{name}_untold": record.calls > 0 and not record.steps,
        f"{name}_labels": bool(record.labels),
    }


def value_probe(target: Any, inputs: Values) -> Values:
    return _ask(target, inputs, 1.0, "plain")


def scale_probe(target: Any, inputs: Values) -> Values:
    """In the setting of a sampler: without gradients, unless the student turns them on."""
    with torch.no_grad():
        return {
            **_ask(target, inputs, inputs["scale"], "scaled"),
            **_ask(target, inputs, 0.0, "none"),
            **_ask(target, inputs, 1, "plain"),
        }


def exact_gradient(inputs: Values) -> Tensor:
    """∇ log p(y|x) in closed form: Σ_k (1[k = y] − p_k)(w_k + q_k x)."""
    x = inputs["x"].double()
    weights, bends = inputs["weights"].double(), inputs["bends"].double()
    p = _logits(inputs, x).softmax(dim=1)
    chosen = torch.nn.functional.one_hot(inputs["y"], len(weights)).double()
    off = chosen - p
    return (off @ weights).reshape(x.shape) + per_item(off @ bends, x) * x


def _slack(inputs: Values) -> Tensor:
    """Where the classifier is sure, 1 − p is a difference of float32 numbers: ``b 1 … 1``."""
    x = inputs["x"].double()
    bends = inputs["bends"].double().abs().max() * x.abs().flatten(1).amax(dim=1)
    return 2e-6 * per_item(inputs["weights"].double().abs().max() + bends, x)


def _logits(inputs: Values, x: Tensor) -> Tensor:
    weights, bends, drifts = (inputs[name].double() for name in ("weights", "bends", "drifts"))
    return logits_of(x, inputs["t"], weights, bends, drifts, len(inputs["betas"]))


def _derivative(inputs: Values, of: Callable[[Tensor], Tensor]) -> Tensor:
    """The gradient of a wrong sum of the logits, for comparison."""
    with torch.enable_grad():
        x = inputs["x"].double().requires_grad_()
        return torch.autograd.grad(of(_logits(inputs, x)).sum(), x)[0]


def _mistakes(inputs: Values, scale: int | float) -> dict[str, Tensor]:
    y, exact = inputs["y"], exact_gradient(inputs)
    rows, classes = torch.arange(len(y)), len(inputs["weights"])

    def of(function: Callable[[Tensor], Tensor], sign: float = 1.0) -> Tensor:
        return sign * scale * _derivative(inputs, function)

    size = per_item(exact.flatten(1).norm(dim=1), exact)
    x = inputs["x"].double()
    found = {
        "This is x moved along the gradient; return the gradient alone.": x + exact * scale,
        "This is 0 everywhere: it is no gradient yet.": torch.zeros_like(exact),
        "The gradient is averaged over the batch: sum the log-probabilities, for each item wants "
        "its own gradient.": exact / len(y) * scale,
        "The gradient is averaged over the batch and points away from y: cross_entropy is minus "
        "the mean of log p; sum, and turn the sign.": -exact / len(y) * scale,
        "The gradient points away from y: the sign is turned (cross_entropy is −log p).":
            -exact * scale,
        "This is the gradient of the logit; log p(y|x) = log_softmax of the logits.":
            of(lambda logits: logits[rows, y]),
        "This is the gradient of the probability p(y|x); take that of its logarithm.":
            of(lambda logits: logits.softmax(dim=1)[rows, y]),
        "The softmax runs over the batch, dim=0; it runs over the classes, dim=1.":
            of(lambda logits: logits.log_softmax(dim=0)[rows, y]),
        "The softmax is applied twice: log_softmax wants the logits as they are.":
            of(lambda logits: logits.softmax(dim=1).log_softmax(dim=1)[rows, y]),
        "log_probabilities[:, y] picks every label for every item; pick its own for each: "
        "[torch.arange(b), y].": of(lambda logits: logits.log_softmax(dim=1)[:, y]),
        "This is the same averaged: [:, y] picks every label for every item, pick its own for "
        "each.": of(lambda logits: logits.log_softmax(dim=1)[:, y] / len(y)),
        "This sums over all classes; y chooses one.":
            of(lambda logits: logits.log_softmax(dim=1)),
        "This follows the classifier's own guess; follow y.":
            of(lambda logits: logits.log_softmax(dim=1).amax(dim=1)),
        "The labels are shifted by one.":
            of(lambda logits: logits.log_softmax(dim=1)[rows, (y + 1) % classes]),
        "The labels are shifted by one, downwards.":
            of(lambda logits: logits.log_softmax(dim=1)[rows, y - 1]),
        "The gradient is normalised to length 1; its length tells how sure the classifier is.":
            exact / size * scale,
        "The gradient's sign alone is returned.": exact.sign() * scale,
        "The gradient is too large: is it scaled by 1 + scale? At scale 0 there must be no "
        "guidance.": exact * (1 + scale),
    }  # fmt: skip
    if scale in (0, 1):
        return found
    inside = _derivative(inputs, lambda logits: (scale * logits).log_softmax(dim=1)[rows, y])
    return found | {
        "The scale has no effect: multiply the gradient by it.": exact,
        "The scale is squared.": exact * scale**2,
        "The gradient is divided by the scale; multiply.": exact / scale,
        "The scale multiplies the logits; it multiplies the gradient.": inside,
        "The scale multiplies the logits, and the gradient again.": inside * scale,
        "The scale is added to the gradient; it multiplies it.": exact + scale,
    }  # fmt: skip


def _asked(inputs: Values, outputs: Values, name: str) -> list[Finding]:
    told = outputs[f"{name}_told"]
    if outputs[f"{name}_labels"]:
        return [Finding(False, "The classifier is handed y; it is called as classifier(x, t).")]
    if outputs[f"{name}_untold"]:
        return [Finding(False, "The classifier is not told t: call classifier(x, t).")]
    if told is None or torch.equal(told, inputs["t"].double()):
        return []
    if bool((told != told.round()).any()):
        note = "The classifier is told fractions; hand on the steps t as they come."
        return [Finding(False, note)]
    return [Finding(False, "The classifier is told other steps than t: hand on t as it comes.")]


def _odd_form(inputs: Values, got: object, scale: int | float) -> str | None:
    """What a result is that has not even the form of a gradient."""
    if isinstance(got, Alien) and got.type_name == "tuple":
        return "autograd.grad returns a tuple, one gradient for each of its inputs: take [0]."
    y = inputs["y"]
    chosen = _logits(inputs, inputs["x"].double()).log_softmax(dim=1).gather(1, y[:, None])[:, 0]
    if not isinstance(got, Tensor) or got.shape != y.shape or scale == 0:
        return None
    same = torch.allclose(got.double(), scale * chosen, rtol=1e-3, atol=1e-4)
    return "These are the log-probabilities; return their gradient at x." if same else None


def _value(
    what: str, inputs: Values, outputs: Values, name: str, scale: int | float
) -> list[Finding]:
    base, t = exact_gradient(inputs), inputs["t"]
    exact, slack = base * scale, _slack(inputs) * abs(scale)
    unused = {
        "At scale 0 there must be no guidance; yours still returns the gradient. Is the scale "
        "used?": base,
    }
    odd = _odd_form(inputs, outputs[name], scale)
    if odd is not None:
        return [Finding(False, odd)]
    got = compare_items(
        what, outputs[name], exact, lambda: _mistakes(inputs, scale) if scale else unused, t,
        TOLERANCE, slack, name="cond_fn(x, t, y)",
    )  # fmt: skip
    if not got.ok:
        return [got]
    again = outputs[f"{name}_again"]
    if not isinstance(again, Tensor) or again.shape != exact.shape:
        return [Finding(False, "A second call with the same x gives no proper gradient.")]
    second = compare_items("", again, exact, lambda: {
        "A second call with the same x gives twice the gradient: x.grad adds up. Detach x first, "
        "or use torch.autograd.grad.": 2 * exact,
    }, t, TOLERANCE, slack)  # fmt: skip
    if not second.ok:
        return [second]
    single = outputs[f"{name}_single"]
    if not isinstance(single, Tensor) or single.shape != exact[:1].shape:
        return [Finding(False, "A batch of one item should give one gradient.")]
    alone = compare_items("", single, exact[:1], dict, t[:1], TOLERANCE, slack[:1])
    told = "An item alone has another gradient than in its batch: do the items mix?"
    return [got] if alone.ok else [Finding(False, told)]


def value_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    return all_of([
        lambda: untouched(outputs, inputs, "x", "t", "y"),
        lambda: _asked(inputs, outputs, "plain"),
        lambda: _value("∇ log p(y|x_t), for each item its own", inputs, outputs, "plain", 1.0),
    ])  # fmt: skip


def scale_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    scale = inputs["scale"]
    return all_of([
        lambda: _asked(inputs, outputs, "plain"),
        lambda: _value("scale 0 gives no guidance at all", inputs, outputs, "none", 0),
        lambda: _value("scale 1 gives the gradient", inputs, outputs, "plain", 1),
        lambda: _value("other scales multiply it, also where gradients are off",
                       inputs, outputs, "scaled", scale),
    ])  # fmt: skip


def gradient_hint(crash: Crash) -> str | None:
    """Advice for the errors of job 5.5."""
    message = crash.message
    if "does not require grad" in message:
        return (
            "A sampler runs under torch.no_grad(): wrap your code in torch.enable_grad(), and make "
            "x a leaf by x.detach().requires_grad_()."
        )
    if "NoneType" in message or "not have been used in the graph" in message:
        return (
            "The gradient reaches x only if the classifier is called on the very tensor that "
            "requires it: x = x.detach().requires_grad_(), then classifier(x, t)."
        )
    if "scalar outputs" in message:
        return "Sum the chosen log-probabilities before you differentiate."
    if "same number of dimensions" in message or "Index tensor" in message:
        return "gather wants y as b 1: log_probabilities.gather(1, y[:, None])."
    if "not callable" in message:
        return "classifier_guidance returns a function cond_fn(x, t, y)."
    if "numpy()" in message and "requires grad" in message:
        return "Return a tensor without a graph."
    return None
