"""Observations as bytes: nothing is lost on the road, and hostile bytes do no harm."""

import base64
import json
import math
import random
import tracemalloc
from typing import Any

import cloudpickle
import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from course_utils.checks import exchange
from course_utils.checks.core import Alien, Crash, Values
from course_utils.checks.exchange import MAX_NAME, MAX_TEXT, ExchangeError, answer, pack, unpack

EVERY: Values = {
    "none": None,
    "yes": True,
    "count": -(2**70),
    "third": 1 / 3,
    "nan": math.nan,
    "infinite": -math.inf,
    "text": "α → β\n'\"\\",
    "alien": Alien("MyTensor"),
    "scalar": torch.tensor(0.1, dtype=torch.float64),
    "empty": torch.zeros(0, 3),
    "bytes": torch.arange(5, dtype=torch.uint8),
    "truth": torch.tensor([[True], [False]]),
    "turned": torch.arange(6.0).reshape(2, 3).T,
    "same row": torch.ones(1, 4).expand(3, 4),
    "half": torch.tensor([1.5, math.nan], dtype=torch.bfloat16),
    "labels": torch.tensor([-(2**62), 3]),
}


def same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor):
        return (
            isinstance(b, Tensor) and (a.dtype, a.shape) == (b.dtype, b.shape)
            and torch.equal(a.nan_to_num(7), b.nan_to_num(7))
        )  # fmt: skip
    return type(a) is type(b) and (a == b or (a != a and b != b))


def test_every_kind_of_value_comes_back_in_order() -> None:
    found = unpack(pack(EVERY))
    assert isinstance(found, dict) and list(found) == list(EVERY)
    assert [name for name in EVERY if not same(EVERY[name], found[name])] == []


def test_nothing_and_a_crash_come_back() -> None:
    assert unpack(pack({})) == {}
    for crash in (Crash("E", "m"), Crash("E", "", "line 2: x = <y>", True)):
        assert unpack(pack(crash)) == crash


def test_the_bytes_are_a_safetensors_file() -> None:
    assert [t.dtype for t in load(pack(EVERY)).values()].count(torch.bfloat16) == 1


def test_what_safetensors_cannot_hold_becomes_an_alien() -> None:
    odd = {
        "complex": torch.zeros(2, dtype=torch.complex64),
        "sparse": torch.eye(3).to_sparse(),
        "in eights": torch.ones(2).to(torch.float8_e5m2),
        "long": 10**5000,
    }
    found = unpack(pack(odd))
    assert isinstance(found, dict) and all(isinstance(value, Alien) for value in found.values())
    assert found["complex"] == Alien("tensor of complex64")


def test_texts_are_cut_and_cleaned() -> None:
    found = unpack(pack({"long": "x" * 10**6, "odd": "a\x1b[31m\x00b\ud800"}))
    assert isinstance(found, dict)
    assert len(found["long"]) == MAX_TEXT and found["long"].endswith("…")
    assert found["odd"] == "a[31mb?"
    crash = unpack(pack(Crash("E" * 999, "m" * 10**6)))
    assert crash == Crash("E" * (MAX_NAME - 1) + "…", "m" * (MAX_TEXT - 1) + "…")


# ---------------------------------------------------------------- hostile bytes


def file(head: Any, body: bytes = b"", observed: Any = None) -> bytes:
    if isinstance(head, dict) and observed is not None:
        head = {**head, "__metadata__": {"observed": json.dumps(observed)}}
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return len(text).to_bytes(8, "little") + text + body


def entry(dtype: Any, shape: Any, start: Any, stop: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


ONE = {"values": [["x", "tensor", "0"]]}
HOSTILE = {
    "nothing": b"",
    "short": b"\x01\x02",
    "huge head": (2**63).to_bytes(8, "little") + b"{}",
    "large head": (2**21).to_bytes(8, "little") + b" " * 2**21,
    "no json": file(b"{]"),
    "no utf-8": file(b'{"\xff": 1}'),
    "a list": file([1]),
    "no metadata": file({"0": entry("F32", [1], 0, 4)}, b"abcd"),
    "other safetensors": save({"x": torch.ones(3)}),
    "deep": file(b'{"__metadata__": {"observed": "' + b"[" * 200_000 + b'"}}'),
    "deep head": file(b"[" * 500_000),
    "number": file(
        b'{"__metadata__": {"observed": "{\\"values\\": [[\\"x\\", \\"plain\\", '
        + b"9" * 4000
        + b']]}"}}'
    ),
    "a list as value": file({}, observed={"values": [["x", "plain", [1]]]}),
    "a table as value": file({}, observed={"values": [["x", "plain", {"a": 1}]]}),
    "unknown kind": file({}, observed={"values": [["x", "code", "1"]]}),
    "no name": file({}, observed={"values": [[None, "plain", 1]]}),
    "too few": file({}, observed={"values": [["x"]]}),
    "no values": file({}, observed={}),
    "values by name": file({}, observed={"values": 3}),
    "crash": file({}, observed={"crash": [1, 2, 3, 4]}),
    "short crash": file({}, observed={"crash": []}),
    "no tensor": file({}, observed=ONE),
    "no such tensor": file({}, observed={"values": [["x", "tensor", ["0"]]]}),
    "unknown type": file({"0": entry("C64", [1], 0, 8)}, b"x" * 8, ONE),
    "no type": file({"0": entry(None, [1], 0, 4)}, b"x" * 4, ONE),
    "gap": file({"0": entry("U8", [2], 1, 3)}, b"abc", ONE),
    "rest": file({"0": entry("U8", [2], 0, 2)}, b"abc", ONE),
    "beyond": file({"0": entry("U8", [9], 0, 9)}, b"abc", ONE),
    "backwards": file({"0": entry("U8", [1], 3, 2)}, b"abc", ONE),
    "offsets as text": file({"0": entry("U8", [1], "0", "1")}, b"a", ONE),
    "true": file({"0": entry("U8", [1], False, True)}, b"a", ONE),
    "many times": file({str(n): entry("U8", [3], 0, 3) for n in range(9)}, b"abc", ONE),
    "negative": file({"0": entry("U8", [-1, -3], 0, 3)}, b"abc", ONE),
    "overflow": file({"0": entry("U8", [2**62, 0], 0, 0)}, b"", ONE),
    "large and empty": file({"0": entry("U8", [0, *[2**39] * 20], 0, 0)}, b"", ONE),
    "dimensions": file({"0": entry("U8", [1] * 99, 0, 1)}, b"a", ONE),
    "fractions": file({"0": entry("U8", [3.0], 0, 3)}, b"abc", ONE),
    "a word": file({"0": entry("U8", "3", 0, 3)}, b"abc", ONE),
    "no entry": file({"0": 5}, b"abc", ONE),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_raise_one_sentence(name: str) -> None:
    with pytest.raises(ExchangeError) as caught:
        unpack(HOSTILE[name])
    said = str(caught.value)
    assert said.endswith(".") and "\n" not in said and len(said) < 200


def test_random_damage_raises_nothing_else() -> None:
    stream, sound = random.Random(1), pack(EVERY)
    for _ in range(3000):
        damaged = bytearray(sound)
        for _ in range(stream.randint(1, 4)):
            damaged[stream.randrange(len(sound))] = stream.randrange(256)
        cut = damaged[: stream.randrange(len(sound))] if stream.random() < 0.3 else damaged
        try:
            unpack(bytes(cut))
        except ExchangeError:
            continue


def test_memory_stays_in_proportion() -> None:
    head = file(b'{"__metadata__": {"observed": "[' + b"[]," * 300_000 + b'[]]"}}')
    tracemalloc.start()
    with pytest.raises(ExchangeError):
        unpack(head)
    assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    tracemalloc.stop()


def test_a_truth_value_of_seven_is_true() -> None:
    found = unpack(file({"0": entry("BOOL", [3], 0, 3)}, b"\x07\x00\x01", ONE))
    assert isinstance(found, dict) and found["x"].tolist() == [True, False, True]
    assert found["x"].view(torch.uint8).tolist() == [1, 0, 1]


# ---------------------------------------------------------------- in the kernel


def ask(space: dict[str, Any], probe: Any, names: tuple[str, ...] = ("f",), **more: Any) -> Any:
    table = {"probe": probe, "inputs": {"a": 2.0}, "names": names, "seed": 3, "job": "9.1"}
    question = base64.b64encode(cloudpickle.dumps(table | {"most": 2**20} | more)).decode()
    return unpack(base64.b64decode(answer(space, question)))


@pytest.fixture(autouse=True)
def nothing_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "written", {})


def test_a_probe_meets_the_students_names() -> None:
    space = {"f": lambda a: torch.full((2,), a), "g": 5}
    assert ask(space, lambda f, i: {"x": f(i["a"])})["x"].tolist() == [2, 2]
    assert ask(space, lambda fg, i: {"x": fg[1]}, ("f", "g")) == {"x": 5}
    assert ask(space, lambda f, i: {"x": f([1, 2])}, ("sum",)) == {"x": 3}
    assert exchange.written == {"9.1": True}


def test_missing_names_and_stubs_are_not_written() -> None:
    assert ask({}, lambda f, i: {}) == Crash("NameError", "name 'f' is not defined")
    assert exchange.written == {"9.1": False}

    def stub() -> None:
        raise NotImplementedError("Your job 9.2")

    found = ask({"f": stub}, lambda f, i: f(), job="9.2")
    assert found.stub and not exchange.written["9.2"]
    ask({"f": 1}, lambda f, i: {}, job="9.2")
    assert not exchange.written["9.2"], "one part of it is still a stub"


def test_other_crashes_count_as_written() -> None:
    found = ask({"f": lambda: undefined}, lambda f, i: f())  # type: ignore[name-defined]  # noqa: F821
    assert (found.type_name, exchange.written) == ("NameError", {"9.1": True})


def test_the_random_stream_is_chosen_and_the_students_left_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    drawn = [ask({"f": 0}, lambda f, i: {"x": torch.rand(3)}, seed=s)["x"] for s in (4, 4, 5)]
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])
    assert torch.equal(torch.rand(2), expected)


def test_too_large_a_tensor_stays_behind_and_the_others_come() -> None:
    found = ask({"f": 0}, lambda f, i: {"a": torch.zeros(9), "x": torch.zeros(10**6), "b": 1})
    assert found["x"] == Alien("tensor of 4,000,000 bytes, which is too much")
    assert len(found["a"]) == 9 and found["b"] == 1
    told = ask({"f": 0}, lambda f, i: {"x": "a" * 2_000}, most=1_000)
    assert isinstance(told, Crash) and "more than 1,000 bytes" in told.message
