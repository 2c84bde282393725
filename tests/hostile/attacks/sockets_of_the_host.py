"""Unix sockets outside are called: by path, by abstract name, and whatever /proc/net lists.

Aim: read
Quick: yes
"""

import glob
import socket

names = [hostile.unix, "\0" + hostile.abstract]
names += [f"/proc/1/root{hostile.unix}", f"/proc/{hostile.victim}/root{hostile.unix}"]
for line in hostile.read("/proc/net/unix", 2**22).decode("utf-8", "replace").splitlines()[1:]:
    if hostile.unix in line or hostile.abstract in line:
        names.append(line.split()[-1].replace("@", "\0"))
        hostile.claim(f"a socket of the host's is listed: {line.split()[-1]}")
for name in names:
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(2)
        hostile.tried(one.connect, name)
services = [
    "/run/dbus/system_bus_socket",
    "/var/run/docker.sock",
    "/run/containerd/containerd.sock",
]
services += [
    "/run/systemd/private",
    "/run/snapd.socket",
    "/run/podman/podman.sock",
    "/tmp/.X11-unix/X0",
]
services += glob.glob("/run/user/*/bus") + glob.glob("/tmp/ssh-*/agent.*")
for name in services:
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(2)
        try:
            one.connect(name)
        except OSError:
            continue
        hostile.claim(f"{name} answers")
