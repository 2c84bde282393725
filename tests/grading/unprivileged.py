"""Running a script as a user without rights, from tests that root runs.

The venv's Python may lie in a folder that is root's only, such as /root. Then the script runs in a
mount namespace in which that folder holds Python, and nothing else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

NOBODY = 65534
OPENED = """
set -e
mount --bind "$1" "$2"
mount -t tmpfs -o mode=755 none "$3"
mkdir -p "$1"
mount --move "$2" "$1"
shift 3
exec "$@"
"""


def run_as_nobody(script: str, *arguments: str) -> str:
    """What `script` prints where nobody runs it; skips the test where that cannot be arranged."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user; the other tests ran as a user already")
    if shutil.which("setpriv") is None or shutil.which("unshare") is None:
        pytest.skip("setpriv or unshare is not installed")
    with tempfile.TemporaryDirectory(prefix="nobody-") as folder:
        os.chown(folder, NOBODY, NOBODY)
        user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        command = [*user, "--inh-caps=-all", sys.executable, "-c", script, *arguments]
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        done = subprocess.run(
            [*_opened(Path(folder)), *command],
            capture_output=True,
            text=True,
            env=environment,
            cwd=folder,
            timeout=60,
        )
    if done.returncode:
        pytest.fail(done.stderr[-2_000:])
    return done.stdout


def _opened(folder: Path) -> list[str]:
    base = Path(sys.base_prefix).resolve()
    closed = [path for path in reversed(base.parents) if not path.stat().st_mode & 0o001]
    if not closed:
        return []
    if Path(sys.prefix).resolve().is_relative_to(closed[0]):
        pytest.skip(f"nobody cannot read {sys.prefix}")
    stage = folder / "stage"
    stage.mkdir()
    unshare = ["unshare", "--mount", "--propagation", "private"]
    return [*unshare, "sh", "-c", OPENED, "sh", str(base), str(stage), str(closed[0])]
