"""What is on disk is changed: planted files, the gradebook, other submissions, the data, programs.

Aim: harm
Quick: yes
"""

import glob
import os
import sqlite3
import sys

import torch

for path in (f"{hostile.canary}/one.txt", f"{hostile.canary}/deeper/two.txt", *hostile.files):
    for way in (path, f"/proc/1/root{path}"):
        if hostile.canary in way and hostile.writable(way):
            with open(way, "a") as file:
                file.write("changed\n")
        elif hostile.writable(way):
            hostile.claim(f"{way} can be written")
hostile.tried(os.mkdir, f"{hostile.canary}/made")
hostile.tried(os.unlink, f"{hostile.canary}/one.txt")
try:
    with sqlite3.connect(f"file:{hostile.course}/gradebook.db?mode=rw", uri=True) as base:
        base.execute("update grade set auto_score = 12")
except sqlite3.Error:
    pass
data = os.environ.get("COURSE_DATA", "/nowhere")
programs = [
    torch.__file__,
    sys.executable,
    os.__file__,
    "/etc/passwd",
    "/etc/hosts",
    "/usr/bin/env",
]
for path in [*programs, *glob.glob(f"{data}/**", recursive=True)[:200]]:
    if os.path.isfile(path) and not path.startswith(os.getcwd()) and hostile.writable(path):
        hostile.claim(f"{path} can be written")
