"""Rosters as universities export them."""

from pathlib import Path

import pytest

from grading.notebooks import CourseError
from grading.roster import Student, read_roster


def roster(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "roster.csv"
    path.write_bytes(text.encode("utf-8-sig"))
    return path


@pytest.mark.parametrize(
    "text",
    [
        "student,name,email,number\njdoe,Jane Doe,j@x.org,12\n",
        "Student ID;First name;Last name;E-mail;SID\njdoe;Jane;Doe;j@x.org;12\n",
        "Name\tUsername\tEmail address\tIdnumber\nJane Doe\tjdoe\tj@x.org\t12\n\n",
    ],
)
def test_columns_have_many_names(tmp_path: Path, text: str) -> None:
    found = read_roster(roster(tmp_path, text))
    assert found.students == [Student("jdoe", "Jane Doe", "j@x.org", ("12",))]
    for name in ("jdoe", "JANE DOE", "doejane", "j@x.org", "12"):
        assert found.find([name]) == "jdoe"
    assert found.find(["nobody", "12"]) == "jdoe" and found.find(["nobody"]) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,email\nJane,j@x\n", "called 'student'"),
        ("student\na\na\n", "names a twice"),
        ("student\n", "has no students"),
    ],
)
def test_a_roster_that_is_none(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CourseError, match=said):
        read_roster(roster(tmp_path, text))
    with pytest.raises(CourseError, match="cannot be read"):
        read_roster(tmp_path / "absent.csv")


def test_a_roster_in_another_encoding_is_said(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes("student,name\nana,Müller\n".encode("latin-1"))
    with pytest.raises(CourseError, match="UTF-8"):
        read_roster(path)
