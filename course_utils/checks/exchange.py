"""What a probe saw, as bytes: the road from a student's kernel to whoever judges.

A grader does not run a check where the student's code is. It sends a *question* there (a probe, its
inputs, the names of what to probe), gets *bytes* back, and computes the verdict on its own side.
``answer`` runs in the kernel, ``unpack`` on the grader's side: it trusts nothing that it reads.

The bytes are a safetensors file. Tensors stand in it as they are; numbers, texts and the rest are
JSON in its metadata.
"""

from __future__ import annotations

import base64
import builtins
import json
import math
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.core import Alien, Crash, Part, Values, observe, own_stream

MAX_TEXT, MAX_NAME = 2_000, 200
"""Characters of a text and of a name; what is longer is cut."""
MAX_HEAD = 2**20
"""Bytes of JSON that are read at most: a few hundred outputs need a tenth of it."""
DIGITS = 300
"""Of a whole number. Longer ones would cost a reader time, and no check asks for them."""

# The names that safetensors gives to the types of numbers, and each one's bytes.
DTYPES = {
    torch.float64: ("F64", 8), torch.float32: ("F32", 4), torch.float16: ("F16", 2),
    torch.bfloat16: ("BF16", 2), torch.int64: ("I64", 8), torch.int32: ("I32", 4),
    torch.int16: ("I16", 2), torch.int8: ("I8", 1), torch.uint8: ("U8", 1), torch.bool: ("BOOL", 1),
}  # fmt: skip
BY_NAME = {name: (dtype, size) for dtype, (name, size) in DTYPES.items()}

written: dict[str, bool] = {}
"""By a job's number: whether it is written, as far as ``answer`` has seen; for ``ready``."""


class ExchangeError(ValueError):
    """Bytes that are no packed observation. The message is one sentence that says why."""


# ---------------------------------------------------------------- to bytes


def pack(observed: Values | Crash) -> bytes:
    """An observation as bytes.

    Texts are cut to `MAX_TEXT` characters; a tensor that safetensors cannot hold (complex, sparse,
    quantised) becomes an `Alien`.
    """
    from safetensors.torch import save

    tensors: dict[str, Tensor] = {}
    if isinstance(observed, Crash):
        texts = (_clipped(observed.message), _clipped(observed.line))
        kind = _clipped(observed.type_name, MAX_NAME)
        head: dict[str, Any] = {"crash": [kind, *texts, observed.stub]}
    else:
        entries = [[_clipped(n, MAX_NAME), *_entry(v, tensors)] for n, v in observed.items()]
        head = {"values": entries}
    return bytes(save(tensors, {"observed": json.dumps(head)}))


def _clipped(text: str | None, most: int = MAX_TEXT) -> str | None:
    return text if text is None or len(text) <= most else f"{text[: most - 1]}…"


def _entry(value: Any, tensors: dict[str, Tensor]) -> tuple[str, Any]:
    if isinstance(value, Tensor):
        if value.layout is not torch.strided or value.dtype not in DTYPES:
            return "alien", f"tensor of {str(value.dtype).removeprefix('torch.')}"
        key = str(len(tensors))
        tensors[key] = value.detach().resolve_neg().clone(memory_format=torch.contiguous_format)
        return "tensor", key
    if isinstance(value, Alien):
        return "alien", _clipped(value.type_name, MAX_NAME)
    if type(value) is int and abs(value) >= 10**DIGITS:
        return "alien", "int of very many digits"
    return "plain", _clipped(value) if isinstance(value, str) else value


# ---------------------------------------------------------------- from bytes


def unpack(data: bytes) -> Values | Crash:
    """What `pack` was given. Safe on any bytes: no more memory is used than they hold, twice.

    Raises:
        ExchangeError: the bytes are anything else than what `pack` returns.
    """
    try:
        head, body = _head_and_body(data)
        observed = json.loads(head.pop("__metadata__")["observed"])
        tensors = _tensors(head, body)
        if "crash" in observed:
            return _crash(*observed["crash"])
        return {_name(n): _value(kind, value, tensors) for n, kind, value in observed["values"]}
    except ExchangeError:
        raise
    except Exception as error:  # whatever the bytes make json, torch or us stumble over
        said = f"These {len(data)} bytes are no packed observation ({type(error).__name__})."
        raise ExchangeError(said) from None


def _head_and_body(data: bytes) -> tuple[dict[str, Any], memoryview]:
    size = int.from_bytes(data[:8], "little")
    if not 2 <= size <= min(MAX_HEAD, len(data) - 8):
        raise ExchangeError(f"These {len(data)} bytes announce a head of {size} bytes.")
    head = json.loads(data[8 : 8 + size].decode())
    if not isinstance(head, dict):
        raise ExchangeError("The head of these bytes is no table.")
    return head, memoryview(data)[8 + size :]


def _tensors(head: Mapping[str, Any], body: memoryview) -> dict[str, Tensor]:
    """The tensors of the body; together they must cover it, once and without a gap."""
    spans = sorted((*entry["data_offsets"], name) for name, entry in head.items())
    end, found = 0, {}
    for start, stop, name in spans:
        if type(start) is not int or type(stop) is not int or start != end or stop < start:
            raise ExchangeError(f"The tensors of these {len(body)} bytes overlap, or leave gaps.")
        found[name], end = _tensor(head[name], body[start:stop]), stop
    if end != len(body):
        raise ExchangeError(f"The tensors cover {end} of {len(body)} bytes.")
    return found


def _tensor(entry: Mapping[str, Any], data: memoryview) -> Tensor:
    dtype, size = BY_NAME[entry["dtype"]]
    shape = entry["shape"]
    if not all(type(n) is int and 0 <= n < 2**40 for n in shape) or len(shape) > 32:
        raise ExchangeError("A tensor among these bytes has an impossible shape.")
    if math.prod(shape) * size != len(data):
        raise ExchangeError(f"A tensor among these bytes has {len(data)} bytes, not its own size.")
    if not len(data):
        return torch.empty(shape, dtype=dtype)
    if dtype is torch.bool:  # a byte other than 0 and 1 is no truth value
        return (torch.frombuffer(bytearray(data), dtype=torch.uint8) != 0).reshape(shape)
    return torch.frombuffer(bytearray(data), dtype=dtype).reshape(shape)


def _value(kind: str, value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if kind == "tensor":
        return tensors[value]
    if kind == "alien":
        return Alien(_text(value, MAX_NAME))
    if kind != "plain" or type(value) not in (bool, int, float, str, type(None)):
        raise ExchangeError("A value among these bytes is of a kind that is never sent.")
    if type(value) is int and abs(value) >= 10**DIGITS:
        raise ExchangeError("A whole number among these bytes is too long.")
    return _text(value) if isinstance(value, str) else value


def _crash(type_name: Any, message: Any, line: Any, stub: Any) -> Crash:
    told = None if line is None else _one_line(line)
    return Crash(_one_line(type_name)[:MAX_NAME], _one_line(message), told, stub is True)


def _name(name: Any) -> str:
    return _text(name, MAX_NAME)


def _one_line(text: Any) -> str:
    return " ".join(_text(text).split("\n"))


def _text(text: Any, most: int = MAX_TEXT) -> str:
    """A text without control characters, lone surrogates and excess length."""
    if not isinstance(text, str):
        raise ExchangeError(f"Expected a text among these bytes, not a {type(text).__name__}.")
    whole = text[:most].encode("utf-8", "replace").decode()
    return "".join(c for c in whole if c.isprintable() or c in "\n\t")


# ---------------------------------------------------------------- in the student's kernel


def answer(space: Mapping[str, Any], question: str) -> str:
    """Run a probe on names of ``space``, and pack what it saw.

    Args:
        space: where the student's names stand, a notebook's ``globals()``.
        question: base64 of a pickled table, which cloudpickle made:
            ``probe`` and ``inputs`` as in a `Part`; ``names``, what to probe; ``seed`` of the
            probe's random stream; ``job``, its number; ``most``, how many bytes may come back.

    Returns:
        base64 of the packed observation. A name that is missing is a `Crash`, the NameError that a
        student would see.
    """
    asked = pickle.loads(base64.b64decode(question))
    found = _targets(space, asked["names"])
    observed = found if isinstance(found, Crash) else _observed(found, asked)
    stub = isinstance(observed, Crash) and observed.stub
    so_far = written.get(asked["job"], True)
    written[asked["job"]] = so_far and not stub and not isinstance(found, Crash)
    return base64.b64encode(_fitting(observed, asked["most"])).decode()


def _fitting(observed: Values | Crash, most: int) -> bytes:
    """`pack`, with an `Alien` in the place of the largest tensors where it would be too much."""
    while len(data := pack(observed)) > most:
        sizes = {
            name: value.nbytes
            for name, value in (observed.items() if isinstance(observed, dict) else ())
            if isinstance(value, Tensor)
        }
        if not sizes or not isinstance(observed, dict):
            return pack(Crash("ValueError", f"what it returned takes more than {most:,} bytes"))
        name = max(sizes, key=lambda name: sizes[name])
        observed = {**observed, name: Alien(f"tensor of {sizes[name]:,} bytes, which is too much")}
    return data


def _targets(space: Mapping[str, Any], names: Sequence[str]) -> list[Any] | Crash:
    missing = [n for n in names if n not in space and not hasattr(builtins, n)]
    if missing:
        return Crash("NameError", f"name '{missing[0]}' is not defined")
    return [space[name] if name in space else getattr(builtins, name) for name in names]


def _observed(targets: Sequence[Any], asked: Mapping[str, Any]) -> Values | Crash:
    part = Part(0, lambda seed: {}, asked["probe"], lambda inputs, outputs: [])
    target = tuple(targets) if len(targets) > 1 else targets[0]
    with own_stream(asked["seed"]):
        return observe(part, target, asked["inputs"])
