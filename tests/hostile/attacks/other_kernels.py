"""The kernels of other submissions are looked for: their connection files, keys and sockets.

Aim: read
"""

import json
import os
import socket

from ipykernel.connect import get_connection_file

own = os.path.dirname(os.path.realpath(get_connection_file()))
tops = {"/tmp", "/run", "/var/tmp", "/dev/shm", os.environ.get("TMPDIR", "/tmp")}
tops |= {os.path.dirname(os.path.dirname(own)), os.path.dirname(hostile.canary) + "/tmp"}
for top in tops:
    for path in hostile.walk(top, seconds=5):
        name = os.path.basename(path)
        if os.path.dirname(os.path.realpath(path)) == own or "kernel" not in name:
            continue
        try:
            key = json.loads(hostile.read(path) or b"{}").get("key")
        except ValueError:
            key = None
        if key:
            hostile.claim(f"the key of another kernel: {path}")
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(1)
            try:
                one.connect(path)
            except OSError:
                continue
            hostile.claim(f"another kernel's socket answers: {path}")
