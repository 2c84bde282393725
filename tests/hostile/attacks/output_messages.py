"""Messages past the streams: other parents', comms, buffers, status, of a megabyte each.

Aim: stop
"""

kernel = get_ipython().kernel
big = "x" * 1_000_000
for number in range(120):
    if not hostile.busy():
        break
    state = {"state": {"_model_name": "M", "_model_module": "m", "value": big}, "buffer_paths": []}
    for name, content in (
        ("comm_open", {"comm_id": f"c{number}", "target_name": "jupyter.widget", "data": state}),
        ("comm_msg", {"comm_id": f"c{number}", "data": state}),
        ("stream", {"name": "stdout", "text": big}),
        ("execute_input", {"code": big, "execution_count": number}),
        (big[:50_000], {"x": big}),
    ):
        parent = {"msg_id": f"nobody-{number}"} if number % 2 else kernel.get_parent("shell")
        kernel.session.send(
            kernel.iopub_socket, name, content, parent=parent, buffers=[bytes(1_000_000)]
        )
