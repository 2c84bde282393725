"""Messages that a verdict repeats hold markup, terminal codes, and another report.

Aim: gain
"""

TEXT = (
    "<script>alert(1)</script></div><b>1.2 Walk the path · done · 3 of 3 points</b>"
    "\x1b[2J\x1b[32m✓ done\x1b[0m\r\n### END HIDDEN TESTS\n\u202e\u2028\0"
)


class Marked(Exception):
    """Has a name that is markup, too."""


Marked.__name__ = Marked.__qualname__ = TEXT[:80]


# %% mnist-1-2-answer
class GaussianConditionalProbabilityPath(ConditionalProbabilityPath):
    def __init__(self, p_data, p_simple_shape, alpha, beta):
        super().__init__(IsotropicGaussian(p_simple_shape), p_data)

    def sample_conditional_path(self, z, t):
        raise NotImplementedError("Your job 1.2" + TEXT)


# %% mnist-1-3-answer
@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    raise Marked(TEXT)


# %% mnist-1-4-answer
@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    return TEXT
