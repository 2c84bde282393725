"""A reply that is huge: an exception's text, a traceback of ten thousand frames, a payload.

Aim: stop
"""

shell = get_ipython()
for _ in range(50):
    shell.payload_manager.write_payload({"source": "set_next_input", "text": "x" * 2_000_000})
shell.showtraceback = lambda *a, **k: shell._showtraceback(ValueError, "x", ["y" * 100_000] * 500)


class Long(Exception):
    """Has a lot to say."""

    def __str__(self):
        return "<script>" + "z" * 50_000_000


# %% mnist-1-3-answer
@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    raise Long


# %% mnist-1-4-answer
raise Long
