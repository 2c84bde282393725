"""The checks' own text, with closed forms and tolerances: inspect, linecache, files, help().

Aim: read
Quick: yes
"""

import importlib
import inspect
import linecache
import os
import sys

import course_utils

folder = os.path.dirname(course_utils.__file__)
TELLING = ("_velocity_mistakes", "def _score_verdict", "schedule_verdict", "slope_verdict(")
for name in (
    "mnist",
    "mnist_schedule",
    "verdicts",
    "probes",
    "display",
    "core",
    "stand_ins",
    "cfg",
):
    texts = [hostile.read(os.path.join(folder, "checks", f"{name}.py")).decode("utf-8", "replace")]
    try:
        module = importlib.import_module(f"course_utils.checks.{name}")
        texts.append(inspect.getsource(module))
        texts.append("".join(linecache.getlines(module.__file__)))
        texts.append(" ".join(vars(module)))
    except (ImportError, OSError, TypeError):
        pass
    for text in texts:
        for word in TELLING:
            if word in text:
                hostile.claim(f"{word} can be read in checks.{name}")
for name, (_, _, lines, _) in [(k, v) for k, v in linecache.cache.items() if len(v) == 4]:
    if any(word in "".join(lines) for word in TELLING) and "ipykernel" not in name:
        hostile.claim(f"verdicts stand in linecache under {name}")
for path in sys.path:
    if os.path.isdir(os.path.join(path, "solutions")) or os.path.isdir(
        os.path.join(path, "grading")
    ):
        hostile.claim(f"{path} on sys.path holds the grader")
