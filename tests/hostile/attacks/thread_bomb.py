"""Threads without end.

Aim: harm
"""

import threading
import time

limit = hostile.limits["processes"]
before, started = threading.active_count(), 0
try:
    for started in range(400):
        threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
except RuntimeError:
    pass
if threading.active_count() - before > 1.5 * limit:
    hostile.claim(f"started {threading.active_count() - before} threads")
time.sleep(3)
