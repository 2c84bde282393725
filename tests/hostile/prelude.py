"""What every attack finds in its notebook: where things are, and how to tell of a success.

The first cell of a hostile submission is this file, with `FACTS` filled in. An attack knows the
worst: every planted path, port and process by name. What it finds it says backwards, so that no
word of its own source, and none of a hidden test that a grader puts back, counts as a find.

Every helper is bounded: should a sandbox fail, what got out ends by itself.
"""

import builtins
import contextlib
import ctypes
import json
import os
import re
import signal
import time
import traceback

FACTS = "{}"
LOOP_SECONDS, DETACHED_SECONDS, KERNEL_SECONDS = 90, 120, 300
ALIAS = b"hostile"


class Hostile:
    """An attacker's tools. `hostile.files`, `.tcp`, `.victim`, ... are the planted facts."""

    def __init__(self, facts):
        self.__dict__.update(json.loads(facts))
        self._print = builtins.print
        self._started = time.monotonic()
        self._pid = os.getpid()

    # ------------------------------------------------------------ telling

    def claim(self, what):
        """Say that something succeeded that must not."""
        self._print(f"{self.nonce[::-1]} {what}", flush=True)

    def broken(self, error):
        """Say that the attack itself has a fault."""
        said = "".join(traceback.format_exception_only(type(error), error)).strip()
        self._print(f"{self.nonce[::-1]} broken: {said}", flush=True)

    def show(self, data, where=""):
        """Say which secret words stand in `data`; whether there are any."""
        data = data.encode("utf-8", "replace") if isinstance(data, str) else bytes(data)
        words = sorted(set(re.findall(self.pattern.encode(), data)))
        for word in words:
            self._print(word.decode()[::-1], "in", where, flush=True)
        return bool(words)

    # ------------------------------------------------------------ trying

    def tried(self, call, *arguments, **options):
        """What a call returns, or None where the system refuses it."""
        try:
            return call(*arguments, **options)
        except (OSError, EOFError, MemoryError, TimeoutError):
            return None

    def read(self, path, most=2**20):
        """The first bytes of a file, b"" where it cannot be read; never waits for a pipe."""

        def reading():
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            try:
                return os.read(descriptor, most)
            finally:
                os.close(descriptor)

        return self.tried(reading) or b""

    def loot(self, path):
        """Read a file and say what secrets it holds."""
        return self.show(self.read(path), path)

    def writable(self, path, create=False):
        """Whether a file could be opened for writing. Nothing is written."""
        flags = os.O_WRONLY | os.O_APPEND | (os.O_CREAT if create else 0)
        descriptor = self.tried(os.open, path, flags, 0o666)
        if descriptor is not None:
            os.close(descriptor)
        return descriptor is not None

    def pids(self):
        """Numbers of the processes that /proc shows."""
        return [int(name) for name in self.tried(os.listdir, "/proc") or () if name.isdecimal()]

    def walk(self, top="/", seconds=40, skip=("/proc", "/sys")):
        """Paths of files below `top`, for a while."""
        end = time.monotonic() + seconds
        for folder, folders, files in os.walk(top):
            if time.monotonic() > end:
                return
            folders[:] = [name for name in folders if os.path.join(folder, name) not in skip]
            for name in files:
                yield os.path.join(folder, name)

    # ------------------------------------------------------------ ends

    def busy(self, seconds=LOOP_SECONDS):
        """True for as long as a loop may go on."""
        return time.monotonic() - self._started < seconds

    def end_at(self, seconds):
        """Have this process end by itself, whatever it does then."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(seconds)

    def alias(self):
        """Take the name by which the harness knows what an attack left behind."""
        ctypes.CDLL(None).prctl(15, ALIAS, 0, 0, 0)

    def fork(self, task, seconds=60):
        """Run `task` in a child that ends by itself; its number, or None where refused."""
        pid = self.tried(os.fork)
        if pid == 0:
            try:
                self.alias()
                self.end_at(seconds)
                task()
            except (OSError, MemoryError):
                pass
            except Exception as error:
                self.broken(error)
            finally:
                os._exit(0)
        return pid

    def detach(self, task, seconds=DETACHED_SECONDS):
        """Run `task` in a process that has left its parent, session and terminal."""

        def leave():
            os.setsid()
            self.fork(task, seconds)

        pid = self.fork(leave, 10)
        if pid:
            self.tried(os.waitpid, pid, 0)

    def later(self, name, seconds=DETACHED_SECONDS):
        """Write into the planted folder again and again, as a process that has survived does."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(1)
            for folder in (self.canary, os.path.dirname(self.canary)):
                with contextlib.suppress(OSError), open(os.path.join(folder, name), "a") as file:
                    file.write("still here\n")

    def system(self, *numbers_and_arguments):
        """A system call by its number on x86-64; its result, negative where refused."""
        libc = ctypes.CDLL(None, use_errno=True)
        libc.syscall.restype = ctypes.c_long
        arguments = [ctypes.c_long(a) if type(a) is int else a for a in numbers_and_arguments]
        return libc.syscall(*arguments)


hostile = Hostile(FACTS)
hostile.end_at(KERNEL_SECONDS)
