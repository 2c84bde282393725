"""Threads hold Python's lock and never let go, so that no message is ever answered.

Aim: stop
"""

import ctypes
import sys
import threading

hostile.end_at(90)
sys.setswitchinterval(1_000)
for _ in range(8):
    threading.Thread(target=ctypes.PyDLL(None).sleep, args=(60,), daemon=True).start()
