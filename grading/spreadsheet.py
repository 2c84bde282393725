"""Text in a CSV file that somebody will open in a spreadsheet.

A spreadsheet runs a cell that begins like a formula, and a student may choose a name. An apostrophe
in front makes it text there; read back here, it is gone.
"""

from __future__ import annotations

import re

_NUMBER = re.compile(r"-\d+(\.\d+)?")
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_DISARMED = re.compile(r"''*[=+\-@\t\r\n]")


def disarmed(text: str) -> str:
    """The text as it is written; only what begins like a formula changes."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def restored(text: str) -> str:
    """The text that `disarmed` was given."""
    return text[1:] if _DISARMED.match(text) else text


def delimiter_of(text: str) -> str:
    """What sets the columns of a CSV file apart, by its first line: a comma, semicolon or tab."""
    head = text.partition("\n")[0]
    return max(",;\t", key=head.count)
