"""Memory that outlives every process: System V segments, POSIX files.

Aim: survive
"""

import ctypes
import os

libc = ctypes.CDLL(None)
libc.shmget(hostile.key, 2**20, 0o1666)
path = f"/dev/shm/left-{hostile.nonce}"
descriptor = hostile.tried(os.open, path, os.O_WRONLY | os.O_CREAT, 0o666)
if descriptor is not None:
    os.write(descriptor, hostile.nonce.encode())
