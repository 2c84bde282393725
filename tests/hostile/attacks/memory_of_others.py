"""The memory of other processes is read: /proc/pid/mem, process_vm_readv, ptrace.

Aim: read
"""

import ctypes
import os
import re

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
OURS = (b"child.py", b"forkserver", b"pytest", b"tests/hostile")


class Vector(ctypes.Structure):
    """What process_vm_readv calls an iovec."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def regions(pid):
    """Where a process keeps what it may write."""
    maps = hostile.read(f"/proc/{pid}/maps", 2**22).decode("utf-8", "replace")
    for line in maps.splitlines():
        if " rw-p " in line:
            yield tuple(int(part, 16) for part in line.split()[0].split("-"))


def search(pid):
    """Say what secrets stand in a process's memory."""
    for start, stop in regions(pid):
        descriptor = hostile.tried(os.open, f"/proc/{pid}/mem", os.O_RDONLY)
        if descriptor is None or not hostile.busy(20):
            return
        data = hostile.tried(os.pread, descriptor, min(stop - start, 2**24), start)
        os.close(descriptor)
        words = re.findall(hostile.pattern.encode(), data or b"")
        hostile.show(b" ".join(words), f"the memory of {pid}")


def peek(pid):
    """Claim a few bytes of a process's memory, by the system's own call."""
    for start, _ in list(regions(pid))[:3] or [(0x400000, 0)]:
        buffer = ctypes.create_string_buffer(64)
        here, there = Vector(ctypes.addressof(buffer), 64), Vector(start, 64)
        if libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) > 0:
            hostile.claim(f"process_vm_readv read from {pid}")


# Of the machine's other processes only the grader's and the victim are any of ours.
lines = {pid: hostile.read(f"/proc/{pid}/cmdline") for pid in hostile.pids()}
worth = {pid for pid, line in lines.items() if any(word in line for word in OURS)}
for pid in (worth | {hostile.victim}) - {os.getpid()}:
    search(pid)
    peek(pid)
if libc.ptrace(0x4206, hostile.victim, None, None) == 0:
    hostile.claim("ptrace attached to the victim")
