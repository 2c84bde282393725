"""A miniature of MNIST, and mirrors on this machine that hand it out."""

import gzip
import hashlib
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from course_utils import mnist
from course_utils.mnist_files import FileSpec, Split


@dataclass
class MiniMNIST:
    """Two splits with ten times `per_class` images each, and the bytes of their four files."""

    train: Split
    test: Split
    plain: dict[str, bytes]
    arrays: dict[str, np.ndarray]

    @property
    def specs(self) -> list[FileSpec]:
        return [spec for split in (self.train, self.test) for spec in (split.images, split.labels)]

    @property
    def packed(self) -> dict[str, bytes]:
        return {f"{name}.gz": gzip.compress(data) for name, data in self.plain.items()}

    def write(self, root: Path, packed: bool = False) -> Path:
        folder = root / "MNIST" / "raw"
        folder.mkdir(parents=True)
        for name, data in (self.packed if packed else self.plain).items():
            (folder / name).write_bytes(data)
        return folder


def _idx(array: np.ndarray) -> bytes:
    return struct.pack(f">I{array.ndim}I", 0x800 + array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def mini() -> MiniMNIST:
    """Images of noise, 12 of each digit to train and 3 to test, in a shuffled order."""
    random = np.random.default_rng(0)
    plain, arrays, splits = {}, {}, []
    for prefix, per_class in (("train", 12), ("t10k", 3)):
        labels = random.permutation(np.repeat(np.arange(10), per_class)).astype(np.uint8)
        images = random.integers(0, 256, (len(labels), 28, 28), dtype=np.uint8)
        specs = []
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            name = f"{prefix}-{kind}-ubyte"
            plain[name], arrays[name] = _idx(array), array
            specs.append(FileSpec(name, array.shape, hashlib.md5(plain[name]).hexdigest()))
        splits.append(Split(*specs))
    return MiniMNIST(*splits, plain, arrays)


@pytest.fixture
def small(mini: MiniMNIST, monkeypatch: pytest.MonkeyPatch) -> MiniMNIST:
    """The miniature in the place of MNIST's table of files."""
    monkeypatch.setattr(mnist, "TRAIN", mini.train)
    monkeypatch.setattr(mnist, "TEST", mini.test)
    return mini


@dataclass
class Mirror:
    """What one server hands out, and what it was asked for.

    An int in `files` is an HTTP status. `declared` overrides Content-Length (None leaves it
    out); after the body the server waits for `release` where the body is shorter than declared.
    """

    files: dict[str, bytes | int]
    url: str = ""
    asked: Counter = field(default_factory=Counter)
    declared: dict[str, int | None] = field(default_factory=dict)
    before_answer: Callable[[str], object] = lambda name: None
    release: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Mirror]]:
    """`serve(files)` starts a mirror on a free port of this machine."""
    monkeypatch.setenv("no_proxy", "*")
    running: list[tuple[ThreadingHTTPServer, Mirror]] = []

    def start(files: dict[str, bytes | int]) -> Mirror:
        mirror = Mirror(dict(files))
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(mirror))
        server.daemon_threads = True
        mirror.url = f"http://127.0.0.1:{server.server_address[1]}/mnist/"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        running.append((server, mirror))
        return mirror

    yield start
    for server, mirror in running:
        mirror.release.set()
        server.shutdown()
        server.server_close()


def _handler(mirror: Mirror) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/mnist/")
            mirror.asked[name] += 1
            mirror.before_answer(name)
            body = mirror.files.get(name, 404)
            self.send_response(body if isinstance(body, int) else 200)
            body = b"no such file" if isinstance(body, int) else body
            declared = mirror.declared.get(name, len(body))
            if declared is not None:
                self.send_header("Content-Length", str(declared))
            self.end_headers()
            # A client may have heard enough.
            with suppress(ConnectionError):
                self.wfile.write(body)
            if declared is not None and declared > len(body):
                mirror.release.wait(10)

        def log_message(self, *args: object) -> None:
            pass

    return Handler
