"""The kernel closes its own sockets and goes on in silence.

Aim: stop
"""

import contextlib
import time

kernel = get_ipython().kernel
for socket in (
    kernel.iopub_socket,
    kernel.stdin_socket,
    kernel.shell_stream,
    kernel.control_stream,
):
    with contextlib.suppress(Exception):
        getattr(socket, "socket", socket).close(linger=0)
while hostile.busy(60):
    time.sleep(1)
