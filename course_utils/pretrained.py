"""Weights that ship with the course, and where they come from.

A file ``<name>.safetensors`` holds the weights in float16 (plain numbers: loading them never runs
code), a few stored inputs with the output that the network gave for them, and a model card;
``<name>.md`` is the same card to read. A student's own network may carry
other parameter names, or put sine before cosine: so a network counts as loaded only when it gives
the stored output.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

FOLDER = Path(__file__).parent / "weights"
M = TypeVar("M", bound=nn.Module)
# Another device rounds convolutions and matrix products differently, at worst (TF32) to 1e-3.
SAME_OUTPUT = 2e-2


@dataclass(frozen=True)
class Card:
    """Where weights come from: what a reader needs to trust them, or to make them again."""

    name: str
    data: str
    steps: int
    seconds: float | int
    machine: str
    command: str
    metrics: dict[str, str] = field(default_factory=dict)
    network: str = ""

    def as_markdown(self) -> str:
        """The card as a page."""
        rows = {
            "network": self.network,
            "data": self.data,
            "steps": f"{self.steps:,}",
            "training time": spell(self.seconds),
            "machine": self.machine,
            "command": f"`{self.command}`",
            **self.metrics,
        }
        table = "".join(f"| {name} | {value} |\n" for name, value in rows.items() if value)
        return f"# {self.name}\n\n| | |\n|---|---|\n{table}"


def spell(seconds: float | int) -> str:
    """A duration to read: ``48 s``, ``9.4 min`` or ``2.1 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@dataclass(frozen=True)
class Weights:
    """What one file holds."""

    tensors: dict[str, Tensor]
    card: Card

    def group(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose names begin with ``prefix.``, by the rest of their names."""
        start = prefix + "."
        return {
            name.removeprefix(start): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(start)
        }


# --------------------------------------------------------------------------------------- writing


def rounded(model: M) -> M:
    """A copy of ``model`` in eval mode on the CPU with the weights that a file would hold."""
    shipped = copy.deepcopy(model).cpu().eval()
    shipped.load_state_dict({k: _half(v).to(v.dtype) for k, v in shipped.state_dict().items()})
    return shipped


def _half(tensor: Tensor) -> Tensor:
    return tensor.half() if tensor.is_floating_point() else tensor


@torch.no_grad()
def write(
    path: str | Path,
    model: nn.Module,
    card: Card,
    probe: tuple[Tensor, ...],
    extra: Mapping[str, Tensor] | None = None,
) -> Path:
    """Write ``path`` (``….safetensors``) and its card beside it (``….md``); return ``path``.

    Args:
        model: any network; its weights are rounded to float16.
        probe: inputs for which the output is stored, a few items on the CPU.
        extra: further tensors, by names such as ``reference.mean``; kept as they are.

    A file that is there already is replaced only by a whole one.
    """
    from safetensors.torch import save_file

    path = Path(path)
    shipped = rounded(model)
    tensors = {f"model.{k}": _half(v).contiguous() for k, v in shipped.state_dict().items()}
    tensors |= {f"probe.{index}": value.contiguous() for index, value in enumerate(probe)}
    tensors["probe.out"] = shipped(*probe).contiguous()
    tensors |= {name: value.contiguous() for name, value in (extra or {}).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    try:
        # A file keeps its tensors in an order of its own; a network of other names needs this one.
        told = {"card": json.dumps(asdict(card)), "order": json.dumps(list(tensors))}
        save_file(tensors, temporary, metadata=told)
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    path.with_suffix(".md").write_text(card.as_markdown(), encoding="utf-8")
    return path


# --------------------------------------------------------------------------------------- reading


def available() -> list[str]:
    """Names of the weights that are installed."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def read(name_or_path: str | Path) -> Weights:
    """The shipped weights of that name (``"unet"``), or those in a file.

    Raises:
        ValueError: there is no such file, or it is damaged or not one of ours.
    """
    from safetensors import SafetensorError, safe_open

    named = isinstance(name_or_path, str) and not name_or_path.endswith(".safetensors")
    path = FOLDER / f"{name_or_path}.safetensors" if named else Path(name_or_path)
    if not path.is_file():
        raise ValueError(
            f"There are no weights {name_or_path}; expected one of "
            f"{', '.join(available()) or 'none (none are installed)'}, or the path of a file."
        )
    try:
        with safe_open(path, framework="pt") as file:
            told = {key: json.loads(text) for key, text in (file.metadata() or {}).items()}
            tensors = {key: file.get_tensor(key) for key in told["order"]}
        return Weights(tensors, Card(**told["card"]))
    except (SafetensorError, KeyError, TypeError, ValueError) as problem:
        reason = str(problem).partition("\n")[0]
        raise ValueError(
            f"{path} is damaged, or was not written by this course ({reason}). Install the course "
            "again, or copy the file anew."
        ) from None


def fill(model: nn.Module, name_or_path: str | Path) -> Card:
    """Give ``model`` the weights of that name; return their card.

    Raises:
        ValueError: as :func:`read`; or these weights do not fit this network. The network is then
            as it was.
    """
    weights = read(name_or_path)
    problem = _fill(model, weights)
    if problem:
        raise ValueError(f"The weights {weights.card.name} do not fit: {problem}.")
    return weights.card


def load(model: nn.Module, name_or_path: str | Path) -> bool:
    """Give ``model`` the shipped weights if they fit it, and say in one line what happened.

    Returns:
        Whether ``model``, now in eval mode, is the trained network. If not, it is as it was, and
        is to be trained. Parameters may have other names, if they come in the same order.

    Raises:
        ValueError: as :func:`read`.
    """
    weights = read(name_or_path)
    card, problem = weights.card, _fill(model, weights)
    if problem:
        print(f"The shipped weights {card.name} do not fit: {problem}. Train this network instead.")
        return False
    model.eval()
    metrics = "; ".join(f"{name} {value}" for name, value in card.metrics.items())
    print(
        f"Loaded the weights {card.name}: {card.data}, {card.steps:,} steps in "
        f"{spell(card.seconds)} on {card.machine}" + (f"; {metrics}." if metrics else ".")
    )
    return True


def milestones(name_or_path: str | Path) -> dict[str, Float[Tensor, "n 1 h w"]]:
    """Samples from the run that made the weights, by step: ``{"step 100": images in [-1, 1]}``."""
    stored = read(name_or_path).group("milestone")
    steps = sorted(stored, key=int)
    return {f"step {int(step):,}": stored[step].float() / 127.5 - 1 for step in steps}


def _fill(model: nn.Module, weights: Weights) -> str:
    """Load, and compare the output with the stored one; else undo it, and say what differs."""
    saved, own = weights.group("model"), model.state_dict()
    names = _same_order(saved, own)
    if names is None:
        return _difference(saved, own)
    before = {name: tensor.clone() for name, tensor in own.items()}
    try:
        model.load_state_dict(
            {mine: saved[theirs].reshape(own[mine].shape) for mine, theirs in names.items()}
        )
        problem = _output_problem(model, weights.group("probe"))
    except Exception as error:  # a network of the student's may raise anything
        problem = f"it stops with {type(error).__name__}: {error}"
    if problem:
        model.load_state_dict(before)
    return problem


def _same_order(saved: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, str] | None:
    """Own name → saved name, where the names agree, or else the order of the sizes does."""

    def size(tensor: Tensor) -> list[int]:
        return [n for n in tensor.shape if n != 1]

    by_name = set(saved) == set(own)
    pairs = {name: name for name in own} if by_name else dict(zip(own, saved, strict=False))
    fits = len(saved) == len(own) and all(
        size(saved[theirs]) == size(own[mine]) for mine, theirs in pairs.items()
    )
    return pairs if fits else None


def _difference(saved: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> str:
    def count(of: Mapping[str, Tensor]) -> str:
        return f"{sum(tensor.numel() for tensor in of.values()):,} numbers in {len(of)} tensors"

    return f"they hold {count(saved)}, and this network has {count(own)}, or others in size"


@torch.no_grad()
def _output_problem(model: nn.Module, probe: Mapping[str, Tensor]) -> str:
    device = next(iter(model.state_dict().values())).device
    inputs = [probe[str(index)].to(device) for index in range(len(probe) - 1)]
    training = model.training
    try:
        out = model.eval()(*inputs)
    finally:
        model.train(training)
    expected = probe["out"]
    if out.shape != expected.shape:
        return f"the output has shape {tuple(out.shape)} instead of {tuple(expected.shape)}"
    error = float((out.cpu().float() - expected).norm() / expected.norm())
    if error <= SAME_OUTPUT:
        return ""
    return (
        "with them, this network computes another function than the one that they were trained "
        f"in (the outputs differ by {error:.0%}). It may be just as right"
    )
