"""A wrong address: the kernel dies in C, without a word.

Aim: stop
"""

import ctypes
import faulthandler

faulthandler.disable()
ctypes.string_at(0)
