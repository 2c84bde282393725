"""Processes that start processes.

Aim: harm
"""

import os
import time

reader, writer = os.pipe()


def breed(depth):
    """Two children each, eight times over: at most 255 processes."""
    os.write(writer, b"x")
    if depth:
        for _ in range(2):
            hostile.fork(lambda: breed(depth - 1), 30)
    time.sleep(12)


for _ in range(2):
    hostile.fork(lambda: breed(6), 30)
time.sleep(10)
os.set_blocking(reader, False)
count = len(hostile.tried(os.read, reader, 1_000) or b"")
if count > 1.5 * hostile.limits["processes"]:
    hostile.claim(f"started {count} processes")
