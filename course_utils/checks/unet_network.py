"""Job 3.4, the whole U-Net: its form, its labels and times, and each of its skips.

A skip is found without knowing how it is written. The network runs once, and what each encoder and
the midcoder returned is kept. Then it runs again with these modules silenced: they return what was
kept, whatever they are given. Now what an encoder returned can reach the output over a skip alone.

The network runs with the student's own parts, from jobs 3.1 to 3.3, and with stand-ins for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.checks.core import Crash, Finding, Values
from course_utils.checks.probes import generator, lots, sound
from course_utils.checks.unet_parts import (
    gradient_finding,
    moved,
    named,
    pick,
    randomised,
    rows_finding,
    shapes_hint,
    without_gradient,
)
from course_utils.checks.unet_stand_ins import FourierEncoder
from course_utils.checks.verdicts import form_problem

SIZE, BATCH = 32, 4
LEARNED, STEPS, MOST_STEPS = 0.8, 12, 60
"""Overfitting a batch, the loss must fall at least to this share of its first value.

Most weights get there in 12 steps, one draw in a hundred does not; those go on. After 60 steps the
logarithm of the share lies at −5.1 ± 0.5 (48 draws of weights, seven right answers): ten standard
deviations below log 0.8.
"""


def network_inputs(seed: int) -> Values:
    stream = generator(seed)
    num_classes = pick((11, 12, 13), stream)  # an embedding of ten or eleven rows must not do
    y = torch.randint(num_classes, (BATCH,), generator=stream)
    y[1] = num_classes  # the null label
    return {
        "channels": pick(((32, 64, 96), (32, 96, 64), (64, 32, 96)), stream),
        "t_dim": pick((18, 20, 40), stream),
        "y_dim": pick((16, 22, 36), stream),
        "num_classes": num_classes,
        "x": torch.randn(BATCH, 1, SIZE, SIZE, generator=stream),
        "t": 0.1 + 0.8 * torch.rand(BATCH, generator=stream),
        "y": y,
        "lots": lots(BATCH, seed, 6),
        "seed": seed,
    }


def _build(target: Any, inputs: Values, stem: int, channels: tuple[int, ...]) -> nn.Module:
    model = target(
        channels=list(channels),
        num_residual_layers=1,
        t_embed_dim=inputs["t_dim"],
        y_embed_dim=inputs["y_dim"],
        num_classes=inputs["num_classes"],
        stem=stem,
    )
    for encoder in named(model, "FourierEncoder"):  # job 3.1 is judged by itself
        encoder.forward = FourierEncoder(inputs["t_dim"]).forward
    return model


def network_probe(target: Any, inputs: Values) -> Values:
    x, t, y, lots = (inputs[name] for name in ("x", "t", "y", "lots"))
    model = randomised(_build(target, inputs, 1, inputs["channels"]), inputs["seed"])
    other_t = torch.cat([1 - t[:1] / 2, t[1:]])
    outputs: Values = {"out": model(x.clone(), t.clone(), y.clone())}
    if not sound(outputs["out"], tuple(x.shape)):
        return outputs
    waves = named(model, "FourierEncoder")
    outputs["dead"] = without_gradient(outputs["out"], model, apart=waves)
    with torch.no_grad():
        outputs |= {
            "again": model(x.clone(), t.clone(), y.clone()),
            "single": model(x[:1].clone(), t[:1].clone(), y[:1].clone()),
            "drawn": model(x[lots], t[lots], y[lots]),
            "other_t": model(x.clone(), other_t, y.clone()),
            "other_y": model(x.clone(), t.clone(), (y + 1) % (inputs["num_classes"] + 1)),
        }
    outputs |= _skips(model, inputs)
    folded = _build(target, inputs, 2, inputs["channels"][:2])
    outputs["folded"] = folded(x.clone(), t.clone(), y.clone())
    if sound(outputs["folded"], tuple(x.shape)):
        outputs |= _overfit(folded, inputs)
    return outputs


def _overfit(model: nn.Module, inputs: Values) -> Values:
    """The loss over a few steps on one batch, and the least and greatest number at their end.

    The target is smooth, as images are, and has both signs, as velocities have.
    """
    model.train()
    coarse = torch.randn(BATCH, 1, 4, 4, generator=generator(inputs["seed"] + 29))
    target = nn.functional.interpolate(coarse, size=SIZE, mode="bilinear")
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    means = [torch.zeros_like(weight) for weight in weights]
    squares = [torch.zeros_like(weight) for weight in weights]
    losses: list[Tensor] = []
    for step in range(1, MOST_STEPS + 1):
        out = model(inputs["x"].clone(), inputs["t"].clone(), inputs["y"].clone())
        loss = (out - target).square().mean()
        losses.append(loss.detach())
        if loss.requires_grad:
            slopes = torch.autograd.grad(loss, weights, allow_unused=True)
            for entry in zip(weights, slopes, means, squares, strict=True):
                _adam(*entry, step=step)
        if step >= STEPS and _fell(torch.stack(losses)):
            break
    out = out.detach()
    return {"losses": torch.stack(losses), "least": float(out.min()), "most": float(out.max())}


@torch.no_grad()
def _adam(weight: Tensor, slope: Tensor | None, mean: Tensor, square: Tensor, *, step: int) -> None:
    """One step of Adam (Kingma and Ba 2015); to import torch's own takes seconds."""
    if slope is None:
        return
    mean.lerp_(slope, 0.1)
    square.lerp_(slope.square(), 0.01)
    size = (square / (1 - 0.99**step)).sqrt() + 1e-8
    weight.sub_(2e-3 * mean / (1 - 0.9**step) / size)


# ------------------------------------------------------------------------------------- the skips


def _skips(model: nn.Module, inputs: Values) -> Values:
    """For each place that a skip starts from: its resolution, and whether output and gradient know.

    Place 0 is what the network makes of the image before the first encoder.
    """
    x, t, y = inputs["x"][:2], inputs["t"][:2], inputs["y"][:2]
    encoders = named(model, "Encoder") or _halving(model, x, t, y)
    across = named(model, "Midcoder")
    with torch.no_grad():
        kept = _kept(model, [*encoders, *across], x, t, y)
    called = [module for module in encoders if id(module) in kept]
    across = [module for module in across if id(module) in kept]
    outputs: Values = {"encoders": len(encoders), "called": len(called)}
    if not called or len(called) != len(encoders):
        return outputs
    # Without a midcoder to silence, the way across would hide whether the lowest skip is there.
    ends = called if across else called[:-1]
    places = [x.clone().requires_grad_(), *(kept[id(m)].requires_grad_() for m in ends)]
    answers = kept | dict(zip(map(id, ends), places[1:], strict=True))
    for module in (*called, *across):
        _silence(module, answers[id(module)])
    out = model(places[0], t.clone(), y.clone())
    slopes: list[Tensor | None] = [None] * len(places)
    if isinstance(out, Tensor) and out.requires_grad:
        slopes = list(torch.autograd.grad(out.square().sum(), places, allow_unused=True))
    for number, (place, slope) in enumerate(zip(places, slopes, strict=True)):
        outputs[f"size {number}"] = x.shape[-1] if number == 0 else place.shape[-1]
        outputs[f"gradient {number}"] = slope is not None and bool(slope.abs().sum() > 0)
        outputs[f"value {number}"] = _matters(model, place, places[0], t, y, out)
    outputs["places"] = len(places)
    return outputs


@torch.no_grad()
def _matters(model: nn.Module, place: Tensor, x: Tensor, t: Tensor, y: Tensor, out: Tensor) -> bool:
    """Whether the output changes with the values at ``place``."""
    before = place.clone()
    place.copy_(before.flip(-1) + 1)
    changed = model(x.detach(), t.clone(), y.clone())
    place.copy_(before)
    return bool((changed - out).abs().max() > 1e-6 * out.abs().max())


def _kept(
    model: nn.Module, modules: list[nn.Module], x: Tensor, t: Tensor, y: Tensor
) -> dict[int, Tensor]:
    """What each of ``modules`` returned in one run of ``model``, by the module's id."""
    kept: dict[int, Tensor] = {}

    def watched(module: nn.Module, forward: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            out = forward(*args, **kwargs)
            if isinstance(out, Tensor):
                kept[id(module)] = out.detach().clone()
            return out

        return run

    # Not by hooks: these would miss whoever calls module.forward(…).
    for module in modules:
        module.forward = watched(module, module.forward)
    model(x.clone(), t.clone(), y.clone())
    return kept


def _silence(module: nn.Module, answer: Tensor) -> None:
    module.forward = lambda *args, **kwargs: answer


def _halving(model: nn.Module, x: Tensor, t: Tensor, y: Tensor) -> list[nn.Module]:
    """The outermost modules that halve height and width, where no class is named Encoder."""
    halving: dict[str, nn.Module] = {}
    hooks = []

    def note(path: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Any, ...], out: Any) -> None:
            first = next((a for a in args if isinstance(a, Tensor) and a.ndim == 4), None)
            if first is None or not isinstance(out, Tensor) or out.ndim != 4:
                return
            if 2 * out.shape[-1] == first.shape[-1]:
                halving[path] = module

        return hook

    for path, module in model.named_modules():
        hooks.append(module.register_forward_hook(note(path)))
    with torch.no_grad():
        model(x.clone(), t.clone(), y.clone())
    for handle in hooks:
        handle.remove()
    return [
        module
        for path, module in sorted(halving.items())
        if not any(path.startswith(outer + ".") for outer in halving)
    ]


def _skips_finding(outputs: Values) -> Finding:
    if outputs["called"] != outputs["encoders"] or not outputs["called"]:
        return Finding(
            False, f"{outputs['called']} of {outputs['encoders']} encoders are called: the image "
            "should pass through each of them, in order."
        )  # fmt: skip
    numbers = range(outputs["places"])
    names = [f"{outputs[f'size {n}']}×{outputs[f'size {n}']}" for n in numbers]
    unused = [name for n, name in zip(numbers, names, strict=True) if not outputs[f"value {n}"]]
    if len(unused) == len(names):
        told = "No skip is used: what the way down leaves behind must be taken up on the way up."
        return Finding(False, told)
    if unused:
        where = (
            " What init_conv returns is the first skip, and the last to be used."
            if names[0] in unused
            else " What the last encoder returns is added to what the midcoder returns."
            if names[-1] in unused
            else ""
        )
        return Finding(False, f"Not used: the skip at {' and at '.join(unused)}.{where}")
    cut = [name for n, name in zip(numbers, names, strict=True) if not outputs[f"gradient {n}"]]
    if cut:
        told = (
            f"No gradient flows back through the skip at {' and at '.join(cut)}: was it detached?"
        )
        return Finding(False, told)
    return Finding(True, f"a skip at every resolution: {', '.join(names)}")


# ------------------------------------------------------------------------------------ the verdict


def network_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    out, shape = outputs["out"], (BATCH, 1, SIZE, SIZE)
    problem = form_problem("forward(x, t, y)", out, shape)
    if problem:
        return [Finding(False, problem)]
    findings = [Finding(True, "one velocity for each image, in the shape of x")]
    depends = {
        "other_t": "The output does not change with t: is t_embed handed to every part, and does "
        "your ResidualLayer use it?",
        "other_y": "The output does not change with y for every class: is y_embed handed to every "
        "part, and does your ResidualLayer use it?",
    }
    for name, told in depends.items():
        changed = moved(outputs, name, out)
        heard = changed is not None and bool(changed[0] if name == "other_t" else changed.all())
        letter = name[-1]
        findings.append(Finding(heard, f"the output depends on {letter}" if heard else told))
    findings += [
        rows_finding(out, outputs, shape, inputs["lots"]),
        _skips_finding(outputs),
        gradient_finding(outputs["dead"]),
    ]
    problem = form_problem("With stem=2, forward(x, t, y)", outputs["folded"], shape)
    if problem:
        return [*findings, Finding(False, problem)]
    return [*findings, _learns(outputs["losses"], outputs["least"], outputs["most"])]


def _fell(losses: Tensor) -> bool:
    return float(losses[-3:].min()) <= LEARNED * float(losses[0])


def _learns(losses: Tensor, least: float, most: float) -> Finding:
    # The target has both signs: whoever has learned some of it has, too, unless he cannot.
    if least >= 0 or most <= 0:
        told = f"After {len(losses)} steps on one batch your velocities lie between {least:.2g} and"
        told += f" {most:.2g}: is there a sigmoid or a ReLU behind the last convolution?"
        return Finding(False, f"{told} A velocity may have any sign and size.")
    first, last = float(losses[0]), float(losses[-3:].min())
    told = f"{len(losses)} steps on one batch bring the loss from {first:.2f} to {last:.2f}"
    if _fell(losses):
        return Finding(True, told)
    return Finding(False, f"{told}; it should fall clearly. Does x go through every part?")


def network_hint(crash: Crash) -> str | None:
    if "size of tensor" in crash.message or "Sizes of tensors must match" in crash.message:
        return (
            "x and its skip fit where both have the same resolution. The last skip put down is the "
            "first one taken up: skips.pop() takes it away, skips[-1] leaves it there."
        )
    if "empty list" in crash.message:
        return (
            "One skip more was taken up than put down: there is one from init_conv, and one from "
            "each encoder."
        )
    if "out of range in self" in crash.message:
        return "The null label is num_classes, so the embedding needs num_classes + 1 rows."
    if "channels" in crash.message:
        return (
            "The decoders expect as many channels as the encoders returned: add the skip, or give "
            "them twice the channels where you concatenate. What comes first: the last encoder's."
        )
    if "unexpected keyword argument" in crash.message:
        return (
            "Keep the constructor's parameters as they were given: others call it by their names."
        )
    return shapes_hint(crash)
