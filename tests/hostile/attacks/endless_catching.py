"""A loop that swallows every exception, interrupts as well, with all signals ignored.

Aim: stop
"""

import signal
import time

for number in signal.valid_signals() - {signal.SIGALRM, signal.SIGKILL, signal.SIGSTOP}:
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        continue
while hostile.busy():
    try:
        time.sleep(1)
    except BaseException:
        continue
