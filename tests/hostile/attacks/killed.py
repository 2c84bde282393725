"""The kernel kills itself.

Aim: stop
"""

import os
import signal

os.kill(os.getpid(), signal.SIGKILL)
