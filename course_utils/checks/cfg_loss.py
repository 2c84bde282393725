"""Job 2.2, the loss of classifier-free guidance: judged on a record of what it drew and asked.

The probe hands out data, a path and a network that remember every call. Whatever random stream a
solution draws from, the verdict can then recompute its loss from the recorded t, x and labels.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.cfg_loss_value import value_finding
from course_utils.checks.core import Crash, Finding, Values
from course_utils.checks.probe_path import ProbePath
from course_utils.checks.probes import ProbeData, ProbeNet, generator, schedule
from course_utils.checks.verdicts import (
    close,
    form_problem,
    noise_problem,
    sample_mistake,
    uniform_problem,
)
from course_utils.shapes import expand_time

# Forty small batches tell what is drawn for each item, and in each call.
BATCH, SHAPE, NUM_CLASSES, ETA, EPS = 4096, (1, 2, 2), 3, 0.2, 1e-3
ROUNDS, SMALL = 40, 8


def loss_inputs(seed: int) -> Values:
    stream = generator(seed)
    return {
        "slope": torch.randn((), generator=stream),
        "drift": torch.randn((), generator=stream),
        # Sixteen rows: a hard-coded null label of 10 is answered instead of crashing.
        "table": torch.randn(16, generator=stream),
        "null": NUM_CLASSES + 2,
    }


def loss_probe(target: Any, inputs: Values) -> Values:
    (outputs,) = _record(target, inputs, SHAPE, BATCH)
    rounds = _record(target, inputs, SHAPE, SMALL, ROUNDS)
    for name in ("z", "x", "t", "y"):
        values = [each[name] for each in rounds]
        if all(isinstance(value, Tensor) and len(value) == SMALL for value in values):
            outputs[f"small_{name}"] = torch.stack(values)
    try:
        points = _record(target, inputs, (2,), SMALL)[0]["loss"]
        outputs["points"] = "" if isinstance(points, Tensor) and points.ndim == 0 else "no scalar"
    except Exception as error:
        outputs["points"] = f"{type(error).__name__}: {error}".splitlines()[0]
    return outputs


def _record(
    target: Any, inputs: Values, shape: tuple[int, ...], batch: int, calls: int = 1
) -> list[Values]:
    """Calls of one trainer's loss on batches of data of ``shape``, and what each left behind."""
    data = ProbeData(shape, NUM_CLASSES)
    net = ProbeNet(inputs["slope"], inputs["drift"], inputs["table"])
    path = ProbePath(data, shape)
    trainer = target(path=path, eta=ETA, null_label=inputs["null"], eps=EPS)
    trainer.model = net
    found = []
    for _ in range(calls):
        for record in (data.drawn, path.made, net.calls):
            record.clear()
        found.append(_one_call(trainer, batch, data, path, net))
    return found


def _one_call(trainer: Any, batch: int, data: ProbeData, path: ProbePath, net: ProbeNet) -> Values:
    loss = trainer.get_train_loss(batch_size=batch)
    gradient = None
    if isinstance(loss, Tensor) and loss.ndim == 0 and loss.requires_grad:
        (gradient,) = torch.autograd.grad(loss, [net.slope], allow_unused=True)
    draws = [draw for draw in data.drawn if len(draw[0]) == batch]
    first, last = (draws[0], draws[-1]) if draws else ((None, None), (None, None))
    x, t, y = _seen(net, path, last[0])
    return {
        "loss": loss, "gradient": gradient, "z": last[0], "labels": last[1],
        "first_z": first[0], "first_labels": first[1], "x": x, "t": t, "y": y,
        "other_x": next((made for _, made in path.made if not _equal(made, x)), None),
        "drawn": ", ".join(str(len(draw[0])) for draw in data.drawn),
    }  # fmt: skip


def _seen(net: ProbeNet, path: ProbePath, z: Tensor | None) -> tuple[Tensor | None, ...]:
    """What the network was asked, in the order of the data.

    Several calls for parts of the batch are put into that order by means of what the path made,
    from z to x. (Where it made nothing of this, they keep their own.)
    """
    calls = [torch.cat(parts) for parts in zip(*net.calls, strict=True)]
    if not calls or z is None or len(net.calls) == 1:
        return tuple(calls) or (None, None, None)
    rows = {_key(one): number for number, one in enumerate(z)}
    source = {
        _key(one): rows.get(_key(datum))
        for data, made in path.made
        for datum, one in zip(data, made, strict=True)
    }
    places = [source.get(_key(one)) for one in calls[0]]
    if None in places or len(set(places)) != len(z) or len(places) != len(z):
        return tuple(calls)
    order = torch.tensor(places).argsort()
    return tuple(part[order] for part in calls)


def _equal(a: Tensor, b: Tensor | None) -> bool:
    return b is not None and a.shape == b.shape and bool((a == b).all())


def _key(row: Tensor) -> tuple[float, ...]:
    return tuple(row.flatten().tolist())


def loss_hint(crash: Crash) -> str | None:
    normal = "t lies in [-" in crash.message
    return "torch.rand is uniform on [0, 1); torch.randn is normal." if normal else None


def loss_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    problem = form_problem("get_train_loss(batch_size)", outputs["loss"], ())
    if problem:
        return [Finding(False, problem)]
    if outputs["z"] is None:
        told = f"p_data.sample was never asked for batch_size = {BATCH} items"
        drawn = outputs["drawn"]
        return [Finding(False, f"{told}, but for {drawn}." if drawn else f"{told}.")]
    if outputs["x"] is None or len(outputs["x"]) != BATCH:
        asked = 0 if outputs["x"] is None else len(outputs["x"])
        return [
            Finding(
                False, f"The network should see each of the {BATCH} items once; it saw {asked}."
            )
        ]
    times = _times(outputs)
    found = [_labels(inputs, outputs), times, *([_noise(outputs)] if times.ok else [])]
    if not all(finding.ok for finding in found):
        return found
    found += [value_finding(inputs, outputs), *_notes(outputs)]
    return found


def _labels(inputs: Values, outputs: Values) -> Finding:
    """The share of labels that became null, and whether the others stayed what they were."""
    y, null = outputs["y"], inputs["null"]
    dropped, changed = y == null, y != outputs["labels"]
    if bool((changed & ~dropped).any()):
        return Finding(False, _label_mistake(inputs, outputs))
    problem = _one_draw_for_each(inputs, outputs)
    if problem:
        return Finding(False, problem)
    share = float(dropped.double().mean())
    # A binomial share deviates by six standard errors once in 5e8 draws.
    allowed = 6 * math.sqrt(ETA * (1 - ETA) / BATCH)
    if abs(share - ETA) <= allowed:
        if uniform_problem(outputs["t"][dropped], 1 - EPS):
            told = "Labels are dropped at certain times only: draw the mask and t independently."
            return Finding(False, told)
        return Finding(True, f"{share:.0%} of the labels became null (η = {ETA:.0%})")
    told = f"{share:.0%} of the labels were dropped; η = {ETA} drops {ETA:.0%}."
    below = 0.5 * (1 + math.erf(ETA / math.sqrt(2)))  # P(a normal number < η)
    if share == 0:
        told = "No label was ever dropped, so the network never learns u(x|∅)."
    elif abs(share - (1 - ETA)) <= allowed:
        told += " The mask looks inverted."
    elif min(abs(share - below), abs(share - 1 + below)) <= allowed:
        told += " Was the mask drawn with torch.randn instead of torch.rand?"
    return Finding(False, told)


def _label_mistake(inputs: Values, outputs: Values) -> str:
    """What became of labels that are neither null nor what the data say."""
    y, labels, null = outputs["y"], outputs["labels"], inputs["null"]
    if bool(((y == outputs["first_labels"]) | (y == null)).all()):
        return (
            "The network sees the labels of one call of p_data.sample and the x of another: one "
            "call returns both, z and y."
        )
    values = y[y != labels].unique()
    if len(values) == 1:
        told = f"The null label looks hard-coded as {int(values)}; "
        return told + f"use self.null_label ({null} here)."
    told = "Labels other than the dropped ones have changed: where a label is kept, the network "
    return told + "should see y."


def _one_draw_for_each(inputs: Values, outputs: Values) -> str | None:
    """Whether each item of a batch has a draw of its own, and each batch new ones.

    By chance, the forty batches of eight would look like this less than once in 1e9.
    """
    y = outputs.get("small_y")
    if y is None:
        return None
    dropped = y == inputs["null"]
    counts = dropped.sum(dim=1)
    if not bool(dropped.any()) or bool(dropped.all()):
        return None
    if bool(((counts == 0) | (counts == SMALL)).all()):
        return "All labels of a batch are dropped together, or none: draw the mask for each item."
    if bool((dropped == dropped[0]).all()):
        return "The same items are dropped in every call: draw the mask anew each time."
    if bool((counts == counts[0]).all()):
        return (
            f"Every batch of {SMALL} loses {int(counts[0])} labels exactly: drop each label "
            "independently, with probability η."
        )
    return None


def _times(outputs: Values) -> Finding:
    t, small = outputs["t"].double(), outputs.get("small_t")
    problem = uniform_problem(t, 1 - EPS)
    if problem:
        return Finding(False, f"The times {problem}.")
    if small is not None and bool((small == small[0]).all()):
        return Finding(False, "The times are the same in every call: draw them anew each time.")
    return Finding(True, "t is uniform, one for each item")


def _noise(outputs: Values) -> Finding:
    """Whether the network saw x_t on the path from noise to its own z."""
    x, t = outputs["x"], outputs["t"]
    problem = form_problem("What the network sees as x", x, tuple(outputs["z"].shape))
    if problem:
        return Finding(False, problem)
    early = t < 0.9  # later, dividing by β would magnify float32 rounding
    x, z, t = x[early].double(), outputs["z"][early].double(), t[early]
    alpha, beta, alpha_dt, beta_dt = schedule(t, z)
    problem = noise_problem((x - alpha * z) / beta, z)
    if problem is None:
        return _new_noise(outputs)
    if close(x, z):
        return Finding(False, "The network is shown the clean z; show it x_t from the path.")
    told = "The x that the network sees is not on the path at its t. "
    mistake = sample_mistake(x, z, expand_time(t, z), (alpha, beta, alpha_dt, beta_dt))
    if mistake:
        return Finding(False, told + mistake)
    turned_alpha, turned_beta, _, _ = schedule(1 - t, z)
    if noise_problem((x - turned_alpha * z) / turned_beta, z) is None:
        return Finding(False, told + "It fits the time 1 − t: was t turned round on the way?")
    first = outputs["first_z"][early].double()
    if noise_problem((x - alpha * first) / beta, first) is None:
        told = "p_data.sample is called twice: the labels come from one call and z from another. "
        return Finding(False, told + "One call returns both, z and y.")
    told = f"The network should see x_t = α z + β ε; the ε in yours {problem}."
    return Finding(False, told + " Do x, z and t belong to the same items?")


def _new_noise(outputs: Values) -> Finding:
    """Whether every call draws a noise of its own."""
    if "small_x" in outputs and "small_z" in outputs:
        x, z, t = (outputs[f"small_{name}"].flatten(0, 1) for name in ("x", "z", "t"))
        alpha, beta, _, _ = schedule(t, z)
        noise = ((x - alpha * z) / beta).unflatten(0, (ROUNDS, SMALL))
        if x.shape == z.shape and close(noise[1:], noise[:1].expand_as(noise[1:]), 1e-2):
            return Finding(False, "The noise is the same in every call: draw it anew each time.")
    return Finding(True, "the network sees x_t on the path from noise to z")


def _notes(outputs: Values) -> list[Finding]:
    """Not graded: a loss written for images only will stop at the mixture of points below."""
    if not outputs["points"]:
        return []
    told = "right for images; but for points of shape (b, 2), which come next, it stops with "
    return [Finding(True, told + outputs["points"])]
