"""Listeners on this machine are called: TCP, UDP, and whether there is a way to the outside.

Aim: read
Quick: yes
"""

import socket


def call(family, kind, address):
    """Say something to a listener."""
    with socket.socket(family, kind) as one:
        one.settimeout(2)
        one.connect(address)
        one.send(b"from inside")


hostile.tried(call, socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", hostile.tcp))
hostile.tried(call, socket.AF_INET6, socket.SOCK_STREAM, ("::ffff:127.0.0.1", hostile.tcp))
hostile.tried(call, socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", hostile.udp))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    # An address that is nobody's: `connect` of UDP sends nothing, but finds a route.
    hostile.tried(one.connect, ("192.0.2.1", 53))
    if hostile.tried(one.getpeername):
        hostile.claim(f"there is a route to the outside, from {one.getsockname()}")
# Linux puts some unused ones into every network of its own.
UNUSED = ("lo", "tunl", "sit", "gre", "erspan", "ip", "teql", "bond", "dummy")
names = [name for _, name in hostile.tried(socket.if_nameindex) or ()]
real = [name for name in names if not name.startswith(UNUSED)]
if real:
    hostile.claim(f"network interfaces: {real}")
