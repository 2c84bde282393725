"""The file is JSON with a number of a million digits, which costs a reader quadratic time.

Aim: stop
Quick: yes
"""

print("never run")

# %% notebook
data = (
    json.dumps(notebook)
    .replace('"nbformat": 4', '"x": ' + "9" * 1_000_000 + ', "nbformat": 4')
    .encode()
)
