"""Jobs 5.4 and 5.5: the loss of a classifier of noised images, and its gradient."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.classifier_guidance_probes import (
    ProbeClassifier,
    Tables,
    classifier_values,
    logits_of,
    whole_number,
)
from course_utils.checks.classifier_guidance_stand_ins import Form, names_of, standing_in
from course_utils.checks.classifier_guidance_verdicts import all_of
from course_utils.checks.core import Crash, Finding, Values
from course_utils.checks.probes import ProbeData, generator
from course_utils.checks.verdicts import close, form_problem, normal_problem
from course_utils.diffusion.schedules import cosine_betas, linear_betas

BATCH = 4096


def train_inputs(seed: int) -> Values:
    stream = generator(seed)
    steps, classes = whole_number(stream, 40, 120), whole_number(stream, 3, 12)
    betas = (cosine_betas if seed % 2 else linear_betas)(steps)
    return {
        "betas": betas, "kept": torch.arange(steps), "classes": classes,
        **classifier_values(stream, classes, 4),
    }  # fmt: skip


class _Process:
    """A process for trainers that come without the lab's own class."""

    def __init__(self, betas: Tensor, kept: Any = None) -> None:
        tables = Tables.of({"betas": betas, "kept": torch.arange(len(betas))})
        self.num_steps, self.original_steps = len(betas), tables.original
        self.betas, self.alphas_bar = tables.betas.float(), tables.alphas_bar.float()
        self.alphas_bar_prev = tables.alphas_bar_prev.float()

    def at(self, table: Tensor, t: Tensor, x: Tensor) -> Tensor:
        return table[t].reshape(-1, *[1] * (x.ndim - 1))


def train_probe(target: Any, inputs: Values) -> Values:
    found = [space.get("GaussianDiffusion") for space in names_of(target)]
    kind = next((cls for cls in found if isinstance(cls, type)), _Process)
    process, tables = kind(inputs["betas"].clone()), Tables.of(inputs)
    data, classifier = ProbeData((1, 2, 2), inputs["classes"]), ProbeClassifier(inputs)
    with standing_in(kind, tables, Form(kind, process, tables), ""):
        trainer = target(process, data)
        trainer.model = classifier
        loss = trainer.get_train_loss(BATCH)
    gradient = None
    if isinstance(loss, Tensor) and loss.ndim == 0 and loss.requires_grad:
        (gradient,) = torch.autograd.grad(loss, [classifier.weights], allow_unused=True)
    draws = [draw for draw in data.drawn if len(draw[0]) == BATCH]
    x_start, labels = draws[-1] if draws else (None, None)
    seen = torch.cat(classifier.seen) if classifier.seen else None
    return {
        "loss": loss, "gradient": gradient, "x_start": x_start, "labels": labels, "x": seen,
        **classifier.record.values("classifier"),
    }  # fmt: skip


def train_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    return all_of([
        lambda: _drawn(outputs),
        lambda: _times(inputs, outputs),
        lambda: _noised(inputs, outputs),
        lambda: _loss(inputs, outputs),
    ])  # fmt: skip


def _drawn(outputs: Values) -> list[Finding]:
    problem = form_problem("get_train_loss(batch_size)", outputs["loss"], ())
    if problem:
        return [Finding(False, problem)]
    if outputs["x_start"] is None:
        return [Finding(False, f"self.data.sample was never asked for batch_size = {BATCH} items.")]
    seen = outputs["x"]
    if seen is None or len(seen) != BATCH:
        count = 0 if seen is None else len(seen)
        told = f"The classifier should see each of the {BATCH} items once; it saw {count}."
        return [Finding(False, told)]
    if outputs["classifier_y"] is not None:
        return [Finding(False, "The classifier is handed the labels, which it shall find.")]
    problem = form_problem("What the classifier sees", seen, tuple(outputs["x_start"].shape))
    return [Finding(False, problem)] if problem else []


def _times(inputs: Values, outputs: Values) -> list[Finding]:
    told, steps = outputs["classifier_t"], len(inputs["betas"])
    if told is None:
        note = "The classifier is not told t: noised images of all steps look different, self.model"
        return [Finding(False, f"{note}(x, t).")]
    if bool((told != told.round()).any()):
        return [Finding(False, "The classifier is told fractions; it wants the step numbers t.")]
    if len(told) != BATCH or len(told.unique()) == 1:
        return [Finding(False, "One and the same t for the whole batch: draw one for each item.")]
    low, high = int(told.min()), int(told.max())
    if low < 0 or high >= steps:
        return [
            Finding(False, f"t should be one of 0 … {steps - 1}; yours reaches {low} … {high}.")
        ]
    if low > 0 or high < steps - 1:
        note = f"t only takes values {low} … {high}; the process has the steps 0 … {steps - 1}. "
        return [Finding(False, note + "torch.randint(n, …) draws 0 … n − 1.")]
    # Kolmogorov and Smirnov, as in verdicts.uniform_problem, at the steps' own values.
    shares = torch.bincount(told.long(), minlength=steps).double().cumsum(0) / BATCH
    gap = float((shares - torch.arange(1, steps + 1) / steps).abs().max())
    if gap > math.sqrt(math.log(2 / 1e-7) / (2 * BATCH)):
        note = f"t is not spread evenly over its steps (mean {float(told.mean()):.1f}); draw it "
        return [Finding(False, f"{note}uniformly.")]
    return [Finding(True, "t is uniform over all steps, one for each item, and the model knows it")]


def _noised(inputs: Values, outputs: Values) -> list[Finding]:
    tables, t = Tables.of(inputs), outputs["classifier_t"].long()
    x, x_start = outputs["x"].double(), outputs["x_start"].double()
    bar = tables.at("alphas_bar", t, x)
    noise = (x - bar.sqrt() * x_start) / (1 - bar).sqrt()
    problem = normal_problem(noise)
    if problem is None:
        return [Finding(True, "it sees x_t, noised once, at the step that it is told")]
    if torch.equal(x, x_start):
        return [Finding(False, "The classifier sees the clean images; noise them with q_sample.")]
    if normal_problem((x - bar * x_start) / (1 - bar**2).sqrt()) is None:
        return [Finding(False, "The images are noised twice: call q_sample once.")]
    if normal_problem((x - (1 - bar).sqrt() * x_start) / bar.sqrt()) is None:
        return [Finding(False, "Image and noise look swapped: q_sample(x_start, t, noise).")]
    if float((x - bar.sqrt() * x_start).abs().max()) < 1e-4:
        return [Finding(False, "The noise is missing: the classifier sees √ᾱ_t x_0.")]
    if float(noise.min()) > -0.01 and float(noise.max()) < 1.01:
        return [Finding(False, "Your noise is uniform on [0, 1): torch.rand, not torch.randn.")]
    # The probe's data are standard normal, so that x_t is, too, at any step.
    if normal_problem(x) is None:
        if abs(float((x * x_start).mean())) < 0.05:
            return [Finding(False, "The classifier sees noise alone: hand q_sample the images.")]
        told = "The classifier is told another t than the one its images are noised at. "
        return [Finding(False, told + "Draw t once, and use it for both.")]
    told = "The classifier should see √ᾱ_t x_0 + √(1 − ᾱ_t) ε; the ε in yours "
    return [Finding(False, f"{told}{problem}. Do x and t belong to the same items?")]


def _loss(inputs: Values, outputs: Values) -> list[Finding]:
    weights = inputs["weights"].double().requires_grad_()
    bends, drifts = inputs["bends"].double(), inputs["drifts"].double()
    x, t, y = outputs["x"].double(), outputs["classifier_t"], outputs["labels"]
    with torch.enable_grad():
        logits = logits_of(x, t, weights, bends, drifts, len(inputs["betas"]))
        chosen = logits.log_softmax(dim=1).gather(1, y[:, None])
        (slope,) = torch.autograd.grad(-chosen.mean(), weights)
    logits, expected = logits.detach(), -float(chosen.detach().mean())
    got, gradient = float(outputs["loss"]), outputs["gradient"]
    if abs(got - expected) > 1e-3 * abs(expected):
        return [Finding(False, _loss_mistake(got, expected, logits, y))]
    if not isinstance(gradient, Tensor):
        told = "The loss is right, but no gradient reaches the classifier: was it detached, or "
        return [Finding(False, told + "computed under no_grad?")]
    if not close(gradient, slope, 1e-2):
        return [Finding(False, "The loss is right, but not its gradient: is a part detached?")]
    return [Finding(True, "the loss is the cross-entropy, and its gradient arrives")]


def _loss_mistake(got: float, expected: float, logits: Tensor, y: Tensor) -> str:
    classes = logits.shape[1]
    log_p, rows = logits.log_softmax(dim=1), torch.arange(len(y))
    p = log_p.exp()
    one_hot = torch.nn.functional.one_hot(y, classes).double()

    def of(table: Tensor, labels: Tensor = y) -> float:
        return float(table[rows, labels].mean())

    binary = torch.nn.functional.binary_cross_entropy_with_logits
    candidates = {
        "The loss is summed over the batch, so it grows with it: average over the items.":
            expected * len(y),
        "The loss has the opposite sign: minus the mean of log p(y|x_t).": -expected,
        "The softmax is applied twice: cross_entropy wants the logits as they are.":
            -of(p.log_softmax(dim=1)),
        "The softmax runs over the batch; it runs over the classes, dim=1.":
            -of(logits.log_softmax(dim=0)),
        "The log-softmax is missing: cross_entropy has one, nll_loss has none.": -of(logits),
        "This is minus the mean probability; take its logarithm.": -of(p),
        "This is one minus the mean probability; take minus the logarithm.": 1 - of(p),
        "This is the logarithm of the mean probability; take the mean of logarithms.":
            -math.log(max(of(p), 1e-30)),
        "The labels are shifted by one.": -of(log_p, (y + 1) % classes),
        "The labels are shifted by minus one.": -of(log_p, (y - 1) % classes),
        "The labels belong to other items: they are turned round.": -of(log_p, y.flip(0)),
        "The classifier's own guesses are taken for labels.": -of(log_p, logits.argmax(dim=1)),
        "This is the squared distance of probabilities to one-hot labels; use cross-entropy.":
            float((p - one_hot).pow(2).mean()),
        "This is the squared distance of logits to one-hot labels; use cross-entropy.":
            float((logits - one_hot).pow(2).mean()),
        "This is the mean over all classes, too: only the label's log-probability counts.":
            expected / classes,
        "This is a yes or no for each class; use cross-entropy over the classes.":
            float(binary(logits, one_hot)),
        "The logarithm has base 2; use the natural one.": expected / math.log(2),
        "This is the mean of all log-probabilities; pick the label's.": -float(log_p.mean()),
    }  # fmt: skip
    for message, value in candidates.items():
        if abs(got - value) <= 1e-3 * abs(value):
            return message
    return f"The cross-entropy should be {expected:.4g}; yours is {got:.4g}."


def train_hint(crash: Crash) -> str | None:
    """Advice for the errors of job 5.4."""
    if "index" in crash.message and ("bound" in crash.message or "range" in crash.message):
        return "t is one of 0 … self.diffusion.num_steps − 1; T is not always 1,000."
    if "must match the size" in crash.message:
        return "Each item has a t and a noise of its own: t has shape (b,), the noise that of x."
    if "has no attribute" in crash.message:
        return "The process is self.diffusion, the data self.data, the classifier self.model."
    return None
