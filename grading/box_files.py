"""The file system inside a box: a new root that holds what Python needs, and nothing else.

Everything but the scratch folder and, until the kernel has bound its sockets, `home/run` is
read-only. Paths are the same inside and outside, so that what was imported before the fork finds
its files.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import grading
from grading import linux
from grading.boxes import MIB

SCRATCH = "/scratch"
COURSE_PACKAGES = ("course_utils", "grading")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "fonts", "localtime", "mime.types", "ssl/certs")
# Files of /proc that tell of the whole machine, whatever the namespace.
UNTOLD = ("kcore", "key-users", "keys", "latency_stats", "sched_debug", "timer_list")
DEVICES = ("null", "zero", "full", "random", "urandom")
PASSWD = "student:x:1000:1000:student:/scratch:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"


def python_folders() -> list[Path]:
    """The folders that this Python and its libraries lie in."""
    named = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    import site

    named.update(p for p in site.getsitepackages() if Path(p).is_dir())
    return _outermost(Path(name).resolve() for name in named)


def _outermost(paths: Iterable[Path]) -> list[Path]:
    kept: list[Path] = []
    for path in sorted(set(paths)):
        if not any(path.is_relative_to(other) for other in kept):
            kept.append(path)
    return kept


def build_root(root: Path, view: Path, readable: Iterable[Path], run: Path, scratch: int) -> None:
    """Build the box's file system at `root`, a new empty folder, and make it the root.

    Parameters
    ----------
    view, readable : folders to be seen inside at their own paths, read-only.
    run : the folder of the kernel's sockets, writable until `seal_sockets`.
    scratch : bytes that all files of the submission may take.

    Needs a mount namespace and a PID namespace of its own, with rights over both.
    """
    linux.mount("", "/", "", linux.MS_REC | linux.MS_PRIVATE)
    _tmpfs(root, 4 * MIB, "0755")
    _scratch(root, scratch)
    for folder in SYSTEM:
        _show(root, Path(folder))
    for path in _outermost([*python_folders(), view, *readable]):
        _show(root, path)
    for path in hidden([*python_folders(), *readable, *map(Path, SYSTEM)]):
        if not path.is_relative_to(view):
            _tmpfs(root / path.relative_to("/"), 4096, "0755")
    _etc(root)
    _devices(root)
    _show(root, run, writable=True)
    (root / "proc").mkdir()
    # Where the host hides parts of its own /proc, a new one is refused; Python goes without.
    with contextlib.suppress(OSError):
        flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
        linux.mount("proc", str(root / "proc"), "proc", flags)
        for path in untold():
            linux.bind_device("/dev/null", str(root / path.relative_to("/")))
    linux.change_root(str(root))
    linux.make_read_only("/")


def untold() -> list[Path]:
    """The files of `UNTOLD` that this system has."""
    return [path for path in (Path("/proc") / name for name in UNTOLD) if path.exists()]


def seal_sockets(run: Path) -> None:
    """Let nobody replace the sockets that the kernel has bound."""
    linux.make_read_only(str(run))


def _tmpfs(place: Path, size: int, mode: str) -> None:
    place.mkdir(parents=True, exist_ok=True)
    flags = linux.MS_NOSUID | linux.MS_NODEV
    linux.mount("tmpfs", str(place), "tmpfs", flags, f"size={size},nr_inodes=65536,mode={mode}")


def _show(root: Path, path: Path, *, writable: bool = False) -> None:
    """Make `path` visible in the new root, as a link where it is one."""
    target = root / path.relative_to("/")
    if path.is_symlink() and not writable:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(os.readlink(path))  # noqa: PTH115 - the text, not what it leads to
    elif path.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        linux.bind(str(path), str(target), writable=writable)
    elif path.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
        linux.bind(str(path), str(target), writable=writable)


def hidden(shown: Iterable[Path]) -> set[Path]:
    """The course's folder and packages, where they lie in something that is shown.

    A course that was installed as a package stands, with its answers, among Python's libraries.
    """
    folder = Path(grading.__file__).resolve().parents[1]
    found = {Path(entry) / name for entry in sys.path if entry for name in COURSE_PACKAGES}
    found = {path for path in found if path.is_dir()} | {folder / name for name in COURSE_PACKAGES}
    if not {"site-packages", "dist-packages"} & set(folder.parts):
        found.add(folder)
    found |= {path.resolve() for path in found}
    roots = {place for path in shown for place in (path, path.resolve())}
    return {path for path in found if any(path.is_relative_to(root) for root in roots)}


def _etc(root: Path) -> None:
    for name in ETC:
        _show(root, Path("/etc") / name)
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/passwd").write_text(PASSWD)
    (root / "etc/group").write_text("student:x:1000:\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")


def _devices(root: Path) -> None:
    for name in DEVICES:
        (root / "dev" / name).touch()
        linux.bind_device(f"/dev/{name}", str(root / "dev" / name))
    (root / "dev/pts").mkdir()
    options = "newinstance,ptmxmode=0666,mode=0620"
    linux.mount(
        "devpts", str(root / "dev/pts"), "devpts", linux.MS_NOSUID | linux.MS_NOEXEC, options
    )
    (root / "dev/ptmx").symlink_to("pts/ptmx")
    for name, target in {"fd": "fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}.items():
        (root / "dev" / name).symlink_to(f"/proc/self/{target}")


def _scratch(root: Path, size: int) -> None:
    """One file system of limited size for all that may be written, under its usual names."""
    place = root / SCRATCH.lstrip("/")
    _tmpfs(place, size, "1777")
    for name in ("tmp", "dev/shm"):
        inside, usual = place / Path(name).name, root / name
        inside.mkdir()
        inside.chmod(0o1777)
        usual.mkdir(parents=True)
        linux.bind(str(inside), str(usual), writable=True)


def environment(given: Mapping[str, str], view: Path) -> dict[str, str]:
    """`given` with the folders that a box has instead of the host's."""
    return dict(given) | {
        "HOME": SCRATCH,
        "USER": "student",
        "LOGNAME": "student",
        "TMPDIR": f"{SCRATCH}/tmp",
        "TEMP": f"{SCRATCH}/tmp",
        "TMP": f"{SCRATCH}/tmp",
        "IPYTHONDIR": f"{SCRATCH}/.ipython",
        "JUPYTER_RUNTIME_DIR": f"{SCRATCH}/.run",
        "MPLCONFIGDIR": f"{SCRATCH}/.matplotlib",
        "XDG_CACHE_HOME": f"{SCRATCH}/.cache",
        "PYTHONPATH": str(view),
    }
