"""A regular expression and a big power, in a probe: neither can be interrupted for long.

Aim: stop
"""

import re


# %% mnist-1-1-answer
class CosineAlpha(Alpha):
    def __call__(self, t):
        hostile.end_at(90)
        re.match(r"(a+)+$", "a" * 60 + "b")
        return t


class CosineBeta(Beta):
    def __call__(self, t):
        return 9**9**9
