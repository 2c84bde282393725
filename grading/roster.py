"""Who is in the class: a CSV file of the instructor's, and how other systems' names fit it."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grading.notebooks import CourseError
from grading.spreadsheet import read_csv

# What a column of a roster may be called, in lower case and without what is no letter.
COLUMNS = {
    "student": ("student", "studentid", "id", "username", "login", "netid", "sisloginid"),
    "name": ("name", "fullname", "studentname", "displayname"),
    "first": ("firstname", "givenname", "first"),
    "last": ("lastname", "surname", "familyname", "last"),
    "email": ("email", "emailaddress", "mail"),
    "number": ("number", "sid", "sisuserid", "idnumber"),
    "system": ("canvasid", "moodleid", "lmsid"),
    "section": ("section",),
}
# In Canvas's own gradebook these two mean something else.
IN_CANVAS = {"student": "name", "id": "system"}
_ID = re.compile(r"[^\w.@+-]+")


@dataclass(frozen=True)
class Student:
    """A row of the roster. `student` names the folders in nbgrader's layout, `login` is the same as
    the roster writes it; `system` is the learning system's own number, and one of `numbers`."""

    student: str
    name: str = ""
    email: str = ""
    numbers: tuple[str, ...] = ()
    login: str = field(default="", compare=False)
    system: str = field(default="", compare=False)
    section: str = field(default="", compare=False)

    @property
    def number(self) -> str:
        """The number that the university gave, if the roster has one."""
        return next((number for number in self.numbers if number != self.system), "")


@dataclass
class Roster:
    """The class. Without one, everybody is let in under the name that the files give."""

    students: list[Student] = field(default_factory=list)
    _known: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set), repr=False)

    def __post_init__(self) -> None:
        for one in self.students:
            for key in _keys(one):
                self._known[key].add(one.student)

    def find(self, names: Iterable[str]) -> str | None:
        """The student whom one of `names` fits, the first that fits anybody; None where none does.

        Where a name fits several, a later one decides between them: two students may be called the
        same, but their numbers differ. Raises `CourseError` where none does.
        """
        given = [name for name in names if plain(name)]
        if not self.students:
            return folder_name(given[0]) if given else None
        fitting: set[str] = set()
        for name in given:
            found = self._known.get(plain(name), set())
            narrowed = fitting & found if fitting else found
            if len(narrowed) == 1:
                return next(iter(narrowed))
            fitting = narrowed or fitting
        if fitting:
            told = "' and '".join(given)
            raise CourseError(f"'{told}' fits several students: {', '.join(sorted(fitting))}")
        return None

    def owner(self, folder: str) -> str | None:
        """The student whose folder is called so: as `student`, or by hand as the login is."""
        return next((s.student for s in self.students if folder in (s.student, s.login)), None)


def plain(text: str) -> str:
    """Letters and digits alone, in lower case and without accents: "Müller, Ana" → "mullerana"."""
    bare = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in bare if letter.isalnum())


def folder_name(text: str) -> str:
    """A name that can be a folder everywhere; letters of all alphabets stay."""
    return _ID.sub("-", unicodedata.normalize("NFC", text).strip()).strip("-.").lower() or "unnamed"


def _keys(one: Student) -> set[str]:
    words = one.name.replace(",", " , ").split()
    names = {one.student, one.email, one.email.partition("@")[0], *one.numbers, one.name}
    if "," in words:  # "Family, Given"
        at = words.index(",")
        words = words[at + 1 :] + words[:at]
        names.add(" ".join(words))
    # Canvas writes the family name first; which words are the family's nobody knows.
    names |= {" ".join(words[i:] + words[:i]) for i in range(1, len(words))}
    return {key for key in map(plain, names) if key}


def read_roster(path: Path) -> Roster:
    """A roster from a CSV file with a head: a column `student`, and any of name (or first and last
    name), email, number, lmsid (the learning system's own number) and section; or Canvas's own
    gradebook, as it is downloaded.

    Raises `CourseError` where the file cannot be read, or lacks students, or names one twice.
    """
    columns, rows = read_csv(path, f"--roster was given {path}, which")
    heads = _heads([head or "" for head in columns])
    if "student" not in heads:
        raise CourseError(
            f"--roster was given {path}, whose columns are {', '.join(columns)};"
            " expected one called 'student': name the column that holds your names for students so."
        )
    students = [_student(row, heads) for _, row in rows if (row[heads["student"]] or "").strip()]
    names = [one.student for one in students]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        what = f"names {', '.join(twice[:5])} twice" if twice else "has no students"
        raise CourseError(f"--roster was given {path}, which {what}; expected a row each: mend it.")
    return Roster(students)


def _heads(names: Sequence[str]) -> dict[str, str]:
    """The columns by what they hold."""
    canvas = "sisloginid" in map(plain, names)
    found = {}
    for name in names:
        role = IN_CANVAS.get(plain(name)) if canvas else None
        if role := role or _role(name):
            found[role] = name
    return found


def _role(head: str) -> str | None:
    bare = plain(head)
    return next((role for role, names in COLUMNS.items() if bare in names), None)


def _student(row: Mapping[Any, Any], heads: Mapping[str, str]) -> Student:
    told = {role: (row.get(head) or "").strip() for role, head in heads.items()}
    name = told.get("name") or f"{told.get('first', '')} {told.get('last', '')}".strip()
    numbers = tuple(told[role] for role in ("number", "system") if told.get(role))
    return Student(
        folder_name(told["student"]), name, told.get("email", ""), numbers,
        told["student"], told.get("system", ""), told.get("section", ""),
    )  # fmt: skip
