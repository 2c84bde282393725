"""Rights: capabilities, set-user-id programs, a namespace in which one is root.

Aim: harm
Quick: yes
"""

import ctypes
import os
import shutil
import subprocess

lines = dict(
    line.split(":", 1)
    for line in hostile.read("/proc/self/status").decode().splitlines()
    if ":" in line
)
for name in ("CapEff", "CapPrm", "CapAmb"):
    if int(lines.get(name, "0"), 16):
        hostile.claim(f"{name} is {lines[name].strip()}")
if os.geteuid() == 0 or os.getuid() == 0:
    hostile.claim("the submission is root")
for call in (os.setuid, os.seteuid, os.setgid):
    if hostile.tried(call, 0) is None and 0 in (os.getuid(), os.geteuid(), os.getgid()):
        hostile.claim(f"{call.__name__}(0) worked")
commands = (["su", "-c", "id -u"], ["sudo", "-n", "id", "-u"], ["pkexec", "id", "-u"])
for command in commands:
    if shutil.which(command[0]):
        said = hostile.tried(
            subprocess.run, command, capture_output=True, stdin=subprocess.DEVNULL, timeout=5
        )
        if said is not None and said.stdout.strip() == b"0":
            hostile.claim(f"{command[0]} makes root of a submission")
libc = ctypes.CDLL(None)
libc.prctl(38, 0, 0, 0, 0)
if libc.prctl(39, 0, 0, 0, 0) != 1:
    hostile.claim("programs that are started may gain rights (no_new_privs is off)")
