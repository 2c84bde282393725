"""Which boxes this machine can build.

`choose` finds a backend, `prove` lets a program try to escape from one of its boxes, and `ready`
does both: it returns the first backend that proves itself.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grading
from grading.boxes import Backend, BoxError, Limits
from grading.proof import Proof, prove

__all__ = ["Proof", "choose", "prove", "ready"]

ORDER = ("namespaces", "bubblewrap", "container")
TRUST = "--i-trust-these-notebooks"


def choose(name: str = "auto", trusted: bool = False) -> Backend:
    """A backend that can build boxes here, as far as can be told without a kernel.

    Parameters
    ----------
    name : "namespaces", "bubblewrap", "container", "plain", or "auto" for the first that works.
    trusted : whether notebooks may run without a box, where no other way is found.

    Raises `BoxError`, which says what was tried, why it failed, and what to do.
    """
    failed: list[str] = []
    for backend in _usable(name, trusted, failed):
        return backend
    raise _none_works(failed)


def ready(name: str, trusted: bool, limits: Limits) -> tuple[Backend, Proof]:
    """The first backend that proves itself, and its proof; arguments and errors as for `choose`."""
    failed: list[str] = []
    for backend in _usable(name, trusted, failed):
        try:
            return backend, prove(backend, limits)
        except BoxError as error:
            failed.append(f"{backend.name} ({error})")
            backend.close()
    raise _none_works(failed)


def _usable(name: str, trusted: bool, failed: list[str]) -> Iterator[Backend]:
    for candidate in _candidates(name, trusted):
        try:
            yield _made(candidate)
        except (BoxError, ImportError) as error:
            failed.append(f"{candidate} ({error})")


def _candidates(name: str, trusted: bool) -> tuple[str, ...]:
    if name == "auto":
        return (*ORDER, "plain") if trusted else ORDER
    if name == "plain" and not trusted:
        raise BoxError(
            "a plain process holds nothing that a submission means to do; ask for it with"
            f" {TRUST}, or install bubblewrap"
        )
    if name not in (*ORDER, "plain"):
        known = ", ".join(("auto", *ORDER, "plain"))
        raise BoxError(f"there is no backend '{name}'; choose one of {known}")
    return (name,)


def _made(name: str) -> Backend:
    # Imported here: what one backend needs may be missing where another one works.
    if name == "namespaces":
        from grading.kernels import NamespacesBackend

        _check_namespaces()
        return NamespacesBackend()
    if name == "bubblewrap":
        from grading.bubblewrap import BubblewrapBackend

        bubblewrap = BubblewrapBackend()
        bubblewrap.check()
        return bubblewrap
    if name == "container":
        from grading.container import ContainerBackend

        container = ContainerBackend()
        container.check()
        return container
    from grading.plain import PlainBackend

    return PlainBackend()


def _check_namespaces() -> None:
    """Make namespaces in a process that ends at once; raises `BoxError` where they are refused."""
    if not sys.platform.startswith("linux"):
        raise BoxError(f"namespaces are Linux's; this is {sys.platform}")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from grading import linux\n"
        "linux.unshare(linux.ALL_NAMESPACES)\n"
        "linux.mount('', '/', '', linux.MS_REC | linux.MS_PRIVATE)\n"
    )
    command = [sys.executable, "-c", code, str(Path(grading.__file__).parents[1])]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise BoxError((done.stderr.strip().splitlines() or ["refused"])[-1])


def _none_works(failed: list[str]) -> BoxError:
    return BoxError(
        f"No box for submissions can be built here. Tried: {'; '.join(failed)}."
        " Install bubblewrap (such as `apt install bubblewrap`), start podman or docker, or, if"
        f" you trust every one of these notebooks, add {TRUST}."
    )
