"""The jobs of lab 2, "Classifier-free guidance"."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_utils.checks import display
from course_utils.checks.cfg_loss import loss_inputs, loss_probe, loss_verdict
from course_utils.checks.core import Crash, Finding, Job, Part, Values
from course_utils.checks.probes import ProbeNet, generator, net_value
from course_utils.checks.verdicts import close, compare, form_problem

NUM_CLASSES, DIM, BATCH = 3, 2, 12


# 2.1 A network that listens to t and y


def _mlp_inputs(seed: int) -> Values:
    stream = generator(seed)
    return {
        "x": torch.randn(BATCH, DIM, generator=stream),
        "t": 0.1 + 0.8 * torch.rand(BATCH, generator=stream),
        "y": torch.arange(BATCH) % (NUM_CLASSES + 1),
        "seed": seed,
    }


def _randomised(model: torch.nn.Module, seed: int) -> torch.nn.Module:
    """Fill every parameter with noise: a zero-initialised head must not hide what is connected."""
    stream = generator(seed + 17)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=stream))
    return model.eval()


def _mlp_probe(target: Any, inputs: Values) -> Values:
    x, t, y = inputs["x"], inputs["t"], inputs["y"]
    model = _randomised(
        target(dim=DIM, hidden_dim=32, class_dim=5, num_classes=NUM_CLASSES), inputs["seed"]
    )
    out = model(x.clone(), t.clone(), y.clone())
    dead: float | None = None
    if isinstance(out, Tensor) and out.requires_grad:
        gradients = torch.autograd.grad(
            out.pow(2).sum(), list(model.parameters()), allow_unused=True
        )
        dead = float(sum(g is None or not bool(g.abs().sum() > 0) for g in gradients))
    other_t, other_x = t.clone(), x.clone()
    other_t[0], other_x[0] = 0.95, -x[0]
    return {
        "out": out,
        "again": model(x.clone(), t.clone(), y.clone()),
        "single": model(x[:1].clone(), t[:1].clone(), y[:1].clone()),
        "other_t": model(x.clone(), other_t, y.clone()),
        "other_x": model(other_x, t.clone(), y.clone()),
        "other_y": model(x.clone(), t.clone(), (y + 1) % (NUM_CLASSES + 1)),
        "dead": dead,
    }


def _mlp_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    out = outputs["out"]
    problem = form_problem("forward(x, t, y)", out, (BATCH, DIM))
    if problem:
        return [Finding(False, problem)]
    findings = [Finding(True, "one velocity for each point, in the shape of x")]
    depends = {
        "other_x": ("the output depends on x", "The output does not change with x."),
        "other_t": ("the output depends on t",
                    "The output does not change with t: is t part of the network's input?"),
        "other_y": ("the output depends on y, and the null label is a class of its own",
                    "The output does not change with y for every class: is the embedding of y part "
                    "of the network's input?"),
    }  # fmt: skip
    for name, (holds, fails) in depends.items():
        if form_problem("forward(x, t, y)", outputs[name], (BATCH, DIM)):
            findings.append(Finding(False, f"forward gave no proper output when {name} was tried."))
            continue
        gap = (outputs[name] - out).abs().amax(dim=1)
        moved = bool((gap > 1e-6).all()) if name == "other_y" else bool(gap[0] > 1e-6)
        findings.append(Finding(moved, holds if moved else fails))
    findings.append(_rows_finding(out, outputs))
    if outputs["dead"] is None:
        findings.append(Finding(False, "The output carries no gradient: was something detached?"))
    elif outputs["dead"]:
        findings.append(
            Finding(False, f"{outputs['dead']:.0f} parameter tensors receive no gradient: is the "
                    "whole network used?")
        )  # fmt: skip
    else:
        findings.append(Finding(True, "gradients reach every parameter"))
    return findings


def _rows_finding(out: Tensor, outputs: Values) -> Finding:
    """Each item of the batch must be answered on its own, and the same way twice."""
    single = outputs["single"]
    if not isinstance(single, Tensor) or single.shape != (1, DIM):
        return Finding(False, "A batch of one point should give one velocity.")
    if not close(outputs["again"], out, 1e-5):
        return Finding(False, "The same input gave two different outputs.")
    # Row 0 was changed in other_t; the rows behind it must not have noticed.
    apart = close(single[0], out[0], 1e-4) and close(outputs["other_t"][1:], out[1:], 1e-4)
    return Finding(
        apart,
        "each row of the batch is answered on its own"
        if apart
        else "The items of a batch influence each other: was t or y broadcast across the batch?",
    )


def _mlp_hint(crash: Crash) -> str | None:
    if "same number of dimensions" in crash.message or "imension out of range" in crash.message:
        return "t has shape (b,); t[:, None] is (b, 1) and can stand beside x and the embedding."
    if "index out of range" in crash.message:
        return "The null label is num_classes, so the embedding needs num_classes + 1 rows."
    if "mat1 and mat2" in crash.message:
        return "The network expects dim + 1 + class_dim numbers a row: x, t and the embedding of y."
    return None


# 2.3 and 2.4 The guided field


def _guided_inputs(seed: int) -> Values:
    stream = generator(seed)
    return {
        "x": torch.randn(BATCH, 1, 4, 4, generator=stream),
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
        net = ProbeNet(inputs["slope"], inputs["drift"], inputs["table"])
        labels = inputs["y"].clone()
        field = target(net, inputs["null"], scale)
        outputs[name] = field.drift_coefficient(inputs["x"].clone(), inputs["t"].clone(), y=labels)
        outputs["calls"] = len(net.calls)
        outputs["labels"] = labels
    return outputs


def _guided_values(inputs: Values) -> dict[str, Tensor]:
    """u(x|y), u(x|∅) and what a hard-coded null label of 10 would give, in float64."""
    x, t, y = inputs["x"].double(), inputs["t"].double(), inputs["y"]
    weights = [inputs[name].double() for name in ("slope", "drift", "table")]

    def value(labels: Tensor) -> Tensor:
        return net_value(x, t, labels, *weights)

    null = torch.full_like(y, inputs["null"])
    return {"y": value(y), "null": value(null), "ten": value(torch.full_like(y, 10))}


def _guided_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    u, w = _guided_values(inputs), inputs["scale"]
    ten = (1 - w) * u["ten"] + w * u["y"]
    findings = [
        compare("w = 1 gives the conditional field", outputs["plain"], u["y"], {
            "w = 1 should give the conditional field; yours gives the unconditional one. The two "
            "weights look swapped: w belongs to y.": u["null"],
            "The weights should add up to 1: (1 − w) for ∅, not (1 + w).": 2 * u["null"] + u["y"],
            "w = 1 should give u(x|y); yours is guided already, with w + 1: that is the other "
            "convention, where w = 0 means no guidance.": 2 * u["y"] - u["null"],
        }),
        compare("w = 0 gives the unconditional field", outputs["free"], u["null"], {
            "w = 0 should give the unconditional field; yours gives the conditional one. The two "
            "weights look swapped: (1 − w) belongs to ∅.": u["y"],
            "The null label looks hard-coded as 10; here it is 5. Use self.null_label.": u["ten"],
        }),
        compare(f"w = {w:g} walks on along the difference", outputs["guided"],
                (1 - w) * u["null"] + w * u["y"], {
            "The weights look swapped: (1 − w) belongs to ∅ and w to y.":
                w * u["null"] + (1 - w) * u["y"],
            "The null label looks hard-coded as 10; here it is 5. Use self.null_label.": ten,
            "The guidance scale has no effect: this is the conditional field.": u["y"],
            "The weights should add up to 1; yours are (1 + w) and w.":
                (1 + w) * u["null"] + w * u["y"],
            "The weight of ∅ is missing: w u(x|y) alone.": w * u["y"],
            "The sign of the difference is turned: it points from ∅ towards y.":
                u["null"] - w * (u["y"] - u["null"]),
            "This starts from u(x|y) and adds w times the difference; it starts from u(x|∅).":
                u["y"] + w * (u["y"] - u["null"]),
        }),
    ]  # fmt: skip
    if not torch.equal(outputs["labels"], inputs["y"]):
        findings.append(
            Finding(False, "Your code writes into y: the caller's labels have changed.")
        )
    return findings


def _one_call_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    once = outputs["calls"] == 1
    message = (
        "the network is called once"
        if once
        else f"The network is called {outputs['calls']} times. Concatenate the two batches, call "
        "once, split."
    )
    return [*_guided_verdict(inputs, outputs), Finding(once, message)]


JOBS = (
    Job("2.1", "A network that listens", 1, 10, ("MLPConditionalVectorField",), (
        Part(3, _mlp_inputs, _mlp_probe, _mlp_verdict, _mlp_hint),
    )),
    Job("2.2", "One loss for two fields", 3, 20, ("CFGTrainer",), (
        Part(5, loss_inputs, loss_probe, loss_verdict),
    )),
    Job("2.3", "Steer the field", 2, 10, ("CFGVectorFieldODE",), (
        Part(3, _guided_inputs, _guided_probe, _guided_verdict),
    )),
    Job("2.4", "Two answers from one call", 2, 10, ("BatchedCFGVectorFieldODE",), (
        Part(2, _guided_inputs, _guided_probe, _one_call_verdict),
    )),
)  # fmt: skip

LAB, check, ready = display.lab("cfg", JOBS)
