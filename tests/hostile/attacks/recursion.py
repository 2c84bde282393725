"""A function that calls itself for ever, with Python's own limit lifted.

Aim: harm
"""

import sys

sys.setrecursionlimit(10**9)


def deeper(n):
    return deeper(n + 1) + 1 if n % 1_000 or hostile.busy() else 0


deeper(0)
