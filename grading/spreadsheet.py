"""Text in a CSV file that somebody will open in a spreadsheet.

A spreadsheet runs a cell that begins like a formula, and a student may choose a name. An apostrophe
in front makes it text there; read back here, it is gone.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from grading.notebooks import CourseError

_NUMBER = re.compile(r"-\d+(\.\d+)?")
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_DISARMED = re.compile(r"''*[=+\-@\t\r\n]")


def disarmed(text: str) -> str:
    """The text as it is written; only what begins like a formula changes."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def restored(text: str) -> str:
    """The text that `disarmed` was given."""
    return text[1:] if _DISARMED.match(text) else text


def read_csv(path: Path, what: str) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """The columns of a CSV file, and its rows, each with the number of the line that it ends in.

    Commas, semicolons and tabs separate. `what` begins an error: how the file was named, and what
    it is. Raises `CourseError` where the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(
            f"{what} cannot be read ({error}); expected a CSV file in UTF-8: check the path, or"
            " save it so."
        ) from None
    # The first line alone: nothing else in it says how the columns are set apart.
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return list(reader.fieldnames or ()), [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise CourseError(
            f"{what} is damaged near line {reader.line_num} ({error}); expected CSV: save it again"
            " from the spreadsheet."
        ) from None
