"""Files are opened by number instead of by path: open_by_handle_at, the oldest way out of a box.

Aim: read
"""

import ctypes
import os
import struct

AT_FDCWD = -100
for top in ("/", os.getcwd(), "/usr", "/tmp"):
    handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
    mount = ctypes.c_int()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.name_to_handle_at(AT_FDCWD, top.encode(), handle, ctypes.byref(mount), 0) != 0:
        continue
    base = hostile.tried(os.open, top, os.O_RDONLY)
    if base is None:
        continue
    descriptor = libc.open_by_handle_at(base, handle, os.O_RDONLY)
    os.close(base)
    if descriptor >= 0:
        hostile.claim(f"{top} can be opened by its handle")
        os.close(descriptor)
