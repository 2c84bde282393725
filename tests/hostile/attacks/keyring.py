"""The kernel keeps keys for sessions: those of the grader are searched for.

Aim: read
"""

import ctypes

SEARCH, READ, LINK, DESCRIBE = 10, 11, 8, 6
for keyring in (-1, -2, -3, -4, -5, -6):
    key = hostile.system(250, SEARCH, keyring, b"user", b"hostile", 0)
    if key > 0:
        buffer = ctypes.create_string_buffer(256)
        hostile.system(250, READ, key, buffer, 256)
        hostile.show(buffer.raw, f"keyring {keyring}")
        hostile.claim("a key of the grader's was found")
for line in hostile.read("/proc/keys").decode("utf-8", "replace").splitlines():
    if "hostile" in line:
        hostile.claim("the grader's keys are listed")
