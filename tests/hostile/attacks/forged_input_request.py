"""The kernel asks its front end for a line of input, again and again, and waits for it.

Aim: stop
"""

kernel = get_ipython().kernel
kernel._allow_stdin = True
for prompt in ("password: ", "x" * 1_000_000):
    session = kernel.session
    content = {"prompt": prompt, "password": True}
    session.send(kernel.stdin_socket, "input_request", content, parent=kernel.get_parent("shell"))
kernel.raw_input("what now? ")
