"""Stands in for a container engine in tests: runs what it is asked to as a plain process.

`info`, `run`, `wait` and `kill` are understood; state is kept in files beside this one.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

STATE = Path(__file__).resolve().parent / "state"


def run(arguments: list[str]) -> int:
    """Start what stands after the image; its code goes into a file when it ends."""
    at = arguments.index("--entrypoint")
    command = [sys.executable, *arguments[at + 3 :]]
    pairs = [arguments[i + 1] for i, word in enumerate(arguments[:at]) if word == "--env"]
    environment = dict(pair.replace("/scratch", str(STATE)).split("=", 1) for pair in pairs)
    if "--detach" not in arguments[:at]:
        return subprocess.run(command, env=environment).returncode
    name = arguments[arguments.index("--name") + 1]
    if os.fork() == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        process = subprocess.Popen(command, env=environment, start_new_session=True)
        (STATE / f"{name}.pid").write_text(str(process.pid))
        code = process.wait()
        (STATE / f"{name}.code").write_text(str(code if code >= 0 else 128 - code))
        os._exit(0)
    while not (STATE / f"{name}.pid").exists():
        time.sleep(0.01)
    print("an-id")
    return 0


def wait(arguments: list[str]) -> int:
    """Print the code with which a container ended, when it has."""
    code = STATE / f"{arguments[0]}.code"
    while not code.exists() or not code.read_text():
        time.sleep(0.02)
    print(code.read_text())
    return 0


def kill(arguments: list[str]) -> int:
    """Send a signal to the first process, or kill all."""
    pid = int((STATE / f"{arguments[-1]}.pid").read_text())
    if arguments[:2] == ["--signal", "INT"]:
        os.kill(pid, signal.SIGINT)
    else:
        os.killpg(pid, signal.SIGKILL)
    return 0


def info(arguments: list[str]) -> int:
    """Answer."""
    return 0


if __name__ == "__main__":
    STATE.mkdir(exist_ok=True)
    what = {"run": run, "wait": wait, "kill": kill, "info": info}
    sys.exit(what[sys.argv[1]](sys.argv[2:]))
