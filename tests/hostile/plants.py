"""What is worth stealing, reaching or breaking, planted where a grader keeps such things.

Everything planted can be read, and some of it written, by every user of the machine: a sandbox
must not owe its success to file modes alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LAB = "mnist"
PATTERN = "planted-[0-9a-f]{24}"
NOBODY = 65534
SYSV = Path("/proc/sysvipc/shm")
# Any user can run a shell; the interpreter may lie where only its owner can go.
VICTIM = "read WORD; echo ready; read END"


def word() -> str:
    """A secret that is found nowhere else."""
    return f"planted-{secrets.token_hex(12)}"


def open_to_all(path: Path) -> Path:
    """Let every user read a file, or read and write in a folder."""
    path.chmod(0o777 if path.is_dir() else 0o666)
    return path


def _pid_namespace() -> str:
    with contextlib.suppress(OSError):
        return str(Path("/proc/self/ns/pid").readlink())
    return ""


class Plants:
    """Secrets, listeners and a victim; a context manager.

    `words` are the secrets by name, `facts` what an attacker is told, `nonce` the mark of a claim.
    """

    def __init__(self, limits: dict[str, int]) -> None:
        self.place = open_to_all(Path(tempfile.mkdtemp(prefix="hostile-")))
        self.words: dict[str, str] = {}
        self.nonce = secrets.token_hex(12)
        self.files: list[Path] = []
        self._closing = contextlib.ExitStack()
        self._closing.callback(shutil.rmtree, self.place, ignore_errors=True)
        self._began = time.time()
        self.course, self.home, self.canary, self.temporary = (
            open_to_all(self._made(name)) for name in ("course", "home", "canary", "tmp")
        )
        try:
            self._plant_course()
            self._plant_files()
            self._listen()
            self._victim()
            self._plant_memory()
        except BaseException:
            self._closing.close()
            raise
        self.facts: dict[str, Any] = {
            "nonce": self.nonce,
            "pattern": PATTERN,
            "files": [str(path) for path in self.files],
            "course": str(self.course),
            "home": str(self.home),
            "canary": str(self.canary),
            "repository": str(ROOT),
            "tcp": self._tcp.getsockname()[1],
            "udp": self._udp.getsockname()[1],
            "unix": str(self.place / "socket"),
            "abstract": f"hostile-{self.nonce}",
            "victim": self.victim.pid,
            "segment": self._segment,
            "key": int(self.nonce[:7], 16),  # of System V memory that an attack makes
            "pid_namespace": _pid_namespace(),
            "limits": limits,
        }
        self._before = self._digest()
        self._segments = self.segments()

    def __enter__(self) -> Plants:
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.close()

    # ------------------------------------------------------------ planting

    def _made(self, name: str) -> Path:
        path = self.place / name
        path.mkdir()
        return path

    def _secret(self, name: str) -> str:
        self.words[name] = word()
        return self.words[name]

    def _write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        open_to_all(path)
        open_to_all(path.parent)
        self.files.append(path)

    def _plant_course(self) -> None:
        """A course folder like the real one, with a secret in each of its files."""
        shutil.copy(ROOT / "nbgrader_config.py", self.course)
        solution = json.loads((ROOT / f"solutions/{LAB}/{LAB}.ipynb").read_text("utf-8"))
        mark = f"### BEGIN HIDDEN TESTS\n# {self._secret('hidden test')}"
        for cell in solution["cells"]:
            text = "".join(cell["source"])
            cell["source"] = text.replace("### BEGIN HIDDEN TESTS", mark)
        solution["cells"][-1]["source"] += f"\n\n<!-- {self._secret('solution')} -->"
        self._write(self.course / f"solutions/{LAB}/{LAB}.ipynb", json.dumps(solution))
        for name in ("submitted", "autograded", "feedback"):
            other = {"cells": [], "metadata": {"word": self._secret(name)}, "nbformat": 4}
            path = self.course / name / "ada" / LAB / f"{LAB}.ipynb"
            self._write(path, json.dumps(other | {"nbformat_minor": 5}))
        book = self.course / "gradebook.db"
        with contextlib.closing(sqlite3.connect(book)) as base:
            base.execute("create table grade (student text, auto_score real, comment text)")
            base.execute("insert into grade values ('ada', 1, ?)", (self._secret("gradebook"),))
            base.commit()
        self.files.append(open_to_all(book))

    def _plant_files(self) -> None:
        for name in (".ssh/id_ed25519", ".pgpass", ".netrc", "hostile-notes.txt"):
            self._write(self.home / name, self._secret(f"~/{name}") + "\n")
        self._write(self.place / "beside.txt", self._secret("beside") + "\n")
        self._write(self.temporary / "hostile-left.txt", self._secret("temporary") + "\n")
        for name in ("one.txt", "deeper/two.txt"):
            self._write(self.canary / name, "unchanged\n")
        memory = Path("/dev/shm")
        if memory.is_dir() and os.access(memory, os.W_OK):
            shared = memory / f"hostile-{self.nonce}"
            self._write_alone(shared, self._secret("shared memory"))
            self._closing.callback(shared.unlink, missing_ok=True)

    def _write_alone(self, path: Path, text: str) -> None:
        path.write_text(text, "utf-8")
        self.files.append(open_to_all(path))

    def _listen(self) -> None:
        self._tcp, self._udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
        self._unix, self._abstract = (socket.socket(socket.AF_UNIX) for _ in range(2))
        self._tcp.bind(("127.0.0.1", 0))
        self._udp.bind(("127.0.0.1", 0))
        self._unix.bind(str(self.place / "socket"))
        open_to_all(self.place / "socket")
        listeners = [self._tcp, self._unix]
        if sys.platform == "linux":
            self._abstract.bind(f"\0hostile-{self.nonce}")
            listeners.append(self._abstract)
        for one in listeners:
            one.listen(64)
        for one in (*listeners, self._udp):
            one.setblocking(False)
            self._closing.callback(one.close)
        self._listeners = {"TCP": self._tcp, "Unix": self._unix, "abstract Unix": self._abstract}

    def _victim(self) -> None:
        """A process of another program, of the user that a sandbox of root's may end up with."""
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        self.victim = subprocess.Popen(
            ["/bin/sh", "-c", VICTIM, self._secret("command line")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", ""), "WORD": self._secret("victim's environment")},
            cwd=self.home,
            text=True,
            start_new_session=True,
            **({"user": NOBODY, "group": NOBODY, "extra_groups": []} if root else {}),
        )
        self._closing.callback(self._end_victim)
        assert self.victim.stdin is not None and self.victim.stdout is not None
        self.victim.stdin.write(self._secret("victim's memory") + "\n")
        self.victim.stdin.flush()
        assert self.victim.stdout.readline() == "ready\n", "the victim did not start"

    def _end_victim(self) -> None:
        self.victim.kill()
        self.victim.communicate()

    def _plant_memory(self) -> None:
        """A System V segment that everybody may read; -1 where there are none."""
        self._segment = -1
        if not SYSV.exists():
            return
        libc = ctypes.CDLL(None)
        libc.shmat.restype = ctypes.c_void_p
        self._segment = libc.shmget(0, 4096, 0o1666)
        if self._segment >= 0:
            self._closing.callback(libc.shmctl, self._segment, 0, None)
            address = libc.shmat(self._segment, None, 0)
            text = self._secret("System V memory").encode()
            ctypes.memmove(address, text, len(text))
            libc.shmdt(ctypes.c_void_p(address))

    # ------------------------------------------------------------ looking

    def visitors(self) -> list[str]:
        """What was reached since the last look."""
        reached = []
        for name, listener in self._listeners.items():
            with contextlib.suppress(OSError):
                while True:
                    listener.accept()[0].close()
                    reached.append(f"{name} socket reached")
        with contextlib.suppress(OSError):
            while True:
                self._udp.recv(1 << 16)
                reached.append("UDP socket reached")
        return sorted(set(reached))

    def _digest(self) -> dict[str, str]:
        found = {}
        for top in (self.course, self.canary, self.place / "beside.txt"):
            for path in [top, *top.rglob("*")]:
                kind = path.lstat().st_mode
                data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
                found[str(path.relative_to(self.place))] = (
                    f"{kind:o} {hashlib.sha256(data).hexdigest()}"
                )
        top_level = (p for p in self.place.iterdir() if p not in (self.home, self.temporary))
        return found | {f"{path.name} itself": "" for path in top_level}

    def changed(self) -> list[str]:
        """Planted files that are new, gone or different since the last look."""
        now, before = self._digest(), self._before
        self._before = now
        names = sorted(n for n in now.keys() | before.keys() if now.get(n) != before.get(n))
        said = [f"changed {name}" for name in names]
        if self.victim.poll() is not None:
            said.append("the victim was ended")
            self._end_victim()
            self._victim()
            self.facts["victim"] = self.victim.pid
        return said

    def segments(self) -> set[str]:
        """System V segments with an attack's key, which outlive who made them."""
        with contextlib.suppress(OSError):
            lines = [line.split() for line in SYSV.read_text().splitlines()[1:]]
            return {number for key, number, *_ in lines if int(key) == self.facts["key"]}
        return set()

    def left_behind(self, also: tuple[Path, ...] = ()) -> list[str]:
        """Files with an attack's mark, where a later program would meet them; they are removed."""
        deep = (self.home, self.temporary, ROOT / "course_utils", *also)
        temporary = (Path(tempfile.gettempdir()), Path("/dev/shm"), Path("/var/tmp"))
        flat = (*temporary, Path.cwd(), Path(sysconfig.get_path("purelib")))
        paths = [p for top in deep for p in top.rglob("*")]
        paths += [p for top in flat if top.is_dir() for p in top.iterdir()]
        marked = [path for path in sorted(set(paths)) if self._marked(path)]
        for path in marked:
            path.unlink(missing_ok=True)
        found = [f"left {path}" for path in marked]
        new = self.segments() - self._segments
        self._segments |= new
        return found + [f"left the System V segment {number}" for number in sorted(new)]

    def _marked(self, path: Path) -> bool:
        own = {str(p) for p in self.files}
        with contextlib.suppress(OSError):
            if str(path) in own or path.is_symlink() or not path.is_file():
                return False
            if path.stat().st_mtime < self._began - 1:
                return False
            if self.nonce in path.name:
                return True
            with path.open("rb") as file:
                return self.nonce.encode() in file.read(2**20)
        return False

    def found_in(self, data: bytes) -> list[str]:
        """Which secrets, and which claims, stand in what a grader returned."""
        text = data.decode("utf-8", "replace")
        found = []
        for name, secret in self.words.items():
            # A result may hold the hidden test itself; whoever read it says it backwards.
            forms = [secret[::-1]] + ([secret] if name != "hidden test" else [])
            if any(form in text for form in forms):
                found.append(f"read the secret '{name}'")
        claims = re.findall(re.escape(self.nonce[::-1]) + r" ([^\"\\\n]{1,160})", text)
        return found + [claim.strip() for claim in dict.fromkeys(claims)]
