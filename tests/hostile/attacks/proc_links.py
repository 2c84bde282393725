"""/proc leads into other processes: their roots, working folders, open files, namespaces.

Aim: read
"""

import os

for pid in {*hostile.pids(), 1, hostile.victim} - {os.getpid()}:
    for link in ("root", "cwd"):
        base = f"/proc/{pid}/{link}"
        for path in hostile.files:
            hostile.loot(base + path)
        hostile.loot(f"{base}/hostile-notes.txt")
    for number in hostile.tried(os.listdir, f"/proc/{pid}/fd") or ():
        target = hostile.tried(os.readlink, f"/proc/{pid}/fd/{number}") or ""
        if "hostile" in target:
            hostile.loot(f"/proc/{pid}/fd/{number}")
if hostile.read("/proc/kcore", 16):
    hostile.claim("the machine's memory can be read (/proc/kcore)")
