"""Every planted file is read by its own name, and by ways around: ../, /proc/self/root, /proc/1.

Aim: read
Quick: yes
"""

import os

WAYS = ("{}", "/proc/self/root{}", "/proc/1/root{}", "/proc/self/cwd" + "/.." * 20 + "{}", "/..{}")
for path in hostile.files:
    for way in WAYS:
        hostile.loot(way.format(path))
for folder in (hostile.course, hostile.home, hostile.canary):
    names = hostile.tried(os.listdir, folder)
    if names:
        hostile.claim(f"{os.path.basename(folder)} can be listed: {len(names)} names")
for name in ("grading", "solutions", "tests", "course_utils/solved", "course_utils/checks"):
    if hostile.tried(os.listdir, os.path.join(hostile.repository, name)):
        hostile.claim(f"the repository's {name} can be listed")
