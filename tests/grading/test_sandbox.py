"""Choosing a backend, and the proof that its boxes hold."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from grading import canary, proof, sandbox
from grading.boxes import Backend, BoxError, Kernel, Limits, Start
from grading.plain import PlainBackend
from grading.proof import CLAIMS, UNTRIED, Proof
from grading.sandbox import choose, prove, ready

MIB = 2**20
posix = pytest.mark.skipif(os.name != "posix", reason="nothing is tried elsewhere")


class Named:
    """A backend that is only a name."""

    isolated = True

    def __init__(self, name: str) -> None:
        self.name, self.closed = name, False

    def start(self, start: Start) -> Kernel:
        raise BoxError("it cannot start")

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A machine on which backends work, but for those in here, each with its reason."""
    broken: dict[str, str] = {}

    def made(name: str) -> Backend:
        if name in broken:
            raise BoxError(broken[name])
        return Named(name)

    monkeypatch.setattr(sandbox, "_made", made)
    return broken


def test_backends_are_tried_in_order(machine: dict[str, str]) -> None:
    assert choose().name == "namespaces"
    machine["namespaces"] = "refused"
    assert choose().name == "bubblewrap"
    machine["bubblewrap"] = "not installed"
    assert choose().name == "container"
    machine["container"] = "no engine"
    assert choose(trusted=True).name == "plain"
    with pytest.raises(BoxError) as error:
        choose()
    told = str(error.value)
    assert "namespaces (refused); bubblewrap (not installed); container (no engine)" in told
    assert "apt install bubblewrap" in told and "--i-trust-these-notebooks" in told


def test_a_backend_that_is_asked_for_is_the_only_one(machine: dict[str, str]) -> None:
    assert choose("container").name == "container"
    machine["bubblewrap"] = "not installed"
    with pytest.raises(BoxError, match=r"Tried: bubblewrap \(not installed\)\."):
        choose("bubblewrap", trusted=True)
    with pytest.raises(BoxError, match="--i-trust-these-notebooks"):
        choose("plain")
    assert choose("plain", trusted=True).name == "plain"
    with pytest.raises(BoxError, match="no backend 'jail'; choose one of auto, namespaces"):
        choose("jail")


def test_what_does_not_prove_itself_is_passed_over(
    machine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Named] = []

    def proved_or_not(backend: Named, limits: Limits) -> Proof:
        seen.append(backend)
        if backend.name == "namespaces":
            raise BoxError("the box does not hold")
        return Proof(backend.name, (backend.name,), (), 0.1)

    monkeypatch.setattr(sandbox, "prove", proved_or_not)
    backend, proved = ready("auto", False, Limits())
    assert backend.name == proved.backend == "bubblewrap"
    assert [one.closed for one in seen] == [True, False]
    with pytest.raises(BoxError, match=r"namespaces \(the box does not hold\)"):
        ready("namespaces", True, Limits())


def test_a_kernel_that_does_not_start_proves_nothing() -> None:
    with pytest.raises(BoxError, match="it cannot start"):
        prove(Named("namespaces"), Limits())


@posix
def test_a_plain_process_says_what_is_not_in_force() -> None:
    proved = prove(PlainBackend(), Limits())
    held = {"a file 256 MB", "nothing survives"}
    phrases = {name: proof._phrase(name, Limits()) for name in CLAIMS}
    assert set(proved.missing) - {phrases["namespace"]} == (
        set(phrases.values()) - held - {phrases["namespace"]}
    )
    assert proved.in_force[0] == "plain" and held <= set(proved.in_force)
    assert {f"not in force: {phrase}" for phrase in proved.missing} <= set(proved.in_force)


def test_a_box_with_a_hole_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    got = {"secret": "/secret.txt", "network": "a connection came in", "namespace": "one"}
    monkeypatch.setattr(proof, "_escapes", lambda backend, planted: got)
    backend = Named("bubblewrap")
    with pytest.raises(BoxError) as error:
        prove(backend, Limits())
    assert str(error.value) == (
        "the box does not hold: a program in it read a file that lay beside the submissions"
        " (/secret.txt); it reached the network (a connection came in)"
    )
    # What an engine may allow, and what could not be tried, is not claimed.
    got = {"namespace": "one", "left": UNTRIED}
    proved = prove(backend, Limits())
    assert proved.missing == ("no new namespaces",)
    assert len(proved.in_force) == 1 + len(CLAIMS) - 2
    assert "nothing survives" not in proved.in_force


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bwrap is not installed")
def test_bubblewrap_withstands_every_attempt() -> None:
    try:
        backend = choose("bubblewrap")
    except BoxError as error:
        pytest.skip(str(error))
    limits = Limits(memory_bytes=1024 * MIB, processes=99, scratch_bytes=300 * MIB)
    proved = prove(backend, limits)
    backend.close()
    assert proved.missing == ()
    assert len(proved.in_force) == 1 + len(CLAIMS)
    assert {"bubblewrap", "memory 1024 MB", "99 processes and threads"} <= set(proved.in_force)


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bwrap is not installed")
def test_holes_in_a_real_box_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from grading import bubblewrap

    whole, mounts = bubblewrap._box, bubblewrap._mounts

    def leaky(start: Start, proc: bool) -> Iterator[list[str]]:
        yield from mounts(start, proc)
        yield ["--ro-bind", str(start.home.parent), str(start.home.parent)]

    def open_box(*arguments: Any) -> list[str]:
        return [
            word for word in whole(*arguments) if word not in ("--unshare-net", "--unshare-pid")
        ]

    try:
        backend = choose("bubblewrap")
    except BoxError as error:
        pytest.skip(str(error))
    left, escapes = [], proof._escapes

    def noted(backend: Backend, planted: Any) -> dict[str, str]:
        left.append(planted.given["left"])
        return escapes(backend, planted)

    monkeypatch.setattr(proof, "_escapes", noted)
    monkeypatch.setattr(bubblewrap, "_mounts", leaky)
    monkeypatch.setattr(bubblewrap, "_box", open_box)
    with pytest.raises(BoxError) as error:
        prove(backend, Limits())
    for name in ("secret", "processes", "network", "sockets", "left"):
        assert CLAIMS[name][1] in str(error.value), name
    assert CLAIMS["writing"][1] not in str(error.value)
    for process in psutil.process_iter(["name"]):
        if process.info["name"] in left:  # nothing else ends it, without a namespace
            process.kill()


@posix
def test_attempts_on_limits_can_succeed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt that always fails would prove nothing; the others are shown by a plain process."""
    monkeypatch.chdir(tmp_path)
    given: dict[str, Any] = {
        "file_bytes": 1000,
        "scratch_bytes": 5000,
        "processes": 3,
        "memory_bytes": MIB,
    }
    given["patience"] = 0.1
    assert canary._file(given) == "a file of 1001 bytes"
    assert "threads" in canary._threads(given)
    assert "bytes" in canary._scratch(given)
    assert "bytes" in canary.take_memory(given)
    assert list(tmp_path.iterdir()) == []
