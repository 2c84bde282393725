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


def test_canvas_own_gradebook_is_a_roster(tmp_path: Path) -> None:
    text = (
        "Student,ID,SIS User ID,SIS Login ID,Section,Lab 1 (77)\n"
        "    Points Possible,,,,,12\n"
        '"Doe, Jane",4001,0012,JDoe,Monday,3\n'
    )
    [found] = read_roster(roster(tmp_path, text)).students
    assert (found.student, found.name, found.login) == ("jdoe", "Doe, Jane", "JDoe")
    assert (found.system, found.number, found.section) == ("4001", "0012", "Monday")
    assert read_roster(roster(tmp_path, text)).find(["4001"]) == "jdoe"


def test_the_systems_own_number_is_no_number_of_the_university(tmp_path: Path) -> None:
    [found] = read_roster(roster(tmp_path, "student,lmsid\njdoe,4001\n")).students
    assert (found.system, found.number, found.numbers) == ("4001", "", ("4001",))


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
