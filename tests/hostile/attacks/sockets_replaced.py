"""The folder of the kernel's sockets: they are moved, replaced, and joined by links and devices.

Aim: harm
Quick: yes
"""

import glob
import os
import socket

from ipykernel.connect import get_connection_file

folder = os.path.dirname(get_connection_file())
for path in glob.glob(folder + "/kernel*"):
    if hostile.tried(os.rename, path, path + ".moved") is None and not os.path.exists(path):
        with socket.socket(socket.AF_UNIX) as mine:
            mine.bind(path)
        hostile.claim(f"{os.path.basename(path)} was replaced")
for target in (hostile.files[0], "/etc/passwd", "/proc/self/root"):
    for make in (os.symlink, os.link):
        hostile.tried(make, target, os.path.join(folder, f"{make.__name__}-{len(target)}"))
hostile.tried(os.mkfifo, os.path.join(folder, "pipe"))
hostile.tried(os.mknod, os.path.join(folder, "zero"), 0o20666, os.makedev(1, 5))
try:
    with open(os.path.join(folder, "filled"), "wb") as file:
        file.write(bytes(2**20))
    hostile.claim("wrote beside the kernel's sockets")
except OSError:
    pass
if hostile.writable(get_connection_file()):
    hostile.claim("the connection file can be written")
