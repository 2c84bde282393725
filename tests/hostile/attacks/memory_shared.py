"""Memory that belongs to no process: shared pages, memfd, a pipe's buffers, sockets' queues.

Aim: harm
"""

import mmap
import os
import socket

limit = hostile.limits["memory_bytes"]
held = []
COUNT = int(1.25 * limit) >> 26


def total():
    return sum(size for _, size in held)


def shared():
    """Anonymous pages that a fork would share."""
    for _ in range(COUNT):
        block = mmap.mmap(-1, 2**26)
        block.write(b"\1" * 2**26)
        held.append((block, 2**26))


def files():
    """A file that has no name."""
    descriptor = os.memfd_create("hostile")
    for _ in range(COUNT):
        os.write(descriptor, b"\1" * 2**26)
        held.append((descriptor, 2**26))


def queues():
    """Bytes that wait in pipes and sockets for a reader who never comes."""
    for _ in range(200):
        for one, other in (os.pipe(), socket.socketpair()):
            write = getattr(other, "send", None)
            os.set_blocking(other if write is None else other.fileno(), False)
            while True:
                try:
                    count = write(bytes(65536)) if write else os.write(other, bytes(65536))
                except OSError:
                    break
                held.append(((one, other), count))


for take in (files, queues, shared):
    hostile.tried(take)
if total() > 1.5 * limit:
    hostile.claim(f"took {total() >> 20} MB of shared memory")
held.clear()
