"""What came out of a learning system: the files of a folder or of an archive, as bytes.

Nothing is unpacked to the disk: a name in an archive is only a name, wherever it points. What is
read is bounded, so that no archive swells up.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

from grading.notebooks import CourseError
from grading.restore import MAX_SUBMISSION_BYTES

MAX_FILES = 100_000  # in one archive
MAX_NESTED_BYTES = 2 * MAX_SUBMISSION_BYTES  # of an archive inside an archive
MAX_DEPTH = 2  # the learning system's archive, and in it a student's own
IGNORED = ("__MACOSX", ".ipynb_checkpoints")
METADATA = "submission_metadata.yml"
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, RuntimeError, NotImplementedError
)  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """One file: its path inside of the source (an archive counts as a folder), when it was changed
    as far as that is known, and its bytes; or, in words, why they could not be had."""

    path: PurePosixPath
    when: datetime | None
    data: bytes = b""
    trouble: str | None = None


def pieces(source: Path) -> Iterator[Piece]:
    """The notebooks and the metadata in a folder or in a zip file, archives inside included.

    One at a time: a class does not fit into memory. Times without a zone are this machine's.
    Raises `CourseError` where `source` is neither.
    """
    if source.is_dir():
        yield from _in_folder(source)
    elif source.is_file() and zipfile.is_zipfile(source):
        with source.open("rb") as file:
            yield from _in_archive(file, PurePosixPath(), 1)
    else:
        what = "neither a folder nor a zip file" if source.exists() else "not there"
        raise CourseError(
            f"`course collect` was given {source}, which is {what}; expected the folder or the zip"
            " file that the learning system gave you: check the path, or download it again."
        )


def _in_folder(source: Path) -> Iterator[Piece]:
    for top, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if name not in IGNORED)
        for path in (Path(top) / name for name in sorted(names)):
            at = PurePosixPath(path.relative_to(source).as_posix())
            if path.is_symlink():
                if _is_wanted(at):
                    yield Piece(at, None, trouble="it is a link to another file")
                continue
            when = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
            if at.suffix.lower() == ".zip":
                with path.open("rb") as file:
                    yield from _in_archive(file, at, 1)
            elif _is_wanted(at):
                with path.open("rb") as file:
                    yield _read(file, at, when)


def _in_archive(file: IO[bytes], at: PurePosixPath, depth: int) -> Iterator[Piece]:
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        yield Piece(at, None, trouble=f"the archive is damaged ({error})")
        return
    with archive:
        members = archive.infolist()
        if len(members) > MAX_FILES:
            yield Piece(at, None, trouble=f"the archive has {len(members):,} files")
            return
        for member in members:
            # Names from Windows, absolute ones, and such as lead upwards: only words are left.
            words = member.filename.replace("\\", "/").split("/")
            path = at.joinpath(*(word for word in words if word not in ("", ".", "..")))
            if member.is_dir() or set(path.parts) & set(IGNORED):
                continue
            nested = path.suffix.lower() == ".zip"
            if nested or _is_wanted(path):
                yield from _member(archive, member, path, depth if nested else 0)


def _member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: PurePosixPath, depth: int
) -> Iterator[Piece]:
    """A file of an archive; what is in it, where `depth` says that it is an archive itself."""
    if member.flag_bits & 1:
        yield Piece(path, None, trouble="it is locked with a password")
        return
    if depth >= MAX_DEPTH:
        yield Piece(path, None, trouble="it is an archive in an archive in an archive")
        return
    try:
        with archive.open(member) as file:
            if not depth:
                yield _read(file, path, _changed(member))
                return
            data = file.read(MAX_NESTED_BYTES + 1)
    except _UNREADABLE as error:
        yield Piece(path, None, trouble=f"it is damaged ({error})")
        return
    if len(data) > MAX_NESTED_BYTES:
        yield Piece(path, None, trouble=f"it has more than {MAX_NESTED_BYTES // 2**20} MB")
        return
    yield from _in_archive(io.BytesIO(data), path, depth + 1)


def _read(file: IO[bytes], path: PurePosixPath, when: datetime | None) -> Piece:
    data = file.read(MAX_SUBMISSION_BYTES + 1)
    if len(data) > MAX_SUBMISSION_BYTES:
        return Piece(path, when, trouble=f"it has more than {MAX_SUBMISSION_BYTES // 2**20} MB")
    return Piece(path, when, data)


def _is_wanted(path: PurePosixPath) -> bool:
    notebook = ".ipynb" in path.name.lower() and not path.name.startswith((".", "~$"))
    return notebook or path.name == METADATA


def _changed(member: zipfile.ZipInfo) -> datetime | None:
    """A member's time; archives without any say 1 January 1980."""
    try:
        when = datetime(*member.date_time)
    except ValueError:
        return None
    return None if when.year <= 1980 else when.astimezone()
