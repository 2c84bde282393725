"""What runs at the end of Python never ends: atexit, `__del__`, threads that are waited for.

Aim: stop
"""

import atexit
import threading
import time


class Stays:
    """Takes its time to go."""

    def __del__(self):
        while hostile.busy(90):
            time.sleep(1)


def stay():
    while hostile.busy(90):
        time.sleep(0.1)


atexit.register(stay)
keep = [Stays()]
threading.Thread(target=stay).start()


# Behind everything: the grader now wants this process to end.
# %% mnist-1-4-answer
import sys

sys.exit(0)
