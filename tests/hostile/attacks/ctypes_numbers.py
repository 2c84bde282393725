"""Numbers and flags are changed in memory: Python's 3 becomes 0, False becomes true.

Aim: gain
"""

import ctypes
import sys

for small, other in ((3, 0), (2, 0), (1, 1)):
    ctypes.memmove(id(small) + sys.getsizeof(small) - 4, id(other) + sys.getsizeof(1) - 4, 4)
ctypes.memmove(id(False) + 16, id(True) + 16, 12)
