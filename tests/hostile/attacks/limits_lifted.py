"""Limits are lifted: for oneself, for others; and taken from others.

Aim: harm
"""

import os
import resource

NAMES = [name for name in dir(resource) if name.startswith("RLIMIT_")]
for name in NAMES:
    number = getattr(resource, name)
    soft, hard = resource.getrlimit(number)
    if hard == resource.RLIM_INFINITY:
        continue
    try:
        resource.setrlimit(number, (hard, hard + 1))
        hostile.claim(f"{name} was raised above {hard}")
    except (ValueError, OSError):
        continue
if hasattr(resource, "prlimit"):
    for pid in (hostile.victim,):
        try:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (4, 4))
            hostile.claim("the victim's limits were changed")
        except (ProcessLookupError, PermissionError, OSError):
            continue
for path in ("/sys/fs/cgroup", f"/proc/{os.getpid()}"):
    for name in ("cgroup.procs", "memory.max", "pids.max", "memory.high", "cgroup.subtree_control"):
        if hostile.writable(os.path.join(path, name)):
            hostile.claim(f"{path}/{name} can be written")
hostile.tried(lambda: open("/proc/self/oom_score_adj", "w").write("-1000"))
if hostile.read("/proc/self/oom_score_adj").strip() == b"-1000":
    hostile.claim("this process will never be the one that is out of memory")
