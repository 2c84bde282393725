"""Results as they arrive, one file each: an interrupted run goes on, nothing is run twice.

A result belongs to a *key*: the submission's bytes, the lab's, the engine's version, the code that
decides a score, and the options that change one. The same key means the same result.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tempfile
import zlib
from functools import cache
from pathlib import Path

from nbformat import reads

import course_utils
import grading
from grading.engine import ENGINE_VERSION, Options, Result
from grading.modules import closure, notebook_imports
from grading.wire import options_as_json, result_as_json, result_from_json

FOLDER = ".grades"
# A new salt asks the same questions with other numbers, and where an honest submission runs
# changes nothing: a result is good for any of these.
FREE = ("salt", "backend")


@cache
def code_digest() -> str:
    """A digest of the code that decides a score: all of `course_utils`, and the grading of one."""
    package = Path(course_utils.__file__).parent
    digest = hashlib.sha256(_engine().encode())
    for path in sorted(package.rglob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@cache
def _engine() -> str:
    names = ("engine", "judge", "client", "execute", "intake", "restore", "view")
    digest = hashlib.sha256(ENGINE_VERSION.encode())
    for path in (Path(grading.__file__).with_name(f"{name}.py") for name in names):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@cache
def _content(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


@cache
def lab_digest(master: bytes) -> str:
    """A digest of the code and the weights that decide a score of one lab: what it and its checks
    import, and the grading of one. So a change in one lab leaves the results of others good.

    A `master` that is no notebook stands for all of `course_utils`.
    """
    try:
        names = notebook_imports(reads(master.decode(), as_version=4))
    except Exception:  # whatever it is, no result of another may be taken for its own
        return code_digest()
    package, digest = Path(course_utils.__file__).parent, hashlib.sha256(_engine().encode())
    needed = closure({*names, "course_utils.checks.exchange"}, package)
    files = [package / path for path in needed]
    if Path("pretrained.py") in needed:
        files += [path for path in (package / "weights").rglob("*") if path.is_file()]
    for path in sorted(files):
        digest.update(path.relative_to(package).as_posix().encode() + _content(path))
    return digest.hexdigest()


def key_of(submission: bytes, master: bytes, options: Options) -> str:
    """The key of a submission's result: 64 hexadecimal digits."""
    settings = {k: v for k, v in options_as_json(options).items() if k not in FREE}
    told = json.dumps([lab_digest(master), settings], sort_keys=True).encode()
    digest = hashlib.sha256()
    for part in (submission, master, told):
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


class Store:
    """Results under `folder`, by lab and key; several graders may use one at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged: list[Path] = []

    def get(self, lab: str, key: str) -> Result | None:
        """The result that is kept under a key; None where there is none, or it is damaged.

        A damaged file is named in `damaged`, and written anew with the next result.
        """
        path = self._path(lab, key)
        try:
            return result_from_json(json.loads(gzip.decompress(path.read_bytes())))
        except FileNotFoundError:
            return None
        except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError):
            self.damaged.append(path)
            return None

    def put(self, lab: str, key: str, result: Result) -> None:
        """Keep a result; it is on the disk in whole, or not at all, when this returns."""
        path = self._path(lab, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = gzip.compress(json.dumps(result_as_json(result)).encode(), 5, mtime=0)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)

    def _path(self, lab: str, key: str) -> Path:
        return self.folder / lab / f"{key}.json.gz"
