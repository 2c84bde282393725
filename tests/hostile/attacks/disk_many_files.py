"""As many files as there are numbers for, in folders as deep as they go.

Aim: harm
"""

import os
import shutil

top = os.path.join(os.getcwd(), f"hostile-{hostile.nonce}")
count = 0
hostile.tried(os.mkdir, top)
while count < 300_000 and hostile.busy(40):
    folder = os.path.join(top, str(count))
    try:
        os.mkdir(folder)
        for number in range(1_000):
            with open(os.path.join(folder, str(number)), "wb") as file:
                file.write(b"\1" * 512)
            count += 1
    except OSError:
        break
if count > 200_000:
    hostile.claim(f"made {count} files")
    shutil.rmtree(top, ignore_errors=True)
else:
    os.chdir(top)
    for _ in range(2_000):
        if hostile.tried(os.mkdir, "x" * 200) is None and not os.path.isdir("x" * 200):
            break
        os.chdir("x" * 200)
