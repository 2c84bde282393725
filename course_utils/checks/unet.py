"""The jobs of lab 3, "A U-Net for digits"."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from course_utils.checks import display
from course_utils.checks.core import Crash, Finding, Job, Part, Values
from course_utils.checks.probes import generator
from course_utils.checks.stand_ins import alone, on_its_own
from course_utils.checks.unet_layers import (
    decoder_inputs,
    decoder_probe,
    encoder_inputs,
    encoder_probe,
    resample_hint,
    resample_verdict,
)
from course_utils.checks.unet_network import (
    network_hint,
    network_inputs,
    network_probe,
    network_verdict,
)
from course_utils.checks.unet_parts import SAME, pick
from course_utils.checks.unet_residual import (
    residual_hint,
    residual_inputs,
    residual_probe,
    residual_verdict,
)
from course_utils.checks.unet_stand_ins import STAND_INS
from course_utils.checks.verdicts import close, form_problem

GRID = 65
"""How many times between 0 and 1 the encoder is asked about."""

MAKERS = (
    torch.tensor, torch.zeros, torch.ones, torch.empty, torch.full, torch.arange, torch.linspace,
    torch.logspace, torch.rand, torch.randn,
)  # fmt: skip
"""What makes a tensor on the CPU unless it is told a device."""


# 3.1 Time, as waves


def _waves_inputs(seed: int) -> Values:
    stream = generator(seed)
    order = torch.randperm(GRID, generator=stream)
    return {"t": order / (GRID - 1), "dim": pick(range(6, 20, 2), stream), "seed": seed}


def _spread(encoder: nn.Module, seed: int) -> nn.Module:
    """Frequencies that are trained may start all alike, at zero say: then let them differ."""
    stream = generator(seed + 17)
    with torch.no_grad():
        for weights in encoder.parameters():
            alike = bool((weights == weights.flatten()[0]).all())
            if weights.requires_grad and weights.numel() > 1 and alike:
                weights.copy_(0.3 + 2 * torch.rand(weights.shape, generator=stream))
    return encoder.eval()


class _Homeless(TorchFunctionMode):
    """Counts the tensors that are made without a word on where they should lie."""

    count = moves = 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        self.count += func in MAKERS and "device" not in (kwargs or {})
        self.moves += func in (Tensor.to, Tensor.type_as)
        return func(*args, **(kwargs or {}))


def _waves_probe(target: Any, inputs: Values) -> Values:
    encoder = _spread(target(inputs["dim"]), inputs["seed"])
    t = inputs["t"]
    seen = t.clone()
    with _Homeless() as made:
        out = encoder(seen)
    outputs: Values = {
        "out": out,
        "t_after": seen,
        "again": encoder(t.clone()),
        "single": encoder(t[:1].clone()),
        "elsewhere": "",
    }
    # Tensors that are neither parameters nor buffers may stay behind when the encoder moves.
    if made.count or any(
        isinstance(value, Tensor) for part in encoder.modules() for value in vars(part).values()
    ):
        outputs["elsewhere"] = _left_behind(encoder, t, moves=made.moves > 0)
    return outputs


def _left_behind(encoder: nn.Module, t: Tensor, moves: bool) -> str:
    """What goes wrong on another device, one that computes nothing. Its first use takes seconds.

    Nothing can be copied from it to the CPU; a real one allows that, and a result filled there may
    yet be moved.
    """
    try:
        out = encoder.to("meta")(t.to("meta"))
    except Exception as error:
        first = str(error).strip().splitlines()[0]
        if "copy out of meta" in first and not moves:
            return "what the encoder returns is made on the CPU"
        return first if "device" in first else ""
    lies = isinstance(out, Tensor) and not out.is_meta
    return f"the result lies on {out.device}" if lies else ""


def _waves_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    t, dim, out = inputs["t"], inputs["dim"], outputs["out"]
    problem = form_problem("forward(t)", out, (GRID, dim))
    if problem:
        return [Finding(False, problem + _shape_told(out, dim // 2))]
    findings = [Finding(True, "dim numbers for each time")]
    alone = _alone_problem(out, outputs)
    # t: n -> sorted grid, so that row i is the time i / (n - 1)
    problem = alone or _waves_problem(out.double()[t.argsort()])
    if problem:
        return [*findings, Finding(False, problem)]
    findings += [
        Finding(True, "each time is answered on its own"),
        Finding(True, "each frequency gives a sine and a cosine, and the frequencies differ"),
    ]
    if not torch.equal(outputs["t_after"], t):
        findings.append(
            Finding(False, "Your code writes into t (an operation in place, such as t *= …): the "
                    "caller still needs it.")
        )  # fmt: skip
    if outputs["elsewhere"]:
        findings.append(
            Finding(False, "On another device the frequencies stay behind: make them a buffer or a "
                    f"parameter, and create new tensors on t.device. ({outputs['elsewhere']})")
        )  # fmt: skip
    return findings


def _shape_told(out: object, half: int) -> str:
    """What makes outputs of some wrong shapes, where ``half`` frequencies were given."""
    shape = tuple(out.shape) if isinstance(out, Tensor) else ()
    if shape == (GRID, half):
        return " Each frequency gives a sine and a cosine, side by side."
    if shape == (2 * GRID, half):
        return " The cosines stand below the sines: dim=-1 puts them side by side."
    if shape in ((2 * half, GRID), (half, 2 * GRID)):
        return " Rows and columns are swapped: t[:, None] is a column, the frequencies are a row."
    if sorted(shape) == sorted((2, GRID, half)):
        return " torch.stack adds a dimension; torch.cat does not."
    return ""


def _alone_problem(out: Tensor, outputs: Values) -> str:
    again, single = outputs["again"], outputs["single"]
    if form_problem("", again, tuple(out.shape)) or not close(again, out, SAME):
        return (
            "The same t gave two different outputs: the frequencies are drawn once, by the "
            "constructor."
        )
    if form_problem("", single, (1, out.shape[1])) or not close(single, out[:1], 1e-4):
        return "The times of a batch influence each other: each t should be answered on its own."
    return ""


def _waves_problem(values: Tensor) -> str:
    """Why ``values: n dim``, on an even grid from t = 0 to 1, are not pairs of sine and cosine."""
    dim, size = values.shape[1], float(values.abs().max())
    if float((values - values[0]).abs().max()) <= 1e-4 * size:
        return "The output does not change with t."
    if float((values[:-1] - values[0]).abs().max()) <= 1e-4 * size:
        return "The output is the same at all t below 1: was t rounded to a whole number?"
    steps = torch.linspace(0, 1, len(values), dtype=values.dtype)[:, None]
    if float((values - steps * values[-1]).abs().max()) <= 1e-4 * size:
        return (
            "The output grows in proportion to t: the sine and the cosine of the angle are missing."
        )
    silent = values[0].abs() < 1e-4 * size
    if int(silent.sum()) == dim:
        return "At t = 0 every output is 0: there are sines only. Put the cosines beside them."
    if int(silent.sum()) == 0 and float((values[0].abs() - size).abs().max()) < 1e-4 * size:
        return "At t = 0 no output is 0: there are cosines only. Put the sines beside them."
    if 2 * int(silent.sum()) != dim:
        if 2 * int((values[-1].abs() < 1e-4 * size).sum()) == dim:
            return "The sines are 0 at t = 1, not at t = 0: did 1 - t take the place of t?"
        return (
            f"At t = 0 a sine is 0 and a cosine is not, so {dim // 2} of {dim} outputs should be "
            f"0; in yours {int(silent.sum())} are. Is the angle the product 2π w t?"
        )
    total = values.square().sum(dim=1)
    if float((total - total[0]).abs().max()) > 1e-2 * float(total[0]):
        return _heights_problem(values[:, silent], values[:, ~silent]) or (
            "The squares of all outputs should add up to the same number at every t, because "
            "sin² + cos² = 1; yours do not. Has each sine a cosine of the same frequency?"
        )
    return _pairs_problem(values[:, silent], values[:, ~silent])


def _heights_problem(sines: Tensor, cosines: Tensor) -> str:
    """Whether all sines are higher, or lower, than the cosines by one and the same factor."""
    # a² Σ sin² = −(a/b)² b² Σ cos² + a² n: on a line
    high, wide = sines.square().sum(dim=1), cosines.square().sum(dim=1)
    high, wide = high - high.mean(), wide - wide.mean()
    slope = float((high * wide).sum() / wide.square().sum().clamp_min(1e-12))
    if slope >= 0 or float((high - slope * wide).abs().max()) > 1e-3 * float(high.abs().max()):
        return ""
    return (
        f"Your sines are {math.sqrt(-slope):.3g} times as high as your cosines: √2 stands in front "
        "of both."
    )


def _pairs_problem(sines: Tensor, cosines: Tensor) -> str:
    """The same for sines and cosines, each ``n half``."""
    # s_i² + c_j² is the same for all t only where the frequencies are: n half half -> half half
    squares = sines.square()[:, :, None] + cosines.square()[:, None, :]
    heights = cosines[0].abs()
    low, amplitude, high = (float(each) for each in (heights.min(), heights.mean(), heights.max()))
    if high - low > 1e-3 * high:
        return (
            f"At t = 0 your cosines are between {low:.3g} and {high:.3g} high: all should be "
            "equal. The frequency w stands inside the sine and the cosine, not in front."
        )
    gaps = (squares - cosines[0].square()).abs().amax(dim=0) / amplitude**2
    if float(gaps.max()) < 1e-3:
        return "All waves have the same frequency: two close times then look alike to all of them."
    free = gaps.clone()
    for _ in range(len(free)):
        index = int(free.argmin())
        row, column = index // len(free), index % len(free)
        if float(gaps[row, column]) > 1e-2:
            return "Some sine has no cosine of the same frequency beside it, or of another height."
        free[row], free[:, column] = math.inf, math.inf
    for waves in (sines, cosines):
        if not _pure(waves):
            return (
                "Some outputs are no waves: expected sin(2π w t) or cos(2π w t), with a fixed w. "
                "Was t squared?"
            )
    if min(abs(amplitude - 1), abs(amplitude - math.sqrt(2))) > 1e-3:
        return (
            f"The waves go up to {amplitude:.3g}; expected √2 (or 1). With √2 the mean of the "
            "squares is 1, whatever t is."
        )
    return ""


def _pure(waves: Tensor) -> bool:
    """Whether each column of ``waves: n k`` has one frequency.

    For a sine or cosine, f(t + h) + f(t − h) = 2 cos(2πwh) f(t) at every t.
    """
    h = 5
    middle, sides = waves[h:-h], waves[2 * h :] + waves[: -2 * h]
    slope = (middle * sides).sum(dim=0) / middle.square().sum(dim=0).clamp_min(1e-12)
    return float((sides - slope * middle).abs().max()) <= 2e-2 * float(waves.abs().max())


def _waves_hint(crash: Crash) -> str | None:
    if any(words in crash.message for words in ("size of tensor", "tensor size", "mat1 and mat2")):
        return "t[:, None] has shape (b, 1); times frequencies of shape (dim / 2,) it is b × dim/2."
    if "only one element" in crash.message:
        return "math.sin takes a single number; torch.sin takes a whole tensor."
    if "imension out of range" in crash.message:
        return "t has one dimension, (b,); t[:, None] adds another."
    return None


JOBS = (
    Job("3.1", "Time, as waves", 1, 10, ("FourierEncoder",), (
        Part(2, _waves_inputs, _waves_probe, _waves_verdict, _waves_hint),
    )),
    Job("3.2", "A layer that corrects", 2, 15, ("ResidualLayer",), (
        Part(4, residual_inputs, residual_probe, residual_verdict, residual_hint),
    )),
    Job("3.3", "Down and up again", 1, 10, ("Encoder", "Decoder"), (
        Part(2, encoder_inputs, encoder_probe, resample_verdict, resample_hint),
        Part(2, decoder_inputs, decoder_probe, resample_verdict, resample_hint),
    )),
    Job("3.4", "The U and its bridges", 2, 20, ("MNISTUNet",), (
        Part(4, network_inputs, on_its_own("3.4", network_probe, STAND_INS),
             alone(network_verdict), network_hint),
    )),
)  # fmt: skip

QUESTIONS = (
    display.Question("3.5", "Two parts of the machine", 3),
    display.Question("3.6", "What the knob does to handwriting", 3),
)

LAB, check, ready, progress = display.lab("unet", JOBS, QUESTIONS)
