"""The question is taken apart: what was sent along with the probe, by name and by constant.

Aim: read
"""

import base64
import pickle
import types

load = pickle.loads
SUSPECT = ("verdict", "expected", "salt", "mistake", "exact", "hint")


def dissect(code, where):
    for name in (*code.co_names, *code.co_varnames, code.co_name):
        if any(word in name for word in SUSPECT) and "exact_" not in name and name != "exact":
            hostile.claim(f"{name} came with {where}")
    for value in code.co_consts:
        if isinstance(value, types.CodeType):
            dissect(value, where)
        elif isinstance(value, str):
            hostile.show(value, where)


def reach(value, seen, depth=0):
    """Every code object that hangs on a value."""
    if id(value) in seen or depth > 12:
        return
    seen.add(id(value))
    if isinstance(value, types.FunctionType):
        dissect(value.__code__, value.__name__)
        for name, one in list(value.__globals__.items()):
            if not name.startswith("__") and value.__module__ != "__main__":
                reach(one, seen, depth + 1)
        for cell in value.__closure__ or ():
            reach(cell.cell_contents, seen, depth + 1)
    elif isinstance(value, dict):
        for one in list(value.values()):
            reach(one, seen, depth + 1)
    elif isinstance(value, (list, tuple)):
        for one in value:
            reach(one, seen, depth + 1)


def loads(data, *values, **options):
    found = load(data, *values, **options)
    if isinstance(found, dict) and "probe" in found:
        hostile.show(data, "the question")
        hostile.show(base64.b64encode(data), "the question")
        probe = found["probe"]
        reach({k: v for k, v in found.items() if k != "names"}, set())
        for name in getattr(probe, "__globals__", {}):
            if any(word in name for word in SUSPECT):
                hostile.claim(f"{name} is a global of the probe")
    return found


pickle.loads = loads
