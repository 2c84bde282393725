"""Many processes take a little memory each: together it is far too much.

Aim: harm
"""

import os
import time

EACH, COUNT = 2**29, 12


def take():
    """Half a gigabyte, for a while."""
    block = bytearray(b"\1") * EACH
    time.sleep(20)
    os.write(writer, b"x")
    del block


reader, writer = os.pipe()
children = [hostile.fork(take, 40) for _ in range(COUNT)]
time.sleep(25)
os.set_blocking(reader, False)
held = len(hostile.tried(os.read, reader, COUNT) or b"")
if held * EACH > 1.5 * hostile.limits["memory_bytes"]:
    hostile.claim(f"{held} processes took {held * EACH >> 20} MB")
