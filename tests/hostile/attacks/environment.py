"""The environment and the command line of every process that can be seen.

Aim: read
Quick: yes
"""

import os

hostile.show(repr(dict(os.environ)), "os.environ")
for pid in ["self", hostile.victim, *hostile.pids()]:
    for name in ("environ", "cmdline", "auxv", "cwd/hostile-notes.txt", "stat", "maps", "comm"):
        data = hostile.read(f"/proc/{pid}/{name}")
        hostile.show(data, f"/proc/{pid}/{name}")
        if name == "cmdline" and any(w in data for w in (b"child.py", b"forkserver", b"pytest")):
            if str(pid) not in ("self", str(os.getpid()), "1"):
                hostile.claim(f"process {pid} is the grader's: {data[:80]!r}")
    hostile.tried(os.readlink, f"/proc/{pid}/exe")
