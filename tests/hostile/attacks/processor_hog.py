"""Busy processes in the best class and with the best niceness that can be had, on every core.

Aim: harm
"""

import os
import time

try:
    os.nice(-20)
    hostile.claim("a better niceness was granted")
    os.nice(39)
except OSError:
    pass
for policy in (os.SCHED_FIFO, os.SCHED_RR):
    try:
        os.sched_setscheduler(0, policy, os.sched_param(1))
    except OSError:
        continue
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    hostile.claim("the real-time class was granted")
hostile.tried(os.sched_setaffinity, 0, range(os.cpu_count()))


def burn():
    end = time.monotonic() + 25
    while time.monotonic() < end:
        sum(range(100_000))


for _ in range(20):
    hostile.fork(burn, 30)
time.sleep(10)
