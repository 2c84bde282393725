"""Where bytes are expected the kernel answers with something else: text, megabytes, nothing.

Aim: stop
"""

import itertools

ANSWERS = itertools.cycle(
    ["", "not base64 at all ☃", "A" * 2**20, b"bytes", None, 3.0, "=", "\ud800", float("nan")]
)
try:
    from course_utils.checks import exchange

    exchange.answer = lambda space, question: next(ANSWERS)
except ImportError:
    pass
