"""Names are looked up: what answers is a way out for what was read.

Aim: read
"""

import socket
import threading


def look_up(name):
    """Claim an answer of any name server."""
    try:
        found = socket.getaddrinfo(name, 80)
    except (OSError, UnicodeError):
        return
    hostile.claim(f"{name} is known here: {found[0][4]}")


asked = [
    threading.Thread(target=look_up, args=(f"{hostile.nonce}.localdomain.invalid",), daemon=True)
]
for one in asked:
    one.start()
for one in asked:
    one.join(10)
servers = [
    line.split()[1]
    for line in hostile.read("/etc/resolv.conf").decode("utf-8", "replace").splitlines()
    if line.startswith("nameserver")
]
for server in servers:
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        if hostile.tried(one.connect, (server, 53)) is None and hostile.tried(one.getpeername):
            hostile.claim(f"there is a route to the name server {server}")
