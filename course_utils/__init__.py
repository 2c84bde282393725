"""What the course's notebooks import: small, typed, documented.

From the ground up: ``runtime`` (device, seed, budget), ``shapes``, ``distributions``, ``paths``,
``mnist``, ``dynamics``, ``training``, ``evaluation``, ``figures``, then ``checks`` (what each job
must satisfy) and ``solved`` (the finished jobs of earlier labs). Nothing imports upward.

Importing the package itself is free: no torch, no numpy.
"""

import os
import sys

__version__ = "0.1.0"

# Not every operation exists on Apple's GPU. torch decides *while it is imported* whether to run the
# missing ones on the CPU, so the default must be set here, before anything below imports torch.
# ``runtime`` tells the student where torch was faster than this line.
_MPS_FALLBACK = "PYTORCH_ENABLE_MPS_FALLBACK"
torch_was_first = (
    sys.platform == "darwin" and _MPS_FALLBACK not in os.environ and ("torch" in sys.modules)
)
if sys.platform == "darwin":
    os.environ.setdefault(_MPS_FALLBACK, "1")
