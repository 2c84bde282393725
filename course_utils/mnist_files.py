"""The files of MNIST: where they lie, whether they are whole, and how to get them.

Four files in the idx format (LeCun, Cortes and Burges, "The MNIST database of handwritten
digits"): a big-endian header of two zero bytes, a type (8 for bytes), the number of axes and
their sizes, then the bytes. They stay as they were published, gzipped or not, in
`<data folder>/MNIST/raw`, where torchvision keeps them too.

Nothing here is read as data before its checksum holds, and nothing here deletes a data file.
"""

import gzip
import hashlib
import http.client
import os
import queue
import secrets
import struct
import threading
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil, prod
from pathlib import Path
from typing import Any

import numpy as np

from course_utils.runtime import progress

# A name that does not resolve or a firewall that drops packets must not hold a notebook up.
CONNECT_SECONDS = 6.0
READ_SECONDS = 15.0
CHUNK_BYTES = 1 << 16


class DataError(RuntimeError):
    """The data cannot be used; the message says which file, what is wrong and what to do."""


class DownloadError(DataError):
    """No mirror handed the file out, or a download is forbidden."""


class StorageError(DataError):
    """A downloaded file could not be written: no permission, a full disk."""


@dataclass(frozen=True)
class FileSpec:
    """One idx file of bytes.

    Attributes:
        name: its name, without `.gz`.
        shape: sizes of its axes, the number of items first.
        md5: checksum of the file when it is not gzipped. A gzipped file is judged by what it
            holds, since gzip writes the same contents in more than one way.
    """

    name: str
    shape: tuple[int, ...]
    md5: str

    @property
    def header_size(self) -> int:
        """Bytes before the data."""
        return 4 + 4 * len(self.shape)

    @property
    def size(self) -> int:
        """Bytes of the whole file when it is not gzipped."""
        return self.header_size + prod(self.shape)


@dataclass(frozen=True)
class Split:
    """The two files of the training or of the test data."""

    images: FileSpec
    labels: FileSpec


TRAIN = Split(
    FileSpec("train-images-idx3-ubyte", (60_000, 28, 28), "6bbc9ace898e44ae57da46a324031adb"),
    FileSpec("train-labels-idx1-ubyte", (60_000,), "a25bea736e30d166cdddb491f175f624"),
)
TEST = Split(
    FileSpec("t10k-images-idx3-ubyte", (10_000, 28, 28), "2646ac647ad5339dbf082846283269ea"),
    FileSpec("t10k-labels-idx1-ubyte", (10_000,), "27ae3e4e09519cfbb04c329615203637"),
)


class _DamagedError(Exception):
    """What is wrong with a file, in words that continue "the file ..."."""


def raw_folder(root: Path) -> Path:
    """Where the files lie below the data folder `root`."""
    return root / "MNIST" / "raw"


def find(folder: Path, spec: FileSpec) -> Path | None:
    """The path of a file, not gzipped where both forms are there; None where neither is.

    Raises:
        DataError: the folder may not be read.
    """
    for path in (folder / spec.name, folder / f"{spec.name}.gz"):
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise DataError(
                f"{path} cannot be read: {_reason(error)}. Give yourself permission to read it, "
                "or point COURSE_DATA at another folder."
            ) from error
        return path
    return None


def read(path: Path, spec: FileSpec) -> np.ndarray:
    """The bytes of one idx file as a uint8 array of `spec.shape`, its checksum verified.

    Raises:
        DataError: the file cannot be read, is truncated, or is not the one that `spec` describes.
    """
    try:
        contents = _verified(path, spec)
    except _DamagedError as error:
        raise DataError(
            f"{path} is not the file it should be: it {error}. Expected {_expected(path, spec)}. "
            "Nothing was read from it. Delete it and run this again to download it anew, or "
            "put a whole copy in its place."
        ) from None
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {_reason(error)}. Give yourself permission to read it, or "
            "delete it and run this again to download it anew."
        ) from error
    # A copy, since nobody may write into the bytes of the file.
    return np.frombuffer(contents, np.uint8, offset=spec.header_size).reshape(spec.shape).copy()


def download(folder: Path, specs: Sequence[FileSpec], mirrors: Sequence[str]) -> None:
    """Fetches each file, gzipped, from the first mirror that hands it out whole.

    A file gets its name in `folder` only after its checksum held; until then it has a name of
    its own, so that several processes may download at once.

    Args:
        folder: made where it is missing, once a mirror has answered.
        specs: the files to fetch.
        mirrors: addresses to which `<name>.gz` is appended, tried in order. One that cannot be
            reached is not asked again.

    Raises:
        DownloadError: a file came from no mirror; the message has each mirror's reason.
        StorageError: a file could not be written.
    """
    unreachable: dict[str, str] = {}
    for spec in specs:
        reasons: dict[str, str] = {}
        for mirror in mirrors:
            if mirror in unreachable:
                reasons[mirror] = unreachable[mirror]
                continue
            try:
                _fetch(mirror, folder, spec)
                break
            except _UnreachableError as error:
                reasons[mirror] = unreachable[mirror] = str(error)
            except _DamagedError as error:
                reasons[mirror] = f"what it sent {error}"
        else:
            tried = "; ".join(f"{mirror}: {reason}" for mirror, reason in reasons.items())
            raise DownloadError(f"{spec.name}.gz was not downloaded ({tried or 'no mirrors'})")


class _UnreachableError(Exception):
    """Why a mirror gave no answer."""


def _fetch(mirror: str, folder: Path, spec: FileSpec) -> None:
    name = f"{spec.name}.gz"
    response = _open(f"{mirror.rstrip('/')}/{name}")
    # Beside its final place, so that the rename stays within one file system.
    part = folder / f".{name}.{os.getpid()}-{secrets.token_hex(4)}.part"
    try:
        with response:
            folder.mkdir(parents=True, exist_ok=True)
            _receive(response, part, spec)
        _verified(part, spec, gzipped=True)
        _rename(part, folder / name)
    except OSError as error:
        raise StorageError(
            f"{folder / name} could not be written: {_reason(error)}. Make room or give "
            "yourself permission to write there, or point COURSE_DATA at another folder."
        ) from error
    finally:
        # An interrupt passes here too. What cannot be removed must not hide the first error.
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _open(url: str) -> Any:
    """An open response to `url`.

    The timeout of a socket covers neither the look-up of a name nor several addresses in turn,
    so the connection is made in a thread that may be left behind.
    """
    answer: queue.SimpleQueue = queue.SimpleQueue()

    def connect() -> None:
        try:
            request = urllib.request.Request(url, headers={"User-Agent": "course_utils"})
            answer.put(urllib.request.urlopen(request, timeout=READ_SECONDS))
        except Exception as error:
            answer.put(error)

    threading.Thread(target=connect, daemon=True).start()
    try:
        response = answer.get(timeout=CONNECT_SECONDS)
    except queue.Empty:
        raise _UnreachableError(f"no answer within {CONNECT_SECONDS:g} s") from None
    if isinstance(response, urllib.error.HTTPError):
        # The mirror is there and may have the other files.
        raise _DamagedError(f"was HTTP status {response.code} {response.reason}")
    if isinstance(response, Exception):
        raise _UnreachableError(_reason(response)) from response
    return response


def _receive(response: Any, part: Path, spec: FileSpec) -> None:
    # gzip adds little even to what it cannot compress; more than this is another file.
    most = spec.size + spec.size // 100 + 1024
    announced = response.headers.get("Content-Length", "")
    total = min(most, int(announced)) if announced.isdigit() else most
    with part.open("xb") as file:
        for chunk in _chunks(response, total, f"Downloading {spec.name}.gz"):
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _chunks(response: Any, total: int, description: str) -> Iterator[bytes]:
    for _ in progress(range(max(1, ceil(total / CHUNK_BYTES))), description):
        try:
            chunk = response.read(CHUNK_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise _DamagedError(f"broke off: {_reason(error)}") from error
        if not chunk:
            return
        yield chunk


def _rename(part: Path, path: Path) -> None:
    try:
        part.replace(path)
    except PermissionError:
        # Windows, while another process that was faster reads the same file.
        if not path.exists():
            raise


def _verified(path: Path, spec: FileSpec, gzipped: bool | None = None) -> bytes:
    """The contents of a file, unpacked; `_DamagedError` where they are not those of `spec`."""
    gzipped = path.suffix == ".gz" if gzipped is None else gzipped
    with path.open("rb") as file:
        start = file.read(64)
        file.seek(0)
        try:
            # One byte more than expected shows a longer file, and bounds what is unpacked.
            contents = (gzip.GzipFile(fileobj=file) if gzipped else file).read(spec.size + 1)
        except EOFError:
            raise _damaged(path, start, "ends before its gzip stream does") from None
        except (gzip.BadGzipFile, zlib.error):
            raise _damaged(path, start, "is no whole gzip file") from None
    if len(contents) != spec.size:
        held = f"{len(contents):,}" if len(contents) < spec.size else f"more than {spec.size:,}"
        raise _damaged(path, start, f"holds {held} bytes{' unpacked' if gzipped else ''}")
    md5 = hashlib.md5(contents, usedforsecurity=False).hexdigest()
    if md5 != spec.md5 or contents[: spec.header_size] != _header(spec):
        raise _damaged(path, start, f"has the MD5 checksum {md5}")
    return contents


def _header(spec: FileSpec) -> bytes:
    axes = len(spec.shape)
    return struct.pack(f">BBBB{axes}I", 0, 0, 8, axes, *spec.shape)


def _damaged(path: Path, start: bytes, fault: str) -> _DamagedError:
    return _DamagedError(f"{fault} ({path.stat().st_size:,} bytes on disk, {_look(start)})")


def _look(start: bytes) -> str:
    """What the first bytes of a file suggest that it is."""
    text = start.lstrip().lower()
    if not start:
        return "empty"
    if text.startswith((b"<!doctype html", b"<html", b"<head")):
        return "it looks like an HTML page"
    if start.startswith(b"version https://git-lfs"):
        return "it looks like a Git LFS pointer"
    if start.startswith(b"\x1f\x8b"):
        return "it starts like a gzip file"
    if start.startswith(b"\x00\x00\x08"):
        return "it starts like an idx file"
    return f"it starts with {start[:16]!r}"


def _expected(path: Path, spec: FileSpec) -> str:
    packed = "a gzip file with " if path.suffix == ".gz" else ""
    return f"{packed}{spec.size:,} bytes with the MD5 checksum {spec.md5}"


def _reason(error: BaseException) -> str:
    """One line for an exception of the operating system or of urllib."""
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, BaseException):
        return _reason(error.reason)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__
