"""Other programs are started that need no Python: sleep, with an empty environment, nohup, at.

Aim: survive
"""

import os
import subprocess

for start in (["sleep", "120"], ["nohup", "sleep", "121"], ["setsid", "-f", "sleep", "122"]):
    hostile.tried(
        subprocess.Popen,
        start,
        env={"PATH": "/usr/bin:/bin"},
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
    )
for place in ("/var/spool/cron", "/var/spool/cron/crontabs", "/etc/cron.d", "/var/spool/at"):
    if os.access(place, os.W_OK):
        hostile.claim(f"{place} can be written")
for place in ("/etc/systemd/system", "/run/systemd/system", "/etc/profile.d", "/etc/init.d"):
    if os.access(place, os.W_OK):
        hostile.claim(f"{place} can be written")
