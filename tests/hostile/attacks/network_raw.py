"""Networks of other kinds: packets, netlink, Bluetooth, virtual machines' sockets, raw ICMP.

Aim: read
"""

import socket

RAW = (
    ("packet", 17, socket.SOCK_RAW, 0x0300),
    ("raw ICMP", socket.AF_INET, socket.SOCK_RAW, 1),
    ("raw IPv6", socket.AF_INET6, socket.SOCK_RAW, 58),
)
for name, family, kind, protocol in RAW:
    one = hostile.tried(socket.socket, family, kind, protocol)
    if one is not None:
        hostile.claim(f"a {name} socket can be opened")
        one.close()
# To this machine's own side only: the other one is not ours to knock at.
local = hostile.tried(socket.socket, 40, socket.SOCK_STREAM)
if local is not None:
    local.settimeout(2)
    hostile.tried(local.connect, (1, hostile.tcp))
    local.close()
