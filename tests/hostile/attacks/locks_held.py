"""Locks are taken on files that everybody reads, and kept.

Aim: harm
"""

import fcntl
import glob
import os
import sysconfig

import torch

keep = []
paths = [torch.__file__, sysconfig.get_path("purelib"), *hostile.files]
paths += glob.glob(os.environ.get("COURSE_DATA", "/nowhere") + "/**", recursive=True)
for path in paths:
    descriptor = hostile.tried(os.open, path, os.O_RDONLY)
    if descriptor is not None:
        hostile.tried(fcntl.flock, descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        keep.append(descriptor)
