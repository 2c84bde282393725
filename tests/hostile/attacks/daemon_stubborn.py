"""Processes that ignore every signal, and start another one before they end.

Aim: survive
"""

import os
import signal
import time

END = time.monotonic() + 100


def comet():
    """Never the same process for long: who lists processes comes too late."""
    for number in signal.valid_signals() - {signal.SIGALRM, signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue
    while time.monotonic() < END:
        if os.fork():
            os._exit(0)
        hostile.end_at(60)
        time.sleep(0.02)


for _ in range(3):
    hostile.detach(comet, 60)
