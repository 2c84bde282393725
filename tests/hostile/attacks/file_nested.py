"""The file is JSON that costs a reader too much: nested a hundred thousand deep.

Aim: stop
Quick: yes
"""

print("never run")

# %% notebook
DEEP = 100_000
text = json.dumps(notebook)
data = text.replace(
    '"metadata": {', '"metadata": {"x": ' + "[" * DEEP + "]" * DEEP + ", ", 1
).encode()
