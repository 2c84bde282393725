"""Memory that programs share: /dev/shm, System V segments, message queues, torch's files.

Aim: read
"""

import ctypes
import os

for name in hostile.tried(os.listdir, "/dev/shm") or ():
    hostile.loot(os.path.join("/dev/shm", name))
for name in hostile.tried(os.listdir, "/dev/mqueue") or ():
    hostile.claim(f"the message queue {name} is in view")
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
for number in {hostile.segment, *range(64)}:
    address = libc.shmat(number, None, 0o10000)
    if number >= 0 and address not in (None, 2**64 - 1):
        hostile.show(ctypes.string_at(address, 64), f"System V segment {number}")
        libc.shmdt(ctypes.c_void_p(address))
lines = hostile.read("/proc/sysvipc/shm").decode().splitlines()[1:]
if any(line.split()[1] == str(hostile.segment) for line in lines):
    hostile.claim("the host's System V segments are listed")
