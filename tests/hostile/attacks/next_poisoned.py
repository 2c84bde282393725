"""Start-up files for the next submission: usercustomize, .pth, IPython, caches, compiled modules.

Aim: survive
"""

import os
import site
import sysconfig

import course_utils

CODE = f"print('{hostile.nonce[::-1]} from the submission before')  # {hostile.nonce}\n"
homes = {os.path.expanduser("~"), hostile.home, os.getcwd()}
STARTS = (
    ".ipython/profile_default/startup/00-next.py",
    ".ipython/profile_default/ipython_config.py",
    ".jupyter/jupyter_config.py",
    ".config/matplotlib/matplotlibrc",
    ".config/sitecustomize.py",
    ".cache/torch/next.py",
    ".matplotlib/matplotlibrc",
    ".pythonrc",
    "usercustomize.py",
    "sitecustomize.py",
    "torch.py",
    "course_utils/__init__.py",
)
for home in homes:
    for name in STARTS:
        path = os.path.join(home, name)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(CODE)
        except OSError:
            continue
for folder in ("/tmp", "/dev/shm", "/var/tmp"):
    path = os.path.join(folder, f"usercustomize-{hostile.nonce}.py")
    hostile.tried(lambda path=path: open(path, "w").write(CODE))
for folder in (site.getusersitepackages(), sysconfig.get_path("purelib")):
    hostile.tried(os.makedirs, folder, exist_ok=True)
    path = os.path.join(folder, f"next-{hostile.nonce}.pth")
    if hostile.writable(path, create=True) and not path.startswith(os.path.expanduser("~")):
        hostile.claim(f"{folder} takes new files")
        hostile.tried(os.unlink, path)
os.environ.update(PYTHONSTARTUP="/tmp/usercustomize.py", LD_PRELOAD="/tmp/none.so")
package = os.path.dirname(course_utils.__file__)
for name in ("__init__.py", "cells.py", "__pycache__", "__pycache__/cells.cpython-311.pyc"):
    path = os.path.join(package, name)
    if os.access(path, os.W_OK) and os.statvfs(path).f_flag & os.ST_RDONLY == 0:
        if os.path.isdir(path) or hostile.writable(path):
            hostile.claim(f"course_utils/{name} can be written")
