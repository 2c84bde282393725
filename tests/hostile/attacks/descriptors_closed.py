"""Every descriptor of the kernel is closed under it.

Aim: stop
"""

import os

os.closerange(0, 4096)
