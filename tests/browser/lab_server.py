"""JupyterLab as `make lab` starts it, on a copy of the labs, for nobody but these tests."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

import psutil

ROOT = Path(__file__).resolve().parents[2]
SHOTS = Path(os.environ.get("COURSE_SHOTS") or ROOT / "build/shots")
PATIENCE = 60  # seconds, for whatever a server or a kernel does: the machine may be busy
NOT_A_STUDENTS = ("COURSE_DATA", "COURSE_RUNS", "MPLBACKEND")  # set for other tests


class Server:
    """A server, and all that it keeps, below ``home``; the labs are in ``home / "labs"``.

    With ``course``, it is started in that course folder instead, as instructors do.
    """

    def __init__(self, home: Path, course: Path | None = None) -> None:
        self.labs, self.log, self._workspaces = home / "labs", home / "server.log", home / "spaces"
        self._token = secrets.token_hex(16)
        self._proxy = socket.create_server(("127.0.0.1", 0))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        if course is None:
            shutil.copytree(ROOT / "notebooks", self.labs)
            settings, command = _recipe(self.labs)
        else:
            settings, command = {}, [sys.executable, "-m", "jupyter", "lab"]
        command += [
            *("--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"),
            *("--ServerApp.port_retries=0", f"--IdentityProvider.token={self._token}"),
        ]
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                command,
                cwd=course or ROOT,
                env=self._environment(home) | settings,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _environment(self, home: Path) -> dict[str, str]:
        """The user's own settings stay out of it; who asks the network asks our ear for it."""
        folders = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "share",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": self._workspaces.name,
            "IPYTHONDIR": "ipython",
        }
        own = {name: str(home / folder) for name, folder in folders.items()}
        ear = f"http://127.0.0.1:{self._proxy.getsockname()[1]}"
        proxies = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), ear)
        proxies |= {name.upper(): ear for name in proxies}
        here = dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost")
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        inherited = {k: v for k, v in os.environ.items() if k not in NOT_A_STUDENTS}
        course = {"PATH": path, "COURSE_OFFLINE": "1", "COURSE_PROGRESS": "1"}
        return inherited | own | proxies | here | course

    def link(self, path: str) -> str:
        """An address, with the token as in the link that JupyterLab prints."""
        return f"{self.url}{path}?token={self._token}"

    def _ask(self, path: str, method: str = "GET") -> bytes:
        with urlopen(Request(self.link(path), method=method), timeout=PATIENCE) as answer:
            return answer.read()

    def wait(self) -> None:
        """Until it answers.

        Raises RuntimeError, with its log, where it ends or stays silent.
        """
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            try:
                self._ask("/api")
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"JupyterLab does not answer:\n{self.log.read_text()}")

    def tidy(self) -> None:
        """Shut all kernels down, and forget which tabs were open."""
        for session in json.loads(self._ask("/api/sessions")):
            self._ask(f"/api/sessions/{session['id']}", "DELETE")
        for kernel in json.loads(self._ask("/api/kernels")):
            self._ask(f"/api/kernels/{kernel['id']}", "DELETE")
        shutil.rmtree(self._workspaces, ignore_errors=True)

    def reached_out(self) -> bool:
        """Whether anything on the server's side asked for an address outside of this machine."""
        self._proxy.setblocking(False)
        try:
            self._proxy.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def stop(self) -> None:
        """End it and every process that it began; raise AssertionError if it left one behind."""
        began = []
        if self._process.poll() is None:
            began = psutil.Process(self._process.pid).children(recursive=True)
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        finally:
            _, left = psutil.wait_procs(began, timeout=5)
            for process in left:
                process.kill()
            self._process.kill()
            self._proxy.close()
        assert not left, f"JupyterLab left behind {left}"


def _recipe(labs: Path) -> tuple[dict[str, str], list[str]]:
    """The variables and the command with which `make lab` starts JupyterLab, but on our copy."""
    plan = ["make", "--dry-run", "--no-print-directory", "lab"]
    said = subprocess.run(plan, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    words = shlex.split(said.replace("\\\n", " ").strip().splitlines()[-1])
    start = next(at for at, word in enumerate(words) if "=" not in word)
    settings = dict(word.split("=", 1) for word in words[:start])
    words = [word.replace("-dir=notebooks", f"-dir={labs}") for word in words[start + 1 :]]
    assert f"--notebook-dir={labs}" in words, said
    return settings, [sys.executable, "-m", "jupyter", *words]
