"""The kernel ends in an ordinary way: sys.exit, with code 0, by a thread, while a test runs.

Aim: stop
"""

import os
import threading

threading.Timer(0.5, os._exit, [0]).start()
get_ipython().ask_exit()
raise SystemExit(0)
