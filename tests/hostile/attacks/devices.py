"""Devices: disks, memory, the console, virtual machines; and new ones that are made.

Aim: read
"""

import glob
import os

names = ["/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/dev/console", "/dev/kvm", "/dev/fuse"]
names += ["/dev/loop-control", "/dev/net/tun", "/dev/vhost-vsock", "/dev/uinput", "/dev/nvidia0"]
names += [
    n for p in ("vd", "sd", "nvme", "xvd", "dm-", "loop", "tty") for n in glob.glob(f"/dev/{p}*")
]
for name in names:
    descriptor = hostile.tried(os.open, name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    if descriptor is not None:
        os.close(descriptor)
        hostile.claim(f"{name} can be opened")
disk = os.stat("/").st_dev, *(os.stat(p).st_dev for p in ("/usr",) if os.path.exists(p))
for number in disk:
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"disk-{number}")
    hostile.tried(os.mknod, path, 0o60666, number)
    if hostile.read(path, 512):
        hostile.claim("the machine's disk can be read through a device of one's own")
    hostile.tried(os.unlink, path)
if hostile.system(103, 10, None, 0) > 0:
    hostile.claim("the kernel's log can be read")
