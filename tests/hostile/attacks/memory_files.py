"""Files in memory: every writable folder is filled until the system says no.

Aim: harm
"""

import os

limit = hostile.limits["scratch_bytes"]
folders = {os.getcwd(), "/dev/shm", "/tmp", "/var/tmp", "/run", os.path.expanduser("~")}
written, made = 0, []
for folder in sorted(folders):
    for number in range(64):
        path = os.path.join(folder, f"hostile-{hostile.nonce}-{number}")
        descriptor = hostile.tried(os.open, path, os.O_WRONLY | os.O_CREAT, 0o600)
        if descriptor is None:
            break
        made.append(path)
        while written < 3 * 2**30:
            count = hostile.tried(os.write, descriptor, bytes(2**24))
            written += count or 0
            if not count:
                break
        os.close(descriptor)
if written > 1.5 * limit:
    hostile.claim(f"wrote {written >> 20} MB into files")
    for path in made:
        hostile.tried(os.unlink, path)
