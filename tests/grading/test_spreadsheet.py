"""Text that a spreadsheet could run comes back as it was, and cannot run there."""

import pytest

from grading.spreadsheet import disarmed, restored

TEXTS = ["", "Ada", "=1+1", "+49", "-x", "@a", "\tx", "\rx", "\n=x", "'", "''", "'=1", "''=1", "-5",
         "-5.25", "'-5", "'t Hooft", "1=1", "−5"]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_every_text_comes_back(text: str) -> None:
    assert restored(disarmed(text)) == text


def test_no_two_texts_are_written_alike() -> None:
    assert len({disarmed(text) for text in TEXTS}) == len(TEXTS)


@pytest.mark.parametrize("text", ["=1", "+1", "-x", "@a", "\tx", "\rx", "'=1"])
def test_a_formula_is_text(text: str) -> None:
    assert disarmed(text) == f"'{text}"


@pytest.mark.parametrize("text", ["Ada", "'t Hooft", "-5", "12"])
def test_other_text_is_not_touched(text: str) -> None:
    assert disarmed(text) == text
