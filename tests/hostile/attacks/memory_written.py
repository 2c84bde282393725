"""Memory that may not be written is written all the same: the libraries' own code.

Aim: harm
"""

import ctypes

libc = ctypes.CDLL(None)
address = ctypes.cast(libc.getpid, ctypes.c_void_p).value
page = address & ~0xFFF
before = ctypes.string_at(address, 16)
# The same bytes again: a page that is shared with the grader would be shared no longer, at most.
libc.mprotect(ctypes.c_void_p(page), 8192, 7)
ctypes.memmove(address, before, 16)
with open("/proc/self/mem", "r+b", buffering=0) as memory:
    memory.seek(address)
    memory.write(before)
with open("/proc/self/maps") as file:
    mapped = {line.split()[5] for line in file if len(line.split()) == 6 and " /" in line}
for path in sorted(name for name in mapped if name.startswith("/")):
    if hostile.writable(path):
        hostile.claim(f"{path}, which other programs use, can be written")
        break
