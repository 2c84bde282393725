"""The client of a submission's kernel: runs its cells, asks the judge's questions, stays in bounds.

Nothing that the kernel says is trusted: not its size, not its form, not its end.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import re
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import zmq.asyncio
import zmq.utils.monitor
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, CellTimeoutError, DeadKernelError
from nbclient.util import ensure_async
from nbformat import NotebookNode
from nbformat.v4 import new_output

from grading.boxes import Limits

CUT = "... output cut here: a cell may print {limit} characters ..."
ASK = "__import__('course_utils.checks.exchange', fromlist=['answer']).answer(globals(), '{}')"
BASE64 = re.compile(r"'([A-Za-z0-9+/]*={0,2})'")
POLL_SECONDS = 1.0
DYING_SECONDS = 2.0  # between a connection's end and the news that its kernel has ended


@dataclass
class Execution:
    """What happened: seconds by cell index, the cells run to their end, notes, why it stopped.

    `stopped` is None where every cell was run; otherwise one sentence that says what to do.
    """

    seconds: dict[int, float] = field(default_factory=dict)
    finished: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    stopped: str | None = None


@dataclass(frozen=True)
class Unanswered:
    """Stands for an answer that did not come. `why` may be the student's words."""

    why: str


class Examiner(Protocol):
    """Who judges test cells; `grading.judge.Judge` is one."""

    def judges(self, cell: NotebookNode) -> bool:
        """Whether a cell is judged, so that nothing of it goes to the kernel."""

    def examine(self, cell: NotebookNode) -> Generator[str, bytes | Unanswered, None]:
        """Yields questions (base64), takes their answers, and writes the cell's outputs."""


class DisturbedError(Exception):
    """The kernel sent something that is no message of a kernel."""


class Client(NotebookClient):
    """nbclient, keeping no more output than `Limits` allows and telling what happened.

    With an `examiner`, its test cells are judged instead of run.
    """

    limits: Limits
    record: Execution

    def __init__(
        self, notebook: NotebookNode, manager: Any, limits: Limits, examiner: Examiner | None
    ) -> None:
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
        self.limits, self.record, self.examiner = limits, Execution(), examiner
        self.current = 0
        self.flooded = False
        self.main_task: asyncio.Task[Any] | None = None
        self._started = 0.0
        self._total = 0
        self._kept: dict[int, int] = {}
        self._told: set[tuple[int, str]] = set()
        self._watches: list[asyncio.Future[None]] = []
        self.on_cell_execute = self._note_start
        self.on_cell_executed = self._note_end

    # ------------------------------------------------------------ the student's cells

    async def async_execute_cell(
        self,
        cell: NotebookNode,
        cell_index: int,
        execution_count: int | None = None,
        store_history: bool = True,
    ) -> NotebookNode:
        """Run a cell, or have it judged.

        Raises `DisturbedError` where the kernel's messages are none, and what nbclient raises.
        """
        if self.examiner is not None and self.examiner.judges(cell):
            await self._judge(self.examiner, cell, cell_index)
            return cell
        try:
            return await super().async_execute_cell(
                cell, cell_index, execution_count, store_history
            )
        except (DeadKernelError, CellTimeoutError, DisturbedError):
            raise
        except Exception as error:  # what a forged message makes nbclient stumble over
            raise DisturbedError(type(error).__name__) from error

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
            self._note_timeout(cell)
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

    def _note_timeout(self, cell: NotebookNode) -> None:
        self.record.notes.append(
            f"Cell '{cell.id}' was stopped after {self.limits.cell_seconds} s:"
            " it may hold an endless loop."
        )

    # ------------------------------------------------------------ the connection

    async def async_start_new_kernel_client(self) -> Any:
        """Connect to the kernel, and notice where the connection breaks."""
        started = await super().async_start_new_kernel_client()
        assert self.kc is not None
        for channel in (self.kc.shell_channel, self.kc.iopub_channel):
            monitor = channel.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
            self._watches.append(asyncio.ensure_future(self._watch(monitor)))
        return started

    async def _watch(self, monitor: Any) -> None:
        """Stop the run where a message was refused for its size, which ends its connection."""
        await zmq.utils.monitor.recv_monitor_message(monitor)
        deadline = time.monotonic() + DYING_SECONDS
        while time.monotonic() < deadline:
            try:
                await self._async_check_alive()
            except DeadKernelError:
                return
            await asyncio.sleep(0.1)
        cell = self.nb.cells[self.current]
        if cell.cell_type == "code":
            notice = CUT.format(limit=self.limits.cell_characters)
            cell.outputs.append(new_output("stream", name="stdout", text=f"\n{notice}\n"))
        self._stop_flood()

    def look_away(self) -> None:
        """Take no more notice of broken connections: the kernel is about to be ended."""
        for watch in self._watches:
            watch.cancel()

    def disconnect(self) -> None:
        """Let go of the kernel's sockets."""
        if self.kc is not None:
            for channel in (self.kc.shell_channel, self.kc.iopub_channel):
                channel.socket.disable_monitor()
            self.kc.stop_channels()

    # ------------------------------------------------------------ the judge's questions

    async def _judge(self, examiner: Examiner, cell: NotebookNode, cell_index: int) -> None:
        self._note_start(cell, cell_index)
        deadline = time.monotonic() + self.limits.cell_seconds
        exam = examiner.examine(cell)
        try:
            question = next(exam)
            while True:
                question = exam.send(await self._ask(cell, question, deadline))
        except StopIteration:
            self._note_end(cell, cell_index, None)

    async def _ask(self, cell: NotebookNode, question: str, deadline: float) -> bytes | Unanswered:
        """The kernel's answer, or why there is none.

        Raises `CellTimeoutError` where the kernel cannot be interrupted, and `DeadKernelError`.
        """
        late = Unanswered(f"it took longer than {self.limits.cell_seconds} s")
        if time.monotonic() >= deadline:
            return late
        assert self.kc is not None and self.km is not None
        identity = await ensure_async(
            self.kc.execute(
                "", silent=True, store_history=False, allow_stdin=False, stop_on_error=False,
                user_expressions={"answer": ASK.format(question)},
            )
        )  # fmt: skip
        message = await self._reply(identity, deadline)
        if message is not None:
            return _answer_in(message, self.limits.answer_bytes)
        self._note_timeout(cell)
        await self._async_check_alive()
        await ensure_async(self.km.interrupt_kernel())
        if await self._reply(identity, time.monotonic() + self.limits.interrupt_seconds) is None:
            raise CellTimeoutError.error_from_timeout_and_cell(
                "The kernel cannot be interrupted", self.limits.interrupt_seconds, cell
            )
        return late

    async def _reply(self, identity: str, deadline: float) -> dict[str, Any] | None:
        """The reply to a request, or None at the deadline; other messages are counted and gone."""
        assert self.kc is not None
        shell, iopub = self.kc.shell_channel, self.kc.iopub_channel
        poller, checked = zmq.asyncio.Poller(), time.monotonic()
        for channel in (shell, iopub):
            poller.register(channel.socket, zmq.POLLIN)
        while (left := deadline - time.monotonic()) > 0:
            ready = dict(await poller.poll(int(1000 * min(left, POLL_SECONDS)) + 1))
            if iopub.socket in ready:
                self._count(_size((await _next(iopub))["content"]))
            if shell.socket in ready:
                message = await _next(shell)
                if message["parent_header"].get("msg_id") == identity:
                    return message
            if time.monotonic() - checked > POLL_SECONDS:
                checked = time.monotonic()
                await self._async_check_alive()
        return None

    # ------------------------------------------------------------ output in bounds

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        """Pass on a kernel's message, cut to what its cell may still print."""
        try:
            if msg["msg_type"] in _OUTPUTS:
                _check_output(msg["content"])
                if not self._cut(msg, cell_index):
                    return None
            return super().process_message(msg, cell, cell_index)
        except (CellControlSignal, DisturbedError):
            raise
        except Exception as error:
            raise DisturbedError(type(error).__name__) from error

    def _count(self, size: int) -> None:
        self._total += size
        if self._total > self.limits.total_characters:
            self._stop_flood()

    def _stop_flood(self) -> None:
        self.flooded = True
        if self.main_task is not None:
            self.main_task.cancel()

    def _cut(self, msg: dict[str, Any], cell_index: int) -> bool:
        """Shorten an output message in place; False where nothing of it is kept."""
        content, kind = msg["content"], msg["msg_type"]
        size = _size(content)
        self._count(size)
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


_OUTPUTS = frozenset({"stream", "display_data", "update_display_data", "execute_result", "error"})
_FORMS = {
    "text": str, "name": str, "data": dict, "metadata": dict, "ename": str, "evalue": str,
    "traceback": list, "transient": dict,
}  # fmt: skip


def _check_output(content: Mapping[str, Any]) -> None:
    """Raises `DisturbedError` where parts of an output are of another type than they must be."""
    for name, form in _FORMS.items():
        if not isinstance(content.get(name, form()), form):
            raise DisturbedError(f"{name} is a {type(content[name]).__name__}")
    if not all(isinstance(line, str) for line in content.get("traceback", [])):
        raise DisturbedError("a traceback that is no text")


async def _next(channel: Any) -> dict[str, Any]:
    try:
        message: dict[str, Any] = await channel.get_msg(timeout=1)
        if not isinstance(message["content"], dict):
            raise DisturbedError("a message without content")
        message["parent_header"].get("msg_id")
    except DisturbedError:
        raise
    except Exception as error:  # no signature, no JSON, no header, ...
        raise DisturbedError(type(error).__name__) from error
    return message


def _answer_in(message: Mapping[str, Any], most: int) -> bytes | Unanswered:
    """What a reply holds; anything that is not base64 of at most `most` bytes is no answer."""
    try:
        told = message["content"]["user_expressions"]["answer"]
        if told["status"] != "ok":
            return Unanswered(f"{told['ename']}: {told['evalue']}"[:500])
        text = told["data"]["text/plain"]
        if len(text) > 4 * (most + 1_000) / 3:
            return Unanswered(f"it is larger than {most:,} bytes")
        found = BASE64.fullmatch(text)
        return base64.b64decode(found[1], validate=True) if found else Unanswered("it is no bytes")
    except Exception as error:
        return Unanswered(f"the kernel's reply is none, {type(error).__name__}")


def _silent_log() -> logging.Logger:
    log = logging.getLogger("grading.execute")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    return log


def _timeout_error(seconds: int) -> dict[str, Any]:
    said = f"CellTimeoutError: this cell ran longer than {seconds} s and was stopped"
    return {"ename": "CellTimeoutError", "evalue": f"longer than {seconds} s", "traceback": [said]}


def _size(content: Mapping[str, Any]) -> int:
    if isinstance(content.get("text"), str):
        return len(content["text"])
    return len(json.dumps(dict(content), default=str))


def _shorten_error(content: dict[str, Any], notice: str) -> None:
    last = str((content.get("traceback") or [""])[-1])[-2_000:]
    content["traceback"] = [notice, last]
    content["evalue"] = str(content.get("evalue", ""))[:2_000]
    content["ename"] = str(content.get("ename", ""))[:200]
