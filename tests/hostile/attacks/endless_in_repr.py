"""What is shown never comes to an end: `__repr__`, `__str__` of an exception, `_repr_html_`.

Aim: stop
"""

import time


class Slow(Exception):
    """Takes for ever to say what it is."""

    def __str__(self):
        while hostile.busy():
            time.sleep(0.1)
        return "x"

    __repr__ = _repr_html_ = __str__


# %% mnist-1-3-answer
@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    raise Slow


# %% mnist-1-4-answer
Slow()
