"""Job 4.4, the stack: how many layers there are, what each is given, and where places come in."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from course_utils.checks.core import Crash, Finding, Values
from course_utils.checks.dit_layers import BATCH, layer_inputs, listens
from course_utils.checks.dit_probes import (
    alone_finding,
    change,
    construct,
    dead_parameters,
    gradient_finding,
    randomised,
)
from course_utils.checks.probes import lots
from course_utils.checks.verdicts import close, form_problem

DEPTHS = (3, 2, 4)


def stack_inputs(seed: int) -> Values:
    return {**layer_inputs(seed), "depth": DEPTHS[seed % len(DEPTHS)], "lots": lots(BATCH, seed)}


class _Record:
    """What each layer is given and returns, in the order of the calls."""

    def __init__(self, model: nn.Module) -> None:
        self.layers = [
            m for m in model.modules() if type(m).__name__ == "DiffusionTransformerLayer"
        ]
        self.calls: list[tuple[int, Any, Any, Any]] = []

    def of(self, model: nn.Module, x: Tensor, c: Tensor) -> Any:
        """Call the model, and write down what its layers do."""
        self.calls = []

        def note(module: Any, args: Any, kwargs: Any, out: Any) -> None:
            given = dict(zip(("x", "c"), args, strict=False)) | kwargs
            index = next(i for i, layer in enumerate(self.layers) if layer is module)
            self.calls.append((index, given.get("x"), given.get("c"), out))

        hooks = [layer.register_forward_hook(note, with_kwargs=True) for layer in self.layers]
        out = model(x, c)
        for hook in hooks:
            hook.remove()
        return out

    def column(self, number: int, shape: tuple[int, ...]) -> Tensor | None:
        """What stands in one place of each call, or None if it is not a tensor of that shape."""
        found: list[Any] = [call[number] for call in self.calls]
        fits = all(isinstance(value, Tensor) and tuple(value.shape) == shape for value in found)
        return torch.stack(found) if fits and found else None


def stack_probe(target: Any, inputs: Values) -> Values:
    x, c = inputs["x"], inputs["c"]
    _, n, dim = x.shape
    model = construct(target, depth=inputs["depth"], n_tokens=n, dim=dim, heads=inputs["heads"])
    randomised(model, inputs["seed"])
    record, told = _Record(model), c.clone()
    told[0] = inputs["other_c"][0]
    outputs = {
        "told": record.of(model, x.clone(), told),
        "given told": record.column(2, tuple(c.shape)),
        "out": record.of(model, x.clone(), c.clone()),
        "given c": record.column(2, tuple(c.shape)),
        "given x": record.column(1, tuple(x.shape)),
        "returned": record.column(3, tuple(x.shape)),
    }
    called = [index for index, *_ in record.calls]
    return {
        **outputs,
        "dead": dead_parameters(model, outputs["out"]),
        "layers": len(record.layers),
        "called": len(set(called)),
        "calls": len(called),
        "maps": sum(isinstance(m, nn.Linear) for m in model.modules()),
        "single": model(x[:1].clone(), c[:1].clone()),
        "drawn": model(x[inputs["lots"]], c[inputs["lots"]]),
        "permuted": model(x[:, inputs["order"]], c.clone()),
        "zeros": model(torch.zeros_like(x), c.clone()),
    }


def stack_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    x, out = inputs["x"], outputs["out"]
    problem = form_problem("forward(x, c)", out, tuple(x.shape))
    for name in ("told", "permuted", "zeros"):
        problem = problem or form_problem("forward(x, c)", outputs[name], tuple(x.shape))
    if problem:
        return [Finding(False, problem)]
    problem = _flow(out, outputs) or _deaf(outputs)
    found = [_depth(inputs["depth"], outputs), *listens(out, outputs)]
    found += [Finding(False, problem)] if problem else []
    found.append(_places(out, outputs, inputs["order"]))
    items = out[inputs["lots"]]
    found.append(alone_finding(outputs["single"], out[:1], outputs["drawn"], items))
    return [*found, gradient_finding(outputs["dead"])]


def _flow(out: Tensor, outputs: Values) -> str | None:
    """Whether the layers were called in a known wrong way."""
    given, returned = outputs["given x"], outputs["returned"]
    if not isinstance(given, Tensor) or not isinstance(returned, Tensor):
        return None
    if len(given) > 1 and close(given[1:], given[:1].expand_as(given[1:])):
        return "Every layer is given the same tokens: each goes on with what the last returned."
    later = torch.cat([given[1:], out[None]])
    if close(later, given + returned):
        return "A layer's tokens are added once more to what it returns; it does that itself."
    return None


def _deaf(outputs: Values) -> str | None:
    """Whether some layer is given another c than the model."""
    given, told = outputs["given c"], outputs["given told"]
    if not isinstance(given, Tensor) or not isinstance(told, Tensor) or given.shape != told.shape:
        return None
    same = (given[:, 0] - told[:, 0]).abs().amax(dim=-1) < 1e-9
    if bool(same.any()) and not bool(same.all()):
        return f"Layer {int(same.nonzero()[0]) + 1} is not told c: layer(x, c) for every layer."
    return None


def _places(out: Tensor, outputs: Values, order: Tensor) -> Finding:
    """Whether, and where, tokens are told their places."""
    permuted = outputs["permuted"]
    apart = permuted - out[:, order]
    if change(permuted, out[:, order]).max() < 1e-4:
        return Finding(
            False,
            "Tokens in another order give the same outputs in that order: the transformer cannot "
            "tell where a patch was. Add the positions, a vector of its own for each place.",
        )
    if close(apart, apart[:1].expand_as(apart), 1e-3):
        return Finding(
            False,
            "The positions are added behind the layers, which do not notice them: add them first.",
        )
    zeros = outputs["zeros"]
    if change(zeros, zeros[:, :1]).max() < 1e-4:
        return Finding(
            False,
            "Tokens that are all zero get no places: are the positions multiplied? Add them.",
        )
    return Finding(True, "tokens know their places")


def _depth(depth: int, outputs: Values) -> Finding:
    layers, calls = outputs["layers"], outputs["calls"]
    if layers == 0 and outputs["maps"] == 0:
        return Finding(
            False,
            "The model has no layers that an optimizer could find: keep them in an nn.ModuleList, "
            "not in a list.",
        )
    if layers == 1 < depth and calls > 1:
        return Finding(
            False,
            f"One layer is used {calls} times; expected {depth} layers, each with weights of its "
            "own. ([layer] * depth repeats one object.)",
        )
    if layers in (0, depth) and (outputs["called"], calls) == (layers, layers):
        return Finding(True, f"{depth} layers, one after the other")
    if layers != depth:
        return Finding(False, f"The model has {layers} layers; expected depth = {depth}.")
    return Finding(
        False, f"{outputs['called']} of {depth} layers are called, {calls} times in all; each once."
    )


def stack_hint(crash: Crash) -> str | None:
    if "must match the size" in crash.message:
        return "The positions are n dim, x is b n dim: they can be added as they are."
    return None
