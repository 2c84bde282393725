"""Displays of every kind, of ten megabytes each, that update each other.

Aim: stop
"""

from IPython.display import HTML, clear_output, display

for number in range(30):
    if not hostile.busy():
        break
    handle = display(HTML("<b>x</b>" * 1_250_000), display_id=f"d{number % 3}")
    display({"image/png": "A" * 10_000_000, "text/plain": "p"}, raw=True)
    handle.update(HTML("<i>y</i>" * 1_250_000))
    clear_output(wait=True)
