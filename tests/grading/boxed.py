"""Kernels in boxes, driven from a test: start one, run code in it, look at what it printed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

from grading.boxes import Backend, Kernel, Limits, Start


@dataclass
class Session:
    """A kernel in its box, and the client that talks with it."""

    kernel: Kernel
    client: BlockingKernelClient
    start: Start

    def run(self, code: str, seconds: float = 30) -> str:
        """What `code` prints; an exception's name and message where it raises."""
        said: list[str] = []

        def note(message: dict[str, Any]) -> None:
            content = message["content"]
            if "text" in content:
                said.append(content["text"])
            elif "ename" in content:
                said.append(f"{content['ename']}: {content['evalue']}")

        # Otherwise an error makes the kernel drop what is asked soon after it.
        self.client.execute_interactive(
            code, timeout=seconds, output_hook=note, stop_on_error=False
        )
        return "".join(said)

    def run_to_the_end(self, code: str, seconds: float = 15) -> int | None:
        """The kernel's exit code after `code`, which is expected to end it."""
        self.client.execute(code)
        deadline = time.monotonic() + seconds
        while self.kernel.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.kernel.poll()


def start_for(folder: Path, limits: Limits | None = None, **environment: str) -> Start:
    """What a backend needs for a kernel whose files lie in `folder`; it may see an empty view."""
    home, view = folder / f"run-{uuid.uuid4().hex[:8]}", folder / "view"
    (home / "run").mkdir(parents=True)
    view.mkdir(exist_ok=True)
    file = home / "run" / "kernel.json"
    key = uuid.uuid4().hex.encode()
    write_connection_file(str(file), ip=str(home / "run" / "kernel-ipc"), transport="ipc", key=key)
    return Start(home, file, environment, view, (), limits or Limits())


@contextmanager
def session(backend: Backend, start: Start) -> Iterator[Session]:
    """A kernel that answers, ended when the block is left."""
    kernel = backend.start(start)
    client = BlockingKernelClient(connection_file=str(start.connection_file))
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield Session(kernel, client, start)
    finally:
        client.stop_channels()
        kernel.kill()
