"""Handing in a lab: one zip with the notebook and a PDF that was read back and compared.

The last cell of each lab is ``submit("cfg")``. The same from a terminal, without the grading tools:
``python -m course_utils.submission cfg``. The PDF needs the extra ``submit``; without it the zip
holds the notebook, and says why there is no PDF.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from course_utils.submission.handin import Handed, hand_in
from course_utils.submission.notebook import RefusedError

__all__ = ["Handed", "RefusedError", "hand_in", "submit"]


def submit(
    lab: str, *, notebook: str | None = None, out: str | None = None, name: str = ""
) -> None:
    """Check this notebook and write the zip to hand in; print what came of it.

    Args:
        lab: the lab's name, such as "cfg".
        notebook: the saved notebook, if it is not the one in which this runs.
        out: the folder for the zip; default: beside the notebook.
        name: your name, where the zip and the PDF should carry it.

    What is wrong is printed, not raised: nothing below this cell should stop because of it. Under
    the smoke budget, with which labs are tested and graded, and under nbgrader, it only says so.
    """
    if (why := _test_run()) is not None:
        print(
            f"Nothing is handed in {why}. To do it all the same, in a terminal:"
            f" python -m course_utils.submission {lab}"
        )
        return
    try:
        handed = hand_in(lab, _path(notebook), _path(out), name)
    except RefusedError as error:
        print(f"Nothing was written. {error}")
        return
    print(handed)
    _download(handed)


def _test_run() -> str | None:
    """In words, the kind of run that is no student's; None for a student's."""
    if os.environ.get("COURSE_BUDGET", "").strip().lower() == "smoke":
        return "under the smoke budget (COURSE_BUDGET=smoke)"
    if "NBGRADER_EXECUTION" in os.environ or "NBGRADER_VALIDATING" in os.environ:
        return "while nbgrader runs the notebook"
    return None


def _path(given: str | None) -> Path | None:
    return Path(given).expanduser() if given else None


def _download(handed: Handed) -> None:
    """In Colab the zip lies on a machine that will be gone: start its download."""
    if handed.path is not None and "google.colab" in sys.modules:
        with suppress(Exception):  # the file panel on the left has it, too
            from google.colab import files

            files.download(str(handed.path))
