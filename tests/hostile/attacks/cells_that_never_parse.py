"""Source that costs a compiler too much: nesting, a huge constant, a magic that runs a shell.

Aim: stop
"""

SOURCES = ["(" * 90 + ")" * 90, "x = " + "-" * 50_000 + "1", "1" + "+1" * 30_000, "9" * 5_000]
for source in SOURCES:
    try:
        exec(source)
    except (SyntaxError, RecursionError, MemoryError, TypeError, ValueError):
        continue
get_ipython().run_line_magic("system", "cat /etc/hostname; id; mount")
get_ipython().run_cell(f"%%bash\nexec 3<>/dev/tcp/127.0.0.1/{hostile.tcp}; echo from inside >&3")
