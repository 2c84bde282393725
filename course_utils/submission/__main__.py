"""``python -m course_utils.submission LAB``: hand in from a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from course_utils.submission.handin import hand_in
from course_utils.submission.notebook import RefusedError


def main(arguments: Sequence[str] | None = None) -> int:
    """0: a zip with a PDF; 1: without one; 2: refused, nothing was written."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.submission", description="Write the zip to hand in."
    )
    parser.add_argument("lab", help="such as cfg")
    parser.add_argument("--notebook", type=Path, help="default: <lab>.ipynb in this folder")
    parser.add_argument("--out", type=Path, help="folder of the zip; default: beside the notebook")
    parser.add_argument("--name", default="", help="your name, for the zip and the PDF")
    parser.add_argument("--dry-run", action="store_true", help="check, and write nothing")
    given = parser.parse_args(arguments)
    try:
        handed = hand_in(given.lab, given.notebook, given.out, given.name, given.dry_run)
    except RefusedError as error:
        print(f"Nothing was written. {error}", file=sys.stderr)
        return 2
    print(handed)
    return 0 if handed.pdf.data else 1


if __name__ == "__main__":
    raise SystemExit(main())
