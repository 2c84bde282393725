"""The kernel stops itself, as Ctrl-Z does: it neither runs nor ends.

Aim: stop
"""

import os
import signal
import time

own = os.getpid()


def wake():
    """Should nobody end it: it ends by itself."""
    time.sleep(90)
    os.kill(own, signal.SIGKILL)


hostile.fork(wake, 100)
os.kill(own, signal.SIGSTOP)
