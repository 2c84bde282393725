"""A process leaves its parent, its session and its terminal, and writes later.

Aim: survive
Quick: yes
"""

hostile.detach(lambda: hostile.later(f"daemon-{hostile.nonce}"))
