"""Junk is written to every descriptor: whatever pipe or socket leads out gets some.

Aim: harm
Quick: yes
"""

import os
import socket
import stat

JUNK = [b"k", b"i", b'{"event": "ended", "code": 0}\n', b'{"did": "started"}', b"\0" * 4096]


def is_inherited(number):
    """Only sockets that are no ZMQ signal of this process's own would lead out; try them all."""
    kind = hostile.tried(os.fstat, number)
    return kind is not None and not stat.S_ISREG(kind.st_mode) and not stat.S_ISDIR(kind.st_mode)


numbers = [int(n) for n in hostile.tried(os.listdir, "/proc/self/fd") or map(str, range(3, 512))]
for number in [n for n in numbers if n > 2 and is_inherited(n)]:
    os.set_blocking(number, False)
    for junk in JUNK:
        hostile.tried(os.write, number, junk)
    try:
        with socket.socket(fileno=os.dup(number)) as other:
            data, ancillary, _, _ = other.recvmsg(
                65536, 1024, socket.MSG_PEEK | socket.MSG_DONTWAIT
            )
            hostile.show(data, f"descriptor {number}")
            name = other.getpeername()
            if name and b"hostile-" in repr(name).encode():
                hostile.claim(f"descriptor {number} leads to {name}")
    except OSError:
        continue
