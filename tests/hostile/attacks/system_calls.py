"""System calls that reach past a box: tracing, kernel programs, names, switches of the machine.

Aim: harm
"""

import os
import socket

CALLS = {
    "bpf": (321, 5, b"\0" * 128, 128),
    "perf_event_open": (298, b"\0" * 128, -1, 0, -1, 0),
    "init_module": (175, b"", 0, b""),
    "delete_module": (176, b"no such module", 0),
    "kexec_load": (246, 0, 0, None, 0),
    "swapon": (167, b"/none", 0),
    "acct": (163, b"/none"),
    "quotactl": (179, 0, None, 0, None),
    "iopl": (172, 3),
}
for name, arguments in CALLS.items():
    if os.uname().machine != "x86_64":
        break
    if hostile.system(*arguments) >= 0:
        hostile.claim(f"{name} is allowed")
try:
    socket.sethostname(socket.gethostname())
    hostile.claim("the host's name can be set")
except OSError:
    pass
WRITTEN = ("/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname")
WRITTEN += ("/proc/sys/kernel/modprobe", "/proc/sys/vm/drop_caches", "/sys/kernel/uevent_helper")
for path in WRITTEN:
    if hostile.writable(path):
        hostile.claim(f"{path} can be written")
