"""Run one notebook in a kernel of its own, in a fresh folder of its own, within limits.

A backend (`grading.boxes`) builds the box that the kernel runs in. Without one, this is the plain
form: a process, a folder, limits and a clean end. It keeps a submission from seeing anything by
relative path and from stopping the grader; it does not hold a submission that means harm, which
still runs with the grader's rights.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import zmq.asyncio
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerBase
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets import default

from grading.boxes import LOST, Backend, BoxError, Kernel, Limits, Start
from grading.client import Client, DisturbedError, Examiner, Execution
from grading.plain import MARK, PASSED_ON, end_processes
from grading.view import preload_of

UNIX_SOCKET_PATH_LIMIT = 90  # bytes; the system's own limit is 104 to 108

# ---------------------------------------------------------------- the kernel's surroundings


def kernel_environment(home: Path, mark: str, course: Mapping[str, str]) -> dict[str, str]:
    """The environment of a kernel whose private folders lie in `home`.

    `course` holds the settings that a lab may read (COURSE_BUDGET, COURSE_DATA, ...). The
    module search path is not passed on: the course's modules are installed, not beside us.
    """
    kept = {k: v for k, v in os.environ.items() if k.upper() in PASSED_ON or k.startswith("LC_")}
    one_thread = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    temporary = str(home / "tmp")
    return (
        kept
        | dict.fromkeys(one_thread, "1")
        | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary)
        | {
            "IPYTHONDIR": str(home / "ipython"),
            "JUPYTER_RUNTIME_DIR": str(home / "run"),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            MARK: mark,
        }
        | dict(course)
    )


class _KernelClient(AsyncKernelClient):
    """A client with the channels that a run needs.

    Nothing asks for input here. And the heartbeat's thread waits for ever, where what answers it
    is no heartbeat.
    """

    def start_channels(
        self,
        shell: bool = True,
        iopub: bool = True,
        stdin: bool = False,
        hb: bool = False,
        control: bool = True,
    ) -> None:
        """Connect; what is False stays unconnected."""
        super().start_channels(shell, iopub, False, False, control)


class _Manager(AsyncKernelManager):
    """A manager whose sockets take no message larger than `largest` bytes."""

    largest = -1

    @default("context")
    def _context_default(self) -> zmq.asyncio.Context:
        self._created_context = True
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.MAXMSGSIZE, self.largest)
        return context

    def client(self, **options: Any) -> Any:
        return super().client(context=self.context, **options)


def _kernel_manager(home: Path, limits: Limits) -> _Manager:
    # No kernel folders: "python3" is then this very Python, whatever the user has installed.
    manager = _Manager(
        kernel_name="python3",
        client_factory=_KernelClient,
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True),
        connection_file=str(home / "run" / "kernel.json"),
    )
    manager.largest = max(4 * limits.answer_bytes // 3, limits.total_characters) + 2**20
    # Sockets in the kernel's own folder cannot collide with those of a kernel beside it.
    if os.name == "posix" and len(str(home)) < UNIX_SOCKET_PATH_LIMIT - len("/run/kernel-ipc-5"):
        manager.transport = "ipc"
        manager.ip = str(home / "run" / "kernel-ipc")
    return manager


class _Boxed(KernelProvisionerBase):
    """Lets a backend start the kernel, where jupyter_client would start a process."""

    def __init__(self, backend: Backend, start: Start, **options: Any) -> None:
        super().__init__(**options)
        self.backend, self.start = backend, start
        self.kernel: Kernel | None = None

    @property
    def has_process(self) -> bool:
        return self.kernel is not None

    async def pre_launch(self, **options: Any) -> dict[str, Any]:
        manager: Any = self.parent
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        return {"cmd": []}

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        self.kernel = await asyncio.to_thread(self.backend.start, self.start)
        return self.connection_info

    async def poll(self) -> int | None:
        return 0 if self.kernel is None else self.kernel.poll()

    async def wait(self) -> int | None:
        while (code := await self.poll()) is None:
            await asyncio.sleep(0.05)
        return code

    async def send_signal(self, signum: int) -> None:
        if self.kernel is not None and signum == signal.SIGINT:
            self.kernel.interrupt()
        elif self.kernel is not None:
            await self.kill()

    async def kill(self, restart: bool = False) -> None:
        if self.kernel is not None:
            await asyncio.to_thread(self.kernel.kill)

    async def terminate(self, restart: bool = False) -> None:
        await self.kill()

    async def cleanup(self, restart: bool = False) -> None:
        await self.kill()


# ---------------------------------------------------------------- running


def limit_lines(notebook: NotebookNode, limits: Limits) -> None:
    """Keep the first `cell_lines` lines of each cell's streams and 100 of each traceback."""
    for cell in notebook.cells:
        left = limits.cell_lines
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                lines = output.text.split("\n")
                if len(lines) > left:
                    output.text = "\n".join([*lines[:left], "... output cut here ..."])
                left = max(0, left - len(lines))
            elif output.output_type == "error" and len(output.traceback) > 100:
                output.traceback = [*output.traceback[:50], "...", *output.traceback[-50:]]


def run_notebook(
    notebook: NotebookNode,
    limits: Limits,
    course: Mapping[str, str],
    mark: str | None = None,
    *,
    backend: Backend | None = None,
    view: Path | None = None,
    examiner: Examiner | None = None,
) -> Execution:
    """Execute a notebook in place and leave no process and no file behind.

    Parameters
    ----------
    notebook : cells are run in order; their outputs are written into them.
    limits : seconds and sizes; see `Limits`.
    course : the `COURSE_*` settings that the kernel sees.
    mark : a word that every process of this run carries in its environment.
    backend : builds the kernel's box; None starts a plain process.
    view : the folder with the `course_utils` that the kernel may see, first on its path; None
        leaves it what is installed. A backend needs one.
    examiner : judges the cells that it claims; nothing of these is run.

    A cell that exceeds its time is interrupted and counts as failed; the rest goes on. A
    kernel that dies, or cannot be interrupted, ends the run: `Execution.stopped` says why.
    Raises `BoxError` where the backend cannot build the box.
    """
    mark = mark or uuid.uuid4().hex
    with tempfile.TemporaryDirectory(prefix="run-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        for name in ("work", "tmp", "run", "ipython"):
            (home / name).mkdir(mode=0o700)
        _keep_no_history(home / "ipython")
        environment = kernel_environment(home, mark, course)
        if view is not None:
            environment["PYTHONPATH"] = str(view)
        manager = _kernel_manager(home, limits)
        if backend is not None:
            start = _start(home, manager, environment, view, limits)
            manager.provisioner = _Boxed(backend, start, parent=manager)
        client = Client(notebook, manager, limits, examiner)
        return asyncio.run(_run(client, manager, home, environment))


def _keep_no_history(folder: Path) -> None:
    """Let IPython keep what it ran in memory: tests may be among it."""
    profile = folder / "profile_default"
    profile.mkdir(mode=0o700)
    setting = "get_config().HistoryManager.hist_file = ':memory:'\n"
    (profile / "ipython_kernel_config.py").write_text(setting, encoding="utf-8")


async def _run(
    client: Client, manager: _Manager, home: Path, environment: dict[str, str]
) -> Execution:
    client.main_task = asyncio.current_task()
    wall = asyncio.timeout(client.limits.wall_seconds)
    try:
        async with wall:
            # What bypasses the kernel's own streams (os.write(1, ...)) goes nowhere.
            await client.async_execute(
                cwd=str(home / "work"), env=environment, stdout=DEVNULL, stderr=DEVNULL
            )
    except _ENDS as error:
        if isinstance(error, asyncio.CancelledError) and not client.flooded:
            raise
        # nbclient reports a cancelled run as a dead kernel.
        client.record.stopped = _why(client, TimeoutError() if wall.expired() else error)
    finally:
        await _close(client, manager, environment[MARK])
    return client.record


_ENDS = (DeadKernelError, CellTimeoutError, DisturbedError, TimeoutError, asyncio.CancelledError)


def _start(
    home: Path,
    manager: _Manager,
    environment: Mapping[str, str],
    view: Path | None,
    limits: Limits,
) -> Start:
    if view is None:
        raise BoxError("a box was asked for without a view, the course_utils that it may see")
    if manager.transport != "ipc":
        raise BoxError(
            f"the path of the temporary folder is too long for a socket ({home}); set TMPDIR to a"
            " folder with a short path"
        )
    data = environment.get("COURSE_DATA")
    readable = (Path(data).resolve(),) if data and Path(data).is_dir() else ()
    file = Path(manager.connection_file)
    return Start(home, file, environment, view, readable, limits, preload_of(view))


def _why(client: Client, error: BaseException) -> str:
    """What to tell the author; raises `BoxError` where the submission has no part in it."""
    cell = f"cell '{client.nb.cells[client.current].id}'"
    kernel = getattr(client.km.provisioner, "kernel", None) if client.km else None
    limit = kernel.why() if kernel is not None else None
    if limit == LOST:
        raise BoxError(f"the box was ended from outside while it ran {cell}")
    if client.flooded:
        return f"The notebook printed without end in {cell}: remove the output and submit again."
    if isinstance(error, CellTimeoutError):
        return (
            f"The notebook hung in {cell} and could not be interrupted:"
            " look for an endless loop there that catches every exception, and submit again."
        )
    if isinstance(error, DeadKernelError):
        how = f"its limit of {limit}" if limit else "a call of exit, or memory used up"
        return (
            f"The Python process ended while it ran {cell} ({how}):"
            " restart the kernel, run all cells, mend that cell, and submit again."
        )
    if isinstance(error, DisturbedError):
        return (
            f"The Python process sent something other than a kernel's messages in {cell} ({error}):"
            " remove what writes to the kernel's own connection, and submit again."
        )
    return (
        f"The notebook ran longer than {client.limits.wall_seconds} s in all and was stopped"
        f" in {cell}: look for the cell that takes so long, and submit again."
    )


async def _close(client: Client, manager: AsyncKernelManager, mark: str) -> None:
    client.look_away()
    provisioner = manager.provisioner
    if isinstance(provisioner, _Boxed):
        await provisioner.kill()
    else:
        await asyncio.to_thread(end_processes, getattr(provisioner, "pid", None), mark)
    client.disconnect()
    if manager.has_kernel:
        await manager.shutdown_kernel(now=True)
    await manager.cleanup_resources()
