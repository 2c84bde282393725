"""Signals: to the victim, to the parent, to the own process group and session.

Aim: harm
Quick: yes
"""

import os
import signal

for pid in {hostile.victim, *hostile.pids()}:
    # Which of the machine's processes are there is asked of all, hurt is the victim alone.
    if pid == hostile.victim:
        hostile.tried(os.kill, pid, signal.SIGTERM)
        hostile.tried(os.kill, pid, signal.SIGKILL)
        hostile.tried(os.killpg, pid, signal.SIGKILL)
        hostile.tried(os.setpriority, os.PRIO_PROCESS, pid, 19)
# Process 1 is a target where it is the box's, and not the machine's.
boxed = hostile.tried(os.readlink, "/proc/self/ns/pid") not in (None, hostile.pid_namespace)
if boxed or os.getppid() != 1:
    for name in ("SIGHUP", "SIGUSR1", "SIGTERM", "SIGKILL"):
        hostile.tried(os.kill, os.getppid(), getattr(signal, name))
if os.getpgid(0) != os.getpid():
    hostile.tried(os.killpg, os.getpgid(0), signal.SIGTERM)
if os.getsid(0) != os.getpid():
    hostile.tried(os.killpg, os.getsid(0), signal.SIGTERM)
