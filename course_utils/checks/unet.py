"""The jobs of lab 3, "A U-Net for digits"."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

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
    residual_hint,
    residual_inputs,
    residual_probe,
    residual_verdict,
)
from course_utils.checks.unet_network import (
    network_hint,
    network_inputs,
    network_probe,
    network_verdict,
)
from course_utils.checks.unet_parts import SAME, pick
from course_utils.checks.unet_stand_ins import STAND_INS
from course_utils.checks.verdicts import close, form_problem

GRID = 65
"""How many times between 0 and 1 the encoder is asked about."""


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


def _waves_probe(target: Any, inputs: Values) -> Values:
    encoder = _spread(target(inputs["dim"]), inputs["seed"])
    t = inputs["t"]
    outputs: Values = {
        "out": encoder(t.clone()),
        "again": encoder(t.clone()),
        "single": encoder(t[:1].clone()),
        "elsewhere": "",
    }
    # Tensors that are neither parameters nor buffers may stay behind when the encoder moves.
    if any(
        isinstance(value, Tensor) for part in encoder.modules() for value in vars(part).values()
    ):
        try:  # a device that computes nothing notices, too; its first use takes seconds
            encoder.to("meta")(t.to("meta"))
        except Exception as error:
            known = "device" in str(error)
            outputs["elsewhere"] = str(error).strip().splitlines()[0] if known else ""
    return outputs


def _waves_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    t, dim, out = inputs["t"], inputs["dim"], outputs["out"]
    problem = form_problem("forward(t)", out, (GRID, dim))
    if problem:
        half = isinstance(out, Tensor) and tuple(out.shape) == (GRID, dim // 2)
        told = " Each frequency gives a sine and a cosine, side by side." if half else ""
        return [Finding(False, problem + told)]
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
    if outputs["elsewhere"]:
        findings.append(
            Finding(False, "On another device the frequencies stay behind: make them a buffer or a "
                    f"parameter, and create new tensors on t.device. ({outputs['elsewhere']})")
        )  # fmt: skip
    return findings


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
    silent = values[0].abs() < 1e-4 * size
    if int(silent.sum()) == dim:
        return "At t = 0 every output is 0: there are sines only. Put the cosines beside them."
    if int(silent.sum()) == 0 and float((values[0].abs() - size).abs().max()) < 1e-4 * size:
        return "At t = 0 no output is 0: there are cosines only. Put the sines beside them."
    if 2 * int(silent.sum()) != dim:
        return (
            f"At t = 0 a sine is 0 and a cosine is not, so {dim // 2} of {dim} outputs should be "
            f"0; in yours {int(silent.sum())} are. Is the angle the product 2π w t?"
        )
    total = values.square().sum(dim=1)
    if float((total - total[0]).abs().max()) > 1e-2 * float(total[0]):
        return (
            "The squares of all outputs should add up to the same number at every t, because "
            "sin² + cos² = 1; yours do not. Has each sine a cosine of the same frequency?"
        )
    return _pairs_problem(values[:, silent], values[:, ~silent])


def _pairs_problem(sines: Tensor, cosines: Tensor) -> str:
    """The same for sines and cosines, each ``n half``."""
    # s_i² + c_j² is the same for all t only where the frequencies are: n half half -> half half
    squares = sines.square()[:, :, None] + cosines.square()[:, None, :]
    amplitude = float(cosines[0].abs().mean())
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
            return "Some outputs are no waves: expected sin(2π w t) or cos(2π w t), with a fixed w."
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
    if "size of tensor" in crash.message or "mat1 and mat2" in crash.message:
        return "t[:, None] has shape (b, 1); times frequencies of shape (dim / 2,) it is b × dim/2."
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

LAB, check, ready = display.lab("unet", JOBS)
