"""One process takes all the memory that it can get.

Aim: harm
"""

MOST = min(3 * hostile.limits["memory_bytes"], 6 * 2**30)
blocks = []
try:
    while sum(map(len, blocks)) < MOST and hostile.busy(60):
        blocks.append(bytearray(b"\1") * 2**26)
    hostile.claim(f"took {len(blocks) * 64} MB")
finally:
    blocks.clear()
