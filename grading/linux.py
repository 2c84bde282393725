"""The system calls that Linux namespaces need and that Python 3.11 does not offer.

Each function raises `OSError` with the call's name where the kernel refuses.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS = 0x00020000, 0x02000000, 0x04000000
CLONE_NEWIPC, CLONE_NEWUSER = 0x08000000, 0x10000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
ALL_NAMESPACES = (
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC
    | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET
)  # fmt: skip

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 36, 38, 47
PR_CAP_AMBIENT_CLEAR_ALL, SECCOMP_MODE_FILTER = 4, 2
CAPABILITY_VERSION_3 = 0x20080522
MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE = 442, -100, 0x8000  # the same number on every machine

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, call: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Leave the namespaces named by `flags` for new ones; see unshare(2)."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str, flags: int = 0, data: str = "") -> None:
    """Mount; see mount(2)."""
    _checked(
        _libc.mount(
            source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode()
        ),
        f"mount {target}",
    )


def bind(source: str, target: str, *, writable: bool = False) -> None:
    """Make `source` visible at `target`, with what is mounted beneath it, without set-uid files.

    Read-only unless `writable`.
    """
    mount(source, target, "", MS_BIND | MS_REC)
    read_only, no_suid, no_dev = 1, 2, 4
    wanted = no_suid | no_dev | (0 if writable else read_only)
    attributes = struct.pack("QQQQ", wanted, 0, 0, 0)
    _checked(
        _libc.syscall(
            ctypes.c_long(MOUNT_SETATTR), ctypes.c_int(AT_FDCWD), target.encode(),
            ctypes.c_uint(AT_RECURSIVE), attributes, ctypes.c_size_t(len(attributes)),
        ),
        f"mount_setattr {target}",
    )  # fmt: skip


def bind_device(source: str, target: str) -> None:
    """Make a device file such as /dev/null visible; its mount keeps devices alive."""
    mount(source, target, "", MS_BIND)


def make_read_only(target: str) -> None:
    """Make one mount read-only, for good: a box has no rights to undo it."""
    mount("", target, "", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)


def change_root(new_root: str) -> None:
    """Make `new_root` the root of this mount namespace and let go of the old one."""
    os.chdir(new_root)
    _checked(_libc.syscall(ctypes.c_long(_PIVOT_ROOT[_machine()]), b".", b"."), "pivot_root")
    _checked(_libc.umount2(b".", ctypes.c_int(MNT_DETACH)), "umount of the old root")
    os.chdir("/")


def prctl(option: int, *arguments: int) -> None:
    """See prctl(2)."""
    padded = [ctypes.c_ulong(a) for a in (*arguments, 0, 0, 0, 0)[:4]]
    _checked(_libc.prctl(ctypes.c_int(option), *padded), f"prctl {option}")


def bar_capabilities() -> None:
    """Let no program that is started from here bring a capability along."""
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno != errno.EINVAL:  # the kernel has fewer
                raise


def drop_capabilities() -> None:
    """Give up every capability, and the way to new ones."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    _checked(_libc.capset(header, struct.pack("6I", *[0] * 6)), "capset")
    prctl(PR_SET_NO_NEW_PRIVS, 1)


# ---------------------------------------------------------------- which calls are refused

# What no lab needs and what reaches past a box: memory that no limit counts, other processes'
# memory, the kernel's own programs, new namespaces. (x86-64's number, then that of arm64.)
# fmt: off
REFUSED = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "open_by_handle_at": (304, 265), "kcmp": (312, 272),
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "fsopen": (430, 430), "open_tree": (428, 428),
    "move_mount": (429, 429), "mount_setattr": (442, 442), "kexec_load": (246, 104),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "swapon": (167, 224), "reboot": (169, 142), "quotactl": (179, 60), "acct": (163, 89),
    "pidfd_getfd": (438, 438), "msgget": (68, 186), "semget": (64, 190),
    "personality": (135, 92), "mq_open": (240, 180),
}
# fmt: on
_CLONE, _CLONE3 = (56, 220), 435
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _ANY_BIT, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06


def _machine() -> str:
    machine = platform.machine()
    if machine not in _AUDIT:
        raise OSError(errno.ENOSYS, f"no list of system calls for a {machine} machine")
    return machine


def refuse_calls() -> None:
    """Let the kernel refuse the calls of `REFUSED` from now on, here and in every child.

    A system call answers EPERM; `clone3` answers "not implemented", so that the C library falls
    back to `clone`, whose flags a filter can see. Needs no_new_privs (`drop_capabilities`).
    """
    program = call_filter()
    buffer = ctypes.create_string_buffer(program, len(program))
    fprog = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    holder = ctypes.create_string_buffer(fprog, len(fprog))
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(holder))


def call_filter() -> bytes:
    """The filter of `refuse_calls` for this machine, as the kernel takes it."""
    return b"".join(_filter(_machine()))


def _filter(machine: str) -> list[bytes]:
    """A classic BPF program over `struct seccomp_data` (number, architecture, arguments)."""
    column = 0 if machine == "x86_64" else 1

    def step(code: int, k: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("HBBI", code, yes, no, k)

    refused, absent = _ERROR | errno.EPERM, _ERROR | errno.ENOSYS
    steps = [
        step(_LOAD, 4), step(_EQUAL, _AUDIT[machine], 1, 0), step(_RETURN, _KILL),
        step(_LOAD, 0),
        step(_AT_LEAST, 0x40000000, 0, 1), step(_RETURN, _KILL),  # x32's second set of numbers
        step(_EQUAL, _CLONE3, 0, 1), step(_RETURN, absent),
    ]  # fmt: skip
    for numbers in REFUSED.values():
        steps += [step(_EQUAL, numbers[column], 0, 1), step(_RETURN, refused)]
    steps += [
        step(_EQUAL, _CLONE[column], 0, 3),
        step(_LOAD, 16),  # clone's flags
        step(_ANY_BIT, ALL_NAMESPACES, 0, 1),
        step(_RETURN, refused),
        step(_RETURN, _ALLOW),
    ]
    return steps
