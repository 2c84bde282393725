"""Three hundred processes from one loop, each with a session of its own, none of them waited for.

Aim: harm
"""

import os
import time

limit = hostile.limits["processes"]


def stay():
    os.setsid()
    time.sleep(20)


started = [pid for pid in (hostile.fork(stay, 30) for _ in range(300)) if pid]
if len(started) > 1.5 * limit:
    hostile.claim(f"started {len(started)} processes")
time.sleep(5)
