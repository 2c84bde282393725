"""Jobs 5.4 and 5.5: the loss of a classifier of noised images, and its gradient."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.classifier_guidance_forms import WITH_JUMP, Form
from course_utils.checks.classifier_guidance_probes import (
    ProbeClassifier,
    Tables,
    classifier_values,
    logits_of,
    whole_number,
)
from course_utils.checks.classifier_guidance_stand_ins import names_of, standing_in
from course_utils.checks.classifier_guidance_verdicts import all_of, hint
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
    data = ProbeData((1, 2, 2), inputs["classes"])
    with standing_in(kind, tables, Form(kind, process, tables), WITH_JUMP):
        trainer = target(process, data)
        first = _one_loss(trainer, data, _Reader(inputs))
        again = _one_loss(trainer, data, _Reader(inputs))
    return first | {f"{name}_again": again[name] for name in ("x", "starts", "classifier_t")}


class _Reader(ProbeClassifier):
    """A classifier that keeps what it answered."""

    def __init__(self, values: Values) -> None:
        super().__init__(values)
        self.told: list[Tensor] = []

    def forward(self, x: Tensor, t: Any = None, y: Any = None) -> Tensor:
        logits = super().forward(x, t, y)
        if logits.requires_grad:
            self.told.append(logits)
        return logits


def _one_loss(trainer: Any, data: ProbeData, classifier: _Reader) -> Values:
    """A batch's loss, all batches that were drawn for it, and what the classifier saw of them."""
    trainer.model = classifier
    data.drawn.clear()
    loss, gradient, slopes = trainer.get_train_loss(BATCH), None, []
    if isinstance(loss, Tensor) and loss.ndim == 0 and loss.requires_grad:
        by = [classifier.weights, *classifier.told]
        gradient, *slopes = torch.autograd.grad(loss, by, allow_unused=True)
        slopes = [slope for slope in slopes if slope is not None]
    draws = [draw for draw in data.drawn if len(draw[0]) == BATCH]
    return {
        "loss": loss, "gradient": gradient, "slopes": torch.cat(slopes) if slopes else None,
        "starts": torch.stack([images for images, _ in draws]) if draws else None,
        "labels": torch.stack([labels for _, labels in draws]) if draws else None,
        "x": torch.cat(classifier.seen) if classifier.seen else None,
        **classifier.record.values("classifier"),
    }  # fmt: skip


def train_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    outputs = outputs | _one_look(outputs)
    return all_of([
        lambda: _drawn(outputs),
        lambda: _times(inputs, outputs),
        lambda: _noised(inputs, outputs),
        lambda: _anew(inputs, outputs),
        lambda: _loss(inputs, outputs),
    ])  # fmt: skip


def _one_look(outputs: Values) -> Values:
    """What the classifier saw, once where it was asked for the very same several times."""
    x, t = outputs["x"], outputs["classifier_t"]
    if x is None or t is None or len(x) != len(t) or len(x) % BATCH:
        return {}
    looks, told = x.reshape(-1, BATCH, *x.shape[1:]), t.reshape(-1, BATCH)
    same = bool((looks == looks[0]).all()) and bool((told == told[0]).all())
    return {"x": looks[0], "classifier_t": told[0]} if same else {}


def _noises(inputs: Values, outputs: Values, which: str = "") -> Tensor:
    """The noise in what the classifier saw, if its images were those of the k-th draw: ``k b …``"""
    tables, told = Tables.of(inputs), outputs[f"classifier_t{which}"]
    t = told.nan_to_num().long().clamp(0, tables.num_steps - 1)
    x = outputs[f"x{which}"].double()
    bar = tables.at("alphas_bar", t, x)
    return (x - bar.sqrt() * outputs[f"starts{which}"].double()) / (1 - bar).sqrt()


def _draw_of(inputs: Values, outputs: Values) -> int:
    """Which draw the images are from: all but the last may be there for nothing."""
    noises = _noises(inputs, outputs)
    return next((k for k, e in enumerate(noises) if normal_problem(e) is None), len(noises) - 1)


def _drawn(outputs: Values) -> list[Finding]:
    loss = outputs["loss"]
    if isinstance(loss, Tensor) and loss.ndim and len(loss) == BATCH:
        told = "The loss is one number, the mean over the batch; yours is one for each item."
        if loss.ndim == 2:
            told = "These look like the logits: return their cross-entropy, one number."
        return [Finding(False, told)]
    problem = form_problem("get_train_loss(batch_size)", loss, ())
    if problem:
        return [Finding(False, problem)]
    if outputs["starts"] is None:
        return [Finding(False, f"self.data.sample was never asked for batch_size = {BATCH} items.")]
    seen = outputs["x"]
    if seen is None or len(seen) != BATCH:
        count = 0 if seen is None else len(seen)
        told = f"The classifier should see each of the {BATCH} items once; it saw {count}."
        return [Finding(False, told)]
    if outputs["classifier_y"] is not None:
        return [Finding(False, "The classifier is handed the labels, which it shall find.")]
    problem = form_problem("What the classifier sees", seen, tuple(outputs["starts"].shape[1:]))
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
    draw, x = _draw_of(inputs, outputs), outputs["x"].double()
    x_start, noise = outputs["starts"][draw].double(), _noises(inputs, outputs)[draw]
    bar = tables.at("alphas_bar", t, x)
    problem = normal_problem(noise)
    # Eight standard errors of a mean of products, as in normal_problem.
    if abs(float((noise * x_start).mean())) * math.sqrt(noise.numel()) > 8 and problem is None:
        return [
            Finding(False, "Your noise is made of the image itself: draw it, torch.randn_like.")
        ]
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


def _anew(inputs: Values, outputs: Values) -> list[Finding]:
    """Whether a second batch has dice of its own."""
    told, before = outputs["classifier_t_again"], outputs["classifier_t"]
    x, starts = outputs["x_again"], outputs["starts_again"]
    if told is None or x is None or starts is None:
        return []
    if told.shape != before.shape or x.shape != starts.shape[1:]:
        return []
    advice = "Is the random stream seeded anew in each call?"
    if torch.equal(told, before):
        return [Finding(False, f"Two calls draw the very same steps t. {advice}")]
    first, second = _noises(inputs, outputs), _noises(inputs, outputs, "_again")
    if close(second[-1], first[-1], 1e-3):
        return [Finding(False, f"Two calls draw the very same noise. {advice}")]
    return []


def _loss(inputs: Values, outputs: Values) -> list[Finding]:
    weights = inputs["weights"].double().requires_grad_()
    bends, drifts = inputs["bends"].double(), inputs["drifts"].double()
    x, t, draw = outputs["x"].double(), outputs["classifier_t"], _draw_of(inputs, outputs)
    y, bar = outputs["labels"][draw], Tables.of(inputs).alphas_bar[t.long()]
    with torch.enable_grad():
        logits = logits_of(x, t, weights, bends, drifts, len(inputs["betas"]))
        chosen = logits.log_softmax(dim=1).gather(1, y[:, None])
        (slope,) = torch.autograd.grad(-chosen.mean(), weights)
    logits, expected = logits.detach(), -float(chosen.detach().mean())
    got, gradient = float(outputs["loss"]), outputs["gradient"]
    if abs(got - expected) > 1e-3 * abs(expected):
        others = [labels for labels in outputs["labels"] if labels is not y]
        told = _loss_mistake(got, expected, logits, y, bar, others)
        return [Finding(False, told or _labels_mistake(outputs["slopes"], logits, y) or (
            f"The cross-entropy should be {expected:.4g}; yours is {got:.4g}."
        ))]  # fmt: skip
    if not isinstance(gradient, Tensor):
        told = "The loss is right, but no gradient reaches the classifier: was it detached, or "
        return [Finding(False, told + "computed under no_grad?")]
    if not close(gradient, slope, 1e-2):
        return [Finding(False, "The loss is right, but not its gradient: is a part detached?")]
    return [Finding(True, "the loss is the cross-entropy, and its gradient arrives")]


def _loss_mistake(
    got: float, expected: float, logits: Tensor, y: Tensor, bar: Tensor, others: list[Tensor]
) -> str | None:
    classes = logits.shape[1]
    log_p, rows = logits.log_softmax(dim=1), torch.arange(len(y))
    p = log_p.exp()
    one_hot = torch.nn.functional.one_hot(y, classes).double()

    def of(table: Tensor, labels: Tensor = y) -> float:
        return float(table[rows, labels].mean())

    hits = float((logits.argmax(dim=1) == y).double().mean())
    for which, share in (("right", hits), ("wrong", 1 - hits)):
        if abs(got - share) < 1e-6:
            return f"This is the share of {which} guesses, which has no slope; use cross-entropy."
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
        "The items are weighted by 1/ᾱ_t, as in the loss of the noise; here all count the same.":
            -float((log_p[rows, y] / bar).mean()),
        "The items are weighted by ᾱ_t; here all count the same.":
            -float((log_p[rows, y] * bar).mean()),
    }  # fmt: skip
    if any(abs(got + of(log_p, labels)) <= 1e-3 * abs(expected) for labels in others):
        return "Images and labels come from two draws: one call of self.data.sample gives both."
    for message, value in candidates.items():
        if abs(got - value) <= 1e-3 * abs(value):
            return message
    return None


def _labels_mistake(slopes: object, logits: Tensor, y: Tensor) -> str | None:
    """Labels that the loss was taken of: its slope by the logits is (p − label)/batch."""
    if not isinstance(slopes, Tensor) or slopes.shape != logits.shape:
        return None
    used = logits.softmax(dim=1) - len(y) * slopes.double()
    labels = used.argmax(dim=1)
    share = float((labels != y).double().mean())
    if not close(used, torch.nn.functional.one_hot(labels, logits.shape[1]), 1e-2) or not share:
        return None
    told = f"{share:.0%} of the labels are not those of the data. The classifier learns from all "
    return f"{told}of them as they are: none is dropped."


def train_hint(crash: Crash) -> str | None:
    """Advice for the errors of job 5.4."""
    if crash.message.startswith("Target "):
        return "Labels are those of the data, 0 … classes − 1; there is no null label here."
    if "index" in crash.message and ("bound" in crash.message or "range" in crash.message):
        return "t is one of 0 … self.diffusion.num_steps − 1; T is not always 1,000."
    if "must match the size" in crash.message:
        return "Each item has a t and a noise of its own: t has shape (b,), the noise that of x."
    if "has no attribute" in crash.message:
        return "The process is self.diffusion, the data self.data, the classifier self.model."
    return hint(crash)
