"""Run one notebook in a kernel of its own, in a fresh folder of its own, within limits.

This is the plain form: a process, a folder, limits and a clean end. It keeps a submission
from seeing anything by relative path and from stopping the grader; it does not hold a
submission that means harm, which still runs with the grader's rights.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import tempfile
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import psutil  # type: ignore[import-untyped]
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output

MARK = "COURSE_RUN_MARK"
CUT = "... output cut here: a cell may print {limit} characters ..."
UNIX_SOCKET_PATH_LIMIT = 90  # bytes; the system's own limit is 104 to 108

# What a kernel may see of the grader's environment: enough to find Python, its libraries
# and a graphics card, and nothing that could be a secret. PYTHONDONTWRITEBYTECODE is left out
# with intent: compiling the libraries anew for each submission more than doubles its time.
# fmt: off
PASSED_ON = frozenset((
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "SHELL", "VIRTUAL_ENV",
    "CONDA_PREFIX", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CUDA_HOME",
    "CUDA_VISIBLE_DEVICES", "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "USERPROFILE",
    "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "NUMBER_OF_PROCESSORS",
    "MPLCONFIGDIR", "XDG_CACHE_HOME", "PYTHONUSERBASE", "PYTHONPYCACHEPREFIX",
))
# fmt: on


@dataclass(frozen=True)
class Limits:
    """How long a notebook may run (seconds) and how much it may print (characters, lines)."""

    cell_seconds: int = 300
    interrupt_seconds: int = 10  # what an interrupted cell gets to end in
    wall_seconds: int = 1800
    cell_characters: int = 4_000_000
    cell_lines: int = 1_000
    total_characters: int = 50_000_000


@dataclass
class Execution:
    """What happened: seconds by cell index, the cells run to their end, notes, why it stopped.

    `stopped` is None where every cell was run; otherwise one sentence that says what to do.
    """

    seconds: dict[int, float] = field(default_factory=dict)
    finished: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    stopped: str | None = None


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


def _kernel_manager(home: Path) -> AsyncKernelManager:
    # No kernel folders: "python3" is then this very Python, whatever the user has installed.
    manager = AsyncKernelManager(
        kernel_name="python3",
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True),
        connection_file=str(home / "run" / "kernel.json"),
    )
    # Sockets in the kernel's own folder cannot collide with those of a kernel beside it.
    if os.name == "posix" and len(str(home)) < UNIX_SOCKET_PATH_LIMIT - len("/run/kernel-ipc-5"):
        manager.transport = "ipc"
        manager.ip = str(home / "run" / "kernel-ipc")
    return manager


def end_processes(root: int | None, mark: str) -> None:
    """Kill a kernel, all its descendants, and every process that carries its mark.

    The mark in the environment finds those that left the tree (`setsid`, double forks).
    """
    for _ in range(5):
        doomed = _descendants(root) + _marked(mark)
        if not doomed:
            return
        for process in doomed:
            try:
                process.kill()
            except psutil.Error:
                continue
        psutil.wait_procs(doomed, timeout=1)


def _descendants(root: int | None) -> list[psutil.Process]:
    if root is None:
        return []
    try:
        process = psutil.Process(root)
        found = [process, *process.children(recursive=True)]
    except psutil.Error:
        return []
    return [p for p in found if _alive(p)]


def _marked(mark: str) -> list[psutil.Process]:
    if not mark:
        return []
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and _alive(process):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def _alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


# ---------------------------------------------------------------- running


class _Client(NotebookClient):
    """nbclient, keeping no more output than `Limits` allows and telling what happened."""

    limits: Limits
    record: Execution

    def __init__(self, notebook: NotebookNode, manager: Any, limits: Limits) -> None:
        super().__init__(
            notebook,
            km=manager,
            timeout=limits.cell_seconds,
            startup_timeout=120,
            iopub_timeout=limits.interrupt_seconds,
            allow_errors=True,
            raise_on_iopub_timeout=True,
            interrupt_on_timeout=True,
            error_on_timeout=_timeout_error(limits.cell_seconds),
            record_timing=False,
            store_widget_state=False,
            skip_cells_with_tag="",
            log=_silent_log(),
        )
        self.limits, self.record = limits, Execution()
        self.current = 0
        self.flooded = False
        self.main_task: asyncio.Task[Any] | None = None
        self._started = 0.0
        self._total = 0
        self._kept: dict[int, int] = {}
        self._told: set[tuple[int, str]] = set()
        self.on_cell_execute = self._note_start
        self.on_cell_executed = self._note_end

    def _note_start(self, cell: NotebookNode, cell_index: int) -> None:
        self.current, self._started = cell_index, time.perf_counter()

    def _note_end(
        self, cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any] | None
    ) -> None:
        self.record.seconds[cell_index] = round(time.perf_counter() - self._started, 3)
        self.record.finished.add(cell_index)
        content = (execute_reply or {}).get("content", {})
        if content.get("status") != "error":
            return
        if content["ename"] == "CellTimeoutError":
            self.record.notes.append(
                f"Cell '{cell.id}' was stopped after {self.limits.cell_seconds} s:"
                " it may hold an endless loop."
            )
        # The failure must show in the outputs: they are what is scored.
        shown = [o.ename for o in cell.outputs if o.output_type == "error"]
        if content["ename"] not in shown:
            cell.outputs.append(
                new_output(
                    "error",
                    ename=str(content["ename"]),
                    evalue=str(content["evalue"]),
                    traceback=[str(line) for line in content.get("traceback", [])]
                    or [f"{content['ename']}: {content['evalue']}"],
                )
            )

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        """Pass on a kernel's message, cut to what its cell may still print."""
        if msg["msg_type"] in _OUTPUTS and not self._cut(msg, cell_index):
            return None
        return super().process_message(msg, cell, cell_index)

    def _cut(self, msg: dict[str, Any], cell_index: int) -> bool:
        """Shorten an output message in place; False where nothing of it is kept."""
        content, kind = msg["content"], msg["msg_type"]
        size = _size(content)
        self._total += size
        if self._total > self.limits.total_characters:
            self._stop_flood()
        room = self.limits.cell_characters - self._kept.get(cell_index, 0)
        self._kept[cell_index] = self._kept.get(cell_index, 0) + min(size, max(room, 0))
        if size <= room:
            return True
        notice = CUT.format(limit=self.limits.cell_characters)
        # What scoring looks at is shortened but never dropped: an error, a value, and
        # that there was something on stderr.
        if kind == "error":
            _shorten_error(content, notice)
            return True
        if kind == "execute_result":
            text = str(content.get("data", {}).get("text/plain", ""))
            content["data"] = {"text/plain": text if len(text) < 1_000 else notice}
            return True
        stream = str(content.get("name", kind))
        if (cell_index, stream) in self._told:
            return False
        self._told.add((cell_index, stream))
        if kind == "stream":
            content["text"] = content["text"][: max(room, 0)] + f"\n{notice}\n"
        else:
            content["data"], content["metadata"] = {"text/plain": notice}, {}
        return True

    def _stop_flood(self) -> None:
        self.flooded = True
        if self.main_task is not None:
            self.main_task.cancel()


_OUTPUTS = frozenset({"stream", "display_data", "update_display_data", "execute_result", "error"})


def _silent_log() -> logging.Logger:
    log = logging.getLogger("grading.execute")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    return log


def _timeout_error(seconds: int) -> dict[str, Any]:
    said = f"CellTimeoutError: this cell ran longer than {seconds} s and was stopped"
    return {"ename": "CellTimeoutError", "evalue": f"longer than {seconds} s", "traceback": [said]}


def _size(content: Mapping[str, Any]) -> int:
    if "text" in content:
        return len(content["text"])
    return len(json.dumps(dict(content), default=str))


def _shorten_error(content: dict[str, Any], notice: str) -> None:
    last = str((content.get("traceback") or [""])[-1])[-2_000:]
    content["traceback"] = [notice, last]
    content["evalue"] = str(content.get("evalue", ""))[:2_000]
    content["ename"] = str(content.get("ename", ""))[:200]


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
    notebook: NotebookNode, limits: Limits, course: Mapping[str, str], mark: str | None = None
) -> Execution:
    """Execute a notebook in place and leave no process and no file behind.

    Parameters
    ----------
    notebook : cells are run in order; their outputs are written into them.
    limits : seconds and sizes; see `Limits`.
    course : the `COURSE_*` settings that the kernel sees.
    mark : a word that every process of this run carries in its environment.

    A cell that exceeds its time is interrupted and counts as failed; the rest goes on. A
    kernel that dies, or cannot be interrupted, ends the run: `Execution.stopped` says why.
    """
    mark = mark or uuid.uuid4().hex
    with tempfile.TemporaryDirectory(prefix="run-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        for name in ("work", "tmp", "run", "ipython"):
            (home / name).mkdir(mode=0o700)
        environment = kernel_environment(home, mark, course)
        return asyncio.run(_run(notebook, limits, home, environment, mark))


async def _run(
    notebook: NotebookNode, limits: Limits, home: Path, environment: dict[str, str], mark: str
) -> Execution:
    manager = _kernel_manager(home)
    client = _Client(notebook, manager, limits)
    client.main_task = asyncio.current_task()
    wall = asyncio.timeout(limits.wall_seconds)
    try:
        async with wall:
            # What bypasses the kernel's own streams (os.write(1, ...)) goes nowhere.
            await client.async_execute(
                cwd=str(home / "work"), env=environment, stdout=DEVNULL, stderr=DEVNULL
            )
    except (DeadKernelError, CellTimeoutError, TimeoutError, asyncio.CancelledError) as error:
        if isinstance(error, asyncio.CancelledError) and not client.flooded:
            raise
        # nbclient reports a cancelled run as a dead kernel.
        client.record.stopped = _why(client, TimeoutError() if wall.expired() else error)
    finally:
        await _close(client, manager, mark)
    return client.record


def _why(client: _Client, error: BaseException) -> str:
    cell = f"cell '{client.nb.cells[client.current].id}'"
    if client.flooded:
        return f"The notebook printed without end in {cell}: remove the output and submit again."
    if isinstance(error, CellTimeoutError):
        return (
            f"The notebook hung in {cell} and could not be interrupted:"
            " look for an endless loop there that catches every exception, and submit again."
        )
    if isinstance(error, DeadKernelError):
        return (
            f"The Python process ended while it ran {cell} (a call of exit, or memory used up):"
            " restart the kernel, run all cells, mend that cell, and submit again."
        )
    return (
        f"The notebook ran longer than {client.limits.wall_seconds} s in all and was stopped"
        f" in {cell}: look for the cell that takes so long, and submit again."
    )


async def _close(client: _Client, manager: AsyncKernelManager, mark: str) -> None:
    pid = getattr(manager.provisioner, "pid", None)
    await asyncio.to_thread(end_processes, pid, mark)
    if client.kc is not None:
        client.kc.stop_channels()
    if manager.has_kernel:
        await manager.shutdown_kernel(now=True)
    await manager.cleanup_resources()
