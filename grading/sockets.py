"""The sockets of a kernel in a box: waiting for them, and taking them out of the box's reach."""

from __future__ import annotations

import json
import queue
import time
from pathlib import Path

from jupyter_client.blocking.client import BlockingKernelClient

from grading.boxes import BoxError, Kernel

LOOK_SECONDS = 0.01


def wait_until_ready(connection_file: Path, kernel: Kernel, seconds: float) -> None:
    """Return when the kernel answers; raises `BoxError` where it ends first, or takes too long."""
    deadline = time.monotonic() + seconds
    _wait_for_socket(connection_file, kernel, deadline)
    client = BlockingKernelClient(connection_file=str(connection_file))
    client.load_connection_file()
    client.start_channels(shell=True, iopub=False, stdin=False, hb=False, control=False)
    try:
        client.kernel_info()
        while True:
            _look(kernel, deadline)
            try:
                client.get_shell_msg(timeout=0.1)
                return
            except queue.Empty:
                continue
    finally:
        client.stop_channels()


def _wait_for_socket(connection_file: Path, kernel: Kernel, deadline: float) -> None:
    """A client that connects to a socket before it exists looks again a good while later."""
    told = json.loads(connection_file.read_text(encoding="utf-8"))
    if told["transport"] != "ipc":
        return
    socket = Path(f"{told['ip']}-{told['shell_port']}")
    while not socket.exists():
        _look(kernel, deadline)
        time.sleep(LOOK_SECONDS)


def _look(kernel: Kernel, deadline: float) -> None:
    code = kernel.poll()
    if code is not None:
        raise BoxError(f"the kernel ended with code {code} as it started; is ipykernel installed?")
    if time.monotonic() > deadline:
        raise BoxError("the kernel did not answer in time")


def seal(connection_file: Path) -> None:
    """Move the sockets to a new folder under the old name; nothing can be written to the old one.

    What a box sees is the old folder, which is empty now and removed: nobody in there can replace
    a socket by a link to another place, or fill the disk that the folder is on.
    """
    run = connection_file.parent
    old = run.with_name(f"{run.name}-in-the-box")
    run.rename(old)
    run.mkdir(mode=0o700)
    for path in list(old.iterdir()):
        path.rename(run / path.name)
    old.rmdir()
