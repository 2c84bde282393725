"""The fork server: a process that has imported the scientific stack and forks boxed kernels.

`python -m grading.forkserver FD` serves requests from the socket FD; `grading.kernels` is its
client. It holds no submission, no hidden test and no secret, so that a fork of it holds none.

A *nursery* is a fork of it that has also imported the modules that one lab needs, from that lab's
view, and serves the submissions of that lab in the same way.

For each request it forks a *keeper*, which stays outside the box, counts what the box uses and
ends it. The keeper forks the box's first process (its PID 1), which builds the file system and
forks the kernel. When the keeper dies, the kernel of Linux kills the box's first process, and with
it everything inside; the keeper ends when its client does.
"""

from __future__ import annotations

import array
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

PRELOAD = "COURSE_PRELOAD"
"""An environment variable: modules to import instead of `STACK`, with commas between them."""

# What labs import, and what Jupyter and an optimizer import later, behind their backs.
STACK = (
    "torch", "torch.optim", "torch._dynamo", "torch.utils.data", "torch.nn.functional",
    "torchvision", "torchvision.transforms", "torchvision.utils", "numpy", "scipy.linalg", "pandas",
    "matplotlib.pyplot", "matplotlib.animation", "matplotlib_inline.backend_inline", "seaborn",
    "sklearn.datasets", "sklearn.decomposition", "sklearn.metrics", "einops.layers.torch",
    "jaxtyping", "PIL.Image", "safetensors.torch", "tqdm.auto", "tqdm.notebook", "ipywidgets",
    "cloudpickle", "ipykernel.kernelapp", "ipykernel.ipkernel", "IPython.core.completer",
)  # fmt: skip


def import_stack() -> None:
    """Import what exists of the stack, with one thread: threads do not survive a fork."""
    asked = os.environ.get(PRELOAD)
    for name in STACK if asked is None else asked.split(","):
        with contextlib.suppress(ImportError):
            module = importlib.import_module(name)
            if name == "torch":
                module.set_num_threads(1)
    gc.collect()
    gc.freeze()  # a collection would touch, and so copy, every page that is shared


def receive(control: socket.socket) -> tuple[dict[str, Any], int] | None:
    """One request, and the descriptor that came with it; None when the client is gone."""
    data, ancillary, _, _ = control.recvmsg(1 << 20, socket.CMSG_SPACE(4))
    if not data:
        return None
    descriptors = array.array("i")
    for level, kind, payload in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(payload[:4])
    return json.loads(data), descriptors[0]


def preload(names: Iterable[str], view: str, environment: Mapping[str, str]) -> None:
    """Import modules from `view`; of "module:name:word" the name is called with the word, too.

    Failures are left to kernels.
    """
    sys.path.insert(0, view)
    os.environ.update(environment)
    for name in names:
        module, *call = name.split(":")
        with contextlib.suppress(Exception):
            found = importlib.import_module(module)
            if call:
                getattr(found, call[0])(*call[1:])
    gc.collect()
    gc.freeze()


def serve(control: socket.socket) -> None:
    """Import the stack, then fork for each request until the client is gone."""
    from grading import box_kernel, keeper  # noqa: F401 - read before a fork, not after it

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the grader's to handle
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers leave no zombies
    import_stack()
    attend(control)


def attend(control: socket.socket) -> None:
    """Answer requests: each comes with a socket for what is forked."""
    control.sendall(b"ready")
    while True:
        select.select([control], [], [])
        request = receive(control)
        if request is None:
            return
        message, link = request
        if os.fork() == 0:
            control.close()
            if "preload" in message:
                _become_nursery(link, message)
            _become_keeper(link, message)
        os.close(link)


def _become_nursery(link: int, message: dict[str, Any]) -> NoReturn:
    try:
        preload(message["preload"], message["view"], message["environment"])
        attend(socket.socket(fileno=link))
    finally:
        os._exit(0)


def _become_keeper(link: int, message: dict[str, Any]) -> NoReturn:
    from grading.keeper import keep

    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        code = keep(socket.socket(fileno=link), message)
    finally:
        os._exit(code)


if __name__ == "__main__":
    # An import by its real name: what is forked must not find this module as __main__.
    from grading.forkserver import serve as serve_from

    serve_from(socket.socket(fileno=int(sys.argv[1])))
