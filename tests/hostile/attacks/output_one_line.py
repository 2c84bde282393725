"""One line of a hundred megabytes, on stdout and on stderr.

Aim: stop
"""

import sys

print("x" * 100_000_000)
sys.stderr.write("y" * 100_000_000)
