"""Messages that no kernel sends: wrong types, missing parts, bad UTF-8, nesting, huge numbers.

Aim: stop
Quick: yes
"""

import itertools
import json

kernel = get_ipython().kernel
session, parent = kernel.session, kernel.get_parent("shell")
ODD = [None, 1, "text", [], {}, [[]], {"data": None}, {"data": []}, {"data": {"text/plain": 3}}]
ODD += [{"name": 3, "text": None}, {"name": "stdout"}, {"text": "\ud800\udfff"}, {"wait": "x"}]
ODD += [{"execution_state": ["idle"]}, {"ename": 1, "evalue": {}, "traceback": "x"}]
ODD += [{"data": {"text/plain": "x", "image/png": {"a": 1}, "../../x": "y"}, "metadata": 3}]
ODD += [{"comm_id": 3, "data": "x", "target_name": None}, {"transient": 4, "data": {"a": "b"}}]
KINDS = ["stream", "display_data", "update_display_data", "execute_result", "error", "status"]
KINDS += ["clear_output", "comm_open", "comm_msg", "comm_close", "execute_input", "shutdown_reply"]
KINDS += ["kernel_info_reply", "no such thing", ""]

for kind, content in itertools.product(KINDS, ODD):
    if kind == "status" and content == {"execution_state": ["idle"]}:
        continue
    message = session.msg(kind, parent=parent)
    message["content"] = content
    try:
        frames = session.serialize(message, b"")
    except (TypeError, ValueError, UnicodeError):
        continue
    kernel.iopub_socket.send_multipart(frames)


def signed(*parts):
    """A message with any four parts, in the kernel's own hand."""
    return [b"x", b"<IDS|MSG>", session.sign(list(parts)), *parts]


head = json.dumps(session.msg_header("stream"), default=str).encode()
above = json.dumps(parent["header"], default=str).encode()
DEEP = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
for parts in (
    (b"", b"", b"", b""),
    (b"{}", above, b"{}", b"{}"),
    (head, above, b"{}", b"\xff\xfe\xfa"),
    (head, above, b"{}", DEEP),
    (head, above, b"{}", b'{"name":"stdout","text":' + b"9" * 5_000 + b"}"),
    (head, above, b"{}", b'{"name":"stdout","text":NaN}'),
    (head, b"[]", b"3", b'{"name":"stdout","text":"x"}'),
    (b'{"msg_type":{}}', above, b"{}", b"{}"),
    (head.replace(b"T", b"?"), above, b"{}", b"{}"),
):
    kernel.iopub_socket.send_multipart(signed(*parts))
for frames in ([b""], [b"x", b"y"], [b"<IDS|MSG>"], [b"x", b"<IDS|MSG>", b"bad", head, above]):
    kernel.iopub_socket.send_multipart(frames)
