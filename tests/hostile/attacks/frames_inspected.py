"""A called method climbs the frames for verdicts, expected values and the run's salt.

Aim: read
Quick: yes
"""

import sys
import types

SUSPECT = ("verdict", "mistakes", "expected", "salt", "hidden", "JOBS", "LAB")


def climb():
    """Claim what callers hold of the other side."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if "ipykernel_" not in file or frame.f_code.co_name != "<module>":
            for name, value in [*frame.f_globals.items(), *frame.f_locals.items()]:
                callable_here = isinstance(value, types.FunctionType)
                if name.strip("_") in SUSPECT or (callable_here and name.endswith("_verdict")):
                    hostile.claim(f"{name} stands in a frame of {file}")
        hostile.show(repr(list(frame.f_locals.values()))[:100_000], file)
        frame = frame.f_back


# %% mnist-1-3-answer
@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    climb()
    return x


# %% mnist-1-4-answer
@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    climb()
    return x
