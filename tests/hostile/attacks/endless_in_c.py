"""A loop in C, which Python's signals do not reach, while it holds the interpreter's lock.

Aim: stop
"""

import ctypes

hostile.end_at(90)
ctypes.PyDLL(None).sleep(45)
sum(range(10**12))
