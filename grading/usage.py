"""What the processes of a box use, as Linux tells of them in /proc."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def children(pid: int) -> list[int]:
    """The processes that `pid` started or took over, the oldest first; none where it is gone."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def family(root: int) -> Iterator[int]:
    """`root` and its descendants, parents first."""
    waiting = [root]
    for pid in waiting:
        yield pid
        waiting += children(pid)


def take_more(family: Iterable[int], allowed: int) -> bool:
    """Whether processes take more memory together than `allowed` bytes.

    The first sum is quick and counts what forks share more than once; the second is exact.
    """
    quick = {pid: memory(pid) for pid in family}
    if sum(quick.values()) <= allowed:
        return False
    exact = {pid: _memory(pid, "smaps_rollup", ("Pss_Anon:", "Pss_Shmem:")) for pid in quick}
    return sum(exact[pid] or quick[pid] for pid in quick) > allowed


def memory(pid: int) -> int:
    """Bytes of a process that no file on disk stands behind; 0 where it is gone."""
    return _memory(pid, "status", ("RssAnon:", "RssShmem:"))


def processor_seconds(pid: int) -> float:
    """Seconds of the processor that a process used; 0 where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int, file: str, wanted: tuple[str, ...]) -> int:
    try:
        text = Path(f"/proc/{pid}/{file}").read_text()
    except OSError:  # gone
        return 0
    return 1024 * sum(int(x.split()[1]) for x in text.splitlines() if x.startswith(wanted))
