"""What goes past Python: write(1), write(2), puts of C, the terminal, programs that are started.

Aim: stop
"""

import ctypes
import os
import subprocess
import sys

libc = ctypes.CDLL(None)
for _ in range(100):
    for number in (1, 2):
        hostile.tried(os.write, number, b"x" * 1_000_000)
    libc.puts(b"y" * 1_000_000)
libc.fflush(None)
many = "import os\nfor _ in range(100): os.write(1, b'z' * 1_000_000)"
hostile.tried(subprocess.run, [sys.executable, "-S", "-c", many], timeout=30)
for name in ("/dev/tty", "/dev/pts/0", "/proc/1/fd/1", "/proc/1/fd/2"):
    hostile.tried(lambda name=name: os.close(os.open(name, os.O_WRONLY | os.O_NOCTTY)))
