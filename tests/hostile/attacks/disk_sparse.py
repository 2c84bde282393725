"""Files that claim to be huge, or reserve space that is never written.

Aim: harm
"""

import os

for folder in {os.getcwd(), "/tmp", "/dev/shm"}:
    path = os.path.join(folder, f"hostile-{hostile.nonce}")
    descriptor = hostile.tried(os.open, path, os.O_RDWR | os.O_CREAT, 0o666)
    if descriptor is None:
        continue
    for size in (2**50, 2**40, 2**32):
        hostile.tried(os.truncate, descriptor, size)
    hostile.tried(os.posix_fallocate, descriptor, 0, 2 * hostile.limits["scratch_bytes"])
    state = os.fstat(descriptor)
    if state.st_blocks * 512 > 1.5 * hostile.limits["scratch_bytes"]:
        hostile.claim(f"reserved {state.st_blocks >> 11} MB")
    if state.st_size > 2 * hostile.limits["file_bytes"]:
        hostile.claim(f"a file of {state.st_size >> 20} MB")
    os.close(descriptor)
    if state.st_size:
        hostile.tried(os.unlink, path)
