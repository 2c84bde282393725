"""The jobs of lab 2, "Classifier-free guidance"."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor

from course_utils.checks import display
from course_utils.checks.cfg_loss import loss_hint, loss_inputs, loss_probe, loss_verdict
from course_utils.checks.core import Crash, Finding, Job, Part, Values
from course_utils.checks.probes import ProbeNet, generator, lots, net_value
from course_utils.checks.verdicts import close, compare, form_problem, same_items

NUM_CLASSES, DIM, BATCH = 3, 2, 12


# 2.1 A network that listens to t and y


def _mlp_inputs(seed: int) -> Values:
    stream = generator(seed)
    return {
        "x": torch.randn(BATCH, DIM, generator=stream),
        "t": 0.1 + 0.8 * torch.rand(BATCH, generator=stream),
        "y": torch.arange(BATCH) % (NUM_CLASSES + 1),
        "lots": lots(BATCH, seed),
        "seed": seed,
    }


def _randomised(model: torch.nn.Module, seed: int, size: float = 0.5) -> torch.nn.Module:
    """Fill every parameter with noise: a zero-initialised head must not hide what is connected."""
    stream = generator(seed + 17)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(size * torch.randn(parameter.shape, generator=stream))
    return model.eval()


def _mlp_probe(target: Any, inputs: Values) -> Values:
    x, t, y, lots = (inputs[name] for name in ("x", "t", "y", "lots"))
    model = _randomised(
        target(dim=DIM, hidden_dim=32, class_dim=5, num_classes=NUM_CLASSES), inputs["seed"]
    )
    out = model(x.clone(), t.clone(), y.clone())
    labels = torch.arange(NUM_CLASSES + 1)
    other_t, other_x = t.clone(), x.clone()
    other_t[0], other_x[0] = 0.95, -x[0]
    outputs = {
        "out": out,
        "dead": _dead(model, out),
        "again": model(x.clone(), t.clone(), y.clone()),
        "single": model(x[:1].clone(), t[:1].clone(), y[:1].clone()),
        "drawn": model(x[lots], t[lots], y[lots]),
        "other_t": model(x.clone(), other_t, y.clone()),
        "other_x": model(other_x, t.clone(), y.clone()),
        "other_y": model(x.clone(), t.clone(), (y + 1) % (NUM_CLASSES + 1)),
        "classes": model(x[:1].repeat(len(labels), 1), t[:1].repeat(len(labels)), labels),
    }
    tries = [
        _randomised(model, inputs["seed"] + k, 5.0)(x.clone(), t.clone(), y.clone())
        for k in range(16)
    ]
    if all(isinstance(one, Tensor) for one in tries):
        outputs["range"] = torch.stack(tries)
    return outputs


def _dead(model: torch.nn.Module, out: object) -> str | None:
    """The names of the parameters that the output does not hang on; None if it hangs on none.

    A gradient of zero counts as one: that of a bias which softmax cancels is nothing else.
    """
    if not isinstance(out, Tensor) or not out.requires_grad:
        return None
    learned = {name: each for name, each in model.named_parameters() if each.requires_grad}
    gradients = torch.autograd.grad(out.pow(2).sum(), list(learned.values()), allow_unused=True)
    return ", ".join(name for name, g in zip(learned, gradients, strict=True) if g is None)


def _mlp_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    out = outputs["out"]
    problem = form_problem("forward(x, t, y)", out, (BATCH, DIM))
    if problem:
        return [Finding(False, problem)]
    findings = [Finding(True, "one velocity for each point, in the shape of x")]
    depends = {
        "other_x": ("the output depends on x",
                    "The output does not change with x: is x part of the network's input?"),
        "other_t": ("the output depends on t",
                    "The output does not change with t: is t part of the network's input?"),
        "other_y": ("the output depends on y, and the null label is a class of its own",
                    _class_mistake(outputs["classes"])),
    }  # fmt: skip
    for name, (holds, fails) in depends.items():
        if form_problem("forward(x, t, y)", outputs[name], (BATCH, DIM)):
            findings.append(Finding(False, f"forward gave no proper output when {name} was tried."))
            continue
        gap = (outputs[name] - out).abs().amax(dim=1)
        moved = bool((gap > 1e-6).all()) if name == "other_y" else bool(gap[0] > 1e-6)
        findings.append(Finding(moved, holds if moved else fails))
    findings += [_rows_finding(out, outputs, inputs["lots"]), _range_finding(outputs.get("range"))]
    if outputs["dead"] is None:
        told = "The output carries no gradient: was something detached, or computed by no_grad?"
        findings.append(Finding(False, told))
    elif outputs["dead"]:
        told = f"No gradient reaches {outputs['dead']}: is this part of the network used?"
        findings.append(Finding(False, f"{told} Was its output detached?"))
    else:
        findings.append(Finding(True, "gradients reach every parameter"))
    return findings


def _class_mistake(classes: object) -> str:
    """What to say if the output does not change with y: for one pair of labels, or for all."""
    told = "The output does not change with y for every class: is the embedding of y part of the "
    if form_problem("forward(x, t, y)", classes, (NUM_CLASSES + 1, DIM)):
        return told + "network's input?"
    assert isinstance(classes, Tensor)
    # Equal labels stand in different rows, which a processor may sum in different orders: some 40
    # terms in each of three layers, so a part in a million. Other labels are as far as outputs are.
    same = torch.cdist(classes, classes, p=torch.inf) <= 1e-4 * float(classes.abs().max())
    twins = same[NUM_CLASSES, :NUM_CLASSES].nonzero().flatten().tolist()
    if len(twins) == 1:
        return (
            f"The null label is answered like class {twins[0]}: it is a label of its own, with the "
            "last row of the table."
        )
    return told + "network's input?"


def _range_finding(tries: object) -> Finding:
    """A velocity may be any number: what stands behind the last layer must not bound it.

    Sixteen fillings with random weights leave a right network without a negative velocity, or
    without one larger than 1, by a chance below 1e-9.
    """
    told = "Is there an activation behind the last layer? A velocity may be any number."
    if not isinstance(tries, Tensor):
        return Finding(False, "forward gave no proper output with other weights.")
    if bool((tries >= 0).all()) and bool((tries > 0).any()):
        return Finding(False, f"None of your velocities is negative. {told}")
    if bool((tries.abs() <= 1).all()) and bool((tries != 0).any()):
        bounded = "Your velocities stay between −1 and 1 whatever the weights are."
        return Finding(False, f"{bounded} {told}")
    return Finding(True, "a velocity may be any number")


def _rows_finding(out: Tensor, outputs: Values, lots: Tensor) -> Finding:
    """Each item of the batch must be answered on its own, and the same way twice."""
    single = outputs["single"]
    if not isinstance(single, Tensor) or single.shape != (1, DIM):
        return Finding(False, "A batch of one point should give one velocity.")
    if form_problem("", outputs["again"], (BATCH, DIM)) or not close(outputs["again"], out, 1e-5):
        told = "The same input gave two different outputs: what is random in forward?"
        return Finding(False, told)
    # Row 0 was changed in other_t; the rows behind it must not have noticed.
    apart = close(single[0], out[0], 1e-4) and close(outputs["other_t"][1:], out[1:], 1e-4)
    apart = apart and same_items(outputs["drawn"], out[lots], 1e-4)
    return Finding(
        apart,
        "each row of the batch is answered on its own"
        if apart
        else "The items of a batch influence each other: was t or y broadcast across the batch?",
    )


MLP_HINTS = {
    "except in dimension 0": "torch.cat puts them side by side along dim=-1; dim=0 is the batch.",
    "same number of dimensions":
        "t has shape (b,); t[:, None] is (b, 1) and can stand beside x and the embedding.",
    "imension out of range":
        "t has shape (b,); t[:, None] is (b, 1) and can stand beside x and the embedding.",
    "Sizes of tensors must match":
        "t has shape (b,); t[:, None] is (b, 1), and t[None] would be (1, b).",
    "index out of range":
        "The null label is num_classes, so the embedding needs num_classes + 1 rows.",
    "mat1 and mat2":
        "The network expects dim + 1 + class_dim numbers a row: x, t and the embedding of y.",
    "'indices'": "A table is asked with labels. forward's arguments are x, t, y, in this order.",
}  # fmt: skip


def _mlp_hint(crash: Crash) -> str | None:
    return next((hint for words, hint in MLP_HINTS.items() if words in crash.message), None)


# 2.3 and 2.4 The guided field


def _guided_inputs(seed: int) -> Values:
    stream = generator(seed)
    return {
        "x": torch.randn(BATCH, 1, 4, 4, generator=stream),
        "points": torch.randn(BATCH, 2, generator=stream),
        "t": torch.rand(BATCH, generator=stream),
        "y": torch.arange(BATCH) % 5,
        "slope": torch.randn((), generator=stream),
        "drift": torch.randn((), generator=stream),
        # Sixteen rows: a hard-coded null label of 10 is answered instead of crashing.
        "table": torch.randn(16, generator=stream),
        "null": 5,
        "scale": 2.5,
    }


def _guided_probe(target: Any, inputs: Values) -> Values:
    outputs: Values = {}
    for name, scale in (("plain", 1.0), ("free", 0.0), ("guided", inputs["scale"])):
        outputs |= _guided_call(target, inputs, name, scale)
    try:
        outputs |= _guided_call(target, inputs | {"x": inputs["points"]}, "at_points", scale)
    except Exception as error:
        outputs["at_points"] = f"{type(error).__name__}: {error}".splitlines()[0]
    return outputs


def _guided_call(target: Any, inputs: Values, name: str, scale: float) -> Values:
    net = ProbeNet(inputs["slope"], inputs["drift"], inputs["table"])
    x, labels = inputs["x"].clone(), inputs["y"].clone()
    out = target(net, inputs["null"], scale).drift_coefficient(x, inputs["t"].clone(), y=labels)
    touched = [
        what for what, now, was in (("x", x, inputs["x"]), ("y", labels, inputs["y"]))
        if not torch.equal(now, was)
    ]  # fmt: skip
    return {name: out, "calls": len(net.calls), "touched": ", ".join(touched)}


def _net(inputs: Values, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    """What the probe's network answers, in float64."""
    weights = [inputs[name].double() for name in ("slope", "drift", "table")]
    return net_value(x.double(), t.double(), y, *weights)


def _guided_values(inputs: Values) -> tuple[Tensor, Tensor]:
    """u(x|∅) and u(x|y)."""
    x, t, y = inputs["x"], inputs["t"], inputs["y"]
    return _net(inputs, x, t, torch.full_like(y, inputs["null"])), _net(inputs, x, t, y)


def _guided_mistakes(inputs: Values) -> dict[str, Tensor]:
    (null, given), w = _guided_values(inputs), inputs["scale"]
    return {
        "The weights look swapped: (1 − w) belongs to ∅ and w to y.": w * null + (1 - w) * given,
        "The guidance scale has no effect: this is the conditional field.": given,
        "The guidance scale has no effect: this is the unconditional field.": null,
        "The guidance scale has no effect: the two answers are averaged.": (null + given) / 2,
        "The weights should add up to 1; yours are (1 + w) and w.": (1 + w) * null + w * given,
        "The weight of ∅ is missing: w u(x|y) alone.": w * given,
        "The unconditional field counts in full: its weight is 1 − w.": null + w * given,
        "Only (1 − w) u(x|∅) is there; w u(x|y) is missing.": (1 - w) * null,
        "This is w times the difference alone; it starts from u(x|∅).": w * (given - null),
        "The sign of the difference is turned: it points from ∅ towards y.":
            null - w * (given - null),
        "This starts from u(x|y) and adds w times the difference; it starts from u(x|∅).":
            given + w * (given - null),
    } | _hard_coded(inputs) | _mixed_up(inputs)  # fmt: skip


def _hard_coded(inputs: Values) -> dict[str, Tensor]:
    """The guided fields with another null label than the one that the constructor was given."""
    x, t, y, w = (inputs[name] for name in ("x", "t", "y", "scale"))
    told = "The null label looks hard-coded as {}; here it is {}. Use self.null_label."
    others = [label for label in range(len(inputs["table"])) if label != inputs["null"]]
    # The table's last row answers −1, too.
    return {
        told.format(label if label < 15 else -1, inputs["null"]):
            (1 - w) * _net(inputs, x, t, torch.full_like(y, label)) + w * _net(inputs, x, t, y)
        for label in others
    }  # fmt: skip


def _mixed_up(inputs: Values) -> dict[str, Tensor]:
    """One call on twice the batch whose parts were put together, or taken apart, differently."""
    y, w, parts = inputs["y"], inputs["scale"], ("x", "t", "the labels")
    pairs = [(inputs["x"], inputs["x"]), (inputs["t"], inputs["t"]),
             (torch.full_like(y, inputs["null"]), y)]  # fmt: skip
    found = {}
    for orders in itertools.product((False, True), repeat=4):
        x, t, labels = (_twice(*pair, mixed) for pair, mixed in zip(pairs, orders, strict=False))
        out = _net(inputs, x, t, labels)
        null, given = (out[::2], out[1::2]) if orders[3] else out.chunk(2)
        odd = [name for name, mixed in zip(parts, orders, strict=False) if mixed != orders[3]]
        if odd:
            told = f"In the doubled batch the rows of {' and '.join(odd)} stand in another order "
            apart = "every other row" if orders[3] else "in halves"
            told += f"than those that you take apart ({apart})."
            found[told] = (1 - w) * null + w * given
    return found


def _twice(first: Tensor, second: Tensor, mixed: bool) -> Tensor:
    """Twice the batch: one behind the other, or row by row."""
    both = torch.stack([first, second], dim=int(mixed))
    return both.flatten(0, 1)


def _guided_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    (null, given), w = _guided_values(inputs), inputs["scale"]
    hard_coded = _hard_coded(inputs | {"scale": 0.0})
    findings = [
        compare("w = 1 gives the conditional field", outputs["plain"], given, {
            "w = 1 should give the conditional field; yours gives the unconditional one. The two "
            "weights look swapped: w belongs to y.": null,
            "The weights should add up to 1: (1 − w) for ∅, not (1 + w).": 2 * null + given,
            "w = 1 should give u(x|y); yours is guided already, with w + 1: that is the other "
            "convention, where w = 0 means no guidance.": 2 * given - null,
        }),
        compare("w = 0 gives the unconditional field", outputs["free"], null, {
            "w = 0 should give the unconditional field; yours gives the conditional one. The two "
            "weights look swapped: (1 − w) belongs to ∅.": given,
        } | hard_coded),
        compare(f"w = {w:g} walks on along the difference", outputs["guided"],
                (1 - w) * null + w * given, _guided_mistakes(inputs)),
        _points_finding(inputs | {"x": inputs["points"]}, outputs["at_points"]),
    ]  # fmt: skip
    if outputs["touched"]:
        told = f"Your code writes into {outputs['touched']}: the caller's tensors have changed."
        findings.append(Finding(False, told))
    return findings


def _points_finding(inputs: Values, out: object) -> Finding:
    """x is ``b ...``: points in this lab, images in the next."""
    if isinstance(out, str):
        told = "For points of shape (b, 2), which this lab draws, it stops with "
        return Finding(False, told + out)
    (null, given), w = _guided_values(inputs), inputs["scale"]
    what = "the same for points of shape (b, 2)"
    return compare(what, out, (1 - w) * null + w * given, _guided_mistakes(inputs))


def _one_call_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    once = outputs["calls"] == 1
    message = (
        "the network is called once"
        if once
        else f"The network is called {outputs['calls']} times. Concatenate the two batches, call "
        "once, split."
    )
    return [*_guided_verdict(inputs, outputs), Finding(once, message)]


GUIDED_HINTS = {
    "expected one t for each": "Where the batch is doubled, x, t and the labels all are.",
    "shape mismatch": "Where the batch is doubled, x, t and the labels all are.",
    "must match the size": "Where the batch is doubled, x, t and the labels all are.",
    "not enough values to unpack": "The two halves lie along the batch: chunk(2), along dim 0.",
}


def _guided_hint(crash: Crash) -> str | None:
    return next((hint for words, hint in GUIDED_HINTS.items() if words in crash.message), None)


JOBS = (
    Job("2.1", "A network that listens", 1, 10, ("MLPConditionalVectorField",), (
        Part(3, _mlp_inputs, _mlp_probe, _mlp_verdict, _mlp_hint),
    )),
    Job("2.2", "One loss for two fields", 3, 20, ("CFGTrainer",), (
        Part(5, loss_inputs, loss_probe, loss_verdict, loss_hint),
    )),
    Job("2.3", "Steer the field", 2, 10, ("CFGVectorFieldODE",), (
        Part(3, _guided_inputs, _guided_probe, _guided_verdict, _guided_hint),
    )),
    Job("2.4", "Two answers from one call", 2, 10, ("BatchedCFGVectorFieldODE",), (
        Part(2, _guided_inputs, _guided_probe, _one_call_verdict, _guided_hint),
    )),
)  # fmt: skip

QUESTIONS = (
    display.Question("2.5", "Where the formula comes from", 2),
    display.Question("2.6", "What guidance does to the distribution", 3),
)

LAB, check, ready, progress = display.lab("cfg", JOBS, QUESTIONS)
