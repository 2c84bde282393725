"""The file is JSON with long numbers, NaN, lone surrogates and doubled keys.

Aim: stop
"""

print("SURROGATE")

# %% notebook
text = json.dumps(notebook)
odd = '{"a": NaN, "b": -Infinity, "c": "\\ud800", "d": 1e999, "e": ' + "9" * 4_000 + "}"
text = text.replace('"outputs": []', f'"outputs": [{odd}], "outputs": {odd}', 1)
text = text.replace('"nbformat": 4', '"nbformat": 4, "nbformat": 99, "nbformat": 4.0', 1)
data = text.replace("SURROGATE", "\\ud800").encode()
